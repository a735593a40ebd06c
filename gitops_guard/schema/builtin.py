"""Schemas of the kinds that Kubernetes itself serves, by minor version."""

from collections.abc import Iterator
from typing import Any

from gitops_guard.model import Body, Problem
from gitops_guard.schema import bundle
from gitops_guard.schema.base import Schema
from gitops_guard.schema.crd import crd_problems
from gitops_guard.schema.slices import Slices
from gitops_guard.schema.walk import Walk
from gitops_guard.schema.wording import Wording

CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
_SECRET = "io.k8s.api.core.v1.Secret"  # noqa: S105 - the name of a definition


def versions() -> tuple[str, ...]:
    """Return the minor versions with bundled schemas, oldest first: `("1.25", ..., "1.37")`."""
    return bundle.versions()


class BuiltinSchemas:
    """The built-in kinds of one minor version."""

    def __init__(self, version: str, cache: tuple[str, bytes] | None) -> None:
        """Open the schemas of a version.

        Args:
            version: Minor version: `1.37`.
            cache: Folder in which slices are kept between runs, and the key that seals them; None keeps them in
                memory.

        Raises:
            SchemaError: There are no schemas for that version, or they cannot be read.
        """
        self._slices = Slices(version, cache)
        self._found: dict[str, Schema] = {}

    def find(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a kind that can be created in this version, by its full group."""
        definition = self._slices.definition(f"{group}/{version}" if group else version, kind)
        if definition is None:
            return None
        if definition not in self._found:
            self._found[definition] = BuiltinSchema(definition, self._slices.load(definition)["definitions"])
        return self._found[definition]


class BuiltinSchema:
    """The schema of one built-in kind."""

    complete = True

    def __init__(self, definition: str, definitions: dict[str, Any]) -> None:
        """Wrap a slice.

        Args:
            definition: Name of the kind's own definition.
            definitions: Of the slice, by name.
        """
        self._definition = definition
        self._walk = Walk(definitions, Wording(secret=definition == _SECRET))

    def problems(self, body: Body) -> Iterator[Problem]:
        """Yield everything that does not fit, in document order."""
        found = list(self._walk.problems(self._definition, body))
        yield from found
        if self._definition == CRD and not found:
            yield from crd_problems(body)  # the server validates only what it could decode

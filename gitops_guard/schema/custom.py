"""Schemas of custom resources, from CRDs in the tree or in configured directories."""

from collections.abc import Iterable
from typing import Any

from gitops_guard.model import Body
from gitops_guard.schema import bundle
from gitops_guard.schema.base import Schema
from gitops_guard.schema.slices import Slices
from gitops_guard.schema.structural import OBJECT_META, CompileRules, CustomSchema

_GROUP = "apiextensions.k8s.io/"


def is_crd(body: Body) -> bool:
    """Tell whether a resource is a CustomResourceDefinition, v1 or v1beta1."""
    return body.get("kind") == "CustomResourceDefinition" and str(body.get("apiVersion")).startswith(_GROUP)


class CustomSchemas:
    """The schemas that a set of CRDs declares."""

    def __init__(self, schemas: dict[tuple[str, str, str], Schema]) -> None:
        """Hold schemas by group, version and kind."""
        self._schemas = schemas

    @classmethod
    def from_crds(
        cls,
        bodies: Iterable[Body],
        *,
        cache: tuple[str, bytes] | None = None,
        compile_rules: CompileRules | None = None,
    ) -> "CustomSchemas":
        """Read CRDs; what is no CRD, or has no schema, is passed over. The first of two for one kind wins.

        Args:
            bodies: Resources, in an order that does not change from run to run.
            cache: Folder in which the schema of ObjectMeta is kept between runs, and the key that seals it.
            compile_rules: Compiles the schemas' CEL rules; None: they are not evaluated.
        """
        schemas: dict[tuple[str, str, str], Schema] = {}
        metadata: dict[str, Any] | None = None
        for body in bodies:
            if not is_crd(body):
                continue
            metadata = metadata or object_meta(cache)
            for key, schema, drops_status in _declared(body):
                schemas.setdefault(
                    key, CustomSchema(schema, metadata=metadata, drops_status=drops_status, compile_rules=compile_rules)
                )
        return cls(schemas)

    def find(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a custom resource; None when no CRD declares one."""
        return self._schemas.get((group, version, kind))

    def groups(self) -> frozenset[str]:
        """Return the API groups that have at least one kind here."""
        return frozenset(group for group, _, _ in self._schemas)


def object_meta(cache: tuple[str, bytes] | None) -> dict[str, Any]:
    """Return the definitions that judge an object's metadata; they are the same in every version."""
    definitions: dict[str, Any] = Slices(bundle.versions()[-1], cache).load(OBJECT_META)["definitions"]
    return definitions


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _declared(body: Body) -> list[tuple[tuple[str, str, str], dict[str, Any], bool]]:
    """Return key, schema and whether status is dropped, for every version with a schema."""
    spec = _dict(body.get("spec"))
    group, kind = spec.get("group"), _dict(spec.get("names")).get("kind")
    versions = spec.get("versions")
    if not isinstance(versions, list):  # v1beta1 allowed a single `version`
        versions = [{"name": spec.get("version")}]
    found = []
    for version in versions:
        version = _dict(version)
        schema = _dict(_dict(version.get("schema") or spec.get("validation")).get("openAPIV3Schema"))
        subresources = _dict(version.get("subresources") or spec.get("subresources"))
        key = (group, version.get("name"), kind)
        if schema and version.get("served", True) and all(isinstance(part, str) for part in key):
            found.append(((str(group), str(version["name"]), str(kind)), schema, "status" in subresources))
    return found

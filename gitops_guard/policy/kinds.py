"""Which resource a kind is: the plural, the scope and the versions by which match rules know it."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gitops_guard.model import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResource:
    """A kind as the API server's discovery names it."""

    plural: str
    """`deployments`."""

    namespaced: bool
    versions: tuple[str, ...] = ()
    """Served versions that are known; empty when none is."""

    converts: bool = True
    """Versions differ in more than their name, so that an object of one has to be converted to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTable:
    """Kinds to resources: built-in ones, and those of a tree's CustomResourceDefinitions."""

    custom: Mapping[tuple[str, str], ApiResource] = field(default_factory=dict)
    """By group and kind."""

    @classmethod
    def from_crds(cls, bodies: Iterable[Body]) -> "ResourceTable":
        """Read what CustomResourceDefinitions declare; the first of two for one kind wins."""
        found: dict[tuple[str, str], ApiResource] = {}
        for body in bodies:
            declared = _declared(body)
            if declared is not None:
                found.setdefault(*declared)
        return cls(custom=found)

    def find(self, group: str, kind: str, *, has_namespace: bool) -> ApiResource:
        """Return the resource of a kind.

        A kind that nobody declares gets the name that the API machinery guesses (lower case, in the plural), and counts
        as namespaced when the manifest names a namespace.
        """
        known = builtin_resources().get((group, kind)) or self.custom.get((group, kind))
        return known or ApiResource(plural=guess_plural(kind), namespaced=has_namespace)


@lru_cache(maxsize=1)
def builtin_resources() -> Mapping[tuple[str, str], ApiResource]:
    """Return the resources that kube-apiserver itself serves, by group and kind; see tools/resource_names.py."""
    with open(os.path.join(os.path.dirname(__file__), "resources.json"), encoding="utf-8") as file:
        rows: dict[str, list[Any]] = json.load(file)["resources"]
    table: dict[tuple[str, str], ApiResource] = {}
    for name, (plural, namespaced, versions) in rows.items():
        kind, _, group = name.partition(".")
        table[group, kind] = ApiResource(plural=plural, namespaced=namespaced, versions=tuple(versions))
    return table


@lru_cache(maxsize=1)
def kinds_by_resource() -> Mapping[tuple[str, str], str]:
    """Return the built-in kinds by group and plural."""
    return {(group, found.plural): kind for (group, kind), found in builtin_resources().items()}


def guess_plural(kind: str) -> str:
    """Guess a resource's name as the API machinery does where discovery is silent: `policies`, `ingresses`."""
    word = kind.lower()
    if not word or word == "endpoints":
        return word
    if word.endswith("s"):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _declared(body: Body) -> tuple[tuple[str, str], ApiResource] | None:
    spec = _dict(body.get("spec"))
    names = _dict(spec.get("names"))
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str)):
        return None
    versions = spec.get("versions")
    served = [
        str(version.get("name"))
        for version in (versions if isinstance(versions, list) else [])
        if isinstance(version, dict) and version.get("served", True)
    ]
    resource = ApiResource(
        plural=plural,
        namespaced=spec.get("scope") != "Cluster",
        versions=tuple(served),
        converts=_dict(spec.get("conversion")).get("strategy", "None") != "None",
    )
    return (group, kind), resource


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""Objects of Flux and Argo CD, and what they refer to, wherever they were found: in a file, or in rendered output."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass

from gitops_guard.model import Body, Json, Origin
from gitops_guard.model.resource import ResourceId, resource_id
from gitops_guard.render.files import items, mapping, text

FLUX_KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
FLUX_HELM = "helm.toolkit.fluxcd.io"
FLUX_SOURCE = "source.toolkit.fluxcd.io"
ARGO = "argoproj.io"
_ARGO_KINDS = frozenset(("Application", "ApplicationSet"))
UNIT_KINDS = ("Kustomization", "HelmRelease", "Application", "ApplicationSet")
SOURCE_KINDS = ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact")
TELLING = (b"toolkit.fluxcd.io/", b"argoproj.io/")
"""What every file holds that declares units, or sources for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One object that declares a unit, or that one refers to."""

    id: ResourceId
    body: Body
    origin: Origin
    clusters: tuple[str, ...]
    """Clusters that the object itself lives in."""

    also: frozenset[str] = frozenset()
    """Files that made it what it is, beside that of its origin."""

    @property
    def name(self) -> str:
        """Return namespace and name, as dependencies name it."""
        return f"{self.id.namespace}/{self.id.name}" if self.id.namespace else self.id.name

    @property
    def spec(self) -> dict[str, Json]:
        """Return the object's spec; empty where it has none."""
        return mapping(self.body.get("spec"))

    @property
    def key(self) -> tuple[str, str, str, str, tuple[str, ...]]:
        """Return what makes two of them the same object in the same cluster."""
        return (self.id.group, self.id.kind, self.id.namespace, self.id.name, self.clusters)


def is_unit(name: ResourceId) -> bool:
    """Tell whether an object of this identity deploys something."""
    if name.group == ARGO:
        return name.kind in _ARGO_KINDS
    return (name.group, name.kind) in ((FLUX_KUSTOMIZE, "Kustomization"), (FLUX_HELM, "HelmRelease"))


def is_referred_to(name: ResourceId) -> bool:
    """Tell whether units refer to objects of this kind."""
    return name.group == FLUX_SOURCE or (not name.group and name.kind in ("ConfigMap", "Secret"))


class Known:
    """Every object found so far."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str, str, str], list[Declared]] = {}
        self._asked: set[str] = set()

    def add(self, one: Declared) -> bool:
        """Take an object; False where the same one is known for the same cluster."""
        name = one.id
        same = self._objects.setdefault((name.group, name.kind, name.namespace, name.name), [])
        if any(other.clusters == one.clusters for other in same):
            return False
        same.append(one)
        return True

    def find(self, group: str, kind: str, namespace: str, name: str, near: Declared) -> Declared | None:
        """Return an object that another one refers to.

        Where there are several of that name, one for each cluster, the one of the same cluster counts, else the one
        whose file is nearest.
        """
        found = self._objects.get((group, kind, namespace, name), [])
        same = [one for one in found if set(one.clusters) & set(near.clusters)] or found
        best = max(same, key=lambda one: (_common(one.origin.path, near.origin.path), one.origin.path), default=None)
        if best is not None:
            self._asked |= {best.origin.path, *best.also}
        return best

    def asked_for(self) -> frozenset[str]:
        """Return the files of all objects that `find` gave since this was last called."""
        asked, self._asked = frozenset(self._asked), set()
        return asked


def _common(one: str, other: str) -> int:
    return len(posixpath.commonpath([f"/{one}", f"/{other}"]))


def declared(body: Body, origin: Origin, clusters: tuple[str, ...], also: frozenset[str] = frozenset()) -> Declared:
    """Return an object with its identity."""
    return Declared(id=resource_id(body), body=body, origin=origin, clusters=clusters, also=also)


def string_values(found: Declared) -> dict[str, str]:
    """Return the texts that a ConfigMap holds."""
    return {key: value for key, value in mapping(found.body.get("data")).items() if isinstance(value, str)}


def names(value: Json) -> Iterable[str]:
    """Yield the `name` of each entry of a list."""
    return (text(mapping(entry).get("name")) for entry in items(value))

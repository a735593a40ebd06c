"""What the kustomizations of a tree make of its other files: patches, and manifests that kustomize reads."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops_guard.manifest.classify import patch_paths
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.loader import load
from gitops_guard.model import Body

NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
"""How a kustomization's file may be called."""

_MANIFEST_LISTS = ("resources", "crds", "generators", "transformers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Files that kustomizations name, by repository path."""

    patches: frozenset[str] = frozenset()
    manifests: frozenset[str] = frozenset()


def is_kustomization(path: str) -> bool:
    """Tell whether a path is a kustomization's, by its name."""
    return posixpath.basename(path) in NAMES


def reached(kustomizations: Mapping[str, bytes]) -> Reached:
    """Return what the kustomizations name; one that cannot be read names nothing (it is reported on its own).

    Args:
        kustomizations: Bytes by repository path.
    """
    patches: set[str] = set()
    manifests: set[str] = set()
    for path, data in kustomizations.items():
        for document in load(data, dialect=Dialect.KUSTOMIZE).documents:
            patches |= patch_paths(path, document.body)
            manifests.update(_manifests(path, document.body))
    return Reached(patches=frozenset(patches), manifests=frozenset(manifests - patches))


def _manifests(path: str, body: Body) -> Iterable[str]:
    folder = posixpath.dirname(path)
    for key in _MANIFEST_LISTS:
        entries = body.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str) and "\n" not in entry:
                full = posixpath.normpath(posixpath.join(folder, entry))
                if not full.startswith(("../", "/")):
                    yield full

"""What the kustomizations of a tree make of its other files: patches, and manifests that kustomize reads."""

import json
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_guard.check.circumstances import digest
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.model import Body

NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
"""How a kustomization's file may be called."""

_SCHEME = b"kustomization 1"
_MANIFEST_LISTS = ("resources", "crds", "generators", "transformers")

_Named = dict[str, list[str]]
"""Repository paths by what the kustomization makes of them: `patches` and `manifests`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Files that kustomizations name, by repository path."""

    patches: frozenset[str] = frozenset()
    """Only patches: what some kustomization also names as a resource has to be whole."""

    manifests: frozenset[str] = frozenset()


def is_kustomization(path: str) -> bool:
    """Tell whether a path is a kustomization's, by its name."""
    return posixpath.basename(path) in NAMES


def reached(
    kustomizations: Iterable[tuple[str, bytes | None]],
    read: Callable[[str], bytes | None],
    store: VerdictStore,
    circumstances: bytes,
) -> Reached:
    """Return what the kustomizations name; one that cannot be read names nothing (it is reported on its own).

    Args:
        kustomizations: Path and raw blob id, where known.
        read: Returns a file's bytes, or None.
        store: Where what they name is remembered.
        circumstances: Digest of everything outside the tree that decides.
    """
    patches: set[str] = set()
    manifests: set[str] = set()
    for path, blob in kustomizations:
        key = None if blob is None else digest(_SCHEME, circumstances, path.encode("utf-8", "surrogateescape"), blob)
        named = _remembered(key, store) or _learned(path, read(path), key, store)
        patches.update(named["patches"])
        manifests.update(named["manifests"])
    return Reached(patches=frozenset(patches - manifests), manifests=frozenset(manifests))


def _remembered(key: bytes | None, store: VerdictStore) -> _Named | None:
    if key is None or key not in (stored := store.get([key])):
        return None
    named: _Named = json.loads(stored[key])
    return named


def _learned(path: str, data: bytes | None, key: bytes | None, store: VerdictStore) -> _Named:
    if data is None:
        return {"patches": [], "manifests": []}  # not remembered: it may be readable the next time
    named = _named(path, data)
    if key is not None:
        store.put({key: json.dumps(named).encode()})
    return named


def _named(path: str, data: bytes) -> _Named:
    from gitops_guard.manifest.classify import patch_paths  # not needed while all are remembered
    from gitops_guard.manifest.loader import load

    patches: set[str] = set()
    manifests: set[str] = set()
    for document in load(data, dialect=Dialect.KUSTOMIZE).documents:
        patches |= patch_paths(path, document.body)
        manifests.update(_manifests(path, document.body))
    return {"patches": sorted(patches), "manifests": sorted(manifests)}


def _manifests(path: str, body: Body) -> Iterable[str]:
    folder = posixpath.dirname(path)
    for key in _MANIFEST_LISTS:
        entries = body.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str) and "\n" not in entry:
                full = posixpath.normpath(posixpath.join(folder, entry))
                if not full.startswith(("../", "/")):
                    yield full

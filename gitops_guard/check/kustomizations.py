"""What the kustomizations of a tree make of its other files: patches, and manifests that kustomize reads."""

import json
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_guard.check.circumstances import digest, own_code
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.model import Body

NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
"""How a kustomization's file may be called."""

_SCHEME = b"kustomization 1"
_MANIFEST_LISTS = ("resources", "crds", "generators", "transformers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Files that kustomizations name, by repository path."""

    patches: frozenset[str] = frozenset()
    manifests: frozenset[str] = frozenset()


def is_kustomization(path: str) -> bool:
    """Tell whether a path is a kustomization's, by its name."""
    return posixpath.basename(path) in NAMES


def reached(
    kustomizations: Iterable[tuple[str, bytes | None]], read: Callable[[str], bytes | None], store: VerdictStore
) -> Reached:
    """Return what the kustomizations name; one that cannot be read names nothing (it is reported on its own).

    Args:
        kustomizations: Path and raw blob id, where known.
        read: Returns a file's bytes, or None.
        store: Where what they name is remembered.
    """
    patches: set[str] = set()
    manifests: set[str] = set()
    for path, blob in kustomizations:
        key = None if blob is None else digest(_SCHEME, own_code(), path.encode("utf-8", "surrogateescape"), blob)
        stored = store.get([key]) if key is not None else {}
        if key is not None and key in stored:
            named = json.loads(stored[key])
        else:
            named = _named(path, read(path) or b"")
            if key is not None:
                store.put({key: json.dumps(named).encode()})
        patches.update(named["patches"])
        manifests.update(named["manifests"])
    return Reached(patches=frozenset(patches), manifests=frozenset(manifests - patches))


def _named(path: str, data: bytes) -> dict[str, list[str]]:
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

"""The pass over a whole tree in which references are followed, after every file has been judged by itself.

Its outcome is remembered under the state of the tree when there is nothing to report; otherwise it is made anew each
time from outlines, which are remembered by blob.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_guard.check.clean_store import record
from gitops_guard.check.kustomizations import Reached, is_kustomization, reached
from gitops_guard.check.outlines import OutlineStore, collect
from gitops_guard.check.references import Group, follow, plain_groups, scene_of
from gitops_guard.check.run import Cache, raw_id
from gitops_guard.check.tree_state import is_beside_templates, tree_name
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.errors import RepoError
from gitops_guard.links.scene import Scene
from gitops_guard.links.view import ReferenceRule
from gitops_guard.model import Finding
from gitops_guard.repo.index import blob_id
from gitops_guard.repo.tree import Tree, TreeEntry


def path_bytes(path: str) -> bytes:
    """Return a repository path as Git has it."""
    return path.encode("utf-8", "surrogateescape")


_FEW = 64
"""Files whose blob id is not known that are read to name the state of a tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is followed, and by which rules."""

    rules: tuple[ReferenceRule, ...]
    """Those that are on."""

    chosen: frozenset[str]
    """Paths that findings are wanted of."""

    listed: Collection[str] = ()
    """Rules of which everything is reported, however much leads out of the repository."""

    also: Sequence[Group] = ()
    """Objects of rendered units; their findings are for the caller to place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeReferences:
    """What following the references of a tree came to."""

    findings: tuple[Finding, ...] = ()
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """By rule: references that lead out of the repository, listed or not."""


class FollowedTree:
    """One tree's objects and their references; read when first asked for."""

    def __init__(self, tree: Tree, candidates: Sequence[TreeEntry], cache: Cache, *, jobs: int) -> None:
        """Keep what is looked at.

        Args:
            tree: Where files are read.
            candidates: All files that may hold manifests.
            cache: Where outlines and verdicts are remembered.
            jobs: Processes.
        """
        self._tree = tree
        self._candidates = candidates
        self._cache = cache
        self._jobs = jobs

    def findings(self, asked: Asked, fresh: Mapping[bytes, bytes]) -> TreeReferences:
        """Judge the references of the chosen files.

        Args:
            asked: Rules and files.
            fresh: Packed outlines by blob id that were made in this run already.
        """
        name = None if asked.also else self._name(asked)
        store = self._cache.clean_store()
        if name is not None and store is not None and store.find(name) is not None:
            return TreeReferences()
        groups = self.groups(asked.chosen, fresh)
        followed = follow((*groups, *asked.also), self.scene(groups, asked.also), asked.rules, listed=asked.listed)
        if followed.suspects:
            from gitops_guard.check.reference_places import placed  # heavy, and only needed where something is wrong

            return TreeReferences(
                findings=tuple(placed(followed.suspects, self._tree.read)), elsewhere=followed.elsewhere
            )
        if name is not None and store is not None:
            store.add(record(name, 0, 0), self._cache.settings_line)
        return TreeReferences(elsewhere=followed.elsewhere)

    def scene(self, groups: Sequence[Group], also: Sequence[Group] = ()) -> Scene:
        """Return everything that the tree deploys."""
        return scene_of((*groups, *also))

    def groups(self, chosen: Collection[str], fresh: Mapping[bytes, bytes]) -> list[Group]:
        """Return the objects of all files by directory; those that others deploy are not judged for references."""
        with VerdictStore(self._cache.directory, self._cache.key) as verdicts:
            by = self._reached(verdicts)
        folders = {os.path.dirname(entry.path) for entry in self._candidates if is_kustomization(entry.path)}

        def judged(path: str) -> bool:
            # A file beside a kustomization that does not name it is not deployed.
            by_others = path in by.manifests or path in by.patches or os.path.dirname(path) in folders
            return path in chosen and not by_others and not is_beside_templates(path)

        return plain_groups(self._outlines(fresh), judged)

    def _outlines(self, fresh: Mapping[bytes, bytes]) -> dict[str, bytes]:
        store = OutlineStore(self._cache.directory, self._cache.key, self._cache.circumstances)
        remembered = store.load()
        files = [(entry.path, raw_id(entry)) for entry in self._candidates]
        by_path, kept = collect(files, {**remembered, **fresh}, self._read, jobs=self._jobs)
        if kept.keys() != remembered.keys():
            store.save(kept)
        return by_path

    def _reached(self, store: VerdictStore) -> Reached:
        found = [(entry.path, raw_id(entry)) for entry in self._candidates if is_kustomization(entry.path)]
        return reached(found, self._read, store, self._cache.circumstances)

    def _read(self, path: str) -> bytes | None:
        try:
            return self._tree.read(path)
        except RepoError:
            return None  # it is reported where it is judged

    def _name(self, asked: Asked) -> bytes | None:
        """Name the state of the tree; None where too many files had to be read for that."""
        unknown = [entry for entry in self._candidates if raw_id(entry) is None]
        if len(unknown) > _FEW:
            return None
        return tree_name(
            [(path_bytes(entry.path), raw_id(entry) or self._hashed(entry.path)) for entry in self._candidates],
            [path_bytes(path) for path in asked.chosen],
        )

    def _hashed(self, path: str) -> bytes:
        return blob_id(self._read(path) or b"")

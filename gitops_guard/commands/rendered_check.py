"""`check` on what will be deployed: the units that the checked files have a part in, rendered and judged."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_guard.check.clean import read_file
from gitops_guard.check.clean_store import record
from gitops_guard.check.run import Cache, Criteria, Outcome, raw_id
from gitops_guard.check.telling import (
    find_speaking,
    index_checksum,
    is_unit_name,
    may_declare,
    remember_rendered,
    rendered_name,
    silent_store,
    tools_stamp,
    tree_digest,
    without_units_name,
)
from gitops_guard.commands.reference_check import References
from gitops_guard.commands.rendered_clean import git_config, with_blobs
from gitops_guard.commands.selection import Selection, Wanted
from gitops_guard.commands.workspace import Workspace
from gitops_guard.errors import RepoError
from gitops_guard.repo.location import find_git_dir
from gitops_guard.repo.repository import Side
from gitops_guard.repo.snapshot import worktree_snapshot
from gitops_guard.repo.tree import EntryKind, Tree, path_bytes

_ANY_NUMBER = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRender:
    """What the command line says about rendering."""

    environment: Mapping[str, str]
    allow_network: bool = False
    no_cache: bool = False
    staged: bool = False
    named: tuple[str, ...] | None = None
    """Repository paths of the files that were named; None where a directory was, or nothing."""

    touched: frozenset[str] | None = None
    """Paths that the run is about, of files that are gone too; None for all of the tree."""


def touched_paths(
    workspace: Workspace, *, paths: Sequence[str], staged: bool, from_rev: str | None, to_rev: str | None
) -> frozenset[str] | None:
    """Return the paths of files that a run is about, of files that are gone too; None for all of the tree."""
    repo, wanted = workspace.repo, Wanted(paths)
    if repo is not None and from_rev is not None:
        head = to_rev or "HEAD"
        changes = repo.changed_paths(repo.merge_base(from_rev, head), head)
        return frozenset(change.path for change in changes if wanted.covers(change.path))
    if repo is not None and staged and not paths:
        return frozenset(change.path for change in repo.changed_paths("HEAD", Side.INDEX))
    if not paths or "" in paths:
        return None
    return frozenset(entry.path for entry in workspace.tree.entries() if wanted.covers(entry.path))


def with_rendered(
    workspace: Workspace,
    tree: Tree,
    selection: Selection,
    outcome: Outcome,
    criteria: Criteria,
    cache: Cache,
    asked: ToRender,
    is_example: Callable[[str], bool],
    references: References,
) -> Outcome:
    """Judge rendered units, too, and return all that is known then.

    Args:
        workspace: What is settled for the run.
        tree: What is checked.
        selection: The files that were judged as they are written.
        outcome: What was found in them.
        criteria: What they were judged by.
        cache: Where verdicts are remembered.
        asked: The command line.
        is_example: Tells which files policies are tested with.
        references: What the run follows.
    """
    memory = Memory(workspace, cache, asked, is_current=tree is workspace.tree)
    if not may_have_units(tree, cache):
        memory.note_none()
        return outcome
    from gitops_guard.commands.rendered_units import judge_rendered  # heavy, and not needed where nothing is rendered

    return judge_rendered(workspace, tree, selection, outcome, criteria, cache, asked, memory, is_example, references)


def without_rendered(
    workspace: Workspace, tree: Tree, outcome: Outcome, cache: Cache, environment: Mapping[str, str]
) -> Outcome:
    """Say of a run that renders nothing which files it judged in part: what units make of them was not asked.

    Args:
        workspace: What is settled for the run.
        tree: What is checked.
        outcome: What was found in files as they are written.
        cache: Where verdicts are remembered.
        environment: The process's variables.
    """
    if not outcome.mentioning or not may_have_units(tree, cache):
        return outcome
    from gitops_guard.commands.rendered_units import options_of, unjudged  # heavy, and not needed without suppressions
    from gitops_guard.render import Units

    return replace(outcome, partly=unjudged(Units(tree, options_of(workspace, environment)), outcome.mentioning))


def may_have_units(tree: Tree, cache: Cache) -> bool:
    """Tell whether a tree may hold units other than plain directories; reads each file once in its life."""
    entries = [(path_bytes(entry.path), entry) for entry in tree.entries() if entry.kind is EntryKind.FILE]
    if any(is_unit_name(path) for path, _ in entries):
        return True
    known = _known_clean(cache)
    by_path = {path: entry for path, entry in entries if may_declare(path) and raw_id(entry) not in known}

    def read(path: bytes, _blob: bytes | None) -> bytes | None:
        try:
            return tree.read(by_path[path].path)
        except RepoError:
            return b""  # it is reported where it is judged

    files = [(path, raw_id(entry)) for path, entry in by_path.items()]
    silent = None if cache.place is None else silent_store(*cache.place)
    return find_speaking(files, read, silent, most=_ANY_NUMBER) is True


def _known_clean(cache: Cache) -> frozenset[bytes | None]:
    """Return the ids of files whose objects are all of built-in kinds."""
    store = cache.clean_store()
    return frozenset() if store is None else frozenset(name for name, tail in store.all().items() if not tail[2])


class Memory:
    """Teaches the clean path what was found out about rendered units, for exactly the same state of the repository."""

    def __init__(self, workspace: Workspace, cache: Cache, asked: ToRender, *, is_current: bool) -> None:
        """Look at the state that is about to be judged.

        Args:
            workspace: What is settled for the run.
            cache: Where verdicts are remembered.
            asked: The command line.
            is_current: The tree judged is the run's own; of the commit that it is compared with, nothing is learned.
        """
        self._store = cache.clean_store() if is_current else None
        self._cache = cache
        self._asked = asked
        self._location = None if workspace.repo is None else find_git_dir(workspace.root)
        self._before = self._state()

    def note_none(self) -> None:
        """Remember that nothing is to be rendered."""
        if self._asked.staged and self._before is not None and self._before == self._state():
            self._add(record(without_units_name(self._before), 0, 0))

    def note_clean(self, *, objects: int, units: int) -> None:
        """Remember that the rendered units have nothing to report."""
        if self._before is None or self._location is None or self._before != self._state():
            return
        names = () if self._asked.named is None else sorted({path_bytes(path) for path in self._asked.named})
        if self._asked.staged is not bool(names):
            return
        tools = tools_stamp(self._asked.environment.get("PATH", os.defpath), git_config(self._location))
        name = rendered_name(self._before, tools, names)
        self._add(remember_rendered(name, objects=objects, units=units))

    def _add(self, records: bytes) -> None:
        if self._store is not None and records:
            self._store.add(records, self._cache.settings_line)

    def _state(self) -> bytes | None:
        """Return what stands for the state that the clean path would see; None for what it does not speak of."""
        if self._store is None or self._location is None or self._location.work_tree is None:
            return None
        if self._asked.staged:
            try:
                with open(self._location.index_file, "rb") as file:
                    return index_checksum(file.read())
            except OSError:
                return None
        if self._asked.touched is not None:
            return None
        snapshot = worktree_snapshot(self._location.work_tree, self._location)
        entries = None if snapshot is None else with_blobs(snapshot, read_file(os.fsencode(self._location.work_tree)))
        return None if entries is None else tree_digest(entries)

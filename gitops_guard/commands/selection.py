"""Which files of a tree a run is about: suffixes, PATH arguments, include and exclude, what changed."""

import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from gitops_guard.check.clean import MANIFEST_SUFFIXES
from gitops_guard.check.kustomizations import is_kustomization
from gitops_guard.config import Scopes
from gitops_guard.errors import UsageError
from gitops_guard.model import Skipped
from gitops_guard.model.renderer import Renderer
from gitops_guard.repo.repository import Side
from gitops_guard.repo.tree import EntryKind, Tree, TreeEntry

_SUFFIXES = tuple(suffix.decode() for suffix in MANIFEST_SUFFIXES)
POLICY_EXAMPLE = "policy example"
_LINK, _SUBMODULE, _NESTED = "symbolic link", "submodule", "nested repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The files of one tree, sorted by path."""

    chosen: tuple[TreeEntry, ...]
    """To be judged."""

    candidates: tuple[TreeEntry, ...]
    """All files of the tree that may hold manifests, whether chosen or not, and all kustomizations: definitions are
    looked for in them, and what other files are to kustomize."""

    skipped: tuple[Skipped, ...]
    """Links and submodules among what was asked for."""


def select(
    tree: Tree,
    *,
    paths: Sequence[str],
    only: Collection[str] | None,
    scopes: Scopes,
    renderers: Sequence[Renderer] = (),
    everything: bool = False,
    is_example: Callable[[str], bool] = lambda _path: False,
) -> Selection:
    """Choose files.

    Args:
        tree: Where they are.
        paths: Repository paths of files or directories; empty for everything. A named file needs no suffix.
        only: Paths that changed; None when that does not matter.
        scopes: The configuration's include and exclude.
        renderers: Files that they claim count too.
        everything: Take every file whatever its name: standard input has none.
        is_example: Tells which files policies are tested with: they are wrong on purpose.

    Raises:
        UsageError: A path is neither a file nor a directory of the tree.
    """
    entries = list(tree.entries())
    _refuse_unknown(paths, entries, tree.label)
    wanted = Wanted(paths)
    chosen: list[TreeEntry] = []
    candidates: list[TreeEntry] = []
    skipped: list[Skipped] = []
    for entry in entries:
        named = everything or entry.path in wanted.files
        claimed = any(renderer.claims(entry.path) for renderer in renderers)
        may_hold = named or claimed or entry.path.endswith(_SUFFIXES)
        in_scope = wanted.covers(entry.path) and (only is None or entry.path in only) and scopes.selected(entry.path)
        if entry.kind is not EntryKind.FILE:
            if in_scope and (may_hold or entry.kind is EntryKind.SUBMODULE):
                skipped.append(Skipped(path=entry.path, resource="", reason=_not_followed(entry)))
            continue
        if may_hold and is_example(entry.path):
            if in_scope:
                skipped.append(Skipped(path=entry.path, resource="", reason=POLICY_EXAMPLE))
            continue
        if may_hold or is_kustomization(entry.path):  # one called `Kustomization` says what other files are
            candidates.append(entry)
        if may_hold and in_scope:
            chosen.append(entry)
    return Selection(chosen=tuple(chosen), candidates=tuple(candidates), skipped=tuple(skipped))


def _not_followed(entry: TreeEntry) -> str:
    if entry.kind is EntryKind.SYMLINK:
        return _LINK
    return _NESTED if entry.blob_id is None else _SUBMODULE  # it has no commit of this repository's yet


class Wanted:
    """What PATH arguments cover."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Keep repository paths of files and directories; none of them means everything."""
        self.files = frozenset(paths)
        self._folders = tuple(f"{path}/" for path in paths if path)
        self._all = not paths or "" in self.files

    def covers(self, path: str) -> bool:
        """Tell whether a file is one of them or lies below one."""
        return self._all or path in self.files or path.startswith(self._folders)


def _refuse_unknown(paths: Iterable[str], entries: Sequence[TreeEntry], label: str) -> None:
    known = {entry.path for entry in entries}
    for path in paths:
        if path and path not in known and not any(name.startswith(f"{path}/") for name in known):
            hint = "; empty directories and what Git ignores do not count" if label == Side.WORK_TREE.value else ""
            raise UsageError(f"{path}: no such file or directory in the {label}{hint}")


def repository_paths(arguments: Sequence[str], root: str) -> list[str]:
    """Return PATH arguments as repository paths; the root itself is the empty string.

    Args:
        arguments: As given, relative to the current directory.
        root: Absolute path of the directory that repository paths are relative to.

    Raises:
        UsageError: A path lies outside of the root.
    """
    here = os.path.realpath(os.getcwd())
    top = os.path.realpath(root)
    found: list[str] = []
    for argument in arguments:
        full = os.path.normpath(os.path.join(here, argument))
        if full != top and not full.startswith(top.rstrip("/") + "/"):
            raise UsageError(f"{argument}: lies outside of {top}")
        relative = os.path.relpath(full, top).replace(os.sep, posixpath.sep)
        found.append("" if relative == "." else relative)
    return found

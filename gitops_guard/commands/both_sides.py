"""The resources of two trees, as far as the trees differ: what `diff` compares."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gitops_guard.check.kustomizations import Reached, is_kustomization, reached
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.commands.selection import Selection, select
from gitops_guard.config import Scopes
from gitops_guard.diff.secrets import is_secret
from gitops_guard.errors import RepoError, UsageError
from gitops_guard.manifest.classify import not_a_manifest, unfold
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.document import Document
from gitops_guard.manifest.loader import load
from gitops_guard.manifest.plain_manifests import plain_manifests
from gitops_guard.model import Body, CheckError, Origin, Resource, Skipped
from gitops_guard.model.resource import resource_id
from gitops_guard.repo.filters import filtered_reason
from gitops_guard.repo.tree import EntryKind, Tree, TreeEntry

_DEFINITION = b"CustomResourceDefinition"
_SECRET = re.compile(rb"secret|\0", re.IGNORECASE)
"""What a file with a Secret holds; UTF-16 hides the word behind zeros."""


@dataclass(slots=True)
class Side:
    """What one tree holds that the other does not hold in the same words."""

    resources: list[Resource] = field(default_factory=list)
    patches: set[str] = field(default_factory=set)
    """Paths of files that hold parts of objects."""

    skipped: list[Skipped] = field(default_factory=list)
    errors: list[CheckError] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BothSides:
    """All that is known of two trees."""

    before: Side
    after: Side
    secrets: tuple[Resource, ...]
    """Secrets in files that are the same on both sides: what they hold is hidden all the same."""

    definitions: Callable[[], tuple[Body, ...]]
    """Returns the CustomResourceDefinitions of both sides; all files are looked through for them."""

    identical_files: int
    """Files with the same bytes under the same path."""


def read_both(before: Tree, after: Tree, *, paths: Sequence[str], scopes: Scopes) -> BothSides:
    """Read what two trees differ in.

    Args:
        before: The old state.
        after: The new one.
        paths: Repository paths of files or directories; empty for everything. One side alone may have them.
        scopes: The configuration's include and exclude.

    Raises:
        UsageError: Neither tree has one of the paths.
    """
    return _Reader(before, after, paths, scopes).run()


class _Half:
    """One tree while it is being read."""

    def __init__(self, tree: Tree, selection: Selection, is_kept: Callable[[str], bool]) -> None:
        self.tree = tree
        self.side = Side()
        self.links = {entry.path: entry.blob_id for entry in tree.entries() if entry.kind is not EntryKind.FILE}
        self.chosen = {entry.path: entry for entry in selection.chosen if is_kept(entry.path)}
        self.skipped = [entry for entry in selection.skipped if is_kept(entry.path)]
        self.candidates = selection.candidates
        self.reached = _reached(self.read_if_there, selection.candidates)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None, and an error, when it cannot be read."""
        try:
            return self.tree.read(path)
        except RepoError as error:
            self.side.errors.append(CheckError(path=path, line=0, column=0, message=str(error)))
            return None

    def read_if_there(self, path: str) -> bytes | None:
        """Return a file's bytes, or None; that it cannot be read is told where it is compared."""
        try:
            return self.tree.read(path)
        except RepoError:
            return None

    def take(self, path: str, data: bytes) -> None:
        """Read the resources of a file."""
        if reason := filtered_reason(data[:1024]):
            self.side.skipped.append(Skipped(path=path, resource="", reason=reason))
            return
        is_patch = path in self.reached.patches
        if is_patch:
            self.side.patches.add(path)
        by_kustomize = is_patch or path in self.reached.manifests
        plain = None if by_kustomize else _plainly(path, data)
        if plain is not None:
            self.side.resources += plain
        else:
            self._take_any(path, data, Dialect.KUSTOMIZE if by_kustomize else Dialect.KUBECTL)

    def _take_any(self, path: str, data: bytes, dialect: Dialect) -> None:
        stream = load(data, dialect=dialect)
        reason = not_a_manifest(path, data, stream)
        if reason is not None:
            self.side.skipped.append(Skipped(path=path, resource="", reason=str(reason)))
            return
        for problem in stream.problems:
            if problem.unreadable:
                message = f"{problem.message} (in the {self.tree.label})"
                line, column = problem.span.line, problem.span.column
                error = CheckError(path=path, line=line, column=column, rule=problem.rule, message=message)
                self.side.errors.append(error)
        for document in stream.documents:
            self.side.resources += _resources_of(path, document)


class _Reader:
    def __init__(self, before: Tree, after: Tree, paths: Sequence[str], scopes: Scopes) -> None:
        missing = [path for path in paths if not (_has(before, path) or _has(after, path))]
        if missing:
            where = f"the {before.label} or the {after.label}"
            raise UsageError(
                f"{missing[0]}: no such file or directory in {where}; revisions are given with flags, see --help"
            )
        self.before = _half(before, paths, scopes)
        self.after = _half(after, paths, scopes)
        self.secrets: list[Resource] = []
        self.identical = 0

    def run(self) -> BothSides:
        for path in sorted(self.before.chosen.keys() | self.after.chosen.keys()):
            self._file(path, self.before.chosen.get(path), self.after.chosen.get(path))
        self._links()
        return BothSides(
            definitions=lambda: tuple(self._definitions()),
            before=self.before.side,
            after=self.after.side,
            secrets=tuple(self.secrets),
            identical_files=self.identical,
        )

    def _file(self, path: str, old: TreeEntry | None, new: TreeEntry | None) -> None:
        before = self.before.read(path) if old is not None else None
        same_blob = old is not None and new is not None and old.blob_id is not None and old.blob_id == new.blob_id
        after = before if same_blob else self.after.read(path) if new is not None else None
        if old is not None and new is not None and before is not None and before == after:
            self.identical += 1
            self._secrets_of(path, before)
            return
        kept = (len(self.before.side.resources), len(self.after.side.resources))
        if before is not None:
            self.before.take(path, before)
        if after is not None:
            self.after.take(path, after)
        self._drop_unreadable(path, kept)

    def _drop_unreadable(self, path: str, kept: tuple[int, int]) -> None:
        """Leave a file out that one side cannot be read of: what it held would look deleted."""
        sides = (self.before.side, self.after.side)
        if not any(error.path == path for side in sides for error in side.errors[-1:]):
            return
        for side, number in zip(sides, kept, strict=True):
            self.secrets += [resource for resource in side.resources[number:] if is_secret(resource.id)]
            del side.resources[number:]

    def _secrets_of(self, path: str, data: bytes) -> None:
        if _SECRET.search(data) is None:
            return
        self.secrets += [resource for resource in _any_resources(path, data) if is_secret(resource.id)]

    def _definitions(self) -> Iterator[Body]:
        """Yield the definitions of both sides; the files that are the same are read once."""
        seen: set[str | bytes] = set()
        for half in (self.before, self.after):
            for entry in half.candidates:
                data = None if entry.blob_id in seen else half.read_if_there(entry.path)
                seen.add(entry.blob_id or "")
                if data is not None and _DEFINITION in data and data not in seen:
                    seen.add(data)
                    found = _any_resources(entry.path, data)
                    yield from (resource.body for resource in found if resource.id.kind == _DEFINITION.decode())

    def _links(self) -> None:
        """Name the links and submodules that differ: what is behind them cannot be compared."""
        old, new = self.before.links, self.after.links
        for half in (self.before, self.after):
            half.side.skipped += [entry for entry in half.skipped if old.get(entry.path) != new.get(entry.path)]


def _half(tree: Tree, paths: Sequence[str], scopes: Scopes) -> _Half:
    known = [path for path in paths if _has(tree, path)]
    selection = select(tree, paths=known, only=None, scopes=scopes)
    is_empty = bool(paths) and not known
    return _Half(tree, selection, lambda _path: not is_empty)


def _has(tree: Tree, path: str) -> bool:
    """Tell whether a tree has a file or directory."""
    return not path or any(entry.path == path or entry.path.startswith(f"{path}/") for entry in tree.entries())


def _reached(read: Callable[[str], bytes | None], candidates: Sequence[TreeEntry]) -> Reached:
    with VerdictStore(None, None) as store:
        named = [(entry.path, None) for entry in candidates if is_kustomization(entry.path)]
        return reached(named, read, store, b"")  # nothing is remembered here, so nothing need be told apart


def _any_resources(path: str, data: bytes) -> list[Resource]:
    """Return the resources of a file, as far as it can be read."""
    plain = _plainly(path, data)
    if plain is not None:
        return plain
    return [resource for document in load(data).documents for resource in _resources_of(path, document)]


def _plainly(path: str, data: bytes) -> list[Resource] | None:
    """Return the resources of a file that holds manifests and nothing unusual; None asks for the careful way."""
    manifests = None if is_kustomization(path) else plain_manifests(path, data)
    if manifests is None:
        return None
    return [
        Resource(id=resource_id(body), body=body, origin=Origin(path=path, document=index, line=line))
        for index, (line, body) in enumerate(manifests)
    ]


def _resources_of(path: str, document: Document) -> Iterator[Resource]:
    for item, body in unfold(document.body):
        line = document.locate(item).line if item else document.line
        origin = Origin(path=path, document=document.index, line=line, item=item)
        yield Resource(id=resource_id(body), body=body, origin=origin)

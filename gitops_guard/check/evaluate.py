"""Judge many files: what is remembered is not judged again, what is not is judged in several processes.

Resources of kinds that are not built in need the tree's CustomResourceDefinitions; these are collected only when some
file asks for them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitops_guard.check.circumstances import digest
from gitops_guard.check.definitions import Definitions
from gitops_guard.check.setting import FindSchema, Role, Setting
from gitops_guard.check.verdict import FileVerdict, dump, from_json, load, to_json
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.check.workers import run_chunks
from gitops_guard.errors import RepoError
from gitops_guard.model import Body, CheckError
from gitops_guard.model.renderer import Renderer
from gitops_guard.repo.index import blob_id
from gitops_guard.schema.base import Schema
from gitops_guard.schema.structural import CompileRules

if TYPE_CHECKING:
    from gitops_guard.check.judge import Judge
    from gitops_guard.check.kinds import Kinds


_FORK_FROM = 40
_CHUNK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to judge."""

    path: str
    blob: bytes | None
    """Raw blob id of the bytes that `read` gives, where known."""

    role: Role
    setting: Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRules:
    """How the CEL rules of CustomResourceDefinitions are evaluated."""

    compile: CompileRules
    stamp: Callable[[], bytes]
    """Returns a digest of what they know beside the resource: the objects before the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All that evaluation needs beside the files."""

    read: Callable[[str], bytes]
    """Returns a file's bytes; raises RepoError."""

    versions: tuple[str, ...]
    """Minor versions that any path is checked against."""

    candidates: Sequence[tuple[str, bytes | None]]
    """Path and blob of all files of the tree that may hold definitions."""

    extra_find: FindSchema | None
    """Schemas beside the tree's definitions (schema directories); None for none. Their verdicts are not
    remembered."""

    store: VerdictStore
    renderers: tuple[Renderer, ...] = ()
    """What they render is not remembered: they may read other files."""

    cache: tuple[str, bytes] | None
    """Cache folder and the user's key; None for no cache."""

    circumstances: bytes
    """Digest of everything outside the tree that decides."""

    custom_rules: CustomRules | None = None
    """The CEL rules of definitions; None: they are not evaluated."""

    missing_schema_is_error: bool = False
    jobs: int = 1
    progress: Callable[[int, int], None] | None = None


def evaluate(sources: Sequence[Source], surroundings: Surroundings) -> list[FileVerdict]:
    """Return the verdict on every source, in their order."""
    first = _Pass(surroundings, surroundings.circumstances, None, remember=True).run(sources)
    waiting = [number for number, verdict in enumerate(first) if verdict.needs_definitions]
    if not waiting:
        return first
    find, stamp = custom_kinds(surroundings)
    second = _Pass(
        surroundings,
        digest(surroundings.circumstances, stamp),
        find,
        remember=surroundings.extra_find is None,
    ).run([sources[number] for number in waiting])
    for number, verdict in zip(waiting, second, strict=True):
        first[number] = verdict
    return first


def custom_kinds(surroundings: Surroundings, *, also: Sequence[Body] = ()) -> tuple[FindSchema, bytes]:
    """Return how schemas of custom resources are found, and a digest of all that decides it.

    Args:
        surroundings: Where definitions are looked for.
        also: Further CustomResourceDefinitions: rendered ones.
    """
    definitions = Definitions(surroundings.store, surroundings.cache, surroundings.circumstances)
    found, stamp = definitions.collect(surroundings.candidates, _quietly(surroundings.read))
    rules = surroundings.custom_rules
    rendered = [json.dumps([body]).encode() for body in also]
    return _LazyFinder([*found, *rendered], surroundings), digest(
        stamp, b"" if rules is None else rules.stamp(), *rendered
    )


def kinds_of(surroundings: Surroundings, find: FindSchema | None) -> "Kinds":
    """Return what the target versions say, with the schemas of custom resources; None: these are not known yet."""
    from gitops_guard.check.kinds import Kinds
    from gitops_guard.schema.builtin import BuiltinSchemas

    return Kinds(
        {version: BuiltinSchemas(version, surroundings.cache) for version in surroundings.versions},
        custom=find or _nothing_custom,
        missing_schema_is_error=surroundings.missing_schema_is_error and find is not None,
    )


def _quietly(read: Callable[[str], bytes]) -> Callable[[str], bytes | None]:
    """Files that cannot be read are reported where they are judged, not where definitions are looked for."""

    def attempt(path: str) -> bytes | None:
        try:
            return read(path)
        except RepoError:
            return None

    return attempt


class _LazyFinder:
    """Finds schemas of custom resources; reads the definitions when it is first asked."""

    def __init__(self, definitions: Sequence[bytes], surroundings: Surroundings) -> None:
        self._definitions = definitions
        self._cache, self._extra = surroundings.cache, surroundings.extra_find
        self._rules = surroundings.custom_rules

    @cached_property
    def _declared(self) -> FindSchema:
        from gitops_guard.schema.custom import CustomSchemas  # heavy: only where custom resources are judged anew

        bodies: list[Body] = [body for found in self._definitions for body in json.loads(found)]
        compile_rules = None if self._rules is None else self._rules.compile
        return CustomSchemas.from_crds(bodies, cache=self._cache, compile_rules=compile_rules).find

    def __call__(self, group: str, version: str, kind: str) -> Schema | None:
        found = self._declared(group, version, kind)
        if found is not None or self._extra is None:
            return found
        return self._extra(group, version, kind)


class _Pass:
    """One way over files with one set of schemas."""

    def __init__(
        self, surroundings: Surroundings, circumstances: bytes, find: FindSchema | None, *, remember: bool
    ) -> None:
        self._surroundings = surroundings
        self._circumstances = circumstances
        self._find = find
        self._remember = remember

    @cached_property
    def _judge(self) -> "Judge":
        """Everything that judging needs, loaded when the first file is not remembered."""
        from gitops_guard.check.judge import Judge

        surroundings = self._surroundings
        kinds = kinds_of(surroundings, self._find)
        return Judge(kinds, renderers=surroundings.renderers, read=surroundings.read)

    def run(self, sources: Sequence[Source]) -> list[FileVerdict]:
        keys = [self._key(source, source.blob) for source in sources]
        stored = self._surroundings.store.get(key for key in keys if key is not None) if self._remember else {}
        verdicts = {number: load(stored[key]) for number, key in enumerate(keys) if key is not None and key in stored}
        missing = [number for number in range(len(sources)) if number not in verdicts]
        fresh = self._judge_all([sources[number] for number in missing])
        learned: dict[bytes, bytes] = {}
        for number, (blob, verdict) in zip(missing, fresh, strict=True):
            verdicts[number] = verdict
            key = self._key(sources[number], blob)
            if self._remember and key is not None and not _failed_to_read(verdict):
                learned[key] = dump(verdict)
        self._surroundings.store.put(learned)
        return [verdicts[number] for number in range(len(sources))]

    def _key(self, source: Source, blob: bytes | None) -> bytes | None:
        if blob is None or any(renderer.claims(source.path) for renderer in self._surroundings.renderers):
            return None
        role = f"{source.role.dialect} {source.role.is_patch} {source.setting.versions}"
        return digest(
            b"verdict", self._circumstances, source.path.encode("utf-8", "surrogateescape"), role.encode(), blob
        )

    def _judge_all(self, sources: Sequence[Source]) -> list[tuple[bytes | None, FileVerdict]]:
        def chunk(start: int, end: int) -> bytes:
            judged = [self._judge_one(source) for source in sources[start:end]]
            rows = [[blob.hex() if blob else None, to_json(verdict)] for blob, verdict in judged]
            return json.dumps(rows).encode()

        surroundings = self._surroundings
        if len(sources) < _FORK_FROM:
            return [self._judge_one(source) for source in sources]
        _ = self._judge  # loaded before the workers fork, so that they share it
        parts = run_chunks(chunk, len(sources), jobs=surroundings.jobs, progress=surroundings.progress, size=_CHUNK)
        rows = [row for part in parts for row in json.loads(part)]
        return [(bytes.fromhex(blob) if blob else None, from_json(raw)) for blob, raw in rows]

    def _judge_one(self, source: Source) -> tuple[bytes | None, FileVerdict]:
        try:
            data = self._surroundings.read(source.path)
        except RepoError as error:
            failure = CheckError(path=source.path, line=0, column=0, message=str(error))
            return None, FileVerdict(path=source.path, errors=(failure,))
        return blob_id(data), self._judge.judge(source.path, data, source.setting, source.role)


def _nothing_custom(_group: str, _version: str, _kind: str) -> None:
    return None


def _failed_to_read(verdict: FileVerdict) -> bool:
    return any(error.line == 0 for error in verdict.errors)

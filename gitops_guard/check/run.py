"""Check one tree: sweep what is certainly fine, judge the rest, and put both together."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_guard.check.circumstances import digest
from gitops_guard.check.clean import Sweep, sweep
from gitops_guard.check.clean_store import CleanStore, record, skipped_name
from gitops_guard.check.evaluate import CustomRules, Source, Surroundings, evaluate
from gitops_guard.check.kustomizations import Reached, is_kustomization, reached
from gitops_guard.check.setting import FindSchema, Role, Setting
from gitops_guard.check.skip_reasons import reason_number, reason_text
from gitops_guard.check.verdict import FileVerdict
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.errors import RepoError
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.model import Body, CheckError, Coverage, Finding, Skipped
from gitops_guard.model.renderer import Renderer
from gitops_guard.repo.index import blob_id
from gitops_guard.repo.tree import Tree, TreeEntry

_RAW_ID_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Where verdicts are remembered; `directory` and `key` are None for nowhere."""

    directory: str | None = None
    key: bytes | None = None
    circumstances: bytes = b""
    """Digest of everything outside the tree that decides."""

    beyond: bytes = b""
    """Digest of what only the full path looks at; the clean path has no part in it."""

    settings_line: bytes = b""
    """What the clean path reads back from its store."""

    @property
    def place(self) -> tuple[str, bytes] | None:
        """Return folder and key together; None for nowhere."""
        return None if self.directory is None or self.key is None else (self.directory, self.key)

    def clean_store(self) -> CleanStore | None:
        """Open the store of clean files."""
        return None if self.place is None else CleanStore(self.place[0], self.circumstances, self.place[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What files are judged by."""

    setting_at: Callable[[str], Setting]
    """What holds for a path."""

    uniform_versions: tuple[str, ...] | None
    """The versions that hold for every path; None when some paths have others, or rules or renderers of plugins take
    part. Only then may the clean path sweep."""

    versions: tuple[str, ...]
    """All versions that hold anywhere."""

    passes: Callable[[Body], bool] | None = None
    """Tells of a valid body whether it certainly passes all policies; None: there is none that it has to."""

    extra_find: FindSchema | None = None
    definitions: Mapping[str, bytes] = field(default_factory=dict)
    """Files with definitions that do not lie in the tree, by the path that the configuration gives."""
    custom_rules: CustomRules | None = None
    """The CEL rules of CustomResourceDefinitions; None: they are not evaluated."""

    missing_schema_is_error: bool = False
    renderers: tuple[Renderer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a tree, before suppressions."""

    findings: tuple[Finding, ...]
    errors: tuple[CheckError, ...]
    coverage: Coverage
    mentioning: tuple[str, ...]
    """Paths of files that may hold suppressions."""

    not_asked: frozenset[str] = frozenset()
    """Rules that this run did not ask: that they found nothing says nothing."""

    partly: frozenset[str] = frozenset()
    """Paths of files of which only what some unit renders was judged: no suppression there can be called unused."""


def check_tree(
    tree: Tree,
    chosen: Sequence[TreeEntry],
    candidates: Sequence[TreeEntry],
    criteria: Criteria,
    cache: Cache,
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
    outlines: dict[bytes, bytes] | None = None,
) -> Outcome:
    """Judge the chosen files of a tree.

    Args:
        tree: Where they are read.
        chosen: Files to judge.
        candidates: Files in which definitions and kustomizations are looked for.
        criteria: What they are judged by.
        cache: Where verdicts are remembered.
        jobs: Processes.
        progress: Told (done, all) now and then.
        outlines: Learns what the objects of clean files say about others, by blob id; None: nobody asks.
    """
    store = cache.clean_store()
    swept = _sweep(tree, chosen, criteria, cache, store, jobs, progress, outlines)
    unsure = _unsure(chosen, swept)
    verdicts = _evaluate(tree, unsure, candidates, criteria, cache, jobs, progress) if unsure else []
    if store is not None:
        _remember(store, cache, swept, unsure, verdicts)
    return _outcome(swept, verdicts, criteria.versions)


def raw_id(entry: TreeEntry) -> bytes | None:
    """Return an entry's SHA-1 blob id as bytes; None where it is not known, or of another hash function."""
    raw = bytes.fromhex(entry.blob_id) if entry.blob_id else b""
    return raw if len(raw) == _RAW_ID_BYTES else None


def _sweep(
    tree: Tree,
    chosen: Sequence[TreeEntry],
    criteria: Criteria,
    cache: Cache,
    store: CleanStore | None,
    jobs: int,
    progress: Callable[[int, int], None] | None,
    outlines: dict[bytes, bytes] | None,
) -> Sweep:
    if criteria.uniform_versions is None:
        everything = Sweep()
        everything.unsure = [(_raw(entry.path), raw_id(entry)) for entry in chosen]
        return everything

    def read(path: bytes, _blob: bytes | None) -> bytes | None:
        try:
            return tree.read(os.fsdecode(path))
        except RepoError:
            return None  # the full path reads it again and says why it cannot

    return sweep(
        [(_raw(entry.path), raw_id(entry), entry.size or 0) for entry in chosen],
        read=read,
        versions=criteria.uniform_versions,
        passes=criteria.passes,
        cache=cache.place,
        store=store,
        jobs=jobs,
        progress=progress,
        outlines=outlines,
    )


def _raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _unsure(chosen: Sequence[TreeEntry], swept: Sweep) -> list[tuple[TreeEntry, bytes | None]]:
    blobs = {path.decode("utf-8", "surrogateescape"): blob for path, blob in swept.unsure}
    return [(entry, blobs[entry.path]) for entry in chosen if entry.path in blobs]


def _evaluate(
    tree: Tree,
    unsure: Sequence[tuple[TreeEntry, bytes | None]],
    candidates: Sequence[TreeEntry],
    criteria: Criteria,
    cache: Cache,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> list[FileVerdict]:
    with VerdictStore(cache.directory, cache.key) as store:
        roles = _Roles(_reached(tree, candidates, store, cache.circumstances))
        sources = [
            Source(path=entry.path, blob=blob, role=roles.of(entry.path), setting=criteria.setting_at(entry.path))
            for entry, blob in unsure
        ]
        around = surroundings_of(tree, candidates, criteria, cache, store)
        return evaluate(sources, replace(around, jobs=jobs, progress=progress))


def surroundings_of(
    tree: Tree, candidates: Sequence[TreeEntry], criteria: Criteria, cache: Cache, store: VerdictStore
) -> Surroundings:
    """Return all that evaluation needs beside what is judged.

    Args:
        tree: Where files are read.
        candidates: Files in which definitions are looked for.
        criteria: What is judged by.
        cache: Where verdicts are remembered.
        store: The opened store of that cache.
    """
    return Surroundings(
        read=_reader(tree, criteria.definitions),
        versions=criteria.versions,
        candidates=[
            *((entry.path, raw_id(entry)) for entry in candidates),
            *((path, blob_id(data)) for path, data in sorted(criteria.definitions.items())),
        ],
        extra_find=criteria.extra_find,
        renderers=criteria.renderers,
        store=store,
        cache=cache.place,
        circumstances=digest(cache.circumstances, cache.beyond) if cache.beyond else cache.circumstances,
        custom_rules=criteria.custom_rules,
        missing_schema_is_error=criteria.missing_schema_is_error,
    )


def _reader(tree: Tree, definitions: Mapping[str, bytes]) -> Callable[[str], bytes]:
    """Return a reader of the tree's files and of the configured definitions beside it."""
    return lambda path: definitions[path] if path in definitions else tree.read(path)


def _reached(tree: Tree, candidates: Iterable[TreeEntry], store: VerdictStore, circumstances: bytes) -> Reached:
    """Return what the tree's kustomizations name, remembered by blob."""
    found = [(entry.path, raw_id(entry)) for entry in candidates if is_kustomization(entry.path)]

    def read(path: str) -> bytes | None:
        try:
            return tree.read(path)
        except RepoError:
            return None  # it is reported where it is judged

    return reached(found, read, store, circumstances)


class _Roles:
    """What kustomizations make of files."""

    def __init__(self, by: Reached) -> None:
        self._by = by

    def of(self, path: str) -> Role:
        is_patch = path in self._by.patches
        by_kustomize = is_patch or path in self._by.manifests
        return Role(dialect=Dialect.KUSTOMIZE if by_kustomize else Dialect.KUBECTL, is_patch=is_patch)


def _remember(
    store: CleanStore,
    cache: Cache,
    swept: Sweep,
    unsure: Sequence[tuple[TreeEntry, bytes | None]],
    verdicts: Sequence[FileVerdict],
) -> None:
    """Teach the clean store what was found fine, and which files are no manifests."""
    learned = list(swept.records)
    for (entry, blob), verdict in zip(unsure, verdicts, strict=True):
        if blob is None or not verdict.is_plain or verdict.resources or len(verdict.skipped) != 1:
            continue
        number = reason_number(verdict.skipped[0].reason)
        if number is not None:
            learned.append(record(skipped_name(_raw(entry.path), blob), 0, number))
    if learned or store.settings is None:
        store.add(b"".join(learned), cache.settings_line)


def _outcome(swept: Sweep, verdicts: Sequence[FileVerdict], versions: tuple[str, ...]) -> Outcome:
    findings = sorted((found for verdict in verdicts for found in verdict.findings), key=lambda found: found.sort_key)
    errors = sorted((error for verdict in verdicts for error in verdict.errors), key=lambda error: error.sort_key)
    skipped = [
        Skipped(path=path.decode("utf-8", "surrogateescape"), resource="", reason=reason_text(reason))
        for path, reason in swept.skipped
    ]
    skipped += [entry for verdict in verdicts for entry in verdict.skipped]
    coverage = Coverage(
        files=swept.files + len(verdicts),
        resources=swept.resources + sum(verdict.resources for verdict in verdicts),
        validated=swept.resources + sum(verdict.validated for verdict in verdicts),
        schema_only=sum(verdict.schema_only for verdict in verdicts),
        skipped=tuple(sorted(skipped)),
        versions=versions,
    )
    return Outcome(
        findings=tuple(findings),
        errors=tuple(errors),
        coverage=coverage,
        mentioning=tuple(verdict.path for verdict in verdicts if verdict.mentions_us),
    )


def circumstances(*parts: bytes, plugins: str, flags: Mapping[str, str]) -> bytes:
    """Return the digest under which verdicts are remembered.

    Args:
        parts: What the clean path's digest is made of.
        plugins: Stamp of all plugins; empty for none.
        flags: Flags and variables that change verdicts; empty when none is given.
    """
    if not plugins and not flags:
        return digest(*parts)
    told = "\0".join(f"{name}={value}" for name, value in sorted(flags.items()))
    return digest(*parts, plugins.encode(), told.encode())

"""`check` on the clean path: ends a run whose files are all certainly fine, milliseconds after Python has started.

It understands `check`, `check --staged`, `check --staged FILE...` and `check FILE...`; any other flag, any plugin, and
any file that it is not sure of make it step aside (None), and `commands.check` does the whole run. Imports nothing
heavy.
"""

import gc
import os
import sys

from gitops_guard.check.circumstances import digest, installation, own_code
from gitops_guard.check.clean import MANIFEST_SUFFIXES, Sweep, read_file, sweep
from gitops_guard.check.clean_store import CleanStore
from gitops_guard.check.seal import cache_directory, load_key
from gitops_guard.commands.rendered_clean import Question
from gitops_guard.repo.index import blob_id, staged_blob_ids
from gitops_guard.repo.location import common_dir, find_git_dir
from gitops_guard.wording import rendered_line, skipped_line, validated_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitops_guard.check.clean import Candidate
    from gitops_guard.repo.location import Location

    Reader = Callable[[bytes, bytes | None], bytes | None]
    Ask = Callable[[Question], tuple[int, int] | None]

CONFIG_NAME = b".gitops-guard.yaml"
_VARIABLES = "GITOPS_GUARD_"
_BY_THEMSELVES = "*"
_WORDS = (b"containers", b"elector", b"Ref", b"backend", b"subjects", b"imagePullSecrets", b"storageClassName")
"""Without one of these no object refers to another."""

_KIND = 0o170000
_REGULAR = 0o100000
_SUBMODULE = 0o160000


def run(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> "int | None":
    """Check, if all is certainly fine.

    Args:
        arguments: What follows `check` on the command line.
        environment: The process's variables.

    Returns:
        0 after the summary has been written; None when the full path must do the run.
    """
    gc.disable()  # ten thousand entries that live to the end: looking for garbage among them is a tenth of a warm run
    try:
        return _run(arguments, environment)
    finally:
        gc.enable()


def _run(arguments: "Sequence[str]", environment: "Mapping[str, str]") -> "int | None":
    staged = "--staged" in arguments
    paths = [argument for argument in arguments if argument != "--staged"]
    if any(path.startswith("-") for path in paths) or _configured(environment) or sys.stdout.isatty():
        return None
    location = find_git_dir(os.getcwd())
    key = load_key(environment)
    if location is None or location.work_tree is None or key is None:
        return None
    chosen = _choose(location, paths, staged=staged)
    if chosen is None:
        return None
    candidates, read, config, about = chosen
    installed = installation()
    if installed.has_plugins:
        return None
    folder = cache_directory(environment)
    circumstances = circumstances_digest(installed.stamp, config)
    store = CleanStore(folder, circumstances, key)
    settings = _settings(store, config)
    if settings is None:
        return None
    versions, policies = settings
    passes = None if policies == [] else _policies(policies)
    outlines: dict[bytes, bytes] | None = None if staged or paths else {}
    result = sweep(
        candidates,
        read=read,
        versions=versions,
        passes=passes,
        cache=(folder, key),
        store=store,
        jobs=0,
        outlines=outlines,
    )
    if result.records or (store.settings is None and result.files):
        store.add(b"".join(result.records), settings_line(versions, policies))
    if result.unsure:
        return None
    if not staged and outlines is None and any(_may_refer(read(path, blob)) for path, blob, _ in candidates):
        return None
    if outlines is not None:
        from gitops_guard.commands.reference_clean import Place, certainly_hold  # a hook does not follow references

        place = Place(folder, key, circumstances, settings_line(versions, policies), has_config=config is not None)
        if not certainly_hold(candidates, read, store, result, outlines, place):
            return None
    rendered = about(Question(location, store, (folder, key), environment, read))
    if rendered is None:
        return None
    _write_summary(result, versions, rendered)
    return 0


def _may_refer(data: "bytes | None") -> bool:
    return data is None or any(word in data for word in _WORDS)


def _policies(chosen: "list[str] | None") -> "Callable[[object], bool]":
    """Return what tells whether a body passes policies; loaded for the first body that is not known."""
    loaded: list[Callable[[object], bool]] = []

    def passes(body: object) -> bool:
        if not loaded:
            from gitops_guard.policy.plain import PlainPolicies

            loaded.append(PlainPolicies(chosen).is_clean)
        return loaded[0](body)

    return passes


def circumstances_digest(installed: bytes, config: "bytes | None") -> bytes:
    """Return the key of the clean store.

    Args:
        installed: Stamp of the installed distributions.
        config: Raw blob id of the configuration file; None for none.
    """
    return digest(own_code(), installed, config or b"", interpreter_stamp())


def interpreter_stamp() -> bytes:
    """Return what names the interpreter: its Unicode tables and number parsing take part in verdicts."""
    return (sys.implementation.cache_tag or "").encode()


def settings_line(versions: "Sequence[str]", policies: "Sequence[str] | None") -> bytes:
    """Return what the store keeps for a later run: what the configuration asks for.

    Args:
        versions: Target versions.
        policies: Ids of the policies that are on, of those that come along; None for those that are on by themselves.
    """
    return f"{','.join(versions)} {_BY_THEMSELVES if policies is None else ','.join(policies)}".encode()


def _settings(store: CleanStore, config: "bytes | None") -> "tuple[list[str], list[str] | None] | None":
    """Return target versions and policies; unknown when a configuration has not been read by the full path yet."""
    if store.settings is not None:
        versions, _, policies = store.settings.decode().partition(" ")
        chosen = None if policies == _BY_THEMSELVES else policies.split(",") if policies else []
        return (versions.split(","), chosen) if versions else None
    if config is not None:
        return None
    from gitops_guard.schema.bundle import versions as bundled

    return [bundled()[-1]], None


def _configured(environment: "Mapping[str, str]") -> bool:
    return any(name.startswith(_VARIABLES) and name != "GITOPS_GUARD_CACHE_DIR" for name in environment)


def _choose(
    location: "Location", paths: "Sequence[str]", *, staged: bool
) -> "tuple[list[Candidate], Reader, bytes | None, Ask] | None":
    """Return the files to judge, how to read them, the configuration's blob id, and what to ask of rendered units."""
    assert location.work_tree is not None
    root = os.fsencode(location.work_tree)
    relative = [_relative(path, root) for path in paths]
    if None in relative:
        return None
    names = [name for name in relative if name is not None]
    if any(not name.endswith(MANIFEST_SUFFIXES) for name in names):
        return None
    if staged:
        chosen = _choose_staged(location, names or _staged_names(location))
        return None if chosen is None else (*chosen, lambda question: question.staged(names or None))
    read = read_file(root)
    config_data = read(CONFIG_NAME, None)
    if config_data is None and os.path.lexists(os.path.join(root, CONFIG_NAME)):
        return None
    config = None if config_data is None else blob_id(config_data)
    if names:
        wanted = sorted(set(names))
        if not _are_tracked(location, wanted):
            return None  # ignored, or of a repository inside this one, or behind a link: the full path knows
        return [(name, None, 0) for name in wanted], read, config, lambda question: question.some()
    from gitops_guard.repo.snapshot import worktree_snapshot

    snapshot = worktree_snapshot(location.work_tree, location)
    if snapshot is None:
        return None
    kinds = {mode & _KIND for path, mode, _, _ in snapshot if path.endswith(MANIFEST_SUFFIXES) or mode == _SUBMODULE}
    if kinds - {_REGULAR}:
        return None  # links and submodules are named in the coverage, by the full path
    candidates = [(path, blob, size) for path, _, blob, size in snapshot if path.endswith(MANIFEST_SUFFIXES)]
    return candidates, read, config, lambda question: question.whole(snapshot)


def _are_tracked(location: "Location", names: "Sequence[bytes]") -> bool:
    try:
        with open(location.index_file, "rb") as file:
            found = staged_blob_ids(file.read(), names)
    except OSError:
        return False
    return found is not None and all(mode & _KIND == _REGULAR for _, mode in found.values())


def _staged_names(location: "Location") -> "Sequence[bytes] | None":
    """Return what the next commit changes, as far as it may hold manifests; None when not sure."""
    from gitops_guard.repo.snapshot import staged_changes

    changed = staged_changes(location)
    return None if changed is None else [name for name in changed if name.endswith(MANIFEST_SUFFIXES)]


def _choose_staged(
    location: "Location", names: "Sequence[bytes] | None"
) -> "tuple[list[Candidate], Reader, bytes | None] | None":
    if names is None:
        return None
    try:
        with open(location.index_file, "rb") as file:
            index = file.read()
    except OSError:
        return None
    wanted = sorted(set(names))
    has_config = index.find(CONFIG_NAME + b"\0") >= 0
    found = staged_blob_ids(index, [*wanted, CONFIG_NAME] if has_config else wanted)
    if found is None or any(found[name][1] & _KIND != _REGULAR for name in wanted):
        return None
    objects = common_dir(location.git_dir)
    config = found[CONFIG_NAME][0] if has_config else None
    return [(name, found[name][0], 0) for name in wanted], _loose_reader(objects), config


def _loose_reader(objects: str) -> "Reader":
    def read(_path: bytes, blob: "bytes | None") -> "bytes | None":
        from gitops_guard.repo.loose import read_loose

        return None if blob is None else read_loose(objects, blob)

    return read


def _relative(path: str, root: bytes) -> "bytes | None":
    """Return a path relative to the work tree's root; None when it is not plainly inside."""
    full = os.path.normpath(os.path.join(os.fsencode(os.path.realpath(os.getcwd())), os.fsencode(path)))
    return full[len(root) + 1 :] if full.startswith(root + b"/") else None


def _write_summary(result: Sweep, versions: "Sequence[str]", rendered: "tuple[int, int]") -> None:
    line = validated_line(files=result.files, resources=result.resources, validated=result.resources, versions=versions)
    sys.stdout.write(f"{line}\n")
    if rendered[1]:
        sys.stdout.write(f"{rendered_line(objects=rendered[0], units=rendered[1])}\n")
    if result.skipped:
        from gitops_guard.check.skip_reasons import reason_text

        counts: dict[str, int] = {}
        for _, reason in result.skipped:
            text = reason_text(reason)
            counts[text] = counts.get(text, 0) + 1
        sys.stdout.write(f"{skipped_line(counts.items())}\n")

"""What is in a work tree now, and which files are certainly what the index says. Part of the clean path.

A warm run over 10,000 files has some 60 ms, so nothing is read that need not be: Git lists the untracked files in a
process of its own while this one compares each index entry with `lstat`. Unusual repositories give None, "not sure":
the full path asks Git for everything.
"""

import os
from stat import S_ISLNK, S_ISREG

from gitops_guard.repo.attributes import EVERYTHING, converted_suffixes, shared_attribute_files
from gitops_guard.repo.index import (
    CTIME_NS,
    CTIME_S,
    EMPTY_BLOB,
    INO,
    INTENT_TO_ADD,
    MTIME_NS,
    MTIME_S,
    SIZE,
    STAGE_MASK,
    parse_index,
)
from gitops_guard.repo.location import Location, common_dir, find_git_dir, git_command, git_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitops_guard.repo.index import IndexEntry

    SnapshotEntry = tuple[bytes, int, bytes | None, int]

_SUBMODULE = 0o160000
_SYMLINK = 0o120000
_NOT_STAGED = STAGE_MASK | INTENT_TO_ADD
_LOW = 0xFFFF_FFFF  # the index keeps the low 32 bits of each number
_CONFIG_KEYS = "^core\\.(autocrlf|attributesfile|worktree)$"
# A pattern of the command line wins over every .gitignore: ignored or not, an attributes file is listed.
LIST_UNTRACKED = ["ls-files", "--others", "--exclude-standard", "--exclude=!.gitattributes", "-z"]


def worktree_snapshot(root: str, location: Location | None = None) -> "list[SnapshotEntry] | None":
    """List a work tree's files, with the blob id of each that is certainly unchanged.

    Args:
        root: A directory inside the work tree; the whole work tree is listed.
        location: The repository, where it is known already.

    Returns:
        Sorted (path, mode, raw id or None, size in bytes) of tracked and untracked files, links, submodules and
        nested repositories (as submodules without an id), without what .gitignore excludes; mode is Git's. An id is
        that of the file's own bytes, conversions considered; None means: read and hash it. None instead of a list when
        not sure: no work tree, no `git`, an index this parser does not read.
    """
    location = location or find_git_dir(root)
    if location is None or location.work_tree is None:
        return None
    git = _which("git")
    if git is None:
        return None
    # Started first: Git walks the directories while this process compares.
    untracked = _start(git, location, LIST_UNTRACKED)
    config = _start(git, location, ["config", "-z", "--get-regexp", _CONFIG_KEYS])
    tracked = _compare(location)
    untracked_out = _finish(untracked, (0,))
    config_out = _finish(config, (0, 1))  # 1: no such key
    if tracked is None or untracked_out is None or config_out is None:
        return None
    return _merge(location, tracked, untracked_out.split(b"\0")[:-1], config_out, git)


def _compare(location: Location) -> "list[SnapshotEntry] | None":
    """Return the index's entries as far as they are in the work tree, or None when not sure."""
    try:
        with open(location.index_file, "rb") as file:
            written_ns = os.fstat(file.fileno()).st_mtime_ns
            entries = parse_index(file.read())
    except FileNotFoundError:
        return []  # nothing was ever added
    except OSError:
        return None
    if entries is None:
        return None
    assert location.work_tree is not None
    return compare_with_index(os.fsencode(location.work_tree), entries, written_ns)


def staged_changes(location: Location) -> "list[bytes] | None":
    """List the files that the next commit adds or changes, against HEAD, or against nothing before the first commit.

    Returns:
        Sorted paths; None when not sure: no `git`, it refused, or a link or a submodule is among them.
    """
    git = _which("git")
    if git is None:
        return None
    arguments = ["diff", "--cached", "--raw", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=d"]
    output = _finish(_start(git, location, arguments), (0,))
    if output is None:
        return None
    fields = output.split(b"\0")[:-1]
    if any(info[8:11] != b"100" for info in fields[::2]):  # `:100644 100755 ...`: the second is the new mode
        return None
    return sorted(set(fields[1::2]))


def compare_with_index(top: bytes, entries: "Iterable[IndexEntry]", written_ns: int) -> "list[SnapshotEntry]":
    """Compare each index entry with the file in the work tree.

    A file that was changed in the very tick in which the index was written looks unchanged ("racy git"), so an entry
    whose mtime is not older than the index has no id; neither has one of size 0 that is not the empty blob: Git marks
    entries it found racy that way.

    Args:
        top: The work tree.
        entries: From `parse_index`.
        written_ns: The index file's own mtime.
    """
    found: list[SnapshotEntry] = []
    add = found.append
    lstat = os.lstat
    prefix = top + b"/"
    last = b""
    for path, blob, mode, flags, stat in entries:
        if mode == _SUBMODULE:
            add((path, mode, blob, 0))
            continue
        if flags & STAGE_MASK and path == last:
            continue  # stages 1 to 3 of an unmerged path are one file
        last = path
        try:
            now = lstat(prefix + path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        same = (
            now.st_mtime_ns == stat[MTIME_S] * 1_000_000_000 + stat[MTIME_NS] < written_ns
            and now.st_ctime_ns == stat[CTIME_S] * 1_000_000_000 + stat[CTIME_NS]
            and now.st_size & _LOW == stat[SIZE]
            and now.st_ino & _LOW == stat[INO]
            and now.st_mode & 0o170000 == mode & 0o170000
            and not flags & _NOT_STAGED
            and (now.st_size or blob == EMPTY_BLOB)
        )
        now_mode = mode if same and now.st_mode & 0o100 == mode & 0o100 else _git_mode(now.st_mode)
        if now_mode:
            add((path, now_mode, blob if same else None, now.st_size))
    return found


def _git_mode(mode: int) -> int:
    """Return Git's mode for lstat's; 0 for what Git does not track."""
    if S_ISREG(mode):
        return 0o100755 if mode & 0o100 else 0o100644
    return _SYMLINK if S_ISLNK(mode) else 0


def _merge(
    location: Location, tracked: "list[SnapshotEntry]", untracked: "list[bytes]", config: bytes, git: str
) -> "list[SnapshotEntry] | None":
    settings = _settings(config)
    assert location.work_tree is not None
    worktree = settings.get("core.worktree")
    if worktree and os.path.realpath(os.path.join(location.git_dir, worktree)) != location.work_tree:
        return None
    suffixes = _converted(location, tracked, untracked, settings, git)
    if suffixes:
        tracked = [
            (path, mode, None if path.lower().endswith(suffixes) and mode not in (_SYMLINK, _SUBMODULE) else blob, size)
            for path, mode, blob, size in tracked
        ]
    if not untracked:
        return tracked
    return with_untracked(location, tracked, untracked)


def with_untracked(
    location: Location, tracked: "list[SnapshotEntry]", untracked: "list[bytes]"
) -> "list[SnapshotEntry]":
    """Return all entries, sorted.

    An untracked `.gitattributes` is left out, ignored or not: it is listed for its meaning, and it can be no manifest.
    """
    known = {entry[0] for entry in tracked}
    paths = (path for path in untracked if path not in known and os.path.basename(path) != b".gitattributes")
    tracked.extend(entries_of(location, paths))
    tracked.sort()
    return tracked


def _settings(config: bytes) -> dict[str, str]:
    pairs = (item.partition(b"\n") for item in config.split(b"\0")[:-1])
    # A key without "=" is Git's short form of true.
    return {os.fsdecode(key): os.fsdecode(value) if equals else "true" for key, equals, value in pairs}


def _converted(
    location: Location, tracked: "list[SnapshotEntry]", untracked: "list[bytes]", settings: dict[str, str], git: str
) -> tuple[bytes, ...]:
    if settings.get("core.autocrlf", "false").lower() not in ("false", "no", "off", "0", ""):
        return (EVERYTHING,)
    names = [entry[0] for entry in tracked if entry[0].endswith(b".gitattributes")]
    names += [path for path in untracked if path.endswith(b".gitattributes")]
    assert location.work_tree is not None
    files = [os.path.join(location.work_tree, os.fsdecode(name)) for name in names]
    files += shared_attribute_files(common_dir(location.git_dir), settings.get("core.attributesfile", ""), git)
    return converted_suffixes(files)


def entries_of(location: Location, paths: "Iterable[bytes]") -> "Iterable[SnapshotEntry]":
    """Yield what stands in the work tree under these names; ids are not known."""
    assert location.work_tree is not None
    prefix = os.fsencode(location.work_tree) + b"/"
    for path in paths:
        if path.endswith(b"/"):
            yield path[:-1], _SUBMODULE, None, 0  # a repository that is no submodule yet: named, not entered
            continue
        try:
            now = os.lstat(prefix + path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        mode = _git_mode(now.st_mode)
        if mode:
            yield path, mode, None, now.st_size


def _which(program: str) -> str | None:
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, program)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def _start(git: str, location: Location, arguments: list[str]) -> "tuple[int, int]":
    """Start `git`; return its process id and the pipe to read. Importing subprocess would cost more than that."""
    read_end, write_end = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, write_end, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    command = [*git_command(location), *arguments]
    try:
        pid = os.posix_spawn(git, command, git_environment(location), file_actions=actions)
    finally:
        os.close(write_end)
    return pid, read_end


def _finish(started: "tuple[int, int]", good: "tuple[int, ...]") -> bytes | None:
    """Return all output, or None when the exit code is not a good one."""
    pid, read_end = started
    with open(read_end, "rb") as pipe:
        output = pipe.read()
    _, status = os.waitpid(pid, 0)
    return output if os.waitstatus_to_exitcode(status) in good else None

"""The index file read straight from its bytes: blob ids without pygit2 and without a process. Part of the clean path.

Whatever is unusual gives None, "not sure": a split or sparse index, version 4, SHA-256, a damaged file. The caller
then takes the full path, which asks Git. So this module may be incomplete, never wrong. It imports nothing that costs
time; a test keeps it so.

Format: https://git-scm.com/docs/index-format
"""

try:
    from _sha1 import sha1  # type: ignore[import-not-found]  # a builtin without a stub
except ImportError:  # builds without it (FIPS) have it in OpenSSL; hashlib costs 1 ms more to import
    from hashlib import sha1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from typing import Any

    IndexEntry = tuple[bytes, bytes, int, int, tuple[Any, ...]]

ID_BYTES = 20
EMPTY_BLOB = bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")

# Places in an entry's stat fields, as `IndexEntry.stat` has them.
CTIME_S, CTIME_NS, MTIME_S, MTIME_NS, DEV, INO, MODE, UID, GID, SIZE = range(10)

STAGE_MASK = 0x3000
_EXTENDED = 0x4000
_NAME_MASK = 0xFFF
INTENT_TO_ADD = 0x2000_0000
SKIP_WORKTREE = 0x4000_0000

_HEADER = 12
_FIXED = 62  # ten 32-bit stat fields, the id, the flags
_MODE_AT = 24
_ID_AT = 40
# In 10,000 entries one search takes 0.2 ms, reading them all 5 ms.
_SEARCH_AT_MOST = 24
_MODES = (0o100644, 0o100755, 0o120000, 0o160000)


def blob_id(data: bytes) -> bytes:
    """Return the raw 20-byte id under which Git (SHA-1) would store these bytes."""
    digest = sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return bytes(digest.digest())


def staged_blob_ids(data: bytes, paths: "Sequence[bytes]") -> "dict[bytes, tuple[bytes, int]] | None":
    """Find the blob ids of a few paths by searching the index's bytes.

    A hit counts only where an entry can begin (entries are padded to 8 bytes) and when its mode, name length, stage and
    padding are those of a clean entry of that name. A path with no such place, or with two, makes all of it None.

    Split and sparse indexes need no check: an entry that bears its whole name in this file is in force, while one that
    was replaced bears an empty name and one inside a collapsed directory has none here.

    Args:
        data: The index file's content.
        paths: Relative to the top of the work tree, with `/`.

    Returns:
        For each path its raw id and Git's mode; None when not sure of any of them.
    """
    if _version(data) is None:
        return None
    if len(paths) > _SEARCH_AT_MOST:
        return _ids_of_all(data, paths)
    found = {}
    for path in paths:
        entry = _search(data, path)
        if entry is None:
            return None
        found[path] = entry
    return found


def _ids_of_all(data: bytes, paths: "Sequence[bytes]") -> "dict[bytes, tuple[bytes, int]] | None":
    entries = parse_index(data)
    if entries is None:
        return None
    staged = {path: (blob, mode) for path, blob, mode, flags, _ in entries if not flags & (STAGE_MASK | INTENT_TO_ADD)}
    return {path: staged[path] for path in paths} if all(path in staged for path in paths) else None


def _search(data: bytes, path: bytes) -> "tuple[bytes, int] | None":
    """Return (id, mode) if exactly one entry of this name can be seen."""
    hit = None
    needle = path + b"\0"
    at = data.find(needle)
    while at >= 0:
        for fixed in (_FIXED, _FIXED + 2):
            entry = _verified(data, at - fixed, fixed, path)
            if entry is not None:
                if hit is not None:
                    return None
                hit = entry
        at = data.find(needle, at + 1)
    return hit


def _verified(data: bytes, start: int, fixed: int, path: bytes) -> "tuple[bytes, int] | None":
    if start < _HEADER or (start - _HEADER) % 8:
        return None
    flags = int.from_bytes(data[start + 60 : start + 62], "big")
    extended = fixed > _FIXED
    if flags & _NAME_MASK != min(len(path), _NAME_MASK) or flags & STAGE_MASK or bool(flags & _EXTENDED) != extended:
        return None
    if extended and int.from_bytes(data[start + 62 : start + 64], "big") & (INTENT_TO_ADD >> 16):
        return None  # nothing is staged under this name yet
    mode = int.from_bytes(data[start + _MODE_AT : start + _MODE_AT + 4], "big")
    end = start + fixed + len(path)
    padding = data[end : _next_entry(start, fixed + len(path))]
    if mode not in _MODES or padding.strip(b"\0"):
        return None
    return data[start + _ID_AT : start + _ID_AT + ID_BYTES], mode


def _next_entry(start: int, length: int) -> int:
    return start + ((length + 8) & ~7)


def _version(data: bytes) -> int | None:
    if data[:4] != b"DIRC" or len(data) < _HEADER + ID_BYTES:
        return None
    version = int.from_bytes(data[4:8], "big")
    return version if version in (2, 3) else None


def _extensions(data: bytes, at: int) -> "list[bytes] | None":
    """Return the signatures from this place to the trailer; None when the sizes do not lead there."""
    end = len(data) - ID_BYTES
    names = []
    while at + 8 <= end:
        names.append(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    return names if at == end else None


def parse_index(data: bytes) -> "list[IndexEntry] | None":
    """Read a whole index file of version 2 or 3.

    Args:
        data: The file's content.

    Returns:
        Entries in the index's order as (path, raw id, Git's mode, flags, stat fields); None when not sure. Flags are
        the 16-bit flags plus the extended ones shifted left by 16: see `STAGE_MASK`, `INTENT_TO_ADD`,
        `SKIP_WORKTREE`. The stat fields are addressed by `CTIME_S` ... `SIZE`.
    """
    if _version(data) is None:
        return None
    from struct import Struct
    from struct import error as StructError  # noqa: N812 (it is a class, whatever its name)

    try:
        entries, at = _parse_entries(data, Struct(">10I20sH").unpack_from)
    except (IndexError, ValueError, StructError):
        return None
    names = _extensions(data, at)
    # A lower-case first letter means: do not read on without understanding it.
    if names is None or any(not 65 <= name[0] <= 90 for name in names):
        return None
    return entries


def manifest_entries(
    data: bytes, known: "Container[bytes]", suffixes: "tuple[bytes, ...]"
) -> "list[tuple[bytes, bytes]] | None":
    """Return path and blob id of the files with certain suffixes whose content is not known; None when not sure.

    A loop that looks at a third of what `parse_index` does: a hook runs it over the whole index.

    Args:
        data: The index file's content.
        known: Blob ids that nobody asks for.
        suffixes: Of file names.
    """
    if _version(data) is None:
        return None
    found: list[tuple[bytes, bytes]] = []
    at = _HEADER
    try:
        for _ in range(int.from_bytes(data[8:12], "big")):
            high = data[at + 60]
            name = at + _FIXED + 2 if high & 0x40 else at + _FIXED
            length = (high & 0xF) << 8 | data[at + 61]
            end = name + length if length < _NAME_MASK else data.index(0, name)
            if data[at + _ID_AT : at + _ID_AT + ID_BYTES] not in known:
                path = data[name:end]
                if path.endswith(suffixes):
                    found.append((path, data[at + _ID_AT : at + _ID_AT + ID_BYTES]))
            at += (end - at + 8) & ~7
    except (IndexError, ValueError):
        return None
    names = _extensions(data, at)
    return None if names is None or any(not 65 <= name[0] <= 90 for name in names) else found


def _parse_entries(
    data: bytes, unpack_from: "Callable[[bytes, int], tuple[Any, ...]]"
) -> "tuple[list[IndexEntry], int]":
    """Return the entries and the place after the last; one loop of few calls, as it runs 10,000 times."""
    entries: list[IndexEntry] = []
    add = entries.append
    at = _HEADER
    for _ in range(int.from_bytes(data[8:12], "big")):
        fields = unpack_from(data, at)
        flags = fields[11]
        name = at + _FIXED
        length = flags & _NAME_MASK
        if flags & _EXTENDED:
            flags |= data[name] << 24 | data[name + 1] << 16
            name += 2
        end = name + length if length < _NAME_MASK else data.index(0, name)
        add((data[name:end], fields[10], fields[MODE], flags, fields))
        at += (end - at + 8) & ~7
    return entries, at

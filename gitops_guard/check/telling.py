"""Whether anything of a tree needs rendering, told cheaply: by file names, by words, and by what is remembered.

The clean path may call a run clean only where rendered units would show nothing either. A tree without kustomizations,
charts, and objects of Flux or Argo CD has no units to render; what a run over rendered units found clean is remembered
under the index's own checksum, or under the ids of all files of the work tree.

Part of the clean path: imports os and built-in hash modules only.
"""

import os
from _blake2 import blake2b

from gitops_guard.check.clean_store import NAME_BYTES, CleanStore, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

UNIT_NAMES = (b"kustomization.yaml", b"kustomization.yml", b"Kustomization", b"Chart.yaml")
"""Files that make units, whatever they hold."""

UNIT_WORDS = (b"ustomization", b"Chart.yaml")
"""One of them is part of each of these names."""

WORDS = (b"toolkit.fluxcd.io/", b"argoproj.io/")
"""What every file with an object of Flux or Argo CD holds; many others hold them too, which does no harm."""

MANIFEST_SUFFIXES = (b".yaml", b".yml", b".json")
_SILENT = b"silent files 1"
_PROGRAMS = ("kustomize", "kubectl", "helm")
_MOST = 0xFFFF
CHECKSUM_BYTES = 20


def is_unit_name(path: bytes) -> bool:
    """Tell whether a file makes a unit by its name."""
    return path[path.rfind(b"/") + 1 :] in UNIT_NAMES


def may_declare(path: bytes) -> bool:
    """Tell whether a file may hold objects that declare units, by its name."""
    return path.endswith(MANIFEST_SUFFIXES)


def speaks(data: bytes) -> bool:
    """Tell whether a file may hold objects that declare units; UTF-16 would hide them."""
    return any(word in data for word in WORDS) or b"\0" in data


def silent_store(folder: str, key: bytes) -> CleanStore:
    """Open the store of files that are known to declare no units."""
    state = blake2b(_SILENT, digest_size=NAME_BYTES)
    return CleanStore(folder, state.digest(), key)


def find_speaking(
    files: "Iterable[tuple[bytes, bytes | None]]",
    read: "Callable[[bytes, bytes | None], bytes | None]",
    silent: "CleanStore | None",
    *,
    most: int,
) -> bool | None:
    """Tell whether some file may declare units.

    Args:
        files: Path and blob id, where known, of files that `may_declare`.
        read: Returns a file's bytes; None where it cannot be read here.
        silent: Files that are known not to; it learns.
        most: Files that are read at most.

    Returns:
        None when not sure: too many files had to be read, or one could not be.
    """
    known = silent.names() if silent is not None else set()
    learned: list[bytes] = []
    answer: bool | None = False
    for path, blob in files:
        if blob is not None and blob in known:
            continue
        data = read(path, blob) if most else None
        most -= 1
        if data is None:
            answer = None
            break
        if speaks(data):
            answer = True
            break
        if blob is not None:
            learned.append(record(blob, 0, 0))
    if silent is not None and learned:
        silent.add(b"".join(learned), b"silent")
    return answer


def index_checksum(index: bytes) -> bytes | None:
    """Return the checksum that ends an index file; None where Git was told to leave it out."""
    checksum = index[-CHECKSUM_BYTES:]
    return checksum if len(checksum) == CHECKSUM_BYTES and any(checksum) else None


def tools_stamp(path: str, git_config: str) -> bytes:
    """Return what changes with the programs that render and with the clone's remotes: both decide the output.

    Args:
        path: PATH.
        git_config: The clone's own configuration file; by its remotes sources are known as this repository.
    """
    stamps = [path]
    try:
        found = os.stat(git_config)
        stamps.append(f"{found.st_size} {found.st_mtime_ns}")
    except OSError:
        stamps.append("no configuration")
    for folder in path.split(os.pathsep):
        for name in _PROGRAMS:
            try:
                found = os.stat(os.path.join(folder, name))
            except OSError:
                continue
            stamps.append(f"{folder} {name} {found.st_size} {found.st_mtime_ns}")
    return "\n".join(stamps).encode("utf-8", "surrogateescape")


def without_units_name(checksum: bytes) -> bytes:
    """Name the fact that an index holds nothing to render."""
    return _name(b"no units", checksum)


def rendered_name(state: bytes, tools: bytes, asked: "Iterable[bytes]") -> bytes:
    """Name the fact that the rendered units which some files have a part in are clean.

    Args:
        state: The index's checksum, or the digest of the work tree.
        tools: See `tools_stamp`.
        asked: What the run was about: paths of files.
    """
    return _name(b"rendered", state, tools, *asked)


def remember_rendered(name: bytes, *, objects: int, units: int) -> bytes:
    """Return the records of a clean run over rendered units; none where the numbers do not fit."""
    if objects > _MOST or units > _MOST:
        return b""
    return record(name, objects, 0) + record(_name(b"units", name), units, 0)


def find_rendered(store: CleanStore, name: bytes) -> "tuple[int, int] | None":
    """Return (objects, units) of a remembered clean run; None when there was none."""
    objects, units = store.find(name), store.find(_name(b"units", name))
    return None if objects is None or units is None else (objects[0], units[0])


def tree_digest(entries: "Iterable[tuple[bytes, bytes]]") -> bytes:
    """Return what stands for the content of a whole work tree: path and blob id of every file."""
    state = blake2b(b"tree", digest_size=NAME_BYTES)
    for path, blob in entries:
        state.update(b"%s\0%s" % (path, blob))
    return state.digest()


def _name(*parts: bytes) -> bytes:
    state = blake2b(b"rendering 1", digest_size=NAME_BYTES)
    for part in parts:
        state.update(b"%d\0" % len(part))
        state.update(part)
    return state.digest()

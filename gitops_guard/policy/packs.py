"""Where the built-in packs lie: in the installed package, or beside it in a checkout."""

import os
from collections.abc import Iterator

from gitops_guard.errors import UsageError

PREFIX = "pack:"
PAGE = "README.md"
"""Name of a policy's page, in its folder."""

ALL_PACKS = "*"
"""`pack:*`: every pack."""

OLDEST_VERSION = "1.30"
"""The policies that come along need this version's language; manifests for older ones are judged as in this one."""


def pack_folder() -> str:
    """Return the folder whose folders are packs."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "_policies")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "policies")


def pack_names() -> tuple[str, ...]:
    """Return the names of all packs."""
    folder = pack_folder()
    if not os.path.isdir(folder):
        return ()
    return tuple(sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))))


def pack_path(name: str) -> str:
    """Return the folder of one pack.

    Raises:
        UsageError: There is no such pack.
    """
    names = pack_names()
    if name not in names:
        raise UsageError(f'there is no policy pack "{name}"; there are {", ".join(names) or "none"}')
    return os.path.join(pack_folder(), name)


def pack_names_of(name: str) -> tuple[str, ...]:
    """Return the packs that `pack:NAME` or `pack:*` means.

    Raises:
        UsageError: There is no such pack.
    """
    pack = name.removeprefix(PREFIX)
    if pack == ALL_PACKS:
        return pack_names()
    pack_path(pack)
    return (pack,)


def pack_page(rule: str) -> str | None:
    """Return the page of a policy that comes along, whether it is switched on or not; None when there is none."""
    for name in pack_names():
        if rule in os.listdir(pack_path(name)):
            with open(os.path.join(pack_path(name), rule, PAGE), encoding="utf-8") as stream:
                return stream.read()
    return None


def evaluated_as(version: str) -> str:
    """Return the version whose language a policy that comes along is compiled for."""
    return max(version, OLDEST_VERSION, key=lambda one: int(one.partition(".")[2]))


def is_policy_file(path: str) -> bool:
    """Tell whether a file of a policy folder may hold policies: examples in `pass/` and `fail/` do not."""
    return path.endswith((".yaml", ".yml", ".json")) and not is_example(path)


def is_example(path: str) -> bool:
    """Tell whether a path, seen from a policy folder, is an example that a policy is tested with."""
    return any(part in ("pass", "fail") for part in path.split("/")[:-1])


def files_below(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (path below the folder with slashes, path on disk) of every file, sorted."""
    found: list[tuple[str, str]] = []
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            full = os.path.join(directory, name)
            found.append((os.path.relpath(full, folder).replace(os.sep, "/"), full))
    yield from sorted(found)

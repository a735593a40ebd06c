"""A tree as rendering looks at it: what is a file, what a directory, what is a link and therefore never followed."""

import hashlib
import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from threading import RLock
from typing import Any, TypeVar

from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.loader import Dialect, Stream, load
from gitops_guard.manifest.plain import read_plain
from gitops_guard.manifest.plain_manifests import PlainManifest, plain_manifests
from gitops_guard.model import Body, Json, Origin
from gitops_guard.model.resource import ResourceId, resource_id
from gitops_guard.repo.tree import EntryKind, Tree, path_bytes

_YAML = (".yaml", ".yml", ".json")
_FIRST_KEY = re.compile(rb"(?:[ \t]*(?:#[^\r\n]*)?\n)*(?:---[ \t]*\n(?:[ \t]*(?:#[^\r\n]*)?\n)*)?([A-Za-z]+:)")
_MOST_KEPT = 16_000_000
"""Bytes of files that are kept: what a repository deploys is looked at several times, and opening files is slow."""

Found = TypeVar("Found")


class Files:
    """Reads a tree; may be asked by several threads at once."""

    def __init__(self, tree: Tree, beside: "Files | None" = None) -> None:
        """List the tree once.

        Args:
            tree: What is read.
            beside: Another tree of the same repository: what both hold is read once.
        """
        self._tree = tree
        self._entries = {entry.path: entry for entry in tree.entries()}
        self._paths = sorted(self._entries)
        self._folders = _parents(self._paths)
        self._links = {path for path, entry in self._entries.items() if entry.kind is not EntryKind.FILE}
        self._streams: dict[tuple[str, Dialect], Stream] = {} if beside is None else beside._streams
        self._bodies: dict[tuple[str, Dialect], Body] = {} if beside is None else beside._bodies
        self._remembered: dict[Hashable, Any] = {}
        self._blobs: dict[str, str] = {}
        self._objects: dict[str, list[tuple[ResourceId, Origin]]] = {}
        self._contents: dict[str, bytes] = {}
        self._kept_bytes = 0
        self._lock = RLock()  # neither trees nor the libraries behind them promise to be safe for threads

    @property
    def label(self) -> str:
        """Return the tree's name for people."""
        return self._tree.label

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file that can be read."""
        return path in self._entries and path not in self._links

    def is_folder(self, path: str) -> bool:
        """Tell whether the path is a directory; the root is the empty path."""
        return path in self._folders

    def link_in(self, path: str) -> str:
        """Return the symbolic link or submodule that the path is or leads through; empty where there is none."""
        while path:
            if path in self._links:
                return path
            path = posixpath.dirname(path)
        return ""

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            RepoError: It cannot be read.
        """
        with self._lock:
            if path in self._contents:
                return self._contents[path]
            data = self._tree.read(path)
            if self._kept_bytes + len(data) <= _MOST_KEPT:
                self._kept_bytes += len(data)
                self._contents[path] = data
            return data

    def blob(self, path: str) -> str:
        """Return what stands for a file's content: Git's id, or a digest where the tree does not know it.

        Raises:
            RepoError: It cannot be read.
        """
        known = self._entries[path].blob_id if path in self._entries else None
        if known is not None:
            return known
        with self._lock:
            if path not in self._blobs:
                self._blobs[path] = f"sha256:{hashlib.sha256(self.read(path)).hexdigest()}"
            return self._blobs[path]

    def documents(self, path: str, dialect: Dialect = Dialect.KUBECTL) -> Stream:
        """Return a YAML or JSON file, read; each is read once.

        Raises:
            RepoError: It cannot be read.
        """
        key = (self.blob(path), dialect)
        with self._lock:
            if key not in self._streams:
                self._streams[key] = load(self.read(path), dialect=dialect)
            return self._streams[key]

    def plain(self, path: str) -> Sequence[PlainManifest] | None:
        """Return the manifests of a file that holds nothing unusual, each with its line; None asks for `documents`.

        Raises:
            RepoError: It cannot be read.
        """

        def make() -> Sequence[PlainManifest] | None:
            found = plain_manifests(path, self.read(path))
            return None if found is None or any(not line for line, _ in found) else found

        return self.remembered(("plain", path), make)

    def first_body(self, path: str, dialect: Dialect) -> Body:
        """Return the first document of a file, an empty one where there is none; plainly written files are read fast.

        Raises:
            RepoError: It cannot be read.
        """
        key = (self.blob(path), dialect)
        with self._lock:
            if key not in self._bodies:
                plain = read_plain(self.read(path))
                if plain is not None and len(plain) == 1 and isinstance(plain[0], dict):
                    self._bodies[key] = plain[0]
                else:
                    documents = self.documents(path, dialect).documents
                    self._bodies[key] = documents[0].body if documents else {}
            return self._bodies[key]

    def remembered(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """Return what was made under this key for this tree, or make it; nobody may change it."""
        with self._lock:
            if key not in self._remembered:
                self._remembered[key] = make()
            found: Found = self._remembered[key]
            return found

    def only_line(self, path: str) -> int:
        """Return the line of the first key of a file that surely holds one object; 0 for any other.

        Told without parsing: most files hold one object, and some are large.

        Raises:
            RepoError: It cannot be read.
        """
        data = self.read(path)
        found = _FIRST_KEY.match(data)
        if found is None or b"\n---" in data[found.start(1) :] or b"\nitems:" in data:
            return 0
        return data.count(b"\n", 0, found.start(1)) + 1

    def objects(self, path: str) -> list[tuple[ResourceId, Origin]]:
        """Return what objects a manifest that kustomize reads holds, and where.

        Raises:
            RepoError: It cannot be read.
        """
        with self._lock:
            if path not in self._objects:
                self._objects[path] = list(_located(path, self.documents(path, Dialect.KUSTOMIZE)))
            return self._objects[path]

    def below(self, folder: str) -> list[str]:
        """Return all entries below a directory, links included, sorted."""
        if not folder:
            return list(self._paths)
        prefix = f"{folder}/"
        start = bisect_left(self._paths, prefix)
        end = bisect_left(self._paths, f"{folder}0")  # "0" is the character behind "/"
        return self._paths[start:end]

    def named(self, *names: str) -> list[str]:
        """Return the files of these names, wherever they are."""
        return [path for path in self._paths if posixpath.basename(path) in names and path not in self._links]

    def manifests_in(self, folder: str, *, recurse: bool = False) -> list[str]:
        """Return the YAML and JSON files of a directory."""
        return [
            path
            for path in self.below(folder)
            if path.endswith(_YAML) and (recurse or posixpath.dirname(path) == folder)
        ]

    def folders(self) -> list[str]:
        """Return all directories but the root, sorted."""
        return sorted(self._folders - {""})


def _located(path: str, stream: Stream) -> Iterator[tuple[ResourceId, Origin]]:
    for document in stream.documents:
        for place, body in unfold(document.body):
            line = document.locate(place).line if place else document.line
            yield resource_id(body), Origin(path=path, document=document.index, line=line, item=place)


def _parents(paths: list[str]) -> set[str]:
    found = {""}
    for path in paths:
        folder = posixpath.dirname(path)
        while folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return found


def resolve(folder: str, reference: str) -> str | None:
    """Return the repository path that a reference means, `""` for the root; None where it leaves the repository."""
    if reference.startswith("/") or "\0" in reference:
        return None
    path = posixpath.normpath(posixpath.join(folder, reference))
    if path == ".":
        return ""
    return None if path == ".." or path.startswith("../") else path


def is_within(path: str, folder: str) -> bool:
    """Tell whether a path is a directory or lies below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def mapping(value: Json) -> dict[str, Json]:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """Return the value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def texts(value: Json) -> list[str]:
    """Return the texts of a list."""
    return [item for item in items(value) if isinstance(item, str)]


__all__ = ["Files", "is_within", "items", "mapping", "path_bytes", "resolve", "text", "texts"]

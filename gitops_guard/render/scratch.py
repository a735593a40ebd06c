"""A private temporary directory with exactly the files that a tool may read, written from Git objects."""

import os
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from gitops_guard.repo.tree import path_bytes


class Scratch:
    """A directory that only this user can enter and that goes with the block; holds regular files only."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="gitops-guard-")
        # Links on the way (macOS's /tmp) would show up in messages under another name.
        base = os.path.realpath(self._directory.name)
        self.tree = os.path.join(base, "tree")
        """Where the repository's files are."""

        self.home = os.path.join(base, "home")
        """What tools take for the user's home."""

        self.extra = os.path.join(base, "extra")
        """Files that are none of the repository's: values in line."""

        for folder in (self.tree, self.home, self.extra):
            os.mkdir(folder, 0o700)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files by repository path; none of them leads out, since trees hold no such names."""
        for path, data in files.items():
            target = os.path.join(os.fsencode(self.tree), path_bytes(path))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as stream:
                stream.write(data)

    def write_extra(self, name: str, data: bytes) -> str:
        """Write a file that is none of the repository's; returns its absolute path."""
        path = os.path.join(self.extra, name)
        with open(path, "xb") as stream:
            stream.write(data)
        return path

    def in_repository(self, message: str) -> str:
        """Return a tool's message with repository paths for our temporary ones."""
        for prefix, shown in ((f"{self.tree}/", ""), (self.tree, "."), (f"{self.extra}/", ""), (self.home, "~")):
            message = message.replace(prefix, shown)
        return message

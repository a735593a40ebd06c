"""Git's own commands: for repositories that libgit2 does not read, and for what only Git knows (work-tree diffs)."""

import os
import subprocess
import weakref
from collections.abc import Iterator, Sequence
from typing import IO

from gitops_guard.errors import RepoError
from gitops_guard.repo.changes import ChangedPath, parse_raw_diff
from gitops_guard.repo.location import Location, git_command, git_environment
from gitops_guard.repo.objects import RawEntry, missing_object, refusal


class Git:
    """Runs `git` on one repository, with an environment that names this repository and no other."""

    def __init__(self, location: Location) -> None:
        self.location = location

    def run(self, *arguments: str, good: Sequence[int] = (0,)) -> bytes:
        """Return a command's output.

        Args:
            arguments: After `git`; file names go after `--`.
            good: Exit codes that are answers.

        Raises:
            RepoError: `git` is not installed or refused; holds its message.
        """
        code, output, message = self._run(arguments)
        if code not in good:
            raise refusal(self.location.top, message or f"git {arguments[0]} ended with exit code {code}")
        return output

    def _run(self, arguments: Sequence[str]) -> tuple[int, bytes, str]:
        command = [*git_command(self.location), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 (a list, no shell)
                command, env=git_environment(self.location), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError as error:
            raise no_git(self.location.top, error) from error
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace").strip()


def no_git(top: str, error: OSError) -> RepoError:
    """Return the error for a `git` that cannot be started."""
    return RepoError(f"{top}: cannot start git ({error.strerror}); install Git and put it on the PATH")


class PlumbingObjects:
    """Commits and blobs by `git` commands; see `Objects`."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._batches: dict[str, _Batch] = {}

    def commit(self, rev: str) -> str | None:
        """Return the id of the commit that a revision names."""
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        lines = self._git.run(*arguments, good=(0, 1, 128)).decode("ascii").split()
        # A range gives a line for each end, one of them with a caret.
        return lines[0] if len(lines) == 1 else None

    def entries(self, commit: str) -> Iterator[RawEntry]:
        """Yield what a commit holds."""
        for line in self._git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
            info, _, path = line.partition(b"\t")
            mode, _, blob = info.split(b" ")
            yield RawEntry(path, int(mode, 8), blob.decode("ascii"))

    def size(self, blob: str) -> int:
        """Return a blob's size in bytes."""
        return self._batch("--batch-check").header(blob)

    def read(self, blob: str) -> bytes:
        """Return a blob's content."""
        batch = self._batch("--batch")
        return batch.content(batch.header(blob))

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor."""
        output = self._git.run("merge-base", one, other, good=(0, 1))
        return output.decode("ascii").strip() or None

    def changes(self, base: str, head: str) -> Iterator[ChangedPath]:
        """Yield what differs between two commits."""
        yield from parse_raw_diff(self._git.run("diff-tree", "-r", "-z", "--raw", "-M", base, head))

    def _batch(self, mode: str) -> "_Batch":
        batch = self._batches.get(mode)
        # A forked worker must not talk over its parent's pipe.
        if batch is None or batch.owner != os.getpid():
            batch = self._batches[mode] = _Batch(self._git.location, mode)
        return batch


class _Batch:
    """A `git cat-file` that stays: starting one for each blob would cost 2 ms each."""

    def __init__(self, location: Location, mode: str) -> None:
        self.owner = os.getpid()
        self._top = location.top
        command = [*git_command(location), "cat-file", mode]
        try:
            process = subprocess.Popen(  # noqa: S603 (a list, no shell)
                command,
                env=git_environment(location),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise no_git(location.top, error) from error
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        weakref.finalize(self, _stop, process, self.owner)

    def header(self, blob: str) -> int:
        try:
            self._in.write(blob.encode("ascii") + b"\n")
            self._in.flush()
        except BrokenPipeError:
            raise missing_object(self._top, blob) from None
        words = self._out.readline().split()
        if len(words) != 3 or words[1] != b"blob":
            raise missing_object(self._top, blob)
        return int(words[2])

    def content(self, size_bytes: int) -> bytes:
        data = self._out.read(size_bytes + 1)
        if len(data) != size_bytes + 1:
            raise refusal(self._top, "git cat-file ended in the middle of a file")
        return data[:-1]


def _stop(process: "subprocess.Popen[bytes]", owner: int) -> None:
    """End the process; a forked child only lets go of it."""
    if os.getpid() != owner:
        process.returncode = 0
        return
    with process:
        pass

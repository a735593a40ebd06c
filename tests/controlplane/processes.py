"""Child processes that end with the test session, with their logs in files."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_SUPERVISE = Path(__file__).with_name("supervise.py")


class ProcessFailedError(Exception):
    """A process ended, or never became ready; carries the end of its log."""

    def __init__(self, name: str, what: str, log: str) -> None:
        super().__init__(name, what, log)
        self.name = name
        self.what = what
        self.log = log

    def __str__(self) -> str:
        return f"{self.name} {self.what}; the end of its log:\n{self.log}"


class Process:
    """One running program in a process group of its own."""

    def __init__(self, program: Path, arguments: Sequence[str], *, log: Path, directory: Path) -> None:
        self.name = program.name
        self.log = log
        """Standard output and error, appended over restarts."""
        command = [*ending_with_us(), program.resolve(), *arguments]
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory, process_group=0
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self._child.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Ask every 20 ms until the answer is yes.

        Raises:
            ProcessFailedError: The process ended or the time is up.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessFailedError(self.name, f"did not become {what} within {timeout_s:g} s", self.tail())
            time.sleep(0.02)
        self.check()  # it may have been another program that answered on the port

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            ProcessFailedError: It has ended.
        """
        if not self.is_running():
            raise ProcessFailedError(self.name, f"ended with code {self._child.returncode}", self.tail())

    def tail(self, lines: int = 40) -> str:
        """Return the end of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, *, grace_s: float = 0.0) -> None:
        """End the process and its group; with a grace time it gets a SIGTERM first."""
        if grace_s and self.is_running():
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # what follows ends it
                self._child.wait(grace_s)
        self._signal(signal.SIGKILL)
        self._child.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it do nothing while the context lasts: it keeps its connections, and answers nobody."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # the group has ended already
            os.killpg(self._child.pid, number)


def ending_with_us() -> list[str | Path]:
    """Return what to put before a command so that it ends when this process does, even by a kill -9.

    The kernel means the thread that starts the command: fixtures run in the main thread, which ends last.
    """
    return [sys.executable, "-ISE", _SUPERVISE, str(os.getpid())]


def free_ports(count: int) -> list[int]:
    """Return loopback ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()

"""A sync that stays: run, wait, run again; health and metrics for whoever watches it."""

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from gitops_guard.commands.ending import Ending
from gitops_guard.errors import GuardError, UsageError
from gitops_guard.report.sync.metrics import Metrics

if TYPE_CHECKING:
    from gitops_guard.commands.sync import SyncFlags
    from gitops_guard.commands.sync_clusters import ClusterRun

_JITTER: Final = 0.1
"""Share of the interval that a pause is shorter or longer, so that many agents do not ask in step."""

_STUCK_S: Final = 900.0
"""A run may take so much longer than its own time limit before the process counts as stuck."""

_COULD_NOT: Final = 2


class Board:
    """What is known of the runs so far: figures, and when the last one ended how."""

    def __init__(self, metrics_file: str | None) -> None:
        """Go on from the figures in a file, if there is one.

        Raises:
            UsageError: The file cannot be written: better told before a run than after it.
        """
        self._file = metrics_file
        self._lock = threading.Lock()
        self._metrics = Metrics()
        self.last_s = time.monotonic()
        """When a run last ended; at first, when the process began."""

        self.last_code: int | None = None
        if metrics_file is not None:
            self._metrics.load(_read_if_there(metrics_file))
            self._write()

    def ran(self, runs: "Sequence[ClusterRun]", set_name: str) -> None:
        """Take in what came of each cluster."""
        with self._lock:
            for run in runs:
                if run.report is None:
                    self._metrics.failed(cluster=run.context, set_name=set_name, at_s=time.time())
                else:
                    self._metrics.ran(run.report, cluster=run.context, at_s=time.time(), answers=run.answers)
            self._write()

    def failed(self, contexts: Sequence[str], set_name: str) -> None:
        """Take in a run that came to no cluster."""
        with self._lock:
            for context in contexts:
                self._metrics.failed(cluster=context, set_name=set_name, at_s=time.time())
            self._write()

    def ended(self, code: int) -> None:
        """Take in how a run ended."""
        self.last_code, self.last_s = code, time.monotonic()

    def text(self) -> str:
        """Return the figures."""
        with self._lock:
            return self._metrics.text()

    def _write(self) -> None:
        """Write the file at once as a whole: a collector may read it at any time."""
        if self._file is None:
            return
        new = f"{self._file}.{os.getpid()}.new"
        try:
            with open(new, "w", encoding="utf-8") as file:
                file.write(self._metrics.text())
            os.replace(new, self._file)
        except OSError as error:
            raise UsageError(f"--metrics-file {self._file}: cannot be written ({error.strerror})") from error


def _read_if_there(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"--metrics-file {path}: cannot be read ({error.strerror})") from error


def repeat(flags: "SyncFlags", once: Callable[[Board], int], ending: Ending) -> int:
    """Run again and again until told to end, and return the last exit code, or that of an interrupted run.

    Args:
        flags: With the interval, where to listen, and the file for metrics.
        once: One run; writes its report.
        ending: Tells whether to end.

    Raises:
        UsageError: The address cannot be listened on.
    """
    assert flags.interval_s is not None
    board = Board(flags.metrics_file)
    patience_s = flags.interval_s * (1 + _JITTER) + flags.timeout_s + _STUCK_S
    with _listening(flags.listen, board, patience_s):
        while True:
            board.ended(_guarded(once, board))
            sys.stdout.flush()
            gc.collect()  # what a run leaves in circles would add up: between collections a single run makes too little
            if ending.rest(flags.interval_s * random.uniform(1 - _JITTER, 1 + _JITTER)):  # noqa: S311 (no secret)
                return board.last_code or 0


def _guarded(once: Callable[[Board], int], board: Board) -> int:
    """Run once; what a single run would end with is told, and the next one tries again."""
    try:
        return once(board)
    except GuardError as error:
        sys.stderr.write(f"gitops-guard: error: {error}\n")
        return _COULD_NOT


def _listening(address: str | None, board: Board, patience_s: float) -> AbstractContextManager[None]:
    if address is None:
        return nullcontext()
    from gitops_guard.commands.sync_server import listening  # loads http.server

    return listening(address, board, patience_s)

"""A sync that stays: run, wait, run again; health and metrics for whoever watches it."""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Final

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
            if ending.rest(flags.interval_s * random.uniform(1 - _JITTER, 1 + _JITTER)):  # noqa: S311 (no secret)
                return board.last_code or 0


def _guarded(once: Callable[[Board], int], board: Board) -> int:
    """Run once; what a single run would end with is told, and the next one tries again."""
    try:
        return once(board)
    except GuardError as error:
        sys.stderr.write(f"gitops-guard: error: {error}\n")
        return _COULD_NOT


@contextmanager
def _listening(address: str | None, board: Board, patience_s: float) -> Iterator[None]:
    """Answer /healthz, /readyz and /metrics while the context lasts."""
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {address}: is no ADDRESS:PORT; write 0.0.0.0:8080")
    handler = type("Handler", (_Handler,), {"board": board, "patience_s": patience_s})
    try:
        server = _Server((host.strip("[]") or "0.0.0.0", int(port)), handler)  # noqa: S104 (asked for)
    except OSError as error:
        raise UsageError(f"--listen {address}: {error.strerror or error}; choose another address or port") from error
    thread = threading.Thread(target=server.serve_forever, name="listen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    board: ClassVar[Board]
    patience_s: ClassVar[float]
    timeout = 10

    def do_GET(self) -> None:
        """Answer; whatever else is asked for is not here."""
        answers = {"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._metrics}
        answer = answers.get(self.path.partition("?")[0])
        status, text = answer() if answer is not None else (404, "not found\n")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _health(self) -> tuple[int, str]:
        age_s = time.monotonic() - self.board.last_s
        return (200, "ok\n") if age_s <= self.patience_s else (503, f"no run has ended for {age_s:.0f} s\n")

    def _readiness(self) -> tuple[int, str]:
        code = self.board.last_code
        if code is None:
            return 503, "no run has ended yet\n"
        return (200, "ok\n") if code in (0, 1) else (503, f"the last run ended with exit code {code}\n")

    def _metrics(self) -> tuple[int, str]:
        return 200, self.board.text()

    def log_message(self, *_: object) -> None:
        """Say nothing: probes come every few seconds."""

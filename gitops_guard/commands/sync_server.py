"""Health and metrics of a sync that stays, for probes and Prometheus."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from gitops_guard.commands.sync_loop import Board
from gitops_guard.errors import UsageError


@contextmanager
def listening(address: str, board: Board, patience_s: float) -> Iterator[None]:
    """Answer /healthz, /readyz and /metrics while the context lasts.

    Args:
        address: `ADDRESS:PORT`.
        board: What is known.
        patience_s: After so much time without the end of a run the process counts as stuck.

    Raises:
        UsageError: The address cannot be listened on.
    """
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

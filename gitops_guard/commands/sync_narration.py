"""What is told while a sync runs, on standard error: one line that changes on a terminal, a line an event in a pipe."""

import threading
from typing import Self, TextIO

from gitops_guard.model.sync import SyncAction
from gitops_guard.report.visible import visible
from gitops_guard.sync.applying import Outcome


class Narration:
    """Told of objects and health as they come, by several threads."""

    def __init__(self, stream: TextIO, *, cluster: str = "") -> None:
        """Write to a stream.

        Args:
            stream: Standard error.
            cluster: Its context, where there are several; empty: it goes without saying.
        """
        self._stream = stream
        self._prefix = f"{visible(cluster)}: " if cluster else ""
        self._is_terminal = stream.isatty()
        self._lock = threading.Lock()
        self._done = 0
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def object_done(self, outcome: Outcome) -> None:
        """Tell of an object that is done; what is unchanged is not worth a line."""
        with self._lock:
            self._done += 1
            if self._is_terminal:
                self._line(f"{self._done} objects, {visible(str(outcome.item.key))}")
            elif outcome.action is not SyncAction.UNCHANGED:
                reason = f": {visible(outcome.reason)}" if outcome.reason else ""
                self._stream.write(
                    f"gitops-guard: {self._prefix}{outcome.action} {visible(str(outcome.item.key))}{reason}\n"
                )

    def health(self, well: int, of: int) -> None:
        """Tell how many objects are healthy; only when that has changed."""
        text = f"{well} of {of} objects are healthy"
        with self._lock:
            if text == self._last:
                return
            self._last = text
            if self._is_terminal:
                self._line(text)
            else:
                self._stream.write(f"gitops-guard: {self._prefix}{text}\n")

    def _line(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{self._prefix}{text}")
        self._stream.flush()

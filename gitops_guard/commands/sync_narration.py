"""What is told while a sync runs, on standard error: one line that changes on a terminal, a line an event in a pipe."""

import shutil
import threading
from typing import Self, TextIO

from gitops_guard.model.sync import SyncAction
from gitops_guard.report.visible import visible
from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.waiting import Standing


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
        self._all = 0
        self._last: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def planned(self, objects: int) -> None:
        """Remember how many objects there are to write."""
        self._done, self._all = 0, objects

    def object_done(self, outcome: Outcome) -> None:
        """Tell of an object that is done; what is unchanged is not worth a line."""
        with self._lock:
            self._done += 1
            if self._is_terminal:
                self._line(f"{self._done} of {max(self._all, self._done)} objects, {visible(str(outcome.item.key))}")
            elif outcome.action is not SyncAction.UNCHANGED:
                reason = f": {visible(outcome.reason)}" if outcome.reason else ""
                self._stream.write(
                    f"gitops-guard: {self._prefix}{outcome.action} {visible(str(outcome.item.key))}{reason}\n"
                )

    def health(self, standing: Standing) -> None:
        """Tell how many objects are healthy, and pods ready: on a terminal whatever has changed, in a pipe less."""
        pods = f", {standing.pods.ready} of {standing.pods.wanted} pods are ready" if standing.pods.wanted else ""
        text = f"{standing.well} of {standing.of} objects are healthy{pods}"
        with self._lock:
            new: object = standing if self._is_terminal else standing.well
            if new == self._last:
                return
            self._last = new
            if self._is_terminal:
                waits = f"; waits for {visible(standing.waits_for)}" if standing.waits_for else ""
                self._line(f"{text}{waits}")
            else:
                self._stream.write(f"gitops-guard: {self._prefix}{text}\n")

    def _line(self, text: str) -> None:
        """Write over the line; what is longer than it would leave its rest behind."""
        columns = shutil.get_terminal_size().columns
        self._stream.write(f"\r\x1b[K{f'{self._prefix}{text}'[: columns - 1]}")
        self._stream.flush()

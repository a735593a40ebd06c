"""SIGTERM and SIGINT: a run that writes ends in good order, anything else at once, and both within five seconds.

A signal that comes while Python waits for a C library reaches no handler before that returns, and a handler may not
touch a lock that the interrupted code holds. So the interpreter writes signals into a pipe, and a thread acts on them;
the handler itself only notes them, or breaks off what may be broken off.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from gitops_guard.cluster import Client
from gitops_guard.sync.locking import Stop

INTERRUPTED: Final = 130
GRACE_S: Final = 2.5
"""What has begun gets so long to end; then requests that are under way are broken off."""

_LAST_S: Final = 1.0
"""Each request that is sent after that gets so long: the inventory and the lock are worth one attempt."""

_OVER_S: Final = 2.2
"""So much later the process ends, whatever still hangs: a run may be killed at any point without losing anything."""

_OVER: Final = 0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """Whether this process was told to end, and what it does then."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._told = threading.Event()
        self._clients: Sequence[Client] = ()
        self._stops: Sequence[Stop] = ()
        self._may_break_off = True
        self.is_asked = False
        """A signal has come."""

    @contextmanager
    def in_good_order(self, clients: Sequence[Client], stops: Sequence[Stop]) -> Iterator[None]:
        """Let a signal end these runs while the context lasts; a second one breaks them off.

        Raises:
            KeyboardInterrupt: A signal has come already.
        """
        if self.is_asked:
            raise KeyboardInterrupt
        self._clients, self._stops, self._may_break_off = clients, stops, False
        try:
            yield
        finally:
            self._may_break_off = True
            self._clients, self._stops = (), ()

    def rest(self, pause_s: float) -> bool:
        """Do nothing for some seconds; tell whether a signal has come, which ends the rest."""
        self._may_break_off = False
        try:
            return self._told.wait(0.0 if self.is_asked else pause_s) or self.is_asked
        finally:
            self._may_break_off = True

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Note a signal; break off what may be."""
        is_second, self.is_asked = self.is_asked, True
        if self._may_break_off or is_second:
            raise KeyboardInterrupt

    def watch(self, pipe: int) -> None:
        """Act on the signals that come through a pipe, until it says that all is over."""
        number = _next(pipe, None)
        if number == _OVER:
            return
        self._told.set()
        for stop in self._stops:
            stop.now(f"told to stop by {signal.Signals(number or signal.SIGTERM).name}")
        if _next(pipe, self._grace_s) == _OVER:
            return
        for client in self._clients:
            client.hurry(_LAST_S)
        while (found := _next(pipe, _OVER_S)) is not None:
            if found == _OVER:
                return
        sys.stderr.write("gitops-guard: interrupted; what was under way did not end in time, so there is no report\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def _next(pipe: int, within_s: float | None) -> int | None:
    """Return the number of the next signal, or `_OVER`; None when the time is up."""
    while select.select([pipe], [], [], within_s)[0]:
        number = os.read(pipe, 1)[0]
        if number == _OVER or number in _SIGNALS:
            return number
    return None


@contextmanager
def listening(*, grace_s: float = GRACE_S) -> Iterator[Ending]:
    """Take SIGTERM and SIGINT while the context lasts; only for the main thread.

    Args:
        grace_s: See `GRACE_S`; 0 for runs that only read.
    """
    ending = Ending(grace_s)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    thread = threading.Thread(target=ending.watch, args=(reader,), name="signals", daemon=True)
    thread.start()
    old_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, ending.handle) for number in _SIGNALS}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_fd)
        os.write(writer, bytes([_OVER]))
        thread.join()
        os.close(writer)
        os.close(reader)

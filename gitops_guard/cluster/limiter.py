"""How many requests run at the same time: as many as the server answers more of in a second.

More threads than the server likes make everything slower (64 threads applied fewer objects per second than one), and
what it likes depends on the server. So the number is found while we work, by how many answers a second there are: at
first twice as many requests after every window of answers as long as that helps, then one more after every window; half
as many when the server is overloaded, or answers far fewer than it did at its best.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from gitops_guard.cluster.errors import CancelledError

_START: Final = 8
_MOST: Final = 32
_WINDOW: Final = 16
_LONGEST_NAP_S: Final = 0.5
_FORGET: Final = 1.05
"""By how much the best rate is lowered with each window, so that one lucky window does not bind for ever."""

_HELPS: Final = 1.05
"""So many times as many answers a second make it worth to go on doubling."""

_HURTS: Final = 0.3
"""Fewer answers a second than this share of the best are a sign of too many requests; kinds differ by less."""


class Limiter:
    """Shared by all who talk to one server."""

    def __init__(self, *, start: int = _START, most: int = _MOST, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with `start` requests at a time; never allow more than `most`."""
        self._clock = clock
        self._most = most
        self._condition = threading.Condition()
        self._limit = min(start, most)
        self._running = 0
        self._resume_at = 0.0
        self._is_searching = True
        self._is_cancelled = False
        self._woken = 0
        self._latencies: list[float] = []
        self._busy: list[int] = []
        self._peak = 0
        self._best_rate = 0.0
        self.reached = self._limit
        """The highest limit so far."""

        self.lowered = 0
        """How often the limit was halved."""

    @property
    def limit(self) -> int:
        """Return how many requests may run now."""
        return self._limit

    @contextmanager
    def slot(self, *, weight: int = 1) -> Iterator[None]:
        """Wait for room, and take it while the context lasts.

        Args:
            weight: How much the request weighs; only those of weight 1 tell how fast the server is.

        Raises:
            CancelledError: `cancel` or `wake` was called.
        """
        self._enter(weight)
        started = self._clock()
        try:
            yield
        finally:
            self._leave(weight, self._clock() - started)

    def overloaded(self, *, pause_s: float = 0.0) -> None:
        """Halve the limit, and let nothing new begin for some seconds: the server is overloaded."""
        with self._condition:
            self._halve()
            self._resume_at = max(self._resume_at, self._clock() + pause_s)

    def cancel(self) -> None:
        """Let nothing begin any more, and wake all who wait."""
        with self._condition:
            self._is_cancelled = True
            self._condition.notify_all()

    def wake(self) -> None:
        """Let all who wait give up; what begins later is not hindered."""
        with self._condition:
            self._woken += 1
            self._resume_at = 0.0
            self._condition.notify_all()

    def nap(self, seconds: float) -> None:
        """Sleep, unless the work is called off meanwhile.

        Raises:
            CancelledError: `cancel` or `wake` was called.
        """
        until = self._clock() + seconds
        with self._condition:
            woken = self._woken
            while (left := until - self._clock()) > 0:
                self._check(woken)
                self._condition.wait(left)
            self._check(woken)

    def _enter(self, weight: int) -> None:
        with self._condition:
            woken = self._woken
            while True:
                self._check(woken)
                pause_s = self._resume_at - self._clock()
                # what weighs more than the whole limit runs alone
                if pause_s <= 0 and (self._running == 0 or self._running + weight <= self._limit):
                    self._running += weight
                    self._peak = max(self._peak, self._running)
                    return
                self._condition.wait(min(pause_s, _LONGEST_NAP_S) if pause_s > 0 else None)

    def _leave(self, weight: int, latency_s: float) -> None:
        with self._condition:
            if weight == 1:
                self._latencies.append(latency_s)
                self._busy.append(self._running)
                if len(self._latencies) >= max(self._limit, _WINDOW):
                    self._end_window()
            self._running -= weight
            self._condition.notify_all()

    def _end_window(self) -> None:
        # the medians: a few slow answers say little, and what was begun while little was to do says nothing
        usual_s, busy = _median(self._latencies), _median(self._busy)
        rate = busy / usual_s if usual_s else 0.0
        if rate < _HURTS * self._best_rate:
            self._halve()
            self._best_rate = rate
            return
        if self._is_searching and rate < _HELPS * self._best_rate:
            self._is_searching = False
        elif self._peak >= self._limit:  # else it was not the limit that kept the rate down
            self._limit = min(2 * self._limit if self._is_searching else self._limit + 1, self._most)
            self.reached = max(self.reached, self._limit)
        self._best_rate = max(rate, self._best_rate / _FORGET)
        self._clear()

    def _halve(self) -> None:
        self._is_searching = False
        self._limit = max(1, self._limit // 2)
        self.lowered += 1
        self._clear()

    def _clear(self) -> None:
        self._latencies.clear()
        self._busy.clear()
        self._peak = 0

    def _check(self, woken: int) -> None:
        if self._is_cancelled or self._woken != woken:
            raise CancelledError("the work was called off")


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]

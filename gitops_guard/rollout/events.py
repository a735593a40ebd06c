"""Virtual time: a queue of what happens when, in whole milliseconds, without a clock on the wall."""

import heapq
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias


class Happening(NamedTuple):
    """What an event did, so that equal ones of a moment can be told as one."""

    what: str
    """`became ready`; empty when it is not worth a word."""

    pods: int = 0
    """How many pods it happened to; 0 when it is not about pods."""


NOTHING = Happening("")

Action: TypeAlias = Callable[[], Happening]
"""Changes the world and says what happened."""


def tell(happenings: Iterable[Happening]) -> str:
    """Put what happened at one moment into words: `3 pods became ready, the Deployment changed`."""
    pods: dict[str, int] = {}
    for happening in happenings:
        if happening.what:
            pods[happening.what] = pods.get(happening.what, 0) + happening.pods
    return ", ".join(_words(what, count) for what, count in pods.items())


def _words(what: str, count: int) -> str:
    if count == 0:
        return what
    return f"1 pod {what}" if count == 1 else f"{count} pods {what}"


NEVER = 1 << 62
"""A time that does not come, in milliseconds."""


class Due(NamedTuple):
    """Everything that happens at one moment."""

    at_ms: int
    actions: tuple[Action, ...]


class EventQueue:
    """Events in order of time; those of one moment in order of their arrival."""

    __slots__ = ("_busy", "_heap", "_sequence", "now_ms")

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, bool, Action]] = []
        self._sequence = 0
        self._busy = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, at_ms: int, action: Action, *, idle: bool = False) -> None:
        """Add an event.

        Args:
            at_ms: When; not before now, NEVER is dropped.
            action: What it does.
            idle: A timer that by itself brings no rollout forward (a retry, a deadline): see `only_idle`.

        Raises:
            ValueError: The time is past, which only a mistake in a simulator can ask for.
        """
        if at_ms >= NEVER:
            return
        if at_ms < self.now_ms:
            raise ValueError(f"event at {at_ms} ms, but it is {self.now_ms} ms already")
        self._sequence += 1
        self._busy += not idle
        heapq.heappush(self._heap, (at_ms, self._sequence, idle, action))

    @property
    def only_idle(self) -> bool:
        """Return whether nothing but idle timers is left."""
        return self._busy == 0

    @property
    def next_ms(self) -> int | None:
        """Return when the next event happens; None when nothing is left."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Due:
        """Go on to the next moment and return all that happens then.

        Raises:
            IndexError: Nothing is left.
        """
        at_ms = self._heap[0][0]
        actions: list[Action] = []
        while self._heap and self._heap[0][0] == at_ms:
            _, _, idle, action = heapq.heappop(self._heap)
            self._busy -= not idle
            actions.append(action)
        self.now_ms = max(self.now_ms, at_ms)  # what was due while nobody looked happens now
        return Due(at_ms, tuple(actions))

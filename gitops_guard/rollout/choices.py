"""Where real controllers may go one way or another: a source of decisions, and the search through them."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Run = TypeVar("Run")

MAX_RUNS = 64
"""The most trajectories that one search looks at."""


class Choices:
    """Answers to the questions of one run, in the order in which it asks; False is the likely answer."""

    __slots__ = ("_answers", "asked", "unlucky")

    def __init__(self, answers: tuple[bool, ...] = (), *, unlucky: bool = False) -> None:
        """Give the first answers; all later ones are False.

        Args:
            answers: By order of asking.
            unlucky: Whether ties that controllers break by chance are broken the harmful way.
        """
        self._answers = answers
        self.asked = 0
        self.unlucky = unlucky

    def take(self) -> bool:
        """Answer the next question."""
        answer = self._answers[self.asked] if self.asked < len(self._answers) else False
        self.asked += 1
        return answer


class Search(Generic[Run]):
    """All runs that differ in at least one answer, the likely one first, up to a bound."""

    __slots__ = ("_make", "capped")

    def __init__(self, make: Callable[[Choices], Run]) -> None:
        """Take what makes one finished run from its choices."""
        self._make = make
        self.capped = False
        """Whether the bound cut the search short."""

    def runs(self, *, unlucky: bool = False) -> Iterator[Run]:
        """Yield the runs."""
        waiting: list[tuple[bool, ...]] = [()]
        done = 0
        while waiting:
            if done == MAX_RUNS:
                self.capped = True
                return
            answers = waiting.pop(0)
            choices = Choices(answers, unlucky=unlucky)
            yield self._make(choices)
            done += 1
            # Every question asked beyond the given answers was answered False: turn each of them in a run of its own.
            padding = (False,) * (choices.asked - len(answers))
            waiting.extend(answers + padding[:index] + (True,) for index in range(len(padding)))

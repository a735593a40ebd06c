"""How many requests run at a time: more while all is well, half as many when it is not."""

import threading

import pytest

from gitops_guard.cluster import CancelledError, Limiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def answer(limiter: Limiter, clock: Clock, latency_s: float, times: int) -> None:
    for _ in range(times):
        with limiter.slot():
            clock.now += latency_s


def test_limit_when_answers_are_steady_then_it_grows_to_the_most() -> None:
    clock = Clock()
    limiter = Limiter(start=2, most=5, clock=clock)
    answer(limiter, clock, 0.01, 100)
    assert (5, 5, 0) == (limiter.limit, limiter.reached, limiter.lowered)


def test_limit_when_the_latency_doubles_then_it_is_halved() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    answer(limiter, clock, 0.01, 16)
    answer(limiter, clock, 0.03, 16)
    assert (4, 1) == (limiter.limit, limiter.lowered)


def test_limit_when_a_few_answers_are_slow_then_it_grows_all_the_same() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    for _ in range(4):
        answer(limiter, clock, 0.01, 12)
        answer(limiter, clock, 5.0, 4)
    assert (12, 0) == (limiter.limit, limiter.lowered)


def test_limit_when_overloaded_then_it_is_halved_but_never_below_one() -> None:
    limiter = Limiter(start=8, clock=Clock())
    limits = []
    for _ in range(5):
        limiter.overloaded()
        limits.append(limiter.limit)
    assert [4, 2, 1, 1, 1] == limits


def test_limit_when_lists_are_slow_then_they_do_not_count() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    answer(limiter, clock, 0.01, 16)
    for _ in range(40):
        with limiter.slot(weight=2):
            clock.now += 5
    assert limiter.limit == 9


def test_slot_when_all_are_taken_then_the_next_waits_for_one() -> None:
    limiter = Limiter(start=1, most=1)
    entered = threading.Event()

    def other() -> None:
        with limiter.slot():
            entered.set()

    thread = threading.Thread(target=other)
    with limiter.slot():
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(10)
    thread.join()


def test_slot_when_heavier_than_the_limit_then_it_runs_alone() -> None:
    limiter = Limiter(start=1, most=1)
    with limiter.slot(weight=2):
        assert limiter.limit == 1


def test_cancel_when_called_then_those_who_wait_end() -> None:
    limiter = Limiter(start=1, most=1)
    ended: list[Exception] = []

    def other() -> None:
        try:
            with limiter.slot():
                pass
        except CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=other)
    with limiter.slot():
        thread.start()
        limiter.cancel()
        thread.join(10)
    assert len(ended) == 1
    with pytest.raises(CancelledError):
        limiter.nap(60)

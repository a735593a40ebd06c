"""How many requests run at a time: more while all is well, half as many when it is not."""

import contextlib
import threading

import pytest

from gitops_guard.cluster import CancelledError, Limiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def answer(limiter: Limiter, clock: Clock, latency_s: float, times: int, *, at_once: int = 1000) -> None:
    """Let so many requests be answered, as many at a time as the limiter lets and there are."""
    while times > 0:
        with contextlib.ExitStack() as slots:
            number = min(limiter.limit, at_once, times)
            for _ in range(number):
                slots.enter_context(limiter.slot())
            clock.now += latency_s
        times -= number


def test_limit_when_more_are_answered_the_more_are_sent_then_it_doubles_up_to_the_most() -> None:
    clock = Clock()
    limiter = Limiter(start=2, most=13, clock=clock)
    limits = []
    for _ in range(5):
        answer(limiter, clock, 0.01, 16)
        limits.append(limiter.limit)
    assert ([4, 8, 13, 13, 13], 13, 0) == (limits, limiter.reached, limiter.lowered)


def test_limit_when_more_requests_only_take_longer_then_it_grows_by_one() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    limits = []
    for _ in range(4):
        answer(limiter, clock, 0.01 * limiter.limit, max(16, limiter.limit))  # a server that does one thing at a time
        limits.append(limiter.limit)
    assert ([16, 16, 17, 18], 0) == (limits, limiter.lowered)


def test_limit_when_more_requests_make_all_slower_then_it_is_halved_and_grows_by_one() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    answer(limiter, clock, 0.01, 16)
    assert 16 == limiter.limit
    answer(limiter, clock, 0.08, 16)
    assert (8, 1) == (limiter.limit, limiter.lowered)
    answer(limiter, clock, 0.02, 32)
    assert (10, 16) == (limiter.limit, limiter.reached)


def test_limit_when_little_is_to_do_then_it_says_nothing_of_the_server() -> None:
    clock = Clock()
    limiter = Limiter(start=8, clock=clock)
    answer(limiter, clock, 0.01, 160, at_once=2)
    assert (8, 0) == (limiter.limit, limiter.lowered)


def test_limit_when_a_few_answers_are_slow_then_it_grows_all_the_same() -> None:
    clock = Clock()
    limiter = Limiter(start=4, most=16, clock=clock)
    for _ in range(3):
        answer(limiter, clock, 0.01, 12)
        answer(limiter, clock, 5.0, 4)
    assert 0 == limiter.lowered
    assert limiter.limit > 8


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
    assert limiter.limit == 16


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

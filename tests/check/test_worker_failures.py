"""A forked worker whose work raises: the parent does its chunks again, so that the exception, if any, is its own."""

import os
import time

import pytest

from gitops_guard.check.workers import run_chunks
from gitops_guard.errors import GuardError


def numbers(start: int, end: int) -> bytes:
    return b"".join(b"%d," % number for number in range(start, end))


def test_run_chunks_when_only_a_child_raises_then_its_chunks_are_done_again_here(capfd):
    parent = os.getpid()

    def work(start: int, end: int) -> bytes:
        time.sleep(0.02)  # so that each process takes part
        if os.getpid() != parent:
            raise ValueError("only here")
        return numbers(start, end)

    assert numbers(0, 20) == b"".join(run_chunks(work, 20, jobs=3, size=1))
    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("error", [KeyboardInterrupt, GuardError, ZeroDivisionError])
def test_run_chunks_when_the_work_here_fails_then_no_child_goes_on(error):
    parent = os.getpid()

    def work(start: int, end: int) -> bytes:
        if os.getpid() == parent:
            raise error("here")
        time.sleep(30)
        return b""

    started = time.monotonic()
    with pytest.raises(error):
        run_chunks(work, 20, jobs=3, size=1)
    assert time.monotonic() - started < 5


def test_run_chunks_when_there_is_progress_then_it_is_told_here_alone():
    told: list[tuple[int, int]] = []
    parent = os.getpid()

    def work(start: int, end: int) -> bytes:
        time.sleep(0 if os.getpid() == parent else 0.5)  # so that chunks are left for this process
        return numbers(start, end)

    run_chunks(work, 20, jobs=2, size=5, progress=lambda done, total: told.append((done, total)))
    assert {4} == {total for _, total in told}

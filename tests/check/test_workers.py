"""Chunks in several processes."""

import os
import signal
import time

import pytest

from gitops_guard.check.workers import run_chunks
from gitops_guard.errors import WorkerError


def numbers(start, end):
    return ",".join(map(str, range(start, end))).encode() + b";"


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("total", [0, 1, 63, 64, 65, 1000])
def test_run_chunks_when_done_by_any_number_of_processes_then_the_results_are_in_order(total, jobs):
    assert b"".join(run_chunks(numbers, total, jobs=1)) == b"".join(run_chunks(numbers, total, jobs=jobs))


def test_run_chunks_when_a_result_is_larger_than_a_pipe_then_it_arrives():
    parts = run_chunks(lambda start, end: bytes([start % 251]) * 300_000, 640, jobs=3)
    assert [bytes([start % 251]) * 300_000 for start in range(0, 640, 64)] == parts


def test_run_chunks_when_a_child_is_killed_then_nothing_is_believed():
    parent = os.getpid()

    def work(start, end):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.001)
        return b"x"

    with pytest.raises(WorkerError, match="a worker process was killed"):
        run_chunks(work, 10_000, jobs=3)


def test_run_chunks_when_this_process_fails_then_no_child_is_left():
    parent = os.getpid()

    def work(start, end):
        if os.getpid() == parent:
            raise ValueError
        time.sleep(0.1)
        return b"x"

    with pytest.raises(ValueError):
        run_chunks(work, 1000, jobs=3)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)

"""Work on many files in several processes: forked children that take chunk numbers from one pipe.

Fork, because a child shares all that is loaded already: a pool of spawned interpreters pays only from thousands of
files on. Where there is no fork the work is done in this process; the results are the same, in the same order.

Part of the clean path: imports os only.
"""

import os

from gitops_guard.errors import WorkerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 64
"""Files a chunk; the size hardly matters between 16 and 512."""

_NUMBER = 4
_MAX_CHUNKS = 15_000  # chunk numbers that fit into a pipe before anybody reads
_KILL = 9
_FAILED = 3
"""Exit status of a child whose work raised: its chunks are done again by the parent, whose exception then counts."""


def run_chunks(
    work: "Callable[[int, int], bytes]",
    total: int,
    *,
    jobs: int,
    progress: "Callable[[int, int], None] | None" = None,
    size: int = CHUNK,
) -> "list[bytes]":
    """Call `work(start, end)` for all chunks of `range(total)`.

    Args:
        work: Returns the result of one chunk as bytes; called in this or another process.
        total: Items.
        jobs: Processes, this one included; 1 stays in this process.
        progress: Told (chunks begun, chunks) now and then, in this process.
        size: Items a chunk, at least.

    Returns:
        The results in the order of the chunks, whatever the number of processes.

    Raises:
        WorkerError: A child was killed; nothing it did is believed.
        Exception: What `work` raised, in whichever process; no child outlives the call.
    """
    size = max(size, -(-total // _MAX_CHUNKS))
    chunks = -(-total // size)

    def one(number: int) -> bytes:
        return work(number * size, min(total, (number + 1) * size))

    children = min(jobs, chunks) - 1
    if children < 1 or not hasattr(os, "fork"):
        return [_told(one, number, chunks, progress) for number in range(chunks)]
    queue_read, queue_write = os.pipe()
    os.write(queue_write, b"".join(number.to_bytes(_NUMBER, "big") for number in range(chunks)))
    os.close(queue_write)
    started: list[tuple[int, int]] = []
    results: dict[int, bytes] = {}
    try:
        for _ in range(children):
            started.append(_start(one, queue_read, started))
        while (number := _next(queue_read)) is not None:
            results[number] = _told(one, number, chunks, progress)
        _collect(started, results)
    finally:
        _stop(started)
        os.close(queue_read)
    return [results[number] if number in results else one(number) for number in range(chunks)]


def _told(
    one: "Callable[[int], bytes]", number: int, chunks: int, progress: "Callable[[int, int], None] | None"
) -> bytes:
    if progress is not None:
        progress(number, chunks)
    return one(number)


def _next(queue: int) -> int | None:
    taken = os.read(queue, _NUMBER)
    return int.from_bytes(taken, "big") if len(taken) == _NUMBER else None


def _start(one: "Callable[[int], bytes]", queue: int, siblings: list[tuple[int, int]]) -> tuple[int, int]:
    """Fork one child; it keeps its results until it has done, so that it never waits for the parent to read."""
    result_read, result_write = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child:
        os.close(result_write)
        return child, result_read
    status = _FAILED
    try:
        for descriptor in (result_read, *(sibling for _, sibling in siblings)):
            os.close(descriptor)
        done: list[bytes] = []
        while os.getppid() == parent and (number := _next(queue)) is not None:
            result = one(number)
            done.append(number.to_bytes(_NUMBER, "big") + len(result).to_bytes(_NUMBER, "big") + result)
        _write_all(result_write, b"".join(done))
        status = 0
    finally:
        os._exit(status)  # whatever happened: a forked child must never run its parent's handlers


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _collect(started: list[tuple[int, int]], results: dict[int, bytes]) -> None:
    """Take every child's results; a child leaves the list once it is gone."""
    while started:
        child, descriptor = started[0]
        data = _read_all(descriptor)
        _, status = os.waitpid(child, 0)
        del started[0]
        os.close(descriptor)
        if status == 0:
            _unpack(data, results)
        elif os.waitstatus_to_exitcode(status) != _FAILED:
            raise WorkerError("a worker process was killed (out of memory?); try again with fewer of them: -j 1")


def _stop(started: list[tuple[int, int]]) -> None:
    """End the children that are left when the work here was interrupted or failed."""
    for child, descriptor in started:
        os.kill(child, _KILL)
        os.waitpid(child, 0)
        os.close(descriptor)


def _read_all(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _unpack(data: bytes, results: dict[int, bytes]) -> None:
    position = 0
    while position < len(data):
        number = int.from_bytes(data[position : position + 4], "big")
        length = int.from_bytes(data[position + 4 : position + 8], "big")
        results[number] = data[position + 8 : position + 8 + length]
        position += 8 + length


def processors() -> int:
    """Return how many processors this process may use: in a container fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

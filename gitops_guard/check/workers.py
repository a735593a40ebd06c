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
    started = [_start(one, queue_read) for _ in range(children)]
    results: dict[int, bytes] = {}
    try:
        while (number := _next(queue_read)) is not None:
            results[number] = _told(one, number, chunks, progress)
    finally:
        _collect(started, results)
        os.close(queue_read)
    if len(results) != chunks:
        raise WorkerError("a worker process ended early (killed, or out of memory); try again with fewer workers: -j 1")
    return [results[number] for number in range(chunks)]


def _told(
    one: "Callable[[int], bytes]", number: int, chunks: int, progress: "Callable[[int, int], None] | None"
) -> bytes:
    if progress is not None:
        progress(number, chunks)
    return one(number)


def _next(queue: int) -> int | None:
    taken = os.read(queue, _NUMBER)
    return int.from_bytes(taken, "big") if len(taken) == _NUMBER else None


def _start(one: "Callable[[int], bytes]", queue: int) -> tuple[int, int]:
    """Fork one child; it keeps its results until it has done, so that it never waits for the parent to read."""
    result_read, result_write = os.pipe()
    child = os.fork()
    if child:
        os.close(result_write)
        return child, result_read
    status = 1
    try:
        os.close(result_read)
        done: list[bytes] = []
        while (number := _next(queue)) is not None:
            result = one(number)
            done.append(number.to_bytes(_NUMBER, "big") + len(result).to_bytes(_NUMBER, "big") + result)
        _write_all(result_write, b"".join(done))
        status = 0
    except BaseException as error:  # a forked child must never run its parent's handlers
        os.write(2, f"gitops-guard: a worker failed: {type(error).__name__}\n".encode())
    finally:
        os._exit(status)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _collect(started: list[tuple[int, int]], results: dict[int, bytes]) -> None:
    for child, descriptor in started:
        data = _read_all(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(child, 0)
        if status == 0:
            _unpack(data, results)


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

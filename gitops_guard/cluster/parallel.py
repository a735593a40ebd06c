"""Many requests at the same time: threads, of which the client's limiter lets as many run as the server likes."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_MOST: Final = 32
T = TypeVar("T")
R = TypeVar("R")


def in_parallel(function: Callable[[T], R], items: Iterable[T], *, workers: int = _MOST) -> list[R]:
    """Call a function for each item, in threads, and return the results in the order of the items.

    Args:
        function: Sends requests; what it raises ends everything, so an error of one object is better returned.
        items: What it is called with.
        workers: Threads at most.
    """
    given = list(items)
    if len(given) < 2 or workers < 2:
        return [function(item) for item in given]
    with ThreadPoolExecutor(max_workers=min(workers, len(given))) as pool:
        try:
            return list(pool.map(function, given))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has begun is waited for at the end of the context
            raise

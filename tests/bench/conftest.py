"""What benchmarks have in common: how much slower than its limit a run may be, and that none pays for another's garbage."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def slack() -> float:
    """Return what limits are multiplied by: more than 1 on a machine that others share (`make bench SLACK=1.4`)."""
    return float(os.environ.get("SLACK", "1"))


@pytest.fixture(autouse=True)
def _own_garbage() -> Iterator[None]:
    """Let the collector pass over what earlier benchmarks have left: its size would be measured, too."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def number_of_objects() -> int:
    """Return how many objects a set of the sync's benchmarks has: `OBJECTS=10000 make bench` for more."""
    return int(os.environ.get("OBJECTS", "2000"))

"""Time whole processes, interleaved, so that a machine whose speed drifts drifts for all of them alike."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to time."""

    name: str
    line: Sequence[str]
    """Program, with its path, and arguments."""

    directory: str = "."
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside the process's own variables."""

    one_processor: bool = False
    """Bind the process to one processor, so that it works serially."""

    before: Callable[[], None] | None = None
    """Called before each run, outside of the time: empties a cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took."""

    wall_s: float
    cpu_s: float
    """User and system time of the process and its children."""

    rss_bytes: int
    """Largest resident set of any of its processes."""


def time_once(command: Command) -> Run:
    """Run a command and wait for it.

    Raises:
        RuntimeError: It ended with another exit code than 0: what is timed must work.
    """
    if command.before is not None:
        command.before()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        _become(command)
    _, status, usage = os.wait4(child, 0)
    wall_s = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{command.name}: exit code {os.waitstatus_to_exitcode(status)}: {' '.join(command.line)}")
    return Run(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, rss_bytes=usage.ru_maxrss * 1024)


def _become(command: Command) -> None:
    try:
        os.chdir(command.directory)
        if command.one_processor:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(nowhere, descriptor)
        os.execve(command.line[0], list(command.line), {**os.environ, **command.environment})
    finally:
        os._exit(127)


def interleave(commands: Sequence[Command], *, rounds: int) -> dict[str, list[Run]]:
    """Time commands in turn, one uncounted round first."""
    runs: dict[str, list[Run]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        for command in commands:
            run = time_once(command)
            if number:
                runs[command.name].append(run)
    return runs


def median_wall(runs: Sequence[Run]) -> float:
    """Return the median wall time in seconds."""
    return statistics.median(run.wall_s for run in runs)


def median_ratio(runs: Sequence[Run], others: Sequence[Run]) -> float:
    """Return the median of the ratios round by round: what both sides met at the same moment cancels out."""
    return statistics.median(run.wall_s / other.wall_s for run, other in zip(runs, others, strict=True))

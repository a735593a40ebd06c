"""The markdown format, for comments on a pull request: a table, then a section a workload.

As in the check's format, everything that comes from content stands in a code span or a fenced block of our own.
"""

from collections.abc import Iterator
from typing import Final, TextIO

from gitops_guard.model import CheckError, Finding
from gitops_guard.model.rollout import Rollout, Step
from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.markdown import code
from gitops_guard.report.simulation import words
from gitops_guard.report.simulation.chart import escape
from gitops_guard.report.simulation.text import facts
from gitops_guard.report.words import place, subject

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_CELLS: Final = 16


def write(simulation: Simulation, out: TextIO, options: FormatOptions) -> None:
    """Write summary, table, hazards, errors and details."""
    out.writelines(f"{line}\n" for line in _lines(simulation, options))


def _lines(simulation: Simulation, options: FormatOptions) -> Iterator[str]:
    yield f"### Rollouts: {words.summary(simulation)}"
    yield ""
    worst_first = sorted(simulation.rollouts, key=lambda one: words.WORST_FIRST.index(one.verdict))
    shown = worst_first[: options.limit]
    if shown:
        yield "| workload | verdict | takes | available | peak | available over time |"
        yield "|---|---|---|---:|---:|---|"
        yield from (_row(rollout) for rollout in shown)
        yield from _left_out(len(worst_first) - len(shown))
        yield ""
    yield from _hazards(simulation, options)
    yield from _errors(simulation.errors, options)
    for rollout in shown:
        yield from _details(rollout)
    yield from (f"- {line}" for line in words.rest(simulation))


def _row(rollout: Rollout) -> str:
    available = f"{rollout.min_available} of {rollout.wanted_available}"
    name = code(words.title(rollout.resource)).replace("|", "\\|")
    verdict = f"**{rollout.verdict.value}**"
    return (
        f"| {name} | {verdict} | {words.duration(rollout)} | {available} | {words.peak(rollout)} | {_spark(rollout)} |"
    )


def _spark(rollout: Rollout) -> str:
    """Draw the available pods of the likely way in evenly spaced cells; the height is relative to the highest."""
    way = words.likely(rollout)
    if way is None or len(way.steps) < 2:
        return ""
    most = max(step.available for step in way.steps)
    end = way.steps[-1].t_s
    cells = [_available_at(way.steps, end * index / (_CELLS - 1)) for index in range(_CELLS)]
    return "".join(_LEVELS[round(value * (len(_LEVELS) - 1) / most)] if most else _LEVELS[0] for value in cells)


def _available_at(steps: tuple[Step, ...], t_s: float) -> int:
    return [step.available for step in steps if step.t_s <= t_s + 1e-9][-1]


def _details(rollout: Rollout) -> Iterator[str]:
    # Up to the blank line this is HTML, in which Markdown is not read.
    name = escape(words.title(rollout.resource))
    yield f"<details><summary><code>{name}</code>: {rollout.verdict.value}</summary>"
    yield ""
    yield from (f"- {name}: {code(text)}" for name, text in facts(rollout))
    for one in rollout.assumptions:
        yield f"- supposed: {code(f'{one.name} {one.value} ({one.source}): {one.effect}')}"
    yield ""
    yield "</details>"
    yield ""


def _hazards(simulation: Simulation, options: FormatOptions) -> Iterator[str]:
    if not simulation.hazards:
        return
    yield "#### Hazards"
    yield ""
    worst_first = sorted(simulation.hazards, key=lambda hazard: hazard.severity.rank)
    yield from (_hazard(hazard) for hazard in worst_first[: options.limit])
    yield from _left_out(len(worst_first) - options.limit)
    yield ""


def _hazard(hazard: Finding) -> str:
    at = hazard.location
    where = " ".join(code(text) for text in (subject(hazard), hazard.field) if text)
    hint = f"<br>Hint: {code(hazard.hint)}" if hazard.hint else ""
    lead = f"- **{hazard.severity}** {code(hazard.rule)} {code(f'{at.path}:{at.line}')}"
    return f"{lead} {where}: {code(hazard.message)}{hint}"


def _errors(errors: tuple[CheckError, ...], options: FormatOptions) -> Iterator[str]:
    if not errors:
        return
    yield "#### Could not be simulated"
    yield ""
    yield from (f"- {code(place(error))}: {code(error.message)}" for error in errors[: options.limit])
    yield from _left_out(len(errors) - options.limit)
    yield ""


def _left_out(number: int) -> Iterator[str]:
    if number > 0:
        yield ""
        yield f"{number} more are left out here, none worse than those shown."

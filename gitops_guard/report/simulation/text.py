"""The text format: a headline a workload, a picture of the likely way, what was supposed, then the hazards."""

from collections.abc import Iterator
from typing import Final, TextIO

from gitops_guard.model import Finding, Severity
from gitops_guard.model.rollout import Rollout, RolloutVerdict, Step
from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.simulation import words
from gitops_guard.report.visible import visible
from gitops_guard.report.words import place, sentence, subject

_RED: Final = "31"
_GREEN: Final = "32"
_YELLOW: Final = "33"
_CYAN: Final = "36"
_COLOURS: Final = {
    RolloutVerdict.OK: _GREEN,
    RolloutVerdict.NO_OP: _CYAN,
    RolloutVerdict.DEGRADED: _YELLOW,
    RolloutVerdict.DOWNTIME: _RED,
    RolloutVerdict.STUCK: _RED,
}
_SEVERITIES: Final = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN}
_ROWS: Final = 14
_BAR: Final = 40
_OLD, _NEW, _ENDING = "o", "#", "."


def write(simulation: Simulation, out: TextIO, options: FormatOptions) -> None:
    """Write errors, workloads, hazards and the summary."""
    out.writelines(f"{line}\n" for line in _Writer(options).lines(simulation))


class _Writer:
    def __init__(self, options: FormatOptions) -> None:
        self._colour = options.colour

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def lines(self, simulation: Simulation) -> Iterator[str]:
        for error in simulation.errors:
            yield f"{self.paint('could not simulate', _RED)}: {visible(place(error))}: {visible(error.message)}"
        for rollout in simulation.rollouts:
            yield from self.rollout(rollout)
            yield ""
        for hazard in simulation.hazards:
            yield from self.hazard(hazard)
        yield words.summary(simulation)
        yield from words.rest(simulation)

    def rollout(self, rollout: Rollout) -> Iterator[str]:
        verdict = self.paint(rollout.verdict.value, _COLOURS[rollout.verdict])
        yield f"{visible(words.title(rollout.resource))}: {verdict}"
        for name, text in facts(rollout):
            yield f"  {name:<10} {visible(text)}"
        way = words.likely(rollout)
        if way is not None and len(way.steps) > 1:
            yield f"  likely way ({_OLD} old, {_NEW} new, {_ENDING} ending)"
            yield from bars(way.steps, rollout.wanted_available)
        for assumption in rollout.assumptions:
            what = f"{assumption.name} {assumption.value} ({assumption.source})"
            yield visible(f"  supposed   {what}: {assumption.effect}")

    def hazard(self, hazard: Finding) -> Iterator[str]:
        at = hazard.location
        severity = self.paint(hazard.severity, _SEVERITIES[hazard.severity])
        where = visible(f"{at.path}:{at.line}:{at.column}")
        yield f"{where}: {severity} {hazard.rule}: {visible(subject(hazard))}: {visible(sentence(hazard))}"
        if hazard.hint:
            yield f"  hint: {visible(hazard.hint)}"


def facts(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Yield (name, sentence) of everything that a reader wants to know of a prediction."""
    if rollout.unit:
        yield "in", rollout.unit
    for reason in rollout.reasons:
        yield "why", reason
    yield "takes", words.duration(rollout)
    yield "pods", words.availability(rollout)
    if rollout.verdict is RolloutVerdict.DOWNTIME:
        yield "downtime", words.interval(rollout.downtime_s)
    yield "peak", words.peak(rollout)
    if more := words.more_requests(rollout):
        yield "extra", f"{more} at the peak"
    if rollout.triggers:
        yield "trigger", ", ".join(rollout.triggers)
    if rollout.rollback_to:
        yield "rollback", f"to {rollout.rollback_to}"
    if rollout.wave:
        yield "sync wave", str(rollout.wave)
    yield "model", ", ".join(part for part in (rollout.strategy, rollout.model) if part)


def bars(steps: tuple[Step, ...], wanted: int) -> Iterator[str]:
    """Yield a line a step: when, a bar of pods (`o` old, `#` new, `.` ending), how many are available."""
    shown = words.sampled(steps, _ROWS)
    most = max(step.old + step.new + step.terminating for step in shown)
    scale = max(1.0, most / _BAR)
    width = _cells(most, scale)
    for step in shown:
        parts = ((step.old, _OLD), (step.new, _NEW), (step.terminating, _ENDING))
        bar = "".join(sign * _cells(pods, scale) for pods, sign in parts)
        low = "  below the wanted" if step.available < wanted else ""
        yield f"  {words.seconds(step.t_s):>11} {bar:<{width}}  {step.available:>4} available{_share(step)}{low}"
    if len(shown) < len(steps):
        yield f"              {len(shown)} of {len(steps)} steps are shown"


def _cells(pods: int, scale: float) -> int:
    """Return how many signs stand for so many pods: at least one for any."""
    return max(1, round(pods / scale)) if pods else 0


def _share(step: Step) -> str:
    return "" if step.traffic is None else f", {step.traffic:.0%} of the traffic to the new version"

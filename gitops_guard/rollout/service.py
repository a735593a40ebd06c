"""Hand-made blue-green and canary: a Service whose selector or whose backends change in one merge.

Nothing controls these but the endpoints controller, which follows the selector within moments. So a switch to pods that
are created by the same merge leaves the Service without endpoints until the first of them is ready.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.model.resource import resource_id
from gitops_guard.model.rollout import Rollout, RolloutVerdict, Seconds, Step, Trajectory
from gitops_guard.rollout.assumptions import Scenario
from gitops_guard.rollout.case import Case, struct
from gitops_guard.rollout.timeline import Moment, Timeline

_NAMES = {Scenario.LOW: "best", Scenario.LIKELY: "likely", Scenario.HIGH: "worst"}


class Backend(NamedTuple):
    """A workload in the Service's namespace."""

    case: Case
    was_selected: bool
    """Whether the Service before the merge selects the workload before the merge."""

    takes_old: bool
    """Whether the Service after the merge selects pods of the version before it."""

    takes_new: bool
    """Whether it selects pods of the version after the merge."""


class Endpoints(NamedTuple):
    """Ready endpoints at a moment."""

    old: int
    new: int
    """Of new versions, and of workloads that the Service did not select before."""


def simulate_service(
    before: Body | None,
    after: Body,
    cases: Sequence[Case],
) -> Rollout:
    """Predict how many endpoints a Service has while its selector and its workloads change.

    Args:
        before: The Service as it is; None when the merge creates it.
        after: The Service as merged.
        cases: Every workload of the namespace after the merge, changed or not.
    """
    selectors = [selector(body) if body is not None else {} for body in (before, after)]
    backends = [backend for case in cases if (backend := _backend(case, *selectors)).takes_new or backend.takes_old]
    ways = {scenario: _merge(backends, scenario) for scenario in Scenario}
    had = before is not None and any(case.pods_before for case in cases if _backend(case, *selectors).was_selected)
    verdict, reasons = _judge(ways[Scenario.LIKELY], backends, had=had)
    return _rollout(after, ways, verdict, reasons, wanted=int(had))


def selector(service: Body) -> Mapping[str, Json]:
    """Return what pods a Service selects; an empty selector selects none."""
    return struct(struct(service.get("spec")).get("selector"))


def matches(wanted: Mapping[str, Json], template: Body) -> bool:
    """Return whether pods of a template are selected."""
    labels = struct(struct(template.get("metadata")).get("labels"))
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _backend(case: Case, before: Mapping[str, Json], after: Mapping[str, Json]) -> Backend:
    bodies = case.templates.bodies
    new = bodies[case.templates.new]
    old = next((body for name, body in bodies.items() if name != case.templates.new), new)
    was = case.before is not None and matches(before, old)
    return Backend(case, was, matches(after, old) and case.before is not None, matches(after, new))


def _merge(backends: Sequence[Backend], scenario: Scenario) -> tuple[Step, ...]:
    """Put the timelines of all backends together: at every moment of one of them, the last state of each."""
    lines = [(backend, backend.case.run(backend.case.assumptions, scenario)) for backend in backends]
    times = sorted({moment.step.t_s for _, line in lines for moment in line.moments} | {0.0})
    states: list[Callable[[float], Endpoints]] = [_state(backend, line) for backend, line in lines]
    steps: list[Step] = []
    for t_s in times:
        now = [state(t_s) for state in states]
        step = _step(t_s, Endpoints(sum(one.old for one in now), sum(one.new for one in now)))
        if not steps or (steps[-1].old, steps[-1].new) != (step.old, step.new):
            steps.append(step)
    return tuple(steps)


def _state(backend: Backend, line: Timeline) -> Callable[[float], Endpoints]:
    """Return what asks a timeline for its endpoints; times must be asked for in order."""
    moments, position = line.moments, 0

    def at(t_s: float) -> Endpoints:
        nonlocal position
        while position + 1 < len(moments) and moments[position + 1].step.t_s <= t_s:
            position += 1
        return _endpoints(backend, moments[position])

    return at


def _endpoints(backend: Backend, moment: Moment) -> Endpoints:
    same = len(backend.case.templates.bodies) == 1
    new = moment.step.ready if same else moment.ready_new
    old = 0 if same else moment.step.ready - moment.ready_new
    old, new = old * backend.takes_old, new * backend.takes_new
    if not backend.was_selected:
        return Endpoints(0, old + new)
    return Endpoints(new, 0) if same else Endpoints(old, new)


def _step(t_s: float, ends: Endpoints) -> Step:
    total = ends.old + ends.new
    share = round(ends.new / total, 4) if total else 0.0
    return Step(t_s=t_s, old=ends.old, new=ends.new, ready=total, available=total, terminating=0, traffic=share)


def _outage_s(steps: Sequence[Step]) -> float | None:
    """Return for how long there is no endpoint; None when that never ends."""
    if not steps or steps[-1].ready == 0:
        return None
    return sum(later.t_s - step.t_s for step, later in pairwise(steps) if step.ready == 0)


def _judge(steps: Sequence[Step], backends: Sequence[Backend], *, had: bool) -> tuple[RolloutVerdict, tuple[str, ...]]:
    outage = _outage_s(steps)
    if outage is None:
        what = "the selector matches no workload" if not backends else "none of the selected pods becomes ready"
        return (RolloutVerdict.DOWNTIME if had else RolloutVerdict.STUCK), (f"no endpoint is left: {what}",)
    if had and outage > 0:
        created = any(not backend.was_selected for backend in backends)
        why = ": the selector switches to pods that are not ready yet" if created else ""
        return RolloutVerdict.DOWNTIME, (f"no endpoint for {outage:.1f} s{why}",)
    return RolloutVerdict.OK, ()


def _rollout(
    after: Body,
    ways: Mapping[Scenario, Sequence[Step]],
    verdict: RolloutVerdict,
    reasons: tuple[str, ...],
    *,
    wanted: int,
) -> Rollout:
    outages = {scenario: _outage_s(steps) if wanted else 0.0 for scenario, steps in ways.items()}
    likely = ways[Scenario.LIKELY]
    return Rollout(
        resource=resource_id(after),
        strategy="selector",
        verdict=verdict,
        reasons=reasons,
        triggers=(),
        min_available=_least(likely),
        worst_available=min(_least(steps) for steps in ways.values()),
        wanted_available=wanted,
        peak_pods=max((step.ready for step in likely), default=0),
        peak_existing_pods=0,
        extra_cpu_milli=0,
        extra_memory_bytes=0,
        downtime_s=_seconds(outages),
        duration_s=_seconds({scenario: steps[-1].t_s if steps else 0.0 for scenario, steps in ways.items()}),
        trajectories=tuple(
            Trajectory(name=_NAMES[scenario], steps=tuple(steps), complete=_outage_s(steps) is not None)
            for scenario, steps in ways.items()
        ),
        assumptions=(),
    )


def _least(steps: Iterable[Step]) -> int:
    return min((step.ready for step in steps), default=0)


def _seconds(times: Mapping[Scenario, float | None]) -> Seconds:
    return Seconds(low=times[Scenario.LOW], likely=times[Scenario.LIKELY], high=times[Scenario.HIGH])

"""From simulated timelines to the prediction that people read: verdict, reasons, intervals, assumptions."""

from gitops_guard.model.resource import resource_id
from gitops_guard.model.rollout import Assumption, Rollout, RolloutVerdict, Seconds, Trajectory
from gitops_guard.rollout.assumptions import TIMES, Assumptions, Scenario
from gitops_guard.rollout.case import OLD, Case, Facts, struct
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.template import pod_requests
from gitops_guard.rollout.timeline import MAX_STEPS, Timeline


class Ways:
    """The timelines of a case: best, likely, worst."""

    def __init__(self, case: Case) -> None:
        self.best = case.run(case.assumptions, Scenario.LOW)
        likely = case.ways(case.assumptions, Scenario.LIKELY)
        self.likely = likely[0]
        slow = (*case.ways(case.assumptions, Scenario.HIGH), *likely[1:])
        self.all = (self.best, self.likely, *slow)
        self.worst = min(slow, key=_goodness)
        if any(timeline.capped for timeline in self.all):
            raise ValueError(f"gave up after {MAX_STEPS} steps: too many pods, too few at a time")


def _goodness(timeline: Timeline) -> tuple[int, float]:
    """Order timelines from the worst: fewest available pods, then the longest."""
    end_s = _end_s(timeline)
    return timeline.least_available, float("-inf") if end_s is None else -end_s


def _end_s(timeline: Timeline) -> float | None:
    return None if timeline.completed_ms is None else timeline.completed_ms / 1000


def predict(case: Case, model_name: str) -> Rollout:
    """Simulate a case and judge it.

    Raises:
        ValueError: The simulation takes too many steps.
    """
    facts, ways = case.facts, Ways(case)
    verdict, reasons = _judge(case, facts, ways)
    peak = max(timeline.peak_existing for timeline in ways.all)
    cpu, memory = _extra_requests(case, ways.likely)
    return Rollout(
        resource=resource_id(case.after),
        strategy=facts.strategy,
        verdict=verdict,
        reasons=reasons,
        triggers=case.templates.changed,
        min_available=ways.likely.least_available,
        worst_available=min(timeline.least_available for timeline in ways.all),
        wanted_available=facts.wanted,
        peak_pods=ways.likely.peak_pods,
        peak_existing_pods=peak,
        extra_cpu_milli=cpu,
        extra_memory_bytes=memory,
        downtime_s=_downtime(facts, ways),
        duration_s=_duration(ways),
        trajectories=(
            _trajectory("best", ways.best),
            _trajectory("likely", ways.likely),
            _trajectory("worst", ways.worst),
        ),
        assumptions=_assumptions(case, ways),
        rollback_to=_rollback(case) if case.templates.rolls and facts.keeps_history else "",
        model=model_name,
    )


def _rollback(case: Case) -> str:
    """Name what an undo returns to: by its revision, where the version before the merge comes from a cluster."""
    before = case.before or {}
    notes = struct(struct(before.get("metadata")).get("annotations"))
    revision = notes.get("deployment.kubernetes.io/revision") or notes.get("rollout.argoproj.io/revision")
    revision = revision or struct(before.get("status")).get("updateRevision")
    version = "the version before the merge"
    return f"revision {revision}, {version}" if isinstance(revision, str) else version


def _judge(case: Case, facts: Facts, ways: Ways) -> tuple[RolloutVerdict, tuple[str, ...]]:
    """Return the verdict of the likely way, with what may go worse among the reasons."""
    verdict, first = _verdict(case, facts, ways.likely)
    reasons = [first, case.place.note, *facts.notes, *_deadline(ways), *_worse(case, facts, ways)]
    return verdict, tuple(reason for reason in reasons if reason)


def _verdict(case: Case, facts: Facts, timeline: Timeline) -> tuple[RolloutVerdict, str]:
    if not case.templates.rolls and not facts.grows:
        return RolloutVerdict.NO_OP, "the pod template is unchanged: no pod is replaced"
    if facts.no_op and case.templates.rolls and case.before is not None:
        return RolloutVerdict.NO_OP, facts.no_op
    if timeline.completed_ms is None and not timeline.waits_for_person:
        return RolloutVerdict.STUCK, case.why_stuck(timeline)
    if not facts.may_be_empty and timeline.least_available == 0:
        return RolloutVerdict.DOWNTIME, f"no pod is available for {timeline.downtime_s or 0:.1f} s"
    if timeline.least_available < facts.wanted:
        least = timeline.least_available
        return RolloutVerdict.DEGRADED, f"available pods fall to {least}, the strategy promises {facts.wanted}"
    return RolloutVerdict.OK, case.why_stuck(timeline) if timeline.waits_for_person else ""


def _worse(case: Case, facts: Facts, ways: Ways) -> list[str]:
    """Say what the worst way adds to the likely one."""
    likely, worst = _verdict(case, facts, ways.likely)[0], _verdict(case, facts, ways.worst)
    if worst[0] is likely or not worst[1]:
        return []
    return [f"in the worst case: {worst[1]}"]


def _deadline(ways: Ways) -> list[str]:
    """Say when the progress deadline passes although the rollout goes on."""
    for timeline, how in ((ways.likely, ""), (ways.worst, "in the worst case ")):
        if timeline.timed_out_ms is not None:
            after = timeline.timed_out_ms / 1000
            end = "" if timeline.completed_ms is None else ", although it completes later"
            return [f"{how}progressDeadlineSeconds pass without progress after {after:g} s: reported as failed{end}"]
    return []


def _duration(ways: Ways) -> Seconds:
    return Seconds(low=_end_s(ways.best), likely=_end_s(ways.likely), high=_longest([_end_s(one) for one in ways.all]))


def _longest(times: list[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def _downtime(facts: Facts, ways: Ways) -> Seconds:
    """Return for how long nothing serves; where that is asked for, it is no downtime."""
    if facts.may_be_empty:
        return Seconds(low=0.0, likely=0.0, high=0.0)
    high = _longest([timeline.downtime_s for timeline in ways.all])
    return Seconds(low=ways.best.downtime_s, likely=ways.likely.downtime_s, high=high)


def _trajectory(name: str, timeline: Timeline) -> Trajectory:
    complete = timeline.completed_ms is not None and not timeline.capped
    return Trajectory(name=name, steps=timeline.steps, complete=complete, capped=timeline.capped)


def _extra_requests(case: Case, timeline: Timeline) -> tuple[int, int]:
    """Return what the peak needs beyond what ran before; terminating pods still hold what they requested."""
    bodies = case.templates.bodies
    new = pod_requests(bodies[case.templates.new])
    old = pod_requests(bodies[OLD]) if OLD in bodies else (0, 0)
    steps = [moment.step for moment in timeline.moments]
    before = case.pods_before
    extra = []
    for kind in (0, 1):
        needs = [(step.old + step.terminating) * old[kind] + step.new * new[kind] for step in steps]
        extra.append(max(0, max(needs, default=0) - before * old[kind]))
    return extra[0], extra[1]


# Assumptions


def _assumptions(case: Case, ways: Ways) -> tuple[Assumption, ...]:
    """Return what mattered, each with what it does to the duration."""
    used: set[str] = set()
    for name in case.templates.bodies:
        used |= case.estimate(name, case.assumptions, Scenario.LIKELY).used
    used |= case.waits
    timed = [_time_assumption(case, ways, name) for name in TIMES if name in used]
    return (*(assumption for assumption in timed if assumption is not None), *_counted(case))


def _time_assumption(case: Case, ways: Ways, name: str) -> Assumption | None:
    """Run the likely way with one time at either end: what the prediction owes to it."""
    interval = case.assumptions.times[name]
    ends = [_ends_after(case, ways, case.assumptions.fixed(name, end)) for end in (Scenario.LOW, Scenario.HIGH)]
    if ends[0] == ends[1] == _end_s(ways.likely):
        return None
    words = ["never ends" if end is None else f"takes {end:.1f} s" for end in ends]
    effect = f"the rollout {words[0]} at the lower end, {words[1]} at the upper"
    source = "given" if case.assumptions.knows(name) else "default"
    return Assumption(name=name.replace("_", " "), value=str(interval), source=source, effect=effect)


def _ends_after(case: Case, ways: Ways, assumptions: Assumptions) -> float | None:
    """Return the likely duration under other assumptions: by the closed form if it holds here, else by simulation."""
    if _closed_form(case, case.assumptions) != _end_s(ways.likely):
        return _end_s(case.run(assumptions, Scenario.LIKELY))
    closed = _closed_form(case, assumptions)
    return _end_s(case.run(assumptions, Scenario.LIKELY)) if closed is None else closed


def _closed_form(case: Case, assumptions: Assumptions) -> float | None:
    timing, phases = case.timing(assumptions, Scenario.LIKELY), case.phases
    new = timing[case.templates.new]
    ready_ms = new.ready_ms
    if phases is None or ready_ms >= NEVER:
        return None
    gone_ms = timing[OLD].gone_ms if OLD in timing else 0
    return (phases[0] * (ready_ms + new.until_available_ms(case.min_ready_s)) + phases[1] * gone_ms) / 1000


def _counted(case: Case) -> list[Assumption]:
    return [
        Assumption(name=name, value=value, source=_source(case.assumptions, key), effect=effect)
        for key, name, value, effect in case.counted
    ]


def _source(assumptions: Assumptions, key: str) -> str:
    return "given" if key in assumptions.given else "default"

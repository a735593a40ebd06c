"""The sentences that the formats for people share: what a prediction comes to, in our own words."""

from collections import Counter

from gitops_guard.model.resource import ResourceId
from gitops_guard.model.rollout import Rollout, RolloutVerdict, Seconds, Step, Trajectory
from gitops_guard.model.simulation import Simulation
from gitops_guard.report.words import count

WORST_FIRST = (
    RolloutVerdict.STUCK,
    RolloutVerdict.DOWNTIME,
    RolloutVerdict.DEGRADED,
    RolloutVerdict.NO_OP,
    RolloutVerdict.OK,
)
_MIB = 1 << 20


def summary(simulation: Simulation) -> str:
    """Say the outcome in one line: `3 rollouts: 1 stuck, 2 ok; 1 hazard`."""
    seen = Counter(rollout.verdict for rollout in simulation.rollouts)
    verdicts = ", ".join(f"{seen[verdict]} {verdict.value}" for verdict in WORST_FIRST if seen[verdict])
    parts = [count(len(simulation.rollouts), "rollout") + (f": {verdicts}" if verdicts else "")]
    parts.append(count(len(simulation.hazards), "hazard") if simulation.hazards else "no hazards")
    if simulation.errors:
        parts.append(f"{count(len(simulation.errors), 'thing')} could not be simulated")
    return "; ".join(parts)


def rest(simulation: Simulation) -> list[str]:
    """Say what is not shown."""
    lines = []
    if simulation.unchanged:
        lines.append(f"unchanged: {count(simulation.unchanged, 'workload')}")
    if simulation.silenced:
        lines.append(f"silenced by suppressions: {count(simulation.silenced, 'hazard')}")
    return lines


def title(resource: ResourceId) -> str:
    """Return `Deployment shop/web`."""
    place = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    return f"{resource.kind} {place}"


def duration(rollout: Rollout) -> str:
    """Say how long the rollout takes: `8.2 s to 2 min 4 s, likely 22.5 s`."""
    if rollout.verdict is RolloutVerdict.NO_OP:
        return "nothing rolls"
    return interval(rollout.duration_s)


def interval(times: Seconds) -> str:
    """Put an interval into words; None is a time that does not end."""
    if times.likely is None:
        return "never ends by itself"
    if times.low == times.likely == times.high:
        return seconds(times.likely)
    low, likely = seconds(times.low or 0.0), seconds(times.likely)
    if times.high is None:
        return f"at least {low}, likely {likely}, perhaps for ever"
    return f"{low} to {seconds(times.high)}, likely {likely}"


def seconds(value: float) -> str:
    """Print a time: `7.5 s`, `2 min 4 s`, `3 h 20 min`."""
    if value < 120:
        return f"{value:.1f} s".replace(".0 s", " s")
    whole = round(value)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def availability(rollout: Rollout) -> str:
    """Say how many pods stay available."""
    worst = "" if rollout.worst_available == rollout.min_available else f", in the worst case {rollout.worst_available}"
    # A strategy that stops everything first wants no pod to stay: that says nothing beside a downtime.
    wanted = f"; wanted {rollout.wanted_available}" if rollout.wanted_available else ""
    return f"at least {rollout.min_available} available{worst}{wanted}"


def peak(rollout: Rollout) -> str:
    """Say what has to have room."""
    ending = rollout.peak_existing_pods
    more = f" ({ending} with those that are ending)" if ending > rollout.peak_pods else ""
    return f"{count(rollout.peak_pods, 'pod')}{more}"


def more_requests(rollout: Rollout) -> str:
    """Say what the peak requests beyond what ran before; empty when nothing."""
    parts = []
    if rollout.extra_cpu_milli:
        parts.append(f"{rollout.extra_cpu_milli}m CPU")
    if rollout.extra_memory_bytes:
        parts.append(f"{rollout.extra_memory_bytes / _MIB:.0f} MiB memory")
    return " and ".join(parts)


def likely(rollout: Rollout) -> Trajectory | None:
    """Return the likely way."""
    return next((one for one in rollout.trajectories if one.name == "likely"), None)


def sampled(steps: tuple[Step, ...], most: int) -> list[Step]:
    """Choose steps to show: the ends, the lowest availability, the peak, and others evenly between them."""
    if len(steps) <= most:
        return list(steps)
    numbers = range(len(steps))
    lowest = min(numbers, key=lambda number: steps[number].available)
    highest = max(numbers, key=lambda number: steps[number].old + steps[number].new + steps[number].terminating)
    spread = {round(index * (len(steps) - 1) / (most - 3)) for index in range(most - 2)}
    return [steps[number] for number in sorted(spread | {lowest, highest})]

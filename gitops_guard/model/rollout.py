"""What merging does to a workload's pods over time: the prediction that `rollout/` gives and `report/` prints."""

from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.model.resource import Json, ResourceId


class RolloutVerdict(StrEnum):
    """What the prediction comes to; a closed set."""

    OK = "ok"
    """The new version takes over, and never fewer pods are available than the strategy allows."""

    DOWNTIME = "downtime"
    """No pod is available for some time."""

    DEGRADED = "degraded"
    """Fewer pods are available than the strategy allows, but never none."""

    STUCK = "stuck"
    """The rollout never ends without help."""

    NO_OP = "no-op"
    """The merge changes the object, but no pod is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """A duration that is not known exactly; None stands for one that never ends."""

    low: float | None
    likely: float | None
    high: float | None

    def to_json(self) -> Json:
        """Return the interval as the `simulate` contract writes it."""
        return {"low": self.low, "likely": self.likely, "high": self.high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What runs from one moment on, until the next step."""

    t_s: float
    """Seconds since the merge reached the cluster."""

    old: int
    """Pods of other versions than the new one, without the terminating ones."""

    new: int
    """Pods of the new version, without the terminating ones."""

    ready: int
    available: int
    """Ready for at least minReadySeconds, all versions together."""

    terminating: int
    """Pods that are being deleted but still hold their node, address and quota."""

    cause: str = ""
    """What happened: `3 pods became ready`; empty when nothing is worth a word."""

    traffic: float | None = None
    """Share of the traffic that reaches the new version, 0 to 1; None where pods share it evenly."""

    def to_json(self) -> Json:
        """Return the step as the `simulate` contract writes it."""
        step: dict[str, Json] = {
            "t_s": self.t_s,
            "old": self.old,
            "new": self.new,
            "ready": self.ready,
            "available": self.available,
            "terminating": self.terminating,
        }
        if self.cause:
            step["cause"] = self.cause
        if self.traffic is not None:
            step["traffic"] = self.traffic
        return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One way the rollout may go."""

    name: str
    """`best`, `likely` or `worst`."""

    steps: tuple[Step, ...]
    """In order of time; the first is the state just after the merge."""

    complete: bool
    """Whether the rollout ended by itself."""

    capped: bool = False
    """Whether the simulation gave up at its bound of steps; `complete` is then False."""

    def to_json(self) -> Json:
        """Return the trajectory as the `simulate` contract writes it."""
        return {"name": self.name, "complete": self.complete, "steps": [step.to_json() for step in self.steps]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something the manifests do not say and the prediction had to suppose."""

    name: str
    """`app start`, `image pull`, `replicas`."""

    value: str
    """`1 s to 30 s, likely 5 s`."""

    source: str
    """`default`, `manifest` or `given`."""

    effect: str
    """What it does to the prediction: `the rollout takes 8 s to 124 s`."""

    def to_json(self) -> Json:
        """Return the assumption as the `simulate` contract writes it."""
        return {"name": self.name, "value": self.value, "source": self.source, "effect": self.effect}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The prediction for one workload."""

    resource: ResourceId
    unit: str = ""
    """What deploys it, for people: `kustomization overlays/live on production`; empty for a plain file."""

    strategy: str
    """`RollingUpdate`, `Recreate`, `OnDelete`, `canary`, `blueGreen`."""

    verdict: RolloutVerdict
    reasons: tuple[str, ...]
    """Why the verdict, the most important first; whole sentences without a final stop."""

    triggers: tuple[str, ...]
    """Printed field paths whose change rolls the pods: `spec.template.spec.containers[0].image`."""

    min_available: int
    """The lowest number of available pods on the likely way."""

    worst_available: int
    """The lowest number of available pods on any way."""

    wanted_available: int
    """What the strategy promises to keep available."""

    peak_pods: int
    """The highest number of pods that run, without the terminating ones."""

    peak_existing_pods: int
    """The highest number of pods that exist, with the terminating ones: what quota, nodes and addresses must hold."""

    extra_cpu_milli: int
    """CPU requests needed at the peak beyond those before the merge, in thousandths of a core."""

    extra_memory_bytes: int
    """Memory requests needed at the peak beyond those before the merge."""

    downtime_s: Seconds
    duration_s: Seconds
    trajectories: tuple[Trajectory, ...]
    """Best, likely, worst; in this order."""

    assumptions: tuple[Assumption, ...]
    rollback_to: str = ""
    """What undoing the rollout would return to; empty when there is nothing to return to."""

    model: str = ""
    """Whose rules were followed: `kubernetes 1.36`."""

    wave: int = 0
    """Sync wave of Argo CD in which it is applied; predictions are in the order of waves."""

    def to_json(self) -> Json:
        """Return the rollout as the `simulate` contract writes it, followed by the fields that go beyond it."""
        resource = self.resource
        return {
            "resource": {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "namespace": resource.namespace,
                "name": resource.name,
            },
            "unit": self.unit,
            "strategy": self.strategy,
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "min_available": self.min_available,
            "peak_pods": self.peak_pods,
            "duration_s": self.duration_s.to_json(),
            "trajectories": [trajectory.to_json() for trajectory in self.trajectories],
            "assumptions": [assumption.to_json() for assumption in self.assumptions],
            "triggers": list(self.triggers),
            "worst_available": self.worst_available,
            "wanted_available": self.wanted_available,
            "peak_existing_pods": self.peak_existing_pods,
            "extra": {"cpu_milli": self.extra_cpu_milli, "memory_bytes": self.extra_memory_bytes},
            "downtime_s": self.downtime_s.to_json(),
            "rollback_to": self.rollback_to,
            "model": self.model,
            "sync_wave": self.wave,
        }

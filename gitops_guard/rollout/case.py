"""What a simulator gives to be judged: a workload's change in a form that is the same for every controller."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from gitops_guard.links.shapes import struct as struct
from gitops_guard.links.shapes import structs as structs
from gitops_guard.model import Body, Json, format_field_path
from gitops_guard.rollout import lifecycle
from gitops_guard.rollout.assumptions import Assumptions, Scenario
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.lifecycle import PodEstimate
from gitops_guard.rollout.pods import PodTiming
from gitops_guard.rollout.template import canonical, differences
from gitops_guard.rollout.timeline import Timeline

_EARLY_MS = {Scenario.LOW: 999, Scenario.LIKELY: 500, Scenario.HIGH: 0}
"""See PodTiming.early_ms."""

OLD, NEW = "old", "new"
"""Names of the templates before and after the merge; one name where they are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a change before anything is simulated."""

    strategy: str
    """`RollingUpdate`, `Recreate`, `OnDelete`, `canary`, `blueGreen`."""

    wanted: int
    """Pods that the strategy promises to keep available."""

    no_op: str = ""
    """Why nothing rolls although the template changed; empty when it rolls."""

    notes: tuple[str, ...] = ()
    """Reasons that hold whatever the simulation says."""

    keeps_history: bool = True
    """Whether the old version can be rolled back to."""

    grows: bool = False
    """Whether pods are created or removed although the template is the same."""

    may_be_empty: bool = False
    """Whether no available pod is what the manifests ask for, before or after."""


class Place(NamedTuple):
    """What the nodes of a snapshot can hold of the new version."""

    pods: int = 0
    """Where not all fit: how many."""

    why: str = ""
    """Why not all fit, however the scheduler chooses; empty where they may, or where nobody knows the nodes."""

    note: str = ""
    """What else the nodes do to the rollout; empty for nothing."""


ANYWHERE = Place()


class Supposed(NamedTuple):
    """Something that was supposed and is no time."""

    key: str
    """Field of Assumptions."""

    name: str
    value: str
    effect: str


class Case(ABC):
    """One changed workload and the simulator of its controller."""

    def __init__(self, before: Body | None, after: Body, assumptions: Assumptions) -> None:
        """Take the bodies; `assumptions` are already those of this workload."""
        self.before = before
        self.after = after
        self.assumptions = assumptions
        self.templates = Templates.of(before, after)
        self.place = ANYWHERE

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What is known before anything is simulated."""

    @abstractmethod
    def run(self, assumptions: Assumptions, scenario: Scenario) -> Timeline:
        """Return the likely way with the times of a scenario."""

    def ways(self, assumptions: Assumptions, scenario: Scenario) -> tuple[Timeline, ...]:
        """Return the ways that controllers may take with the times of a scenario; the likely one first."""
        return (self.run(assumptions, scenario),)

    @abstractmethod
    def why_stuck(self, timeline: Timeline) -> str:
        """Say what the rollout waits for at the end of a timeline that is not complete."""

    @property
    @abstractmethod
    def min_ready_s(self) -> int:
        """spec.minReadySeconds after the merge."""

    def estimate(self, name: str, assumptions: Assumptions, scenario: Scenario) -> PodEstimate:
        """Return how long pods of one version take."""
        return lifecycle.estimate_pod(self.templates.bodies[name], assumptions, scenario)

    def timing(self, assumptions: Assumptions, scenario: Scenario) -> dict[str, PodTiming]:
        """Return how long pods of each version take."""
        early_ms = _EARLY_MS[scenario]
        timing = {
            name: self.estimate(name, assumptions, scenario).timing._replace(early_ms=early_ms)
            for name in self.templates.bodies
        }
        if not assumptions.new_version_ready:
            timing[self.templates.new] = timing[self.templates.new]._replace(ready_ms=NEVER)
        if self.place.why:
            timing[self.templates.new] = self._held_back(timing[self.templates.new])
        return timing

    def _held_back(self, timing: PodTiming) -> PodTiming:
        """Return the time of pods of which the nodes cannot hold all; those that stay Pending never run."""
        if self.place.pods:
            return timing._replace(places=self.place.pods)
        return timing._replace(ready_ms=NEVER, starts=False)

    @property
    @abstractmethod
    def pods_before(self) -> int:
        """Pods that ran before the merge."""

    @property
    def waits(self) -> frozenset[str]:
        """Names of the times that the controller itself waits for, beside those of pods."""
        return frozenset()

    @property
    def phases(self) -> tuple[int, int] | None:
        """How often pods become available, and end, one after the other; None where no closed form is known.

        Only trusted where it agrees with the simulation: duration = first * (ready + minReadySeconds) + second * gone.
        """
        return None

    @property
    def counted(self) -> tuple[Supposed, ...]:
        """What else was supposed, beside times."""
        if self.assumptions.new_version_ready:
            return ()
        return (Supposed("new_version_ready", "new version", "never becomes ready", "shows where the rollout halts"),)

    @property
    def never_ready(self) -> str:
        """Why pods of the new version do not become ready, on the likely way; empty when they do."""
        if self.place.why:
            return self.place.why
        if not self.assumptions.new_version_ready:
            return "new pods are assumed never to become ready"
        return self.estimate(self.templates.new, self.assumptions, Scenario.LIKELY).never


class Templates:
    """The pod templates before and after a merge."""

    __slots__ = ("bodies", "changed", "new")

    def __init__(self, bodies: dict[str, Body], new: str, changed: tuple[str, ...]) -> None:
        self.bodies = bodies
        """By name."""

        self.new = new
        """Name of the template after the merge."""

        self.changed = changed
        """Printed paths whose change makes it another template."""

    @classmethod
    def of(cls, before: Body | None, after: Body) -> "Templates":
        """Compare the templates of two versions of a workload."""
        template = struct(struct(after.get("spec")).get("template"))
        if before is None:
            return cls({NEW: template}, NEW, ())
        old = struct(struct(before.get("spec")).get("template"))
        paths = differences(canonical(dict(old)), canonical(dict(template)), ("spec", "template"))
        if not paths:
            return cls({OLD: template}, OLD, ())
        return cls({OLD: old, NEW: template}, NEW, tuple(sorted(format_field_path(path) for path in paths)))

    @property
    def rolls(self) -> bool:
        """Whether pods have to be replaced."""
        return bool(self.changed)


def integer(value: Json, default: int) -> int:
    """Return an int32 that is not negative, or the default where it is absent or mistyped."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else default


def int_or_percent(value: Json, default: int | str) -> int | str:
    """Return a number or percentage, or the default where it is absent or mistyped."""
    if (
        isinstance(value, str)
        and value.endswith("%")
        and value[:-1].isascii()
        and value[:-1].isdecimal()
        and len(value) < 10
    ):
        return value
    number = integer(value, -1)
    return default if number < 0 else number


def supposed_replicas(before: Body | None, after: Body, assumptions: Assumptions) -> list[Supposed]:
    """Return what stands in for spec.replicas where a manifest leaves it out."""
    bodies = [body for body in (before, after) if body is not None]
    if all(struct(body.get("spec")).get("replicas") is not None for body in bodies):
        return []
    number = 1 if assumptions.replicas is None else assumptions.replicas
    return [Supposed("replicas", "replicas", str(number), "stands for spec.replicas where the manifest has none")]


def host_ports(template: Body) -> list[int]:
    """Return the node's ports that a pod needs for itself."""
    spec = struct(template.get("spec"))
    host_network = spec.get("hostNetwork") is True
    containers = [*structs(spec.get("initContainers")), *structs(spec.get("containers"))]
    ports = [port for container in containers for port in structs(container.get("ports"))]
    numbers = [
        integer(port.get("hostPort") or (port.get("containerPort") if host_network else None), 0) for port in ports
    ]
    return sorted({number for number in numbers if number})

"""What `simulate` gives to the formats: a prediction a workload, the hazards of the change, what could not be told."""

from dataclasses import dataclass

from gitops_guard.model.finding import CheckError, Finding
from gitops_guard.model.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All that a format sees of a simulated change."""

    rollouts: tuple[Rollout, ...]
    """Sorted by namespace, kind, name."""

    hazards: tuple[Finding, ...] = ()
    """Sorted by `Finding.sort_key`."""

    errors: tuple[CheckError, ...] = ()
    """Workloads and files about which nothing could be told."""

    unchanged: int = 0
    """Workloads that are the same before and after, and that no other object of the change concerns."""

    silenced: int = 0
    """Hazards that somebody accepted."""

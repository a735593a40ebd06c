"""What a pull request does, as `gitops-guard pr` finds it out and `gitops-guard report` tells it: data, no text.

It is what `plan.json` holds. The verdict is not in it: whoever tells it works it out, so that no plan can claim one.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from gitops_guard.model.change import Action, Change, FoldReason
from gitops_guard.model.finding import CheckError, Finding, Skipped
from gitops_guard.model.problem import Severity
from gitops_guard.model.rollout import Rollout, RolloutVerdict


class ChangeSource(StrEnum):
    """What was compared to find the changes of a unit."""

    WRITTEN = "written"
    """Manifests as they stand in the repository; nothing was rendered."""

    RENDERED = "rendered"
    """What the unit renders to, before and after."""

    LIVE = "live"
    """What the API server makes of both, by dry-run."""


class RolloutGate(StrEnum):
    """The mildest prediction that stops a merge; each one is stricter than the one before."""

    STUCK = "stuck"
    DOWNTIME = "downtime"
    DEGRADED = "degraded"

    def stops(self, verdict: RolloutVerdict) -> bool:
        """Tell whether a predicted rollout stops the merge."""
        order = (RolloutVerdict.STUCK, RolloutVerdict.DOWNTIME, RolloutVerdict.DEGRADED)
        return verdict in order[: tuple(RolloutGate).index(self) + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What stops a merge."""

    fail_on: Severity = Severity.ERROR
    """The mildest severity of a new finding or hazard that does."""

    rollout: RolloutGate = RolloutGate.DOWNTIME
    unseen_passes: bool = False
    """Whether a change passes of which a part could not be previewed."""

    def stricter(self, other: "Gate") -> "Gate":
        """Return the gate that stops whatever one of the two stops."""
        gates = tuple(RolloutGate)
        return Gate(
            fail_on=max(self.fail_on, other.fail_on, key=lambda severity: severity.rank),
            rollout=max(self.rollout, other.rollout, key=gates.index),
            unseen_passes=self.unseen_passes and other.unseen_passes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChanges:
    """What happens to one unit on one cluster."""

    name: str
    """Of the unit: `flux-system/storefront`; the directory for manifests that no unit deploys."""

    kind: str = ""
    """What makes the unit: `Flux Kustomization`."""

    cluster: str = ""
    """Empty where nothing says which."""

    source: ChangeSource = ChangeSource.WRITTEN
    changes: tuple[Change, ...] = ()
    """Sorted; with the unchanged ones in which something was folded."""

    unchanged: int = 0
    """Objects that were compared and are the same."""

    rollouts: tuple[Rollout, ...] | None = ()
    """None: not simulated."""

    hazards: tuple[Finding, ...] = ()
    """Those that were not there before the change."""

    errors: tuple[CheckError, ...] = ()
    """Why it, or a part of it, was not previewed."""

    notes: tuple[str, ...] = ()
    """What the reader must know about the preview's limits, in our own words."""

    @property
    def counts(self) -> dict[Action, int]:
        """Count its changes by action."""
        seen = [change.action for change in self.changes]
        return {action: seen.count(action) for action in Action}

    @property
    def effective(self) -> tuple[Change, ...]:
        """Return the changes that change something."""
        return tuple(change for change in self.changes if change.action is not Action.UNCHANGED)

    @property
    def folded(self) -> dict[FoldReason, int]:
        """Count what was folded, by reason; only those that occur."""
        seen = [fold.reason for change in self.changes for fold in change.folded]
        return {reason: seen.count(reason) for reason in FoldReason if reason in seen}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Accepted:
    """A waiver that silenced findings: what somebody accepted, why and until when."""

    rules: tuple[str, ...]
    """Globs of rule ids, as written."""

    reason: str
    owner: str = ""
    expires: str = ""
    """Last day on which it holds, `YYYY-MM-DD`; empty: it does not expire."""

    path: str = ""
    line: int = 0
    findings: int = 0
    """How many it silenced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One part of a run that several jobs share."""

    index: int
    """0-based."""

    total: int

    def __str__(self) -> str:
        return f"{self.index}/{self.total}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """All that is known of a pull request, or of one shard of it."""

    repository: str = ""
    """`acme/shop`; empty outside of a forge."""

    number: int = 0
    """Of the pull or merge request; 0 where there is none, as in a merge queue."""

    head: str
    """Commit that is judged: the last one of the branch, not the merge that was looked at."""

    base: str
    """Commit that the change is compared with."""

    target: str = ""
    """Branch that it is to be merged into."""

    is_merged: bool = False
    """Whether the merge's result was looked at: the head holds all of the target branch."""

    is_fork: bool = False
    """Whether the change comes from somebody else's repository, whose job worked this out."""

    run: int = 0
    """Grows from run to run of the same pull request; 0 where nothing counts them."""

    tool: str
    """Version of gitops-guard."""

    duration_s: float = 0.0
    gate: Gate = Gate()
    units: tuple[UnitChanges, ...] = ()
    """Sorted by cluster and name; those that change, or could not be previewed."""

    findings: tuple[Finding, ...] | None = ()
    """New ones: the base does not have them. None: not checked."""

    known: int = 0
    """Findings that the base has, too."""

    silenced: int = 0
    """Findings and hazards that somebody accepted."""

    accepted: tuple[Accepted, ...] = ()
    """Waivers that silenced something, sorted."""

    errors: tuple[CheckError, ...] = ()
    """What could not be checked, and could be in the base."""

    known_errors: int = 0
    """What could not be checked in the base either."""

    unseen: tuple[Skipped, ...] = ()
    """What changes and was not previewed."""

    drift: tuple[UnitChanges, ...] | None = None
    """From what runs to what the base says: not caused by this change. None: no cluster was asked."""

    versions: tuple[str, ...] = ()
    """Kubernetes versions checked against."""

    shard: Shard | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the clusters that are named, sorted."""
        return tuple(sorted({unit.cluster for unit in self.units if unit.cluster}))

"""What `sync` and `drift` give to the formats: what was done, what drifted and who did it, and how healthy all is."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.model.change import FieldChange
from gitops_guard.model.resource import Json, ResourceId


class SyncAction(StrEnum):
    """What was done with an object, or would be in a dry run; a closed set."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SKIPPED = "skipped"
    """Left as it is on purpose; the reason says why."""

    BLOCKED = "blocked"
    """Could not be done, or must not be; the reason says why."""


class DriftClass(StrEnum):
    """How the cluster differs from what was applied; a closed set."""

    CHANGED = "changed"
    """A field that we own has another value."""

    MISSING = "missing"
    """The object was applied and is gone."""

    FOREIGN = "foreign"
    """Somebody else added something below what we own."""

    UNMANAGED = "unmanaged"
    """An object that is in one of our namespaces, in nobody's set and not in Git."""

    STOLEN = "stolen"
    """Another set has taken the object over."""


class HealthStatus(StrEnum):
    """How an object is, in the words of kstatus."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"
    """It cannot be told: its status is malformed, or it could not be read."""

    NO_SIGNAL = "NoSignal"
    """A custom resource that says nothing of its state: taken for fine, but not known to be."""


class SyncVerdict(StrEnum):
    """What a run comes to; the worst that holds, in this order."""

    LOCKED = "locked"
    """Another run holds the lock."""

    INTERRUPTED = "interrupted"
    """Told to stop, or the lock was lost; what was started is finished, nothing was pruned."""

    REJECTED = "rejected"
    """The manifests have errors, so nothing was written."""

    UNAVAILABLE = "unavailable"
    """The cluster did not answer; nothing was pruned."""

    FAILED = "failed"
    """Something could not be applied or pruned."""

    UNHEALTHY = "unhealthy"
    """All was applied, and something did not become healthy."""

    ROLLED_BACK = "rolled-back"
    """The new revision did not become healthy, and the last healthy one was put back."""

    GUARDED = "guarded"
    """A guard stopped a part of the run: that is told, the rest was done."""

    SUSPENDED = "suspended"
    """Told not to write now: suspended, or outside of the sync windows."""

    DRIFTED = "drifted"
    """The cluster differs from Git, and this run was not to change that."""

    PENDING = "pending"
    """Git wants changes that this run, which only looks, did not make."""

    SYNCED = "synced"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChange:
    """What was done with one object."""

    action: SyncAction
    id: ResourceId
    reason: str = ""
    """Why, in one sentence without a final stop; may be empty."""

    fields: tuple[FieldChange, ...] = ()
    """What of it would change, masked, in order of their text; told only of what was not done yet."""

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        """Return what changes are ordered by in every output."""
        return (self.id.namespace, self.id.kind, self.id.name, self.id.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One way in which one object differs; values are masked."""

    id: ResourceId
    drift_class: DriftClass
    field: str = ""
    """Printed field path, list items by their keys; empty where the whole object is meant."""

    want: Json = None
    have: Json = None
    manager: str = ""
    """Field manager that wrote what is there; empty where nobody is known."""

    operation: str = ""
    """`Apply` or `Update`."""

    time: str = ""
    """When, as the API server noted it; of the manager's last write of that kind."""

    message: str = ""
    """What else must be known: unconfirmed, corrected, left as it is."""

    is_corrected: bool = False
    """It was there, and this run has put it right."""

    @property
    def sort_key(self) -> tuple[str, str, str, str, str, str]:
        """Return what drift is ordered by in every output."""
        one = self.id
        return (one.namespace, one.kind, one.name, one.group, self.field, self.manager)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHealth:
    """How one object is."""

    id: ResourceId
    status: HealthStatus
    reason: str = ""
    """One word: `LessReady`, `ProgressDeadlineExceeded`."""

    message: str = ""
    """For people, without a final stop."""

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        """Return what health is ordered by in every output."""
        return (self.id.namespace, self.id.kind, self.id.name, self.id.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTrip:
    """A guard that stopped something."""

    name: str
    """`prune-cap`, `shrink`, `empty`, `ancestor`, `adoption`, `render`, `health`, `window`, `suspend`."""

    message: str
    """What it saw and what releases it, without a final stop."""

    stops: str = "prune"
    """`prune` or `write`: what it keeps from happening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """All that a format sees of a run."""

    set_name: str
    """Name of the set of objects: `shop`."""

    revision: str
    """Commit that was applied or compared; empty for a directory without Git."""

    verdict: SyncVerdict
    dry_run: bool = False
    read_only: bool = False
    """Whether it is a report on drift alone."""

    changes: tuple[ObjectChange, ...] = ()
    """Sorted; the unchanged ones included."""

    drift: tuple[Drift, ...] = ()
    health: tuple[ObjectHealth, ...] = ()
    """Of what was waited for; those that are not fine, if nothing was waited for."""

    guards: tuple[GuardTrip, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader must know, in our own words."""

    requests: int = 0
    """Requests sent to the API server."""

    duration_s: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """Count the changes by action; every action is there."""
        counted = Counter(change.action for change in self.changes)
        return {str(action): counted[action] for action in SyncAction}

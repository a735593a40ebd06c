"""What happens to one resource between two states, field by field. Values are masked before they come here.

`Change.before` and `Change.after` are the true resources, for simulation and apply; whatever prints uses
`shown_before`, `shown_after` and the fields, in which a Secret's values are replaced by `MASK`.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_guard.model.field_path import FieldPath
from gitops_guard.model.finding import CheckError, Skipped
from gitops_guard.model.resource import Body, Json, Resource, ResourceId
from gitops_guard.model.unit import Unit

MASK = "***"
"""Stands for a value that must not be seen: the same text whatever the value, its length or whether it changed."""


class Action(StrEnum):
    """What happens to a resource."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


class ChangeClass(StrEnum):
    """What a change is about; the order is that of risk, the most dangerous first."""

    IMMUTABLE = "immutable"
    """The API server refuses to change it: the object must be created anew."""

    CRD = "crd"
    RBAC = "rbac"
    STORAGE = "storage"
    NETWORK = "network"
    SCALING = "scaling"
    IMAGE = "image"
    RESOURCES = "resources"
    SECRET = "secret"  # noqa: S105 - the name of a class
    CONFIG = "config"
    API_VERSION = "api-version"
    OTHER = "other"
    """A field of a kind that we know nothing about."""

    METADATA = "metadata-only"
    """Labels and annotations of the object itself; those of a pod template are `config`."""

    @property
    def rank(self) -> int:
        """Return the place in the order of risk; 0 is the most dangerous."""
        return tuple(ChangeClass).index(self)


class FieldOp(StrEnum):
    """What happens to a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"
    """The same items in another order, where the order has a meaning; old and new are the items' keys."""


class FoldReason(StrEnum):
    """Why a difference is counted instead of shown: a closed set, so that they can be counted."""

    SERVER_OWNED = "server-owned field"
    DEFAULT = "equal to the default"
    NULL = "null and absent"
    QUANTITY = "same quantity"
    DURATION = "same duration"
    ORDER = "order only"
    EMBEDDED = "same content of an embedded document"
    SECRET_FORM = "same content of a Secret"  # noqa: S105 - the name of a reason
    MOVED = "moved to another file"
    MOVED_UNIT = "moved to another unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One difference inside a resource."""

    path: FieldPath
    """As it stands in the new object, or in the old one when it was removed: `("spec", "containers", 0, "image")`."""

    field: str
    """For people, list items by their keys: `spec.containers[name=web].image`; inside of an embedded document the
    path goes on behind a colon: `data[app.yaml]: log.level`."""

    op: FieldOp
    old: Json
    """Masked; None when added."""

    new: Json
    """Masked; None when removed."""

    change_class: ChangeClass
    masked: bool = False
    """Whether `old` or `new` hides something; they may then look the same."""

    document: str = ""
    """Format of the embedded document that it stands in: `json`, `yaml`, `ini`, `properties`; else empty."""

    reason: FoldReason | None = None
    """Why it is folded; None for one that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource."""

    action: Action
    id: ResourceId
    """The new identity; the old one when deleted."""

    before: Resource | None = field(repr=False)
    """As it is; never printed. None when created."""

    after: Resource | None = field(repr=False)
    """As it is; never printed. None when deleted."""

    fields: tuple[FieldChange, ...] = ()
    """In order of their text; empty for created and deleted, whose objects are shown in full."""

    folded: tuple[FieldChange, ...] = ()
    """Differences that are counted instead of shown."""

    classes: tuple[ChangeClass, ...] = ()
    """Of all fields, the most dangerous first; of created and deleted objects, by kind. Empty when unchanged."""

    renamed_from: ResourceId | None = None
    """The identity before, when the object is taken for the same one under another name: the old one is deleted."""

    shown_before: Body | None = None
    """Masked; None when created or unchanged, and when configured unless the comparison was asked for it."""

    shown_after: Body | None = None
    """Masked; None when deleted or unchanged, and when configured unless the comparison was asked for it."""

    unit: Unit | None = None
    """The unit that deploys it now, or did when deleted; None for a file that belongs to no rendered unit."""

    unit_before: Unit | None = None
    """The unit that deployed it before, when that is another one."""

    @property
    def moved_from(self) -> str:
        """Return the path of the file that it was written in before; empty when that is the same one."""
        if self.before is None or self.after is None or self.before.origin.path == self.after.origin.path:
            return ""
        return self.before.origin.path

    @property
    def path(self) -> str:
        """Return the path of the file that it is written in now, or was when deleted."""
        resource = self.after or self.before
        return resource.origin.path if resource else ""

    @property
    def line(self) -> int:
        """Return the 1-based line on which it starts there; 0 when unknown."""
        resource = self.after or self.before
        return resource.origin.line if resource else 0

    @property
    def sort_key(self) -> tuple[str, str, str, str, str, str, int]:
        """Return what changes are ordered by in every output."""
        one = self.id
        return (one.namespace, one.kind, one.name, one.group, one.version, self.path, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """What a comparison ends with: all that the formats see."""

    changes: tuple[Change, ...]
    """Sorted; with the unchanged ones that were compared."""

    before: str = ""
    """What was compared: `commit 1a2b3c4`."""

    after: str = ""
    """With what: `work tree`."""

    identical_files: int = 0
    """Files that are the same bytes under the same path on both sides; their objects were not compared one by one."""

    identical_units: int = 0
    """Units that read the same bytes on both sides in the same way; they were not rendered."""

    skipped: tuple[Skipped, ...] = ()
    """Files that differ but hold no manifests to compare: a kustomization, a chart's template, a submodule."""

    unrendered: tuple[CheckError, ...] = ()
    """Why units that differ, or parts of them, were not compared: a tool is missing, or what they need is elsewhere."""

    errors: tuple[CheckError, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader must know about the comparison's limits, in our own words."""

    @property
    def effective(self) -> tuple[Change, ...]:
        """Return the changes that change something."""
        return tuple(change for change in self.changes if change.action is not Action.UNCHANGED)

    @property
    def counts(self) -> dict[Action, int]:
        """Count the changes by action; every action is there."""
        counted = Counter(change.action for change in self.changes)
        return {action: counted[action] for action in Action}

    @property
    def folded(self) -> dict[FoldReason, int]:
        """Count what was folded, by reason, in the order of the reasons; only those that occur."""
        counted = Counter(fold.reason for change in self.changes for fold in change.folded)
        return {reason: counted[reason] for reason in FoldReason if counted[reason]}

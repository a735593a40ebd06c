"""What one run is asked for: all that comes from the command line, the configuration and Git."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.conflicts import ConflictRule
from gitops_guard.sync.guard import Caps
from gitops_guard.sync.health import Check, Policy
from gitops_guard.sync.ignoring import IgnoreRule
from gitops_guard.sync.settling import Wanted
from gitops_guard.sync.waiting import Standing
from gitops_guard.sync.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Git wants at one revision."""

    revision: str
    """Full commit id; empty for a directory without Git."""

    wanted: tuple[Wanted, ...] = field(repr=False)
    author: str = ""
    """Who committed it."""

    broken: tuple[str, ...] = ()
    """What could not be rendered or read."""

    unit_order: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of a unit, those that come before it."""

    suspended_units: tuple[str, ...] = ()
    """Units that are to be left as they are: their objects are in `wanted`, and are not touched."""

    notes: tuple[str, ...] = ()
    """What must be known of where it comes from: who signed it, how old it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What Git knows of other revisions; for a directory without Git, nothing."""

    follows: Callable[[str], bool | None] = lambda _older: None
    """Whether the revision comes after another one; None when that cannot be told."""

    at: Callable[[str], Rendered] | None = None
    """Renders another revision. Raises a GuardError when it cannot."""

    elsewhere: Callable[[], tuple[Wanted, ...]] = lambda: ()
    """What the same revision holds beside what this set takes of it; asked only before something is pruned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Who is told what happens."""

    object_done: Callable[[Outcome], None] = lambda _outcome: None
    health: Callable[[Standing], None] = lambda _standing: None
    planned: Callable[[int], None] = lambda _objects: None
    """Told how many objects there are to write, before the first is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run."""

    name: SetName
    rendered: Rendered
    history: History = field(default_factory=History)
    default_namespace: str = "default"
    """For objects that name no namespace, and whose unit names none."""

    dry_run: bool = False
    prune: bool = False
    wait: bool = False
    adopt: bool = False
    """Take over objects of other sets, and the fields of whoever has them."""

    rollback_on_failure: bool = False
    ignore_pin: bool = False
    """Apply a revision although a rollback has put it aside."""

    pin: str = ""
    """Revision that is put aside by this run."""

    verify_all: bool = False
    foreign: bool = False
    """Report what others added below what we own."""

    unmanaged: bool = False
    """Report objects in our namespaces that are in nobody's set."""

    remediate: frozenset[str] | None = None
    """Kinds whose drift is corrected: `("Deployment.apps",)`; None: all; empty: none, it is only told."""

    caps: Caps = field(default_factory=Caps)
    approved: tuple[str, ...] = ()
    allow_rewind: bool = False
    prune_kinds: tuple[str, ...] = ()
    conflict_rules: tuple[ConflictRule, ...] = ()
    ignore_rules: tuple[IgnoreRule, ...] = ()
    checks: Mapping[tuple[str, str], Check] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    windows: tuple[Window, ...] = ()
    suspended: str = ""
    """Why nothing is written, as Git says it; empty: it is."""

    timeout_s: float = 300.0
    """For all health, after the last apply."""

    lease_s: int = 60
    """How long the lock holds when a run dies without giving it back."""

    progress: Progress = field(default_factory=Progress)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

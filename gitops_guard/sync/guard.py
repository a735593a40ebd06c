"""What must hold before anything is written or deleted; every guard works without any configuration.

A guard that trips stops what it is about (all writes, or pruning) and says what it saw and what releases it.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from gitops_guard.model.sync import GuardTrip
from gitops_guard.sync.objects import Live
from gitops_guard.sync.pruning import weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much one run may delete."""

    count: int = 50
    """Objects, each by its weight."""

    percent: int = 20
    """Of the objects that the set had."""

    free: int = 5
    """So many are never too many for `percent`: small sets lose large shares."""

    shrink_percent: int = 50
    """The set may not lose more than this share of its objects in one run, once it has `shrink_from`."""

    shrink_from: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the guards look at."""

    wanted: int
    """Objects that Git wants."""

    known: int
    """Objects that the inventory had."""

    doomed: Sequence[Live]
    """Objects that would be pruned, after the rules for each."""

    broken: Sequence[str] = ()
    """What could not be rendered or read; the set is then not known whole."""

    rewound: str = ""
    """The last applied revision, when the new one does not come after it; empty when it does, or where there is no
    history to tell."""

    adopting: bool = False
    """The inventory was rebuilt, and no healthy run has been through since."""

    interrupted: bool = False
    """The last run was cut off."""

    approved: Collection[str] = ()
    """Plan ids that somebody approved."""

    allow_rewind: bool = False
    caps: Caps = field(default_factory=Caps)


def plan_id(doomed: Iterable[Live]) -> str:
    """Return the name of what would be pruned: who approves it approves exactly these objects."""
    text = "\n".join(sorted(f"{live.key}\0{live.uid}" for live in doomed))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def trips(one: Situation) -> tuple[GuardTrip, ...]:
    """Return the guards that trip, in a fixed order; empty when all may go on."""
    found = [*_about_the_set(one), *_about_history(one)]
    if plan_id(one.doomed) not in one.approved:
        found += _about_size(one)
    return tuple(found)


def _about_the_set(one: Situation) -> list[GuardTrip]:
    found = []
    if one.broken:
        more = f" and {len(one.broken) - 1} more" if len(one.broken) > 1 else ""
        message = f"a part of the set could not be rendered, so nothing is pruned: {one.broken[0]}{more}"
        found.append(GuardTrip(name="render", message=message))
    if not one.wanted and one.known:
        message = (
            f"Git holds no object, and the set has {one.known}; check --path and the revision; to delete the whole set"
            " use kubectl"
        )
        found.append(GuardTrip(name="empty", message=message, stops="write"))
    return found


def _about_history(one: Situation) -> list[GuardTrip]:
    if not one.doomed:
        return []  # applying is always allowed
    found = []
    if one.rewound and not one.allow_rewind:
        message = (
            f"the revision does not come after {one.rewound[:12]}, which was applied before; it is applied, and"
            " nothing is pruned without --allow-rewind"
        )
        found.append(GuardTrip(name="ancestor", message=message))
    if one.adopting:
        message = "the inventory was rebuilt; nothing is pruned until one run has gone through healthy"
        found.append(GuardTrip(name="adoption", message=message))
    return found


def _about_size(one: Situation) -> list[GuardTrip]:
    caps, heavy = one.caps, sum(weight(live) for live in one.doomed)
    if not one.doomed:
        return []
    release = f"approve exactly these objects with --approve-prune {plan_id(one.doomed)}"
    lost = len(one.doomed) * 100
    if one.known >= caps.shrink_from and lost > caps.shrink_percent * one.known:
        message = f"the set would lose {len(one.doomed)} of its {one.known} objects in one run; {release}"
        return [GuardTrip(name="shrink", message=message)]
    share = heavy * 100 > caps.percent * max(one.known, 1) and heavy > caps.free
    if heavy > caps.count or share:
        limit = f"more than {caps.count}" if heavy > caps.count else f"more than {caps.percent} % of {one.known}"
        message = f"{len(one.doomed)} objects (weight {heavy}) would be deleted, {limit}; {release}"
        return [GuardTrip(name="prune-cap", message=message)]
    return []

"""What a run would do, from what Git wants, what the inventory remembers and what the cluster has. Asks nobody."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitops_guard.sync.inventory import Entry, Inventory
from gitops_guard.sync.migrating import taken_over
from gitops_guard.sync.objects import Desired, Key, Live, meta_hash
from gitops_guard.sync.pruning import PruneRules, reason_to_keep

UNSERVED: Final = "its kind is not served at the moment"
VERIFY_AFTER_S: Final = 24 * 3600
"""What a webhook or a default changes without a new version is found at the latest after so long."""

_VERIFY_SHARE: Final = 20
"""At most a twentieth of the set is verified in one run, so that the requests spread."""

_GENERATION: Final = frozenset(
    (
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
        ("batch", "CronJob"),
        ("networking.k8s.io", "Ingress"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("policy", "PodDisruptionBudget"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    )
)
"""Kinds whose generation changes with every change of what Git wants; a test asks a real server about each."""


class Step(StrEnum):
    """What is to be done with an object."""

    CREATE = "create"
    UPDATE = "update"
    """Git wants something else than before, or the object is taken into the set."""

    SUSPECT = "suspect"
    """It may have drifted: a dry-run tells."""

    CLEAN = "clean"
    SKIP = "skip"
    BLOCK = "block"
    PRUNE = "prune"
    RELEASE = "release"
    """It left this set for another unit of the same repository: our label is taken off, for the other to take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object of a plan."""

    key: Key
    step: Step
    desired: Desired | None = None
    live: Live | None = None
    entry: Entry | None = None
    reason: str = ""
    is_missing: bool = False
    """It was applied before and is gone."""

    stolen_by: str = ""
    """Id of the set that has taken it over."""

    is_adopted: bool = False
    """It was there, and in no set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All objects, each once, sorted by key."""

    items: tuple[Item, ...]
    forgotten: tuple[Key, ...] = ()
    """Keys that the inventory need not remember: gone, moved to another set, or without our label."""

    def of(self, *steps: Step) -> list[Item]:
        """Return the items with one of the steps, in order."""
        return [item for item in self.items if item.step in steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of the cluster."""

    live: Mapping[Key, Live]
    """What carries our label, and what Git wants and was found without it."""

    blind: Collection[tuple[str, str]] = ()
    """Group and kind of what could not be listed: nothing of it is taken for gone."""

    unserved: Collection[tuple[str, str]] = ()
    """Group and kind that the server does not serve and no definition of the set brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What decides beside the three states."""

    prune: PruneRules
    adopt: bool = False
    """Take over objects of other sets."""

    now_s: float = 0.0
    """Seconds since 1970."""

    verify_all: bool = False
    cycles: Mapping[Key, str] = field(default_factory=dict)
    """Why an object cannot be ordered."""

    only: frozenset[tuple[str, str]] | None = None
    """Group and kind that may be written; None: all."""


def make_plan(wanted: Sequence[Desired], known: Inventory, sight: Sight, options: PlanOptions) -> Plan:
    """Decide what to do with every object that Git wants, that the inventory remembers, or that carries our label."""
    due = _due(wanted, known, options)
    items = [_wanted(one, known.entries.get(one.key), sight, options, is_due=one.key in due) for one in wanted]
    keys = {one.key for one in wanted}
    forgotten = []
    for key in sorted((known.entries.keys() | sight.live.keys()) - keys):
        item = _unwanted(key, known.entries.get(key), sight, options)
        if item is None:
            forgotten.append(key)
        else:
            items.append(item)
    return Plan(items=tuple(sorted(items, key=lambda item: item.key)), forgotten=tuple(forgotten))


def is_clean(one: Desired, live: Live, entry: Entry) -> bool:
    """Tell whether nothing can have changed since the object was last applied or verified."""
    if entry.uid != live.uid or not one.hash or entry.desired_hash != one.hash:
        return False
    if entry.resource_version and entry.resource_version == live.resource_version:
        return True
    trusted = (one.key.group, one.key.kind) in _GENERATION or is_custom(one.key.group)
    same = live.generation is not None and entry.generation == live.generation
    return trusted and same and entry.meta_hash == meta_hash(live.metadata)


def is_custom(group: str) -> bool:
    """Tell whether a group is not one of Kubernetes' own, as far as its name tells."""
    return "." in group and not group.endswith(".k8s.io")


def _due(wanted: Sequence[Desired], known: Inventory, options: PlanOptions) -> set[Key]:
    """Return what is verified although it looks clean: the longest not verified, a share of the set in one run."""
    if options.verify_all:
        return {one.key for one in wanted}
    entries = [known.entries[one.key] for one in wanted if one.key in known.entries]
    old = [entry for entry in entries if options.now_s - entry.verified_s > VERIFY_AFTER_S]
    old.sort(
        key=lambda entry: (entry.verified_s, hashlib.sha256(str(entry.key).encode("utf-8", "surrogatepass")).digest())
    )
    return {entry.key for entry in old[: max(len(wanted) // _VERIFY_SHARE, 1)]}


def _wanted(one: Desired, entry: Entry | None, sight: Sight, options: PlanOptions, *, is_due: bool) -> Item:
    live = sight.live.get(one.key)
    reason, step = _exception(one, live, sight, options)
    if step is not None:
        return Item(key=one.key, step=step, desired=one, live=live, entry=entry, reason=reason)
    if live is None:
        is_missing = entry is not None and bool(entry.uid) and not _kind(one.key) & set(sight.blind)
        return Item(key=one.key, step=Step.CREATE, desired=one, entry=entry, is_missing=is_missing)
    if live.part_of and live.part_of != options.prune.set_id and not options.adopt:
        return Item(
            key=one.key,
            step=Step.BLOCK,
            desired=one,
            live=live,
            entry=entry,
            reason=f"it belongs to the set {live.part_of}; take it out of that one, or take it over with --adopt",
            stolen_by=live.part_of if entry is not None and entry.uid == live.uid else "",
        )
    if entry is None or not entry.uid or live.part_of != options.prune.set_id:
        is_ours = entry is not None and live.part_of in ("", options.prune.set_id)
        step = Step.SUSPECT if is_ours and entry is not None and entry.desired_hash == one.hash else Step.UPDATE
        return Item(
            key=one.key, step=step, desired=one, live=live, entry=entry, is_adopted=entry is None and not live.part_of
        )
    others = _others(one, live) if options.adopt else []
    if is_clean(one, live, entry) and not is_due and not others:
        return Item(key=one.key, step=Step.CLEAN, desired=one, live=live, entry=entry)
    is_same = not one.hash or entry.desired_hash == one.hash
    if others and is_same:
        reason = f"the fields of {', '.join(others)} become ours"
        return Item(key=one.key, step=Step.UPDATE, desired=one, live=live, entry=entry, reason=reason)
    return Item(key=one.key, step=Step.SUSPECT if is_same else Step.UPDATE, desired=one, live=live, entry=entry)


def _others(one: Desired, live: Live) -> list[str]:
    """Return the other tools that deploy from Git and have fields of an object."""
    entries = taken_over(live.managed_fields, one.id.api_version, adopt=True)
    return sorted({str(entry.get("manager", "")) for entry in entries})


def _kind(key: Key) -> set[tuple[str, str]]:
    return {(key.group, key.kind)}


def _exception(one: Desired, live: Live | None, sight: Sight, options: PlanOptions) -> tuple[str, Step | None]:
    """Return why an object is not handled in the ordinary way; None for one that is."""
    said = one.instructions
    if said.problems:
        return said.problems[0], Step.BLOCK
    if one.key in options.cycles:
        return options.cycles[one.key], Step.BLOCK
    if said.ignore:
        return f"its annotation says not to touch it: {said.ignore}", Step.SKIP
    if (one.key.group, one.key.kind) in sight.unserved:
        return "the server does not serve its kind, and no definition of the set brings it", Step.BLOCK
    if options.only is not None and (one.key.group, one.key.kind) not in options.only:
        return "only other kinds are to be written", Step.SKIP
    if live is None:
        return "", None
    if live.is_terminating:
        return "it is being deleted; the next run makes it anew", Step.BLOCK
    if said.create_only:
        return f"it is there, and its annotation lets it only be created: {said.create_only}", Step.SKIP
    return "", None


def _unwanted(key: Key, entry: Entry | None, sight: Sight, options: PlanOptions) -> Item | None:
    """Decide about what Git does not want; None: nothing is there that we need to remember."""
    live = sight.live.get(key)
    if (key.group, key.kind) in sight.blind:
        reason = "its kind cannot be listed everywhere, so nothing of it is deleted"
        return Item(key=key, step=Step.BLOCK, live=live, entry=entry, reason=reason)
    if (key.group, key.kind) in sight.unserved:
        return Item(key=key, step=Step.SKIP, entry=entry, reason=UNSERVED)
    if live is None or live.part_of != options.prune.set_id:
        return None
    reason = reason_to_keep(live, entry, options.prune)
    step = Step.SKIP if reason else Step.PRUNE
    return Item(key=key, step=step, live=live, entry=entry, reason=reason)

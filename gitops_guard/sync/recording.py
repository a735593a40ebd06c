"""What a run leaves in the inventory: members as they are now, what it did, how it ended."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gitops_guard.model import Body
from gitops_guard.model.sync import Drift, SyncAction, SyncReport, SyncVerdict
from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.inventory import Entry, Inventory, Run
from gitops_guard.sync.objects import Desired, Key, meta_hash, metadata_of
from gitops_guard.sync.planning import Item, Plan, Step

FIGHT: Final = 3
"""Runs in a row after which a field that comes back changed is a fight."""


def entry_of(one: Desired, body: Body, *, now_s: float, fights: Mapping[str, int] | None = None) -> Entry:
    """Return the entry of an object as the server has it now."""
    metadata = metadata_of(body)
    generation = metadata.get("generation")
    return Entry(
        key=one.key,
        version=one.id.api_version,
        uid=str(metadata.get("uid", "")),
        resource_version=str(metadata.get("resourceVersion", "")),
        generation=generation if isinstance(generation, int) else None,
        meta_hash=meta_hash(metadata),
        desired_hash=one.hash,
        verified_s=int(now_s),
        fights=dict(fights or {}),
    )


def unproven(entry: Entry) -> Entry:
    """Return an entry that does not vouch for the object: the next run looks at it closely."""
    return replace(entry, resource_version="", generation=None, meta_hash="")


def planned_entries(plan: Plan) -> list[Entry]:
    """Return entries without a uid for what may be made: the inventory knows of it before the cluster does."""
    return [
        Entry(key=item.key, version=item.desired.id.api_version)
        for item in plan.of(Step.CREATE, Step.UPDATE, Step.SUSPECT)
        if item.desired is not None and item.entry is None
    ]


def fights_after(entry: Entry | None, drift: Iterable[Drift]) -> dict[str, int]:
    """Return how often in a row each field was changed again, by field and manager."""
    before = entry.fights if entry is not None else {}
    names = {f"{one.field} {one.manager}" for one in drift if one.manager}
    return {name: before.get(name, 0) + 1 for name in sorted(names)}


def members_after(known: Inventory, plan: Plan, outcomes: Mapping[Key, Outcome], *, now_s: float) -> dict[Key, Entry]:
    """Return the members after a run.

    An object that may exist is never forgotten: only one that is known to be gone, to belong to somebody else, or never
    to have been made.
    """
    entries = {key: entry for key, entry in known.entries.items() if key not in plan.forgotten}
    for item in plan.items:
        outcome = outcomes.get(item.key)
        entry = _entry_after(item, outcome, entries.get(item.key), now_s)
        if entry is None:
            entries.pop(item.key, None)
        else:
            entries[item.key] = entry
    return entries


def _entry_after(item: Item, outcome: Outcome | None, entry: Entry | None, now_s: float) -> Entry | None:
    if outcome is None:
        return _settled(item, entry)
    if outcome.action is SyncAction.DELETED or outcome.is_released:
        return None
    if outcome.action is SyncAction.SKIPPED and entry is not None:
        return replace(entry, fights=outcome.fights)  # not as it is now: it would look clean to the next run
    if outcome.body is not None and item.desired is not None:
        written = entry_of(item.desired, outcome.body, now_s=now_s, fights=outcome.fights)
        return unproven(written) if outcome.is_partial else written
    if outcome.is_unknown or item.entry is not None or item.live is not None:
        return _settled(item, entry)
    return None  # it was refused, and was not there before: there is nothing to remember


def _settled(item: Item, entry: Entry | None) -> Entry | None:
    """Give an entry its uid that a run which was cut off could not write down any more."""
    if entry is not None and not entry.uid and item.live is not None and item.step is not Step.BLOCK:
        return replace(entry, uid=item.live.uid)
    if entry is not None and entry.fights and item.step is Step.CLEAN:
        return replace(entry, fights={})
    return entry


def run_of(report: SyncReport, author: str, started: str) -> Run:
    """Return the line of history for a run."""
    counts = {name: number for name, number in report.counts.items() if number}
    return Run(
        revision=report.revision,
        author=author,
        started=started,
        result=str(report.verdict),
        counts=counts,
        message=_first_problem(report),
    )


def _first_problem(report: SyncReport) -> str:
    blocked = [f"{one.id}: {one.reason}" for one in report.changes if one.action is SyncAction.BLOCKED]
    guards = [f"{one.name}: {one.message}" for one in report.guards]
    return next(iter([*blocked, *guards]), "")[:300]


def is_worth_a_line(report: SyncReport, history: Sequence[Run]) -> bool:
    """Tell whether a run has something to say that the last line does not; the others would push out the rest."""
    last = history[0] if history else None
    counts = Counter(report.counts)
    did = counts["created"] + counts["configured"] + counts["deleted"]
    return bool(did) or last is None or (last.revision, last.result) != (report.revision, str(report.verdict))


def healthy(report: SyncReport) -> bool:
    """Tell whether a run left nothing to be desired."""
    return report.verdict in (SyncVerdict.SYNCED, SyncVerdict.GUARDED)

"""Suspects, looked at closely: the object and a dry-run of what Git wants, from one and the same state of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gitops_guard.cluster import ApiError, Client, ErrorClass
from gitops_guard.model import Resource
from gitops_guard.model.sync import Drift, DriftClass
from gitops_guard.sync.applying import Applier, told
from gitops_guard.sync.drifting import Pair, differs, drift_of
from gitops_guard.sync.ignoring import Ignoring, Way
from gitops_guard.sync.objects import Desired, metadata_of
from gitops_guard.sync.planning import Item

_ATTEMPTS: Final = 3
REPORTED: Final = "left as it is: only reported, by a rule of `ignore-drift`"
_UNCONFIRMED: Final = (ErrorClass.FORBIDDEN, ErrorClass.NOT_DRY_RUNNABLE, ErrorClass.UNSUPPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What looking closely at an object told."""

    item: Item
    pair: Pair | None = field(default=None, repr=False)
    """None when the object is gone, or could not be compared."""

    drift: tuple[Drift, ...] = ()
    """All that differs; what a rule wants only to be told has the message `REPORTED`."""

    is_different: bool = False
    is_only_reported: bool = False
    """Nothing of what differs is to be corrected."""

    problem: str = ""
    """Why Git's state cannot be applied, or not compared."""


class Confirmer:
    """Looks closely at objects of one run; used by many threads."""

    def __init__(self, client: Client, applier: Applier, ignoring: Ignoring, objects: Sequence[Desired]) -> None:
        self._client = client
        self._applier = applier
        self._ignoring = ignoring
        self._secrets = [Resource(id=one.id, body=one.body, origin=one.origin) for one in objects if _is_secret(one)]

    def look(self, item: Item) -> Look:
        """Compare an object with what applying it would make of it.

        Raises:
            ClusterError: The cluster could not be asked.
        """
        assert item.desired is not None
        problem = ""
        try:
            pair = self._pair(item.desired)
        except ApiError as error:
            if error.error_class is not ErrorClass.CONFLICT:
                return self._unconfirmed(item, error)
            problem = told(error)
            pair = self._pair(item.desired, force=True)  # only to tell what the other manager wrote
        if pair is None:
            return Look(item=item, is_different=True)
        if not differs(pair):
            return Look(item=item, pair=pair)
        drift = self._drift_of(pair)
        if not drift or problem or not self._ignoring.reports(item.desired.key, item.desired.body):
            return Look(item=item, pair=pair, drift=drift, is_different=bool(drift), problem=problem)
        kept = self._applier.dry_run(item.desired, pair.live, ways=(Way.ADOPT, Way.REPORT)).body
        rest = {one.field for one in self._drift_of(replace(pair, applied=kept))}
        marked = tuple(one if one.field in rest else replace(one, message=REPORTED) for one in drift)
        return Look(item=item, pair=pair, drift=marked, is_different=True, is_only_reported=not rest)

    def _drift_of(self, pair: Pair) -> tuple[Drift, ...]:
        return tuple(drift_of([pair], self._ignoring, secrets=self._secrets)) if differs(pair) else ()

    def _pair(self, one: Desired, *, force: bool = False) -> Pair | None:
        """Return the object and its dry-run, whose version proves that both saw the same."""
        pair = None
        for _ in range(_ATTEMPTS):
            live = self._client.find(one.id)
            if live is None:
                return None
            applied = self._applier.dry_run(one, live, force=force).body
            pair = Pair(desired=one, live=live, applied=applied)
            if metadata_of(live).get("resourceVersion") == metadata_of(applied).get("resourceVersion"):
                return pair
        return pair

    def _unconfirmed(self, item: Item, error: ApiError) -> Look:
        assert item.desired is not None
        if error.error_class in _UNCONFIRMED:
            message = f"unconfirmed, it may have changed: {told(error)}"
            drift = Drift(id=item.desired.id, drift_class=DriftClass.CHANGED, message=message)
            return Look(item=item, drift=(drift,), is_different=True, problem=message)
        problem = told(error)
        entry = item.entry
        if entry is None or entry.desired_hash != item.desired.hash:
            return Look(item=item, is_different=True, problem=problem)
        # the server took the very same object before, so somebody has changed what it must fit together with
        message = f"it has changed so that what was applied does not fit any more: {problem}"
        drift = Drift(id=item.desired.id, drift_class=DriftClass.CHANGED, message=message)
        return Look(item=item, drift=(drift,), is_different=True, problem=problem)


def _is_secret(one: Desired) -> bool:
    return one.key.kind == "Secret"

"""Suspects, looked at closely: the object and a dry-run of what Git wants, from one and the same state of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gitops_guard.cluster import ApiError, Client, ErrorClass
from gitops_guard.model import FieldChange, Json, Resource
from gitops_guard.model.sync import Drift, DriftClass
from gitops_guard.sync.applying import Applier, told
from gitops_guard.sync.drifting import Pair, changes_of, differs, drift_of
from gitops_guard.sync.ignoring import Ignoring, Way
from gitops_guard.sync.objects import PART_OF, Desired, metadata_of, strings_of
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

    fields: tuple[FieldChange, ...] = ()
    """What applying would change, whoever wrote what is there; masked."""

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
        if item.entry is None:
            return self._taken_in(item, pair, problem)
        changes = changes_of([pair], secrets=self._secrets)
        fields = tuple(field for change in changes for field in change.fields)
        drift = tuple(drift_of(changes, [pair], self._ignoring))
        if not drift or problem or not self._ignoring.reports(item.desired.key, item.desired.body):
            return Look(item=item, pair=pair, drift=drift, fields=fields, is_different=bool(drift), problem=problem)
        kept = self._applier.dry_run(item.desired, pair.live, ways=(Way.ADOPT, Way.REPORT)).body
        rest = {one.field for one in self._drift_of(replace(pair, applied=kept))}
        marked = tuple(one if one.field in rest else replace(one, message=REPORTED) for one in drift)
        return Look(item=item, pair=pair, drift=marked, fields=fields, is_different=True, is_only_reported=not rest)

    def _taken_in(self, item: Item, pair: Pair, problem: str) -> Look:
        """Look at an object that was no member of the set: that it becomes one is no change worth a line."""
        wanted = strings_of(metadata_of(pair.applied).get("labels")).get(PART_OF, "")
        metadata = metadata_of(pair.live)
        labels: dict[str, Json] = {**strings_of(metadata.get("labels")), PART_OF: wanted}
        member = replace(pair, live={**pair.live, "metadata": {**metadata, "labels": labels}})
        changes = changes_of([member], secrets=self._secrets)
        fields = tuple(field for change in changes for field in change.fields)
        return Look(item=item, pair=pair, fields=fields, is_different=True, problem=problem)

    def _drift_of(self, pair: Pair) -> tuple[Drift, ...]:
        if not differs(pair):
            return ()
        return tuple(drift_of(changes_of([pair], secrets=self._secrets), [pair], self._ignoring))

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

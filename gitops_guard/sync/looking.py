"""A run that only looks: drift, and what a sync would do; it writes nothing, not even a lock."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gitops_guard.cluster import ApiError, Client, in_parallel
from gitops_guard.model import Resource, ResourceId
from gitops_guard.model.field_managers import OURS
from gitops_guard.model.sync import Drift, GuardTrip, SyncAction, SyncReport, SyncVerdict
from gitops_guard.sync.applying import Applier, ApplyOptions, Outcome, told
from gitops_guard.sync.confirming import Confirmer, Look
from gitops_guard.sync.drifting import foreign_of, has_additions
from gitops_guard.sync.objects import Key
from gitops_guard.sync.planning import Item, Step
from gitops_guard.sync.preparing import Prepared, prepare
from gitops_guard.sync.reporting import Facts, report_of
from gitops_guard.sync.request import Request
from gitops_guard.sync.settling import planned_namespaces
from gitops_guard.sync.store import Store
from gitops_guard.sync.unmanaged import unmanaged

_GIT_CHANGED = "Git wants it otherwise than what was applied before"


def look(client: Client, request: Request, *, resting: GuardTrip | None = None) -> SyncReport:
    """Report what differs between Git and the cluster.

    Args:
        client: Of the cluster.
        request: What is asked for; its `dry_run` decides the words only.
        resting: Why a run that was to write only looks.

    Raises:
        SyncError: What Git wants cannot be a set, or the set's parent is not ours or is damaged.
        ClusterError: The cluster could not be asked.
    """
    reading = replace(request, dry_run=True)
    store = Store(client, request.name)
    prepared = prepare(client, reading, store, store.read())
    facts = Facts(request=request, prepared=prepared, read_only=True)
    looks = _Looks(client, request, prepared)
    facts.outcomes, facts.drift = looks.outcomes(), looks.drift
    if request.foreign:
        changed: dict[ResourceId, list[str]] = {}
        for one in facts.drift:
            changed.setdefault(one.id, []).append(one.field)
        facts.drift += [one for one in _foreign(client, prepared) if not _is_told(one.field, changed.get(one.id, ()))]
    if request.unmanaged:
        facts.drift += unmanaged(client, prepared, request.name)
    report = report_of(facts, client)
    if resting is None:
        return report
    verdict = SyncVerdict.DRIFTED if report.drift else SyncVerdict.SUSPENDED
    return replace(report, guards=(*report.guards, resting), verdict=verdict)


class _Looks:
    """What looking closely at everything that is not clean told."""

    def __init__(self, client: Client, request: Request, prepared: Prepared) -> None:
        self._client = client
        self._request = request
        self._prepared = prepared
        options = ApplyOptions(conflict_rules=request.conflict_rules, adopt=request.adopt)
        self._spaces = planned_namespaces(prepared.objects)
        applier = Applier(client, prepared.ignoring, options, stopped=threading.Event())
        self._applier = applier
        self._confirmer = Confirmer(client, applier, prepared.ignoring, list(prepared.objects.values()))
        self.drift: list[Drift] = []

    def outcomes(self) -> dict[Key, Outcome]:
        """Look at all objects that are to be written, or deleted."""
        plan = self._prepared.plan
        found = in_parallel(self._create, plan.of(Step.CREATE))
        for seen in in_parallel(self._confirmer.look, plan.of(Step.SUSPECT, Step.UPDATE)):
            found.append(self._seen(seen))
        if self._request.prune and self._prepared.may_prune:
            reason = "Git does not hold it any more"
            doomed = plan.of(Step.PRUNE)
            found += [Outcome(item=item, action=SyncAction.DELETED, reason=reason) for item in doomed]
        return {one.item.key: one for one in found}

    def _create(self, item: Item) -> Outcome:
        """Let the server judge an object that is to be made, unless what it needs is only made in the same run."""
        assert item.desired is not None
        reason = "it was gone" if item.is_missing else ""
        if self._is_deferred(item) or not self._request.dry_run:
            return Outcome(item=item, action=SyncAction.CREATED, reason=reason)
        try:
            self._applier.dry_run(item.desired, None)
        except ApiError as error:
            return Outcome(item=item, action=SyncAction.BLOCKED, reason=told(error), is_failed=True)
        return Outcome(item=item, action=SyncAction.CREATED, reason=reason)

    def _is_deferred(self, item: Item) -> bool:
        space = Key("", "Namespace", "", item.key.namespace)
        new_space = item.key.namespace in self._spaces and space not in self._prepared.sight.live
        return new_space or (item.key.group, item.key.kind) in self._prepared.planned_kinds

    def _seen(self, seen: Look) -> Outcome:
        item = seen.item
        if not seen.is_different:
            return Outcome(item=item, action=SyncAction.UNCHANGED)
        if item.step is Step.SUSPECT:
            self.drift += seen.drift
        if seen.problem and (self._request.dry_run or not seen.drift):
            return Outcome(item=item, action=SyncAction.BLOCKED, reason=seen.problem, is_failed=True)
        if item.step is Step.SUSPECT:
            return Outcome(item=item, action=SyncAction.CONFIGURED, reason="it has drifted")
        self.drift += [one for one in seen.drift if item.entry is not None and _is_somebodys(one)]
        reason = "it would be taken into the set" if item.entry is None else item.reason or _GIT_CHANGED
        return Outcome(item=item, action=SyncAction.CONFIGURED, reason=reason, fields=seen.fields)


def _is_told(field: str, changed: Iterable[str]) -> bool:
    """Tell whether a field is told as changed: who changes a field of ours owns it then, which alone is no addition."""
    return any(one == field or (one.startswith(field) and one[len(field)] in ".[") for one in changed)


def _is_somebodys(one: Drift) -> bool:
    """Tell whether somebody else wrote what is there: of a field that Git changed, we did."""
    return one.manager not in ("", OURS)


def _foreign(client: Client, prepared: Prepared) -> list[Drift]:
    """Return what others added below what we own; only objects that have such a thing are read."""
    from gitops_guard.diff.secrets import Mask

    items = [item for item in prepared.plan.items if item.desired is not None and item.live is not None]
    touched = [item for item in items if item.live is not None and has_additions(item.live.managed_fields)]
    secrets = [one for one in prepared.objects.values() if one.key.kind == "Secret"]
    mask = Mask([Resource(id=one.id, body=one.body, origin=one.origin) for one in secrets])

    def read(item: Item) -> Iterator[Drift]:
        assert item.desired is not None
        body = client.find(item.desired.id)
        return iter(foreign_of(item.desired, body, prepared.ignoring, mask) if body is not None else ())

    return [one for found in in_parallel(lambda item: list(read(item)), touched) for one in found]

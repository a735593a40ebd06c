"""A run, step by step: lock, plan, guard, remember what may be made, apply, wait, prune, remember what is, report.

Whatever goes wrong on the way, nothing is pruned after it and nothing is forgotten: what was written before the first
write covers all that the run may have made.
"""

import threading
from dataclasses import replace
from typing import Final

from gitops_guard.cluster import Client, LeaseHeldError
from gitops_guard.errors import ClusterError
from gitops_guard.model.sync import (
    Drift,
    GuardTrip,
    HealthStatus,
    ObjectHealth,
    SyncAction,
    SyncReport,
    SyncVerdict,
)
from gitops_guard.sync.applying import Applier, ApplyOptions, Outcome
from gitops_guard.sync.confirming import REPORTED, Confirmer, Look
from gitops_guard.sync.deleting import DeleteOptions, Deleter
from gitops_guard.sync.executing import Execution, Tools
from gitops_guard.sync.health import Verdict
from gitops_guard.sync.health.verdict import current
from gitops_guard.sync.hook_running import HookRunner, item_of
from gitops_guard.sync.hooks import Hook, remembered
from gitops_guard.sync.inventory import Inventory, superset
from gitops_guard.sync.locking import Stop, locked, run_id
from gitops_guard.sync.looking import look
from gitops_guard.sync.objects import Desired, Key
from gitops_guard.sync.planning import UNSERVED, Item, Step
from gitops_guard.sync.preparing import Prepared, prepare
from gitops_guard.sync.pruning import PruneRules
from gitops_guard.sync.recording import FIGHT, fights_after, is_worth_a_line, members_after, planned_entries, run_of
from gitops_guard.sync.reporting import Facts, report_of
from gitops_guard.sync.request import Request
from gitops_guard.sync.settling import planned_namespaces
from gitops_guard.sync.store import FencedError, Store, Stored
from gitops_guard.sync.suspending import reason_to_rest
from gitops_guard.sync.vanished import Vanishing
from gitops_guard.sync.waiting import Health, HealthOptions

_BREAKER_FROM: Final = 20
"""So many objects are tried before the share of lost requests is judged."""

_BREAKER_SHARE: Final = 5
"""One in so many: when more get no answer, the cluster is not available."""

_ONLY_TOLD: Final = "its drift is only reported"
_WELL: Final = (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL)


def sync(client: Client, request: Request, stop: Stop | None = None) -> SyncReport:
    """Make the cluster what Git says.

    Args:
        client: Of the cluster.
        request: What is asked for.
        stop: Ends the run early: what has begun is finished, nothing new begins.

    Raises:
        SyncError: What Git wants cannot be a set, or the set's parent is not ours or is damaged.
        ClusterError: The cluster could not be asked before anything was written.
    """
    if request.dry_run:
        return look(client, request)
    stop = Stop() if stop is None else stop
    holder = run_id()
    try:
        with locked(client, request.name, holder, stop, duration_s=request.lease_s):
            return _with_rollback(client, request, stop, holder)
    except LeaseHeldError as error:
        facts = Facts(request=request, verdict=SyncVerdict.LOCKED, notes=[str(error)])
        return report_of(facts, client)


def _with_rollback(client: Client, request: Request, stop: Stop, holder: str) -> SyncReport:
    store = Store(client, request.name)
    stored = store.read()
    if reason := reason_to_rest(request, stored.suspend):
        return look(client, request, resting=reason)
    request, notes = _unless_pinned(request, stored.inventory)
    run = _Run(client, request, store, stop, holder)
    report = run.go(stored)
    report = replace(report, notes=(*notes, *report.notes))
    wants_back = report.verdict in (SyncVerdict.FAILED, SyncVerdict.UNHEALTHY) and not stop
    if request.rollback_on_failure and wants_back:
        return _roll_back(client, request, store, stop, holder, report)
    return report


def _unless_pinned(request: Request, inventory: Inventory) -> tuple[Request, tuple[str, ...]]:
    """Go on with the last healthy revision as long as Git has nothing newer than what was put aside."""
    revision = request.rendered.revision
    if request.ignore_pin or not revision or inventory.pinned != revision or request.history.at is None:
        return request, ()
    older = request.history.at(inventory.healthy_revision)
    note = f"revision {revision[:12]} was put aside by a rollback; {older.revision[:12]} is applied until a new commit"
    return replace(request, rendered=older, pin=revision, allow_rewind=True), (note,)


def _roll_back(
    client: Client, request: Request, store: Store, stop: Stop, holder: str, failed: SyncReport
) -> SyncReport:
    stored = store.read()
    healthy, bad = stored.inventory.healthy_revision, request.rendered.revision
    if not healthy or healthy == bad or request.history.at is None:
        note = "there is no other healthy revision to roll back to"
        return replace(failed, notes=(*failed.notes, note))
    older = replace(request, rendered=request.history.at(healthy), pin=bad, allow_rewind=True)
    back = _Run(client, older, store, stop, holder).go(stored)
    first = next((one.reason for one in failed.changes if one.action is SyncAction.BLOCKED), "")
    sick = next((f"{one.id}: {one.message}" for one in failed.health if one.status not in _WELL), "")
    note = (
        f"revision {bad[:12]} failed ({first or sick}); rolled back to {healthy[:12]}, which stays until a new commit"
    )
    is_back = back.verdict in (SyncVerdict.SYNCED, SyncVerdict.GUARDED)
    return replace(back, verdict=SyncVerdict.ROLLED_BACK if is_back else back.verdict, notes=(note, *back.notes))


class _Run:
    """One run that writes."""

    def __init__(self, client: Client, request: Request, store: Store, stop: Stop, holder: str) -> None:
        self._client = client
        self._request = request
        self._store = store
        self._stop = stop
        self._holder = holder
        self._started = request.now()
        self._lock = threading.Lock()
        self._drift: list[Drift] = []
        self._lost = 0
        self._tried = 0
        self._fatal: ClusterError | FencedError | None = None

    def go(self, stored: Stored) -> SyncReport:
        """Run, and report."""
        prepared = prepare(self._client, self._request, self._store, stored)
        facts = Facts(request=self._request, prepared=prepared)
        if not prepared.may_write:
            return self._finish(stored, facts)
        try:
            vanishing = Vanishing(self._client, [one for one in prepared.plan.of(Step.SKIP) if one.reason == UNSERVED])
            stored = self._remember_plan(stored, prepared)
            self._execute(prepared, facts)
            facts.health = self._health(prepared, facts)
            self._prune(prepared, facts)
            self._forget(vanishing, facts)
        except (ClusterError, FencedError) as error:
            self._fatal = error
            facts.notes.append(str(error))
        return self._finish(stored, facts)

    def _remember_plan(self, stored: Stored, prepared: Prepared) -> Stored:
        """Write down what may be made, before any of it is."""
        planned = planned_entries(prepared.plan)
        if not planned:
            return stored
        inventory = superset(replace(stored.inventory, run_id=self._holder), planned)
        return self._store.write(stored, inventory, inventory.entries)

    def _execute(self, prepared: Prepared, facts: Facts) -> None:
        applier = Applier(
            self._client,
            prepared.ignoring,
            ApplyOptions(conflict_rules=self._request.conflict_rules, adopt=self._request.adopt),
            stopped=self._stop.event,
            planned_kinds=prepared.planned_kinds,
            planned_namespaces=frozenset(planned_namespaces(prepared.objects)),
        )
        confirmer = Confirmer(self._client, applier, prepared.ignoring, list(prepared.objects.values()))
        health = Health(self._client, self._request.name.id, self._health_options())

        hooks = {one.desired.key: one for one in prepared.due_hooks}
        runner = HookRunner(
            client=self._client, applier=applier, stopped=self._stop.event, within_s=self._request.timeout_s
        )

        def handle(item: Item) -> Outcome:
            if item.key in hooks and not self._stop:
                return runner.run(hooks[item.key], item)
            return self._handle(item, applier, confirmer)

        def health_of(item: Item) -> Verdict:
            assert item.desired is not None
            # a hook that is through has come to a good end
            return current() if item.key in hooks else health.of(item.desired)

        execution = Execution(
            prepared.graph,
            {item.key: item for item in (*prepared.plan.items, *map(item_of, prepared.due_hooks))},
            Tools(
                apply=handle,
                health=health_of,
                capacity=lambda: self._client.limiter.limit,
                told=self._told,
            ),
            stopped=self._stop.event,
            healthy_within_s=self._request.timeout_s,
        )
        work = prepared.plan.of(Step.CREATE, Step.UPDATE, Step.SUSPECT)
        self._request.progress.planned(len(work) + len(prepared.due_hooks))
        facts.outcomes = execution.outcomes  # also what was done before it ended early
        execution.run()

    def _handle(self, item: Item, applier: Applier, confirmer: Confirmer) -> Outcome:
        """Apply an object; a suspect only after a look at it, so that its drift is told before it is gone."""
        if self._stop:
            reason = "the run was told to end before it was its turn"
            return Outcome(item=item, action=SyncAction.SKIPPED, reason=reason)
        if item.step is Step.SUSPECT:
            return self._suspect(confirmer.look(item), applier)
        if item.is_missing and not self._is_corrected(item.key):
            return Outcome(item=item, action=SyncAction.SKIPPED, reason=_ONLY_TOLD)
        return applier.apply(item)

    def _suspect(self, seen: Look, applier: Applier) -> Outcome:
        """Correct an object that was looked at, if it differs and nothing speaks against it."""
        item, body = seen.item, seen.pair.live if seen.pair is not None else None
        if not seen.is_different and body is not None:
            return Outcome(item=item, action=SyncAction.UNCHANGED, body=body)
        fights, reason = fights_after(item.entry, [one for one in seen.drift if one.message != REPORTED]), ""
        if fought := next((name for name, number in fights.items() if number >= FIGHT), ""):
            reason = _fought(fought)
        elif seen.is_only_reported or not self._is_corrected(item.key):
            reason, fights = _ONLY_TOLD, dict(item.entry.fights) if item.entry is not None else {}
        if reason:
            self._tell_drift(seen, is_corrected=False)
            return Outcome(item=item, action=SyncAction.SKIPPED, reason=reason, body=body, fights=fights)
        outcome = applier.apply(item)
        self._tell_drift(seen, is_corrected=not outcome.is_failed)
        return _corrected(outcome, seen, fights)

    def _tell_drift(self, seen: Look, *, is_corrected: bool) -> None:
        word = "corrected" if is_corrected else "left as it is"
        found = [
            replace(one, message=one.message or word, is_corrected=is_corrected and one.message != REPORTED)
            for one in seen.drift
        ]
        with self._lock:
            self._drift += found

    def _is_corrected(self, key: Key) -> bool:
        """Tell whether drift of an object is corrected or only told."""
        wanted = self._request.remediate
        return wanted is None or key.kind in wanted or key.group_kind in wanted

    def _told(self, outcome: Outcome) -> None:
        self._request.progress.object_done(outcome)
        self._tried += 1
        self._lost += outcome.is_unknown
        if self._tried >= _BREAKER_FROM and self._lost * _BREAKER_SHARE > self._tried:
            self._stop.now("the cluster does not answer: more than a fifth of the requests were lost")

    def _health_options(self) -> HealthOptions:
        request = self._request
        return HealthOptions(
            checks=request.checks,
            policy=request.policy,
            within_s=request.timeout_s,
            told=request.progress.health,
            now=request.now,
        )

    def _health(self, prepared: Prepared, facts: Facts) -> tuple[ObjectHealth, ...]:
        """Look at the health of the set when it matters: when asked to, when something changed, before pruning."""
        did = any(one.action is not SyncAction.UNCHANGED for one in facts.outcomes.values())
        prunes = self._request.prune and bool(prepared.plan.of(Step.PRUNE, Step.RELEASE))
        if self._stop or not (self._request.wait or did or prunes or prepared.stored.inventory.adopting):
            return ()
        objects = _applied(prepared, facts)
        health = Health(self._client, self._request.name.id, self._health_options())
        return health.wait(objects, stopped=self._stop.event) if self._request.wait else health.look(objects)

    def _prune(self, prepared: Prepared, facts: Facts) -> None:
        doomed, moving = prepared.plan.of(Step.PRUNE), prepared.plan.of(Step.RELEASE)
        if not self._request.prune or not (doomed or moving) or self._stop or not prepared.may_prune:
            return
        if problem := _not_well(facts):
            message = f"{len(doomed) + len(moving)} objects that left the set are not touched: {problem}"
            facts.guards.append(GuardTrip(name="health", message=message))
            return
        rules = PruneRules(set_id=self._request.name.id, allowed_kinds=self._request.prune_kinds)
        deleter = Deleter(self._client, DeleteOptions(rules=rules), self._stop.event)
        try:
            deleter.release(moving)
            deleter.prune(doomed)
        finally:
            for outcome in deleter.outcomes:
                facts.outcomes[outcome.item.key] = outcome
                self._request.progress.object_done(outcome)

    def _forget(self, vanishing: Vanishing, facts: Facts) -> None:
        """Let go of members whose kind is gone for good."""
        reason = "its kind is gone for good, and the object with it: forgotten"
        for item in vanishing.gone(self._stop.event):
            facts.outcomes[item.key] = Outcome(item=item, action=SyncAction.SKIPPED, reason=reason, is_released=True)

    def _finish(self, stored: Stored, facts: Facts) -> SyncReport:
        """Write down what is, unless the lock is not ours any more, and report."""
        facts.drift = self._drift
        facts.stopped = self._stop.reason
        facts.fatal = self._fatal
        report = report_of(facts, self._client)
        if facts.prepared is None or isinstance(self._fatal, FencedError) or not facts.prepared.may_write:
            return report
        try:
            self._record(stored, facts.prepared, facts, report)
        except (ClusterError, FencedError) as error:
            note = f"the inventory could not be written, the one from before the run holds: {error}"
            verdict = report.verdict if report.verdict is not SyncVerdict.SYNCED else SyncVerdict.FAILED
            return replace(report, notes=(*report.notes, note), verdict=verdict)
        return replace(report, requests=sum(self._client.counts.values()))

    def _record(self, stored: Stored, prepared: Prepared, facts: Facts, report: SyncReport) -> None:
        known, now_s = stored.inventory, self._request.now().timestamp()
        inventory = replace(
            known,
            entries=members_after(known, prepared.plan, facts.outcomes, now_s=now_s),
            phase="" if not facts.stopped and self._fatal is None else "apply",
            hooks=self._hooks(known, prepared, facts),
        )
        revision = self._request.rendered.revision
        if report.verdict in (SyncVerdict.SYNCED, SyncVerdict.GUARDED, SyncVerdict.DRIFTED):
            is_well = not _not_well(facts)
            inventory = replace(inventory, revision=revision, adopting=known.adopting and not is_well)
            if is_well and revision and (facts.health or known.healthy_revision == revision):
                inventory = replace(inventory, healthy_revision=revision)
        inventory = replace(inventory, pinned=self._pinned(known))
        if is_worth_a_line(report, known.history):
            started = self._started.strftime("%Y-%m-%dT%H:%M:%SZ")
            inventory = inventory.with_run(run_of(report, self._request.rendered.author, started))
        if inventory != known or not stored.exists:
            self._store.write(stored, inventory, inventory.entries)

    def _hooks(self, known: Inventory, prepared: Prepared, facts: Facts) -> dict[str, str]:
        after = remembered(known.hooks, prepared.hooks, prepared.due_hooks, _succeeded(prepared, facts))
        # what cannot be rendered today has its hooks again tomorrow
        return {**known.hooks, **after} if self._request.rendered.broken else after

    def _pinned(self, known: Inventory) -> str:
        if self._request.pin:
            return self._request.pin
        return known.pinned if known.pinned == self._request.rendered.revision and not self._request.ignore_pin else ""


def _fought(name: str) -> str:
    field, _, manager = name.rpartition(" ")
    return (
        f"{manager} has changed {field} again in {FIGHT} runs; leave it to {manager} with a rule in"
        " `sync: ignore-drift:`, or stop what writes it"
    )


def _corrected(outcome: Outcome, seen: Look, fights: dict[str, int]) -> Outcome:
    reason = outcome.reason
    if not outcome.is_failed and seen.drift:
        fields = ", ".join(dict.fromkeys(one.field for one in seen.drift if one.field and one.message != REPORTED))
        reason = f"drift corrected: {fields}" if fields else "drift corrected"
    return replace(outcome, fights=fights, reason=reason)


def _succeeded(prepared: Prepared, facts: Facts) -> list[Hook]:
    outcomes = {one.desired.key: facts.outcomes.get(one.desired.key) for one in prepared.due_hooks}
    return [
        one
        for one in prepared.due_hooks
        if (out := outcomes[one.desired.key]) is not None and not out.is_failed and out.body is not None
    ]


def _applied(prepared: Prepared, facts: Facts) -> list[Desired]:
    """Return the objects whose health counts: all that are as Git wants them."""
    left_out = {key for key, one in facts.outcomes.items() if one.action in (SyncAction.BLOCKED, SyncAction.SKIPPED)}
    steps = (Step.CLEAN, Step.CREATE, Step.UPDATE, Step.SUSPECT)
    items = [item for item in prepared.plan.of(*steps) if item.key not in left_out]
    return [item.desired for item in items if item.desired is not None]


def _is_undone(one: Outcome) -> bool:
    return one.action is SyncAction.SKIPPED and not one.body and not one.is_released


def _not_well(facts: Facts) -> str:
    """Return why nothing may be deleted; empty when all was applied and is well."""
    wrong = next((out for out in facts.prepared.left_out if out.is_wrong), None) if facts.prepared else None
    if wrong is not None:
        return f"{wrong.wanted.id} cannot be applied"
    failed = next((one for one in facts.outcomes.values() if one.is_failed), None)
    if failed is not None:
        return f"{failed.item.key} could not be applied"
    skipped = next((one for one in facts.outcomes.values() if _is_undone(one)), None)
    if skipped is not None:
        return f"{skipped.item.key} was not applied: {skipped.reason}"
    sick = next((one for one in facts.health if one.status not in _WELL), None)
    if sick is not None:
        return f"{sick.id} is not healthy ({sick.status}: {sick.message or sick.reason}); --wait waits for it"
    return ""

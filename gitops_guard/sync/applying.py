"""One object into the cluster: migrate, apply, settle conflicts, tell immutable from invalid."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster import (
    ApiError,
    Cause,
    Client,
    ErrorClass,
    Propagation,
    UnreachableError,
    Written,
)
from gitops_guard.model import Body, FieldChange
from gitops_guard.model.field_managers import OURS
from gitops_guard.model.sync import SyncAction
from gitops_guard.sync.conflicts import Conflict, ConflictRule, Settlement, conflict, resolve, without
from gitops_guard.sync.ignoring import Ignoring, Way
from gitops_guard.sync.migrating import after_migration, migrate, migrated
from gitops_guard.sync.objects import PART_OF, Desired, Live, metadata_of
from gitops_guard.sync.planning import Item
from gitops_guard.sync.references import defined_kind

_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_FIRST_WAIT_S: Final = 0.01
_LONGEST_WAIT_S: Final = 0.5
_NEVER_RECREATED: Final = frozenset(("PersistentVolumeClaim", "PersistentVolume", "Namespace", "StatefulSet"))
"""Deleting these takes data or other objects with them, whatever an annotation says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """How objects are applied."""

    conflict_rules: Sequence[ConflictRule] = ()
    adopt: bool = False
    """Take over objects of other sets, and the fields of whoever has them."""

    served_within_s: float = 30.0
    """How long is waited for a kind that a definition of this set brings, or for its namespace."""

    absent_within_s: float = 60.0
    """How long is waited for an object that is made anew to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one object."""

    item: Item
    action: SyncAction
    reason: str = ""
    body: Body | None = field(default=None, repr=False)
    """The object as the server has it now; None when it is not known."""

    fields: tuple[FieldChange, ...] = ()
    """What of it would change, where only that was asked; masked."""

    fights: Mapping[str, int] = field(default_factory=dict)
    """Runs in a row in which a field was changed again, by field and manager."""

    is_released: bool = False
    """It is not a member of the set any more, and was not deleted by us."""

    is_partial: bool = False
    """A field of it was left otherwise than Git wants it, which later runs are to tell too."""

    is_held: bool = False
    """It was not its turn: what it waits for failed, or did not become healthy."""

    is_failed: bool = False
    is_unknown: bool = False
    """No answer came: whether the server acted is not known."""


class Applier:
    """Applies objects of one run; used by many threads."""

    def __init__(
        self,
        client: Client,
        ignoring: Ignoring,
        options: ApplyOptions,
        *,
        stopped: threading.Event,
        planned_kinds: frozenset[tuple[str, str]] = frozenset(),
        planned_namespaces: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._ignoring = ignoring
        self._options = options
        self._stopped = stopped
        self._planned_kinds = planned_kinds
        self._planned_namespaces = planned_namespaces

    def apply(self, item: Item) -> Outcome:
        """Apply an object, and say what became of it; only a lost cluster or a cancelled run is raised further up.

        Raises:
            AccessError: The credentials are refused.
            CancelledError: The run was called off.
        """
        assert item.desired is not None
        try:
            return self._applied(item, item.desired)
        except UnreachableError as error:
            reason = str(error)
            return Outcome(item=item, action=SyncAction.BLOCKED, reason=reason, is_failed=True, is_unknown=True)
        except ApiError as error:
            return _failed(item, told(error), is_unknown=is_unsure(error))

    def dry_run(
        self, one: Desired, live: Body | None, *, force: bool = False, ways: Sequence[Way] = (Way.ADOPT,)
    ) -> Written:
        """Return what applying an object would make of it; conflicts are settled as they would be in earnest.

        Args:
            one: The object.
            live: As it is; None when it is not there.
            force: Take all fields, whatever the rules on conflicts say.
            ways: Which of the fields that are left to others keep their values; the others are as Git wants them.

        Raises:
            ApiError: It would fail; a conflict that is not settled is a CONFLICT.
        """
        body = one.body
        if live is not None and self._ignoring:
            body = self._ignoring.adopted(one.key, body, live, ways=ways)
        if force:
            written = self._client.apply(body, manager=OURS, force=True, dry_run=True)
        else:
            written = self._sent(one, body, dry_run=True)
        if live is None or one.instructions.merges:
            return written
        return after_migration(self._client, one, live, written, adopt=self._options.adopt)

    def _applied(self, item: Item, one: Desired) -> Outcome:
        live = self._client.find(one.id) if self._needs_live(item, one) else None
        if live is not None and not one.instructions.merges:
            migrate(self._client, one, live, adopt=self._options.adopt)
        try:
            written = self._until_served(one, self._body(one, live))
        except ApiError as error:
            if error.error_class is ErrorClass.INVALID:
                return self._perhaps_recreated(item, one, error)
            raise
        if one.key[:2] == _DEFINITION:
            self._await_kinds(one)
        return Outcome(
            item=item,
            action=_action(item, written),
            reason=_reason(item),
            body=written.body,
            is_partial=live is not None and self._leaves_drift(one, live),
        )

    def _leaves_drift(self, one: Desired, live: Body) -> bool:
        """Tell whether a field whose drift is only reported stays otherwise than Git wants it."""
        return bool(self._ignoring) and self._ignoring.adopted(one.key, one.body, live, ways=(Way.REPORT,)) != one.body

    def _await_kinds(self, definition: Desired) -> None:
        """Wait until the server lists the kind that a definition brings, so that its objects can follow."""
        group, kind = defined_kind(definition.body)
        if self._client.resources().preferred(group, kind) is None:
            wait_for(
                lambda: self._client.resources(refresh=True).preferred(group, kind) is not None,
                self._options.served_within_s,
                self._stopped,
            )

    def _needs_live(self, item: Item, one: Desired) -> bool:
        """Tell whether the whole object must be read first: to take values over, or fields of client-side tools."""
        if item.live is None:
            return False
        adopts = bool(self._ignoring) and self._ignoring.adopts(one.key, one.body)
        found = migrated(item.live.managed_fields, one.id.api_version, adopt=self._options.adopt)
        return adopts or (found is not None and not one.instructions.merges)

    def _body(self, one: Desired, live: Body | None) -> Body:
        return self._ignoring.adopted(one.key, one.body, live) if live is not None and self._ignoring else one.body

    def _until_served(self, one: Desired, body: Body) -> Written:
        """Apply; wait for a kind or a namespace that this very run has made and that the server does not know yet."""
        deadline, wait_s = time.monotonic() + self._options.served_within_s, _FIRST_WAIT_S
        while True:
            try:
                return self._sent(one, body)
            except ApiError as error:
                if not self._is_deferred(one, error) or time.monotonic() > deadline or self._stopped.wait(wait_s):
                    raise
                if error.error_class is ErrorClass.NOT_SERVED:
                    self._client.resources(refresh=True)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _is_deferred(self, one: Desired, error: ApiError) -> bool:
        if error.error_class is ErrorClass.NOT_SERVED:
            return (one.key.group, one.key.kind) in self._planned_kinds
        return error.error_class is ErrorClass.NO_NAMESPACE and one.key.namespace in self._planned_namespaces

    def _sent(self, one: Desired, body: Body, *, dry_run: bool = False) -> Written:
        try:
            return self._client.apply(body, manager=OURS, dry_run=dry_run)
        except ApiError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return self._settled(one, body, error, dry_run=dry_run)
            if error.error_class is ErrorClass.UNSUPPORTED and not dry_run:
                return self._merged(one, body)
            raise

    def _settled(self, one: Desired, body: Body, error: ApiError, *, dry_run: bool) -> Written:
        """Settle the conflicts, and send the object once more."""
        found = [conflict(cause.field, cause.message) for cause in error.causes if is_conflict(cause)]
        rules = self._rules()
        resolution = resolve(one.key, found, rules)
        if resolution.refused:
            raise _refusal(error, resolution.refused)
        left = without(body, resolution.yielded) if resolution.yielded else body
        return self._client.apply(left, manager=OURS, force=resolution.force, dry_run=dry_run)

    def _rules(self) -> list[ConflictRule]:
        if self._options.adopt:
            return [ConflictRule(settlement=Settlement.TAKE)]
        membership = ConflictRule(settlement=Settlement.FAIL, field=f".metadata.labels.{PART_OF}")
        return [membership, *self._options.conflict_rules]

    def _merged(self, one: Desired, body: Body) -> Written:
        """Write an object of an API that knows no server-side apply; the version that was read must still hold."""
        live = self._client.find(one.id)
        if live is None:
            return self._client.create(body, manager=OURS)
        metadata = {**metadata_of(body), "resourceVersion": metadata_of(live).get("resourceVersion")}
        return self._client.patch(one.id, {**body, "metadata": metadata}, manager=OURS)

    def _perhaps_recreated(self, item: Item, one: Desired, error: ApiError) -> Outcome:
        """Make an object anew, if a field may not be changed, the replacement is proven valid, and it is allowed."""
        if item.live is None or not self._is_replaceable(one):
            return _failed(item, told(error))
        if not one.instructions.recreate:
            reason = f"{told(error)}; only a new object can have it: allow that with gitops-guard.io/recreate: enabled"
            return _failed(item, reason)
        if one.key.kind in _NEVER_RECREATED:
            return _failed(item, f"{told(error)}; a {one.key.kind} is never deleted for that: do it by hand")
        return self._recreated(item, one, item.live)

    def _is_replaceable(self, one: Desired) -> bool:
        """Tell whether the object would be accepted if it did not exist: the name is the only thing in its way."""
        try:
            self._client.create(one.body, manager=OURS, dry_run=True)
        except ApiError as error:
            return error.error_class is ErrorClass.ALREADY_EXISTS
        return False

    def _recreated(self, item: Item, one: Desired, live: Live) -> Outcome:
        now = self._client.find(one.id, metadata_only=True)
        metadata = metadata_of(now) if now is not None else {}
        if metadata.get("uid") == live.uid:
            self._client.delete(
                one.id,
                uid=live.uid,
                resource_version=str(metadata.get("resourceVersion", "")),
                propagation=Propagation.BACKGROUND,
            )
        gone = wait_for(
            lambda: self._client.find(one.id, metadata_only=True) is None,
            self._options.absent_within_s,
            self._stopped,
        )
        if not gone:
            return _failed(item, "it was deleted to be made anew, and is not gone yet; the next run makes it")
        written = self._sent(one, one.body)
        reason = "made anew: a field that may not be changed was to change"
        return Outcome(item=item, action=SyncAction.CONFIGURED, reason=reason, body=written.body)


def wait_for(ask: Callable[[], bool], within_s: float, stopped: threading.Event) -> bool:
    """Ask, more and more slowly, until the answer is yes; False when the time is up or the run is to end."""
    deadline, wait_s = time.monotonic() + within_s, _FIRST_WAIT_S
    while not ask():
        if time.monotonic() > deadline or stopped.wait(wait_s):
            return False
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
    return True


def is_unsure(error: ApiError) -> bool:
    """Tell whether the server may have acted all the same; of what was never sent (status 0) it has not."""
    return error.error_class.is_temporary and error.status != 0


def is_conflict(cause: Cause) -> bool:
    """Tell whether a cause is about a field of another manager."""
    return cause.reason == "FieldManagerConflict"


def told(error: ApiError) -> str:
    """Return an error for people: its class and the server's words, without the request."""
    return f"{error.error_class}: {error.message}".rstrip(": ")


def _refusal(error: ApiError, refused: Sequence[Conflict]) -> ApiError:
    fields = ", ".join(f"{one.field} ({one.manager})" for one in refused[:5])
    more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
    return ApiError(
        error.cluster,
        error.request,
        ErrorClass.CONFLICT,
        status=error.status,
        reason=error.reason,
        message=(
            f"{fields}{more}; leave the field out of Git, or say in `sync: conflicts:` whether to take it or to yield"
        ),
        causes=error.causes,
    )


def _failed(item: Item, reason: str, *, is_unknown: bool = False) -> Outcome:
    return Outcome(item=item, action=SyncAction.BLOCKED, reason=reason, is_failed=True, is_unknown=is_unknown)


def _action(item: Item, written: Written) -> SyncAction:
    if written.created:
        return SyncAction.CREATED
    version = metadata_of(written.body).get("resourceVersion")
    known = item.live.resource_version if item.live is not None else item.entry.resource_version if item.entry else ""
    return SyncAction.UNCHANGED if version == known else SyncAction.CONFIGURED


def _reason(item: Item) -> str:
    if item.is_missing:
        return "it was gone"
    if item.is_adopted:
        return "taken into the set"
    return item.reason

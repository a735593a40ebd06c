"""What a merge does to one cluster: reads, proves, dry-runs, and tells effect, drift and conflicts apart."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client, ErrorClass, in_parallel
from gitops_guard.diff import Conventions, compare
from gitops_guard.diff.secrets import Mask, is_secret
from gitops_guard.live.dry_run import DryRun, Outcome
from gitops_guard.live.look import look
from gitops_guard.live.mutating import mutated_kinds
from gitops_guard.live.proof import changes_nothing
from gitops_guard.live.prune import Inventory, inventory_of, left_over, removed_by_merge
from gitops_guard.live.states import Wanted, as_state, key_of, placed
from gitops_guard.model import Body, Change, Resource, ResourceId
from gitops_guard.model.live import ClusterPreview, Conflict, LiveObject, MissingRight, Preview, Prune

Key = tuple[str, str, str, str]
Offline = Callable[[Resource], Sequence[str]]

_RIGHT: Final = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<plural>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_NO_RIGHT: Final = (ErrorClass.FORBIDDEN, ErrorClass.UNSETTLED)
_REFUSALS: Final = frozenset(
    (
        ErrorClass.BAD_REQUEST,
        ErrorClass.CHANGED,
        ErrorClass.DENIED,
        ErrorClass.INVALID,
        ErrorClass.NO_NAMESPACE,
        ErrorClass.NOT_FOUND,
        ErrorClass.NOT_SERVED,
        ErrorClass.QUOTA,
        ErrorClass.TERMINATING,
        ErrorClass.TOO_LARGE,
        ErrorClass.WRONG_OBJECT,
    )
)
PARTIAL: Final = "not all that is deployed is known, so what else would be pruned is not"


def _no_check(_resource: Resource) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How to preview."""

    conventions: Conventions = field(default_factory=Conventions)
    """For comparing states: keys of lists, defaults."""

    check_offline: Offline = _no_check
    """What is wrong with an object that cannot be dry-run; messages without values."""

    manager: str = ""
    """As whom objects are applied; empty: each as the one that its live state names."""

    whole: bool = True
    """The two sides are all that is deployed to the cluster; otherwise nothing is said about what else is there."""


def preview(
    client: Client, base: Iterable[Resource], head: Iterable[Resource], options: LiveOptions | None = None
) -> ClusterPreview:
    """Ask a cluster what a merge does to it. Only reads and dry-runs are sent.

    Args:
        client: Of the cluster.
        base: What Git deploys to it without the merge.
        head: What Git deploys to it with the merge.
        options: How.

    Returns:
        Effect, drift, conflicts, prunes and missing rights; masked.

    Raises:
        ClusterError: The cluster could not be asked, or stopped answering.
    """
    run = _Run(client, options or LiveOptions())
    sides = _Sides(client, base, head)
    return run.preview(*sides.paired(), notes=sides.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One object after it was judged."""

    wanted: Wanted
    live: Body | None = None
    base: Body | None = None
    """As it would be stored, or as Git has it where nobody knows."""

    head: Body | None = None
    preview: Preview = Preview.DRY_RUN
    drift_is_known: bool = False
    error: ApiError | None = None
    reason: str = ""
    recreate: bool = False
    conflicts: tuple[Conflict, ...] = ()
    requests: int = 0


class _Sides:
    """Both sides by what the objects are in the cluster."""

    def __init__(self, client: Client, base: Iterable[Resource], head: Iterable[Resource]) -> None:
        self._client = client
        self._unserved: dict[Key, ApiError] = {}
        self._twice: set[ResourceId] = set()
        self._base = self._by_key(base)
        self._head = self._by_key(head)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is odd about the sides."""
        return tuple(f"deployed twice, of which the last one counts: {one}" for one in sorted(self._twice))

    def paired(self) -> tuple[list[Wanted], list[_Judged]]:
        """Pair the sides; objects of kinds that are not served are judged already."""
        wanted: list[Wanted] = []
        judged: list[_Judged] = []
        for key in sorted(self._base.keys() | self._head.keys()):
            base, head = self._base.get(key), self._head.get(key)
            resource = head or base
            assert resource is not None
            both = Wanted(id=resource.id, base=base, head=head)
            if key in self._unserved:
                judged.append(_Judged(wanted=both, error=self._unserved[key]))
            else:
                wanted.append(both)
        return wanted, judged

    def _by_key(self, resources: Iterable[Resource]) -> dict[Key, Resource]:
        found: dict[Key, Resource] = {}
        for resource in resources:
            one = self._settled(resource.id)
            if key_of(one) in found:
                self._twice.add(one)
            found[key_of(one)] = Resource(id=one, body=placed(resource.body, one.namespace), origin=resource.origin)
        return found

    def _settled(self, wanted: ResourceId) -> ResourceId:
        """Return an identity with the namespace that the object goes to."""
        try:
            namespace = self._client.namespace_of(wanted)
        except ApiError as error:
            self._unserved[key_of(wanted)] = error
            return wanted
        return wanted if namespace == wanted.namespace else replace(wanted, namespace=namespace)


class _Run:
    def __init__(self, client: Client, options: LiveOptions) -> None:
        self._client = client
        self._options = options
        self._dry_run = DryRun(client=client, list_keys=options.conventions.list_keys, manager=options.manager)
        self._is_mutated: Callable[[ApiResource], bool] = lambda _: True

    def preview(self, wanted: list[Wanted], unserved: list[_Judged], *, notes: tuple[str, ...]) -> ClusterPreview:
        version = self._client.version()
        arriving = _Arriving([*wanted, *(one.wanted for one in unserved)])
        self._is_mutated, unseen = mutated_kinds(self._client)
        found = look(self._client, wanted)
        proved, open_ones = self._proved(wanted, found)
        judged = in_parallel(lambda one: self._judge(one, found[key_of(one.id)]), open_ones)
        judged = [self._settle(one, arriving) for one in [*judged, *unserved, *proved]]
        live = {key_of(one.wanted.id): one.live for one in judged if one.live is not None}
        prunes, errors = self._prunes([one.wanted for one in judged], live)
        return self._report(judged, prunes, errors, version=version, notes=(*notes, *unseen))

    def _proved(
        self, wanted: list[Wanted], found: Mapping[Key, "Body | ApiError | None"]
    ) -> tuple[list[_Judged], list[Wanted]]:
        """Part what needs no request from the rest, without a thread for each."""
        proved: list[_Judged] = []
        rest: list[Wanted] = []
        for one in wanted:
            live = found[key_of(one.id)]
            if one.is_same and isinstance(live, Mapping) and self._is_proved(one, live):
                outcome = Outcome(state=live, requests=0)
                proved.append(self._judged(one, live, outcome, outcome))
            else:
                rest.append(one)
        return proved, rest

    def _is_proved(self, wanted: Wanted, live: Body) -> bool:
        if wanted.base is None or self._is_mutated(self._client.resource_of(wanted.id)):
            return False
        return changes_nothing(wanted.base.body, live, self._dry_run.applier(live))

    def _judge(self, wanted: Wanted, found: "Body | ApiError | None") -> _Judged:
        if isinstance(found, ApiError):
            return _Judged(wanted=wanted, error=_raised_if_fatal(found))
        if wanted.id.name.endswith("*") or not wanted.id.name:
            return _Judged(wanted=wanted, preview=Preview.UNKNOWN, reason="it has no fixed name")
        if wanted.head is None:
            return _Judged(wanted=wanted, live=found, base=found)
        first = self._asked(wanted, found)
        if not _was_changed_meanwhile(first):
            return first
        try:
            again = self._client.find(wanted.id)
        except ApiError as error:
            return _Judged(wanted=wanted, error=_raised_if_fatal(error), requests=first.requests)
        second = self._asked(wanted, again)
        return replace(second, requests=first.requests + second.requests)

    def _asked(self, wanted: Wanted, live: Body | None) -> _Judged:
        """Ask about the base, then about the head; what is proved or the same is not asked."""
        base = self._base(wanted, live)
        if wanted.is_same or wanted.head is None:
            return self._judged(wanted, live, base, base)
        head = self._dry_run.ask(wanted.head.body, live)
        if wanted.base is not None and live is not None:
            head = self._dry_run.take_out(head, wanted.id, wanted.base.body, wanted.head.body, live)
        return self._judged(wanted, live, base, head)

    def _base(self, wanted: Wanted, live: Body | None) -> Outcome:
        if wanted.base is None:
            return Outcome(state=live, requests=0)
        if live is not None and not wanted.is_same and self._is_proved(wanted, live):
            return Outcome(state=live, requests=0)
        return self._dry_run.ask(wanted.base.body, live)

    def _judged(self, wanted: Wanted, live: Body | None, base: Outcome, head: Outcome) -> _Judged:
        for outcome in (base, head):
            if outcome.error is not None:
                _raised_if_fatal(outcome.error)
        requests = base.requests + (0 if head is base else head.requests)
        already = set(base.conflicts)
        conflicts = {Conflict(field=one[0], manager=one[1], already=one in already) for one in head.conflicts}
        return _Judged(
            wanted=wanted,
            live=live,
            # where the server would refuse the base, the head is what comes after the live object
            base=live if base.error is not None else base.state,
            head=head.state,
            preview=Preview.DRY_RUN if requests else Preview.PROVED,
            # states in two versions of an API differ in more than what drifted
            drift_is_known=base.state is not None and wanted.base_is_comparable,
            error=head.error,
            recreate=head.recreate,
            conflicts=tuple(sorted(conflicts)),
            requests=requests,
        )

    def _settle(self, one: _Judged, arriving: "_Arriving") -> _Judged:
        """Say what an error means for the object; without a state of the server's, both sides are as Git has them."""
        if one.error is None:
            return one
        kind = one.error.error_class
        if (reason := arriving.reason(one.wanted, kind)) and one.wanted.head is not None:
            told = "; ".join([reason, *self._options.check_offline(one.wanted.head)])
            settled = replace(one, preview=Preview.NOT_DRY_RUN, reason=told)
        elif kind in _REFUSALS:
            settled = replace(one, preview=Preview.REFUSED, reason=_told(one.error))
        else:
            settled = replace(one, preview=Preview.UNKNOWN, reason=_told(one.error))
        wanted = settled.wanted
        return replace(
            settled,
            base=wanted.base.body if wanted.base else None,
            head=wanted.head.body if wanted.head else None,
        )

    def _prunes(self, wanted: list[Wanted], live: Mapping[Key, Body]) -> tuple[list[Prune], tuple[ApiError, ...]]:
        inventories: dict[Inventory, list[Wanted]] = {}
        for one in wanted:
            inventory = inventory_of(live.get(key_of(one.id), {}))
            if inventory is not None:
                inventories.setdefault(inventory, []).append(one)
        prunes = list(removed_by_merge(wanted, live, inventories))
        if not self._options.whole:
            return prunes, ()
        left = left_over(self._client, {key_of(one.id) for one in wanted}, inventories)
        return [*prunes, *left.prunes], left.errors

    def _report(
        self,
        judged: list[_Judged],
        prunes: list[Prune],
        errors: tuple[ApiError, ...],
        *,
        version: str,
        notes: tuple[str, ...],
    ) -> ClusterPreview:
        secrets = list(_secrets(judged))
        mask = Mask(secrets)
        kept = {key_of(one.id) for one in prunes if one.by_merge and one.kept}
        refused = [one.error for one in judged if one.error is not None and one.error.error_class in _NO_RIGHT]
        return ClusterPreview(
            cluster=self._client.name,
            version=version,
            effect=self._effect(judged, kept, secrets),
            drift=self._drift(judged, secrets),
            objects=_objects(judged, mask),
            prunes=tuple(sorted(prunes)),
            rights=_rights([*refused, *(one for one in errors if one.error_class in _NO_RIGHT)]),
            notes=notes if self._options.whole else (*notes, PARTIAL),
            compared=len(judged),
            proved=sum(one.preview is Preview.PROVED for one in judged),
            dry_runs=sum(one.requests for one in judged),
        )

    def _effect(self, judged: list[_Judged], kept: set[Key], secrets: list[Resource]) -> tuple[Change, ...]:
        before: list[Resource] = []
        after: list[Resource] = []
        for one in judged:
            if one.wanted.is_same or key_of(one.wanted.id) in kept:
                continue
            if one.base is not None:
                before.append(as_state(one.base, one.wanted.base or one.wanted.resource))
            if one.head is not None:
                after.append(as_state(one.head, one.wanted.resource))
        return _changed(compare(before, after, self._options.conventions, secrets=secrets))

    def _drift(self, judged: list[_Judged], secrets: list[Resource]) -> tuple[Change, ...]:
        before: list[Resource] = []
        after: list[Resource] = []
        for one in judged:
            if not one.drift_is_known or one.base is None or one.base is one.live:
                continue
            like = one.wanted.base or one.wanted.resource
            before.append(as_state(one.base, like))
            if one.live is not None:
                after.append(as_state(one.live, like))
        return _changed(compare(before, after, self._options.conventions, secrets=secrets))


class _Arriving:
    """Namespaces and kinds that come with the head."""

    def __init__(self, wanted: list[Wanted]) -> None:
        heads = [one.head for one in wanted if one.head is not None]
        self._namespaces = {one.id.name for one in heads if one.id.kind == "Namespace" and not one.id.group}
        self._kinds = {kind for one in heads if one.id.kind == "CustomResourceDefinition" for kind in _defined(one)}

    def reason(self, wanted: Wanted, error: ErrorClass) -> str:
        """Return why an object could not be dry-run yet; empty when that is no reason."""
        if error is ErrorClass.NO_NAMESPACE and wanted.id.namespace in self._namespaces:
            return f"its namespace {wanted.id.namespace} comes with the same merge"
        if error is ErrorClass.NOT_SERVED and (wanted.id.group, wanted.id.kind) in self._kinds:
            return f"its kind {wanted.id.kind} comes with the same merge"
        return ""


def _defined(definition: Resource) -> Iterable[tuple[str, str]]:
    spec = definition.body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if isinstance(spec, dict) and isinstance(names, dict):
        yield str(spec.get("group") or ""), str(names.get("kind") or "")


def _was_changed_meanwhile(judged: _Judged) -> bool:
    """Tell whether the server dry-ran on another state than the one that we read."""
    versions = {
        version
        for state in (judged.live, judged.base, judged.head)
        if state is not None and (version := _resource_version(state))
    }
    return judged.live is not None and len(versions) > 1


def _resource_version(state: Body) -> str:
    metadata = state.get("metadata")
    return str(metadata.get("resourceVersion") or "") if isinstance(metadata, dict) else ""


def _raised_if_fatal(error: ApiError) -> ApiError:
    if error.error_class is ErrorClass.UNAUTHENTICATED:
        raise error
    return error


def _told(error: ApiError) -> str:
    return f"{error.error_class}: {error.message}"


def _changed(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.fields or change.before is None or change.after is None)


def _secrets(judged: list[_Judged]) -> Iterable[Resource]:
    for one in judged:
        if not is_secret(one.wanted.id):
            continue
        like = one.wanted.resource
        yield from (resource for resource in (one.wanted.base, one.wanted.head) if resource is not None)
        for state in (one.live, one.base, one.head):
            if state is not None:
                yield Resource(id=like.id, body=state, origin=like.origin)


def _objects(judged: list[_Judged], mask: Mask) -> tuple[LiveObject, ...]:
    told = [
        LiveObject(
            id=one.wanted.id,
            path=one.wanted.resource.origin.path,
            line=one.wanted.resource.origin.line,
            preview=one.preview,
            reason=mask.text(one.reason),
            recreate=one.recreate,
            conflicts=one.conflicts,
        )
        for one in judged
        if one.reason or one.conflicts
    ]
    return tuple(sorted(told, key=lambda one: (one.id, one.path, one.line)))


def _rights(errors: list[ApiError]) -> tuple[MissingRight, ...]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for error in errors:
        match = _RIGHT.search(error.message)
        if match is None:
            counted["ask", error.request, ""] += 1
            continue
        resource = f"{match['plural']}.{match['group']}" if match["group"] else match["plural"]
        counted[match["verb"], resource, match["namespace"] or ""] += 1
    return tuple(
        sorted(
            MissingRight(verb=verb, resource=resource, namespace=namespace, objects=number)
            for (verb, resource, namespace), number in counted.items()
        )
    )

"""How the whole set is, and waiting until it is well: lists, then watches, and polling where a watch is not to be had.

What fails is told at once, with the reason that pods and events give; nothing sleeps for a fixed time.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from gitops_guard.cluster import ApiError, ApiResource, Client, EventType, UnreachableError, Watch, in_parallel
from gitops_guard.errors import ClusterError
from gitops_guard.model import ResourceId
from gitops_guard.model.sync import HealthStatus, ObjectHealth
from gitops_guard.sync.causes import Causes
from gitops_guard.sync.health import Check, Policy, Verdict, assess, has_state
from gitops_guard.sync.health.pods import Pods, pods_of
from gitops_guard.sync.objects import PART_OF, Desired, Key, metadata_of

_FIRST_POLL_S: Final = 0.25
_LONGEST_POLL_S: Final = 2.0
_WATCH_S: Final = 60
_CAUSES_EVERY_S: Final = 2.0
_TICK_S: Final = 0.2
_SETTLED: Final = frozenset((HealthStatus.CURRENT, HealthStatus.NO_SIGNAL, HealthStatus.FAILED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a set is."""

    well: int
    """Objects that are healthy."""

    of: int
    pods: Pods = field(default_factory=Pods)
    """Of all workloads."""

    waits_for: str = ""
    """The first object that is not healthy, and why; empty when all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions:
    """How health is judged and waited for."""

    checks: Mapping[tuple[str, str], Check] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    within_s: float = 300.0
    told: Callable[[Standing], None] = lambda _standing: None
    """Told whenever something may have changed."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Health:
    """The health of a set."""

    def __init__(self, client: Client, set_id: str, options: HealthOptions) -> None:
        self._client = client
        self._selector = f"{PART_OF}={set_id}"
        self._options = options

    def of(self, one: Desired) -> Verdict:
        """Ask for one object, and judge it; what cannot be asked is unknown."""
        if not has_state(one.key.group, one.key.kind):
            return Verdict(HealthStatus.CURRENT)
        try:
            body = self._client.find(one.id)
        except (ApiError, UnreachableError) as error:
            return Verdict(HealthStatus.UNKNOWN, "NotRead", str(error))
        return self.judge(body) if body is not None else absent(one)

    def judge(self, body: Mapping[str, Any]) -> Verdict:
        """Judge an object as it was read."""
        return assess(body, self._options.now(), checks=self._options.checks, policy=self._options.policy)

    def look(self, objects: Iterable[Desired]) -> tuple[ObjectHealth, ...]:
        """Return the health of all objects as it is now, sorted."""
        return _Session(self._client, self, self._selector, list(objects), self._options).look()

    def wait(self, objects: Iterable[Desired], *, stopped: threading.Event) -> tuple[ObjectHealth, ...]:
        """Wait until all objects are well, until what is not has failed, or until the time is up.

        Raises:
            ClusterError: The credentials are refused, or the work was called off.
        """
        return _Session(self._client, self, self._selector, list(objects), self._options).wait(stopped)


def absent(one: Desired) -> Verdict:
    """Return the health of an object that is not there: a job that removes itself has done its work."""
    spec = one.body.get("spec")
    if one.key[:2] == ("batch", "Job") and isinstance(spec, dict) and "ttlSecondsAfterFinished" in spec:
        return Verdict(HealthStatus.CURRENT, "", "the job has removed itself")
    return Verdict(HealthStatus.NOT_FOUND, "NotFound", "it is not there")


class _Session:
    """One look at a set, with what was seen so far."""

    def __init__(
        self, client: Client, health: Health, selector: str, objects: Sequence[Desired], options: HealthOptions
    ) -> None:
        self._client = client
        self._health = health
        self._selector = selector
        self._options = options
        self._objects = {one.key: one for one in objects}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._verdicts: dict[Key, Verdict] = {}
        self._bodies: dict[Key, Mapping[str, Any]] = {}
        self._watches: list[Watch] = []
        self._is_over = False
        self._error: ClusterError | None = None
        self._causes = Causes(client)

    def look(self) -> tuple[ObjectHealth, ...]:
        in_parallel(self._list, self._kinds(self._objects))
        for key in self._objects:
            if key not in self._verdicts:
                self._verdicts[key] = absent(self._objects[key])
        return self._report()

    def wait(self, stopped: threading.Event) -> tuple[ObjectHealth, ...]:
        self.look()
        threads = [
            threading.Thread(target=self._follow, args=(resource, namespace), name=f"watch {resource}", daemon=True)
            for resource, namespace in self._kinds(self._unsettled())
        ]
        for thread in threads:
            thread.start()
        try:
            self._until_settled(stopped)
        finally:
            self._end(threads)
        self._explain()
        if self._error is not None:
            raise self._error
        return self._report()

    def _kinds(self, keys: Iterable[Key]) -> list[tuple[ApiResource, str]]:
        """Return what must be listed to see some objects; kinds that have no state are well without a look."""
        places: dict[ApiResource, set[str]] = defaultdict(set)
        for key in sorted(keys):
            one = self._objects[key]
            resources = self._client.resources()
            found = resources.find(one.id.group, one.id.version, one.id.kind)
            if not has_state(key.group, key.kind):
                self._verdicts[key] = Verdict(HealthStatus.CURRENT)
            elif found is not None:
                places[found].add(key.namespace)
        return [(one, min(spaces) if len(spaces) == 1 else "") for one, spaces in sorted(places.items())]

    def _unsettled(self) -> list[Key]:
        with self._lock:
            return [key for key in sorted(self._objects) if self._verdicts[key].status not in _SETTLED]

    def _list(self, place: tuple[ApiResource, str]) -> str:
        """List the objects of a kind, judge them, and return where a watch goes on; empty where none can."""
        resource, namespace = place
        try:
            listing = self._client.list(resource, namespace=namespace, labels=self._selector)
        except ApiError as error:
            self._one_by_one(resource, error)
            return ""
        seen = {self._see(resource, body) for body in listing.items}
        for key in self._of(resource):
            if key not in seen:
                self._put(key, absent(self._objects[key]), {})
        return listing.resource_version

    def _one_by_one(self, resource: ApiResource, _error: ApiError) -> None:
        """Ask for each object where all of them may not be listed."""
        for key in self._of(resource):
            self._put(key, self._health.of(self._objects[key]), {})

    def _of(self, resource: ApiResource) -> list[Key]:
        return [key for key in self._objects if (key.group, key.kind) == (resource.group, resource.kind)]

    def _see(self, resource: ApiResource, body: Mapping[str, Any]) -> Key:
        metadata = metadata_of(body)
        key = Key(resource.group, resource.kind, str(metadata.get("namespace", "")), str(metadata.get("name", "")))
        if key in self._objects:
            self._put(key, self._health.judge(body), body)
        return key

    def _put(self, key: Key, verdict: Verdict, body: Mapping[str, Any]) -> None:
        with self._lock:
            self._verdicts[key] = verdict
            self._bodies[key] = body
        self._changed.set()

    def _follow(self, resource: ApiResource, namespace: str) -> None:
        """Keep the verdicts of a kind fresh until it is over: by a watch, else by polling."""
        interval_s = _FIRST_POLL_S
        while not self._is_over:
            try:
                since = self._list((resource, namespace))
                if since and self._watch(resource, namespace, since):
                    interval_s = _FIRST_POLL_S
                    continue
            except (ApiError, UnreachableError):
                pass  # the next round asks again; that it never answers shows in what is not settled at the end
            except ClusterError as error:
                self._error = error
                self._changed.set()
                return
            time.sleep(interval_s)
            interval_s = min(interval_s * 2, _LONGEST_POLL_S)

    def _watch(self, resource: ApiResource, namespace: str, since: str) -> bool:
        """Follow events until the watch ends; False when it could not begin."""
        try:
            watch = self._client.watch(
                resource, namespace=namespace, labels=self._selector, resource_version=since, timeout_s=_WATCH_S
            )
        except ApiError:
            return False
        with self._lock:
            if self._is_over:
                watch.close()
                return True
            self._watches.append(watch)
        with watch:
            for event in watch:
                self._take(resource, event.type, event.object)
        return True

    def _take(self, resource: ApiResource, kind: EventType, body: Mapping[str, Any]) -> None:
        if kind is EventType.BOOKMARK:
            return
        key = self._see(resource, body)
        if kind is EventType.DELETED and key in self._objects:
            self._put(key, absent(self._objects[key]), {})

    def _until_settled(self, stopped: threading.Event) -> None:
        deadline = time.monotonic() + self._options.within_s
        causes_at = time.monotonic() + _CAUSES_EVERY_S
        while (left := self._unsettled()) and not stopped.is_set() and self._error is None:
            self._options.told(self._standing(left))
            now = time.monotonic()
            if now >= deadline:
                return
            if now >= causes_at:
                self._fail_fast(left)
                causes_at = time.monotonic() + _CAUSES_EVERY_S
            self._changed.wait(min(_TICK_S, deadline - now))
            self._changed.clear()
        self._options.told(self._standing(left))

    def _standing(self, left: Sequence[Key]) -> Standing:
        with self._lock:
            pods = Pods()
            for body in self._bodies.values():
                pods = pods.plus(pods_of(body))
            verdict = self._verdicts[left[0]] if left else None
        why = (
            f" ({verdict.message or verdict.reason})"
            if verdict is not None and (verdict.message or verdict.reason)
            else ""
        )
        return Standing(
            well=len(self._objects) - len(left),
            of=len(self._objects),
            pods=pods,
            waits_for=f"{left[0]}{why}" if left else "",
        )

    def _fail_fast(self, keys: Sequence[Key]) -> None:
        """Take what cannot become well by itself for failed: an image that is not there, a container that crashes."""
        for key in keys:
            with self._lock:
                body = self._bodies.get(key) or {}
            found = self._causes.fatal(key, body)
            if found is not None:
                with self._lock:
                    if self._verdicts[key].status not in _SETTLED:
                        self._verdicts[key] = found

    def _explain(self) -> None:
        """Add what events say to what is not well."""
        for key in self._unsettled_or_failed()[:10]:
            with self._lock:
                body, verdict = self._bodies.get(key) or {}, self._verdicts[key]
            said = self._causes.event(key, body)
            if said and said not in verdict.message:
                message = f"{verdict.message}; {said}" if verdict.message else said
                self._put(key, verdict._replace(message=message), body)

    def _unsettled_or_failed(self) -> list[Key]:
        good = (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL)
        return [key for key in sorted(self._objects) if self._verdicts[key].status not in good]

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        with self._lock:
            self._is_over = True
            watches = list(self._watches)
        for watch in watches:
            watch.cancel()
        for thread in threads:
            thread.join(timeout=_LONGEST_POLL_S + 1)

    def _report(self) -> tuple[ObjectHealth, ...]:
        found = [_health(self._objects[key].id, self._verdicts[key]) for key in self._objects]
        return tuple(sorted(found, key=lambda one: one.sort_key))


def _health(one: ResourceId, verdict: Verdict) -> ObjectHealth:
    return ObjectHealth(id=one, status=verdict.status, reason=verdict.reason, message=verdict.message)

"""Traces of rollouts on the real controllers: what the pods of a changed workload go through.

Each kind is watched; the events are put in the order of their resource versions, which count the whole server's writes, and folded into
states. Times differ from run to run and are kept for reading only.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from typing import Any

from controlplane.api import Api, Body, Watch, wait_for
from controlplane.controllers import Controllers
from controlplane.exchanges import NAMESPACE
from controlplane.scenarios import Rollout
from controlplane.server import ADMIN

_QUIET_LOOKS = 50
"""After so many looks, 20 ms apart, without a new event a rollout is over. Looks and not seconds: a machine that hung saw nothing."""
_SIZES = ("old_replicas", "new_replicas")
_REVISION_LABELS = ("pod-template-hash", "controller-revision-hash")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    version: int
    """The object's resourceVersion, the order of all."""
    t_s: float
    """When it arrived, from the change on."""
    kind: str
    is_deleted: bool
    body: Body


def record(controllers: Controllers, namespace: str, rollout: Rollout) -> Body:
    """Roll out in a namespace that exists and is empty; return the trace: path, bounds, states."""
    api = controllers.control_plane.api(ADMIN)
    before, after = _placed(rollout.before, namespace), _placed(rollout.after, namespace)
    api.expect("POST", api.path_of(before).rpartition("/")[0], before)
    controllers.wait_for_rollout(before)
    fold = _Fold(after["kind"], _items(api, namespace, "pods"))
    events = _watch_change(controllers, namespace, rollout, after)
    for event in sorted(events, key=lambda one: one.version):
        fold.add(event)
    api.close()
    return {"path": fold.path, "bounds": fold.bounds(), "states": fold.states}


def _placed(body: Body, namespace: str) -> Body:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def _items(api: Api, namespace: str, plural: str) -> list[Body]:
    items: list[Body] = api.expect("GET", f"/api/v1/namespaces/{namespace}/{plural}")["items"]
    return items


def _watch_change(controllers: Controllers, namespace: str, rollout: Rollout, after: Body) -> list[_Event]:
    api = controllers.control_plane.api(ADMIN)
    own = api.path_of(after).rpartition("/")[0]
    paths = [f"/api/v1/namespaces/{namespace}/pods", own]
    if after["kind"] == "Deployment":
        paths.append(own.replace("deployments", "replicasets"))
    events: list[_Event] = []
    since = api.expect("GET", paths[0])["metadata"]["resourceVersion"]
    started = time.monotonic()
    watchers = [_Watcher(controllers.control_plane.api(ADMIN), path, since, started, events) for path in paths]
    answer = api.apply(after, manager="gitops-guard", force=True)
    assert answer.status == 200, answer
    if rollout.settles:
        controllers.wait_for_rollout(after)
    wait_for(lambda: _is_at_rest(_items(api, namespace, "pods"), rollout), what="rest", timeout_s=60)
    wait_for(_Quiet(events), what="quiet", timeout_s=60)
    for watcher in watchers:
        watcher.end()
    api.close()
    return events


def _is_at_rest(pods: list[Body], rollout: Rollout) -> bool:
    """Return whether no pod ends any more, and those are left that a rollout without an end halts with."""
    left = Counter(pod["spec"]["containers"][0]["image"] for pod in pods)
    return all("deletionTimestamp" not in pod["metadata"] for pod in pods) and rollout.halts_with in (None, left)


class _Quiet:
    """Asked again and again, whether nothing has happened for a while."""

    def __init__(self, events: list[_Event]) -> None:
        self._events = events
        self._seen = self._looks = 0

    def __call__(self) -> bool:
        self._looks = self._looks + 1 if self._seen == len(self._events) else 0
        self._seen = len(self._events)
        return self._seen > 0 and self._looks >= _QUIET_LOOKS


class _Watcher(threading.Thread):
    """Collects the events of one path."""

    def __init__(self, api: Api, path: str, since: str, zero_s: float, events: list[_Event]) -> None:
        super().__init__(name=f"watch {path}")
        self._api, self._path, self._since, self._zero_s, self._events = api, path, since, zero_s, events
        self._watch: Watch | None = None
        self._is_open = threading.Event()
        self.start()
        self._is_open.wait(10)

    def run(self) -> None:
        with self._api.watch(self._path, since=self._since, timeout_s=300) as self._watch:
            self._is_open.set()
            for event in self._watch:
                self._events.append(
                    _Event(
                        version=int(event["object"]["metadata"]["resourceVersion"]),
                        t_s=time.monotonic() - self._zero_s,
                        kind=event["object"]["kind"],
                        is_deleted=event["type"] == "DELETED",
                        body=event["object"],
                    )
                )

    def end(self) -> None:
        """Stop watching."""
        assert self._watch is not None
        self._watch.cancel()
        self.join()


@dataclasses.dataclass(frozen=True, slots=True)
class _Pod:
    age: str
    """ "old" or "new"."""
    is_ready: bool
    is_terminating: bool


class _Fold:
    """Events into states."""

    def __init__(self, kind: str, pods: list[Body]) -> None:
        self._kind = kind
        self._old = {_revision(pod) for pod in pods}
        self._pods = {pod["metadata"]["name"]: self._pod(pod) for pod in pods}
        self._sizes = {"old": len(pods), "new": 0}
        self._available = len(pods)
        self.path: list[Any] = [self._size()] if kind == "Deployment" else []
        """Of a Deployment: the sizes of the old and the new ReplicaSet. Else: what happened to which pod."""
        self.states: list[Body] = []
        self._note(0.0)

    def add(self, event: _Event) -> None:
        """Go on to the next event."""
        if event.kind == "Pod":
            self._add_pod(event)
        elif event.kind == "ReplicaSet":
            self._sizes[self._age(event.body)] = event.body["spec"]["replicas"]
            if self._size() != self.path[-1]:
                self.path.append(self._size())
        else:
            status = event.body["status"]
            self._available = status.get("availableReplicas", status.get("numberAvailable", 0))
        self._note(event.t_s)

    def bounds(self) -> Body:
        """Return what holds whatever the timing: the fewest ready pods, the most that were wanted, and the end.

        Of a Deployment the wanted pods are the sizes of its ReplicaSets: their controller may create for one before it has deleted
        for the other, and then more pods than that exist for some milliseconds.
        """
        most = ("max_size", _SIZES) if self._kind == "Deployment" else ("max_pods", ("old", "new"))
        return {
            "min_ready": min(state["ready"] for state in self.states),
            most[0]: max(sum(state[name] for name in most[1]) for state in self.states),
            "end": {name: self.states[-1][name] for name in ("old", "new", "ready", "terminating")},
        }

    def _add_pod(self, event: _Event) -> None:
        name = event.body["metadata"]["name"]
        was, now = self._pods.pop(name, None), None if event.is_deleted else self._pod(event.body)
        if now:
            self._pods[name] = now
        if self._kind != "Deployment":
            # names of a StatefulSet's pods mean something; those of a DaemonSet's are random, and so is the order of nodes
            what = name if self._kind == "StatefulSet" else "pod"
            self.path += [f"{self._age(event.body)} {what} {happened}" for happened in _happened(was, now)]

    def _size(self) -> list[int]:
        return [self._sizes["old"], self._sizes["new"]]

    def _pod(self, body: Body) -> _Pod:
        conditions = body.get("status", {}).get("conditions", [])
        is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return _Pod(self._age(body), is_ready, "deletionTimestamp" in body["metadata"])

    def _age(self, body: Body) -> str:
        return "old" if _revision(body) in self._old else "new"

    def _note(self, t_s: float) -> None:
        staying = [pod for pod in self._pods.values() if not pod.is_terminating]
        state = {
            "old": sum(pod.age == "old" for pod in staying),
            "new": sum(pod.age == "new" for pod in staying),
            "ready": sum(pod.is_ready for pod in staying),
            "available": self._available,
            "terminating": len(self._pods) - len(staying),
        }
        if self._kind == "Deployment":
            state |= dict(zip(_SIZES, self._size(), strict=True))
        if not self.states or state != {key: value for key, value in self.states[-1].items() if key != "t_s"}:
            latest = self.states[-1]["t_s"] if self.states else 0.0
            self.states.append({"t_s": max(latest, round(t_s, 2)), **state})


def _happened(was: _Pod | None, now: _Pod | None) -> list[str]:
    if now is None:
        return ["gone"]
    happened = [] if was else ["created"]
    if now.is_ready and not (was and was.is_ready):
        happened.append("ready")
    if now.is_terminating and not (was and was.is_terminating):
        happened.append("terminating")
    return happened


def _revision(body: Body) -> str:
    labels = body["metadata"].get("labels", {})
    return next((labels[name] for name in _REVISION_LABELS if name in labels), "")


def content(version: str, kwok_version: str, rollout: Rollout, runs: list[Body]) -> Body:
    """Return a trace's recording, from several runs of it."""
    return {
        "versions": {"kubernetes": version, "kwok": kwok_version},
        "before": _placed(rollout.before, NAMESPACE),
        "after": _placed(rollout.after, NAMESPACE),
        "is_repeatable": rollout.is_repeatable,
        "paths": sorted(_distinct([run["path"] for run in runs]), key=repr),
        "bounds": runs[0]["bounds"],
        "states": runs[0]["states"],
    }


def _distinct(paths: list[list[Any]]) -> list[list[Any]]:
    return [path for number, path in enumerate(paths) if path not in paths[:number]]

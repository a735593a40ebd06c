"""A whole change: every object before and after it, paired by name."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from gitops_guard.model import Body, Json
from gitops_guard.model.resource import Origin, Resource, ResourceId, resource_id
from gitops_guard.model.snapshot import Snapshot
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.cluster_view import ClusterView, namespace_of
from gitops_guard.rollout.simulate import can_simulate
from gitops_guard.rollout.template import canonical

LIVE = Origin(path="", document=0, line=0)
"""The origin of an object of the cluster that the change does not hold."""

LIVE_KINDS: Mapping[str, str] = {
    "ResourceQuota": "v1",
    "LimitRange": "v1",
    "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PersistentVolumeClaim": "v1",
}


class Key(NamedTuple):
    """What an object is paired by: its version may change, the rest is its name."""

    namespace: str
    kind: str
    group: str
    name: str

    @classmethod
    def of(cls, resource: ResourceId) -> "Key":
        """Read the key off an identity."""
        return cls(resource.namespace, resource.kind, resource.group, resource.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """One object before and after the change; never neither. What it takes to compare the two is done once."""

    before: Resource | None
    after: Resource | None
    scope: str = ""
    """What it shares with the objects that it can have to do with: the namespace, where that is unambiguous."""

    @property
    def place(self) -> Origin:
        """Return where it is written, after the change if it is there."""
        found = self.after or self.before
        assert found is not None
        return found.origin

    @property
    def is_live(self) -> bool:
        """Tell whether it is only in the cluster: neither side of the change holds it."""
        return self.after is not None and self.after.origin is LIVE

    @property
    def id(self) -> ResourceId:
        """Return the identity after the change, or before it where nothing is left."""
        found = self.after or self.before
        assert found is not None
        return found.id

    @cached_property
    def changed(self) -> bool:
        """Tell whether the change touches the object at all."""
        return self.before is None or self.after is None or self.before.body != self.after.body

    @property
    def old(self) -> Body | None:
        """Return the body before the change."""
        return None if self.before is None else self.before.body

    @property
    def new(self) -> Body | None:
        """Return the body after the change."""
        return None if self.after is None else self.after.body

    @cached_property
    def rolls(self) -> bool:
        """Tell whether the change replaces the pod template of a workload that there was before."""
        if self.old is None or self.new is None or not self.changed:
            return False
        return canonical(dict(template_of(self.old))) != canonical(dict(template_of(self.new)))


class Labels:
    """Finds the workloads of one side of a change by the labels of their pods."""

    def __init__(self, sides: Iterable[tuple[Pair, Body | None]]) -> None:
        self._by_label: dict[tuple[str, str, Json], list[Pair]] = {}
        self._by_scope: dict[str, list[Pair]] = {}
        self._labels: dict[Pair, Mapping[str, Json]] = {}
        for pair, body in sides:
            if body is not None and can_simulate(body):
                self._add(pair, labels_of(body))

    def _add(self, pair: Pair, labels: Mapping[str, Json]) -> None:
        self._labels[pair] = labels
        self._by_scope.setdefault(pair.scope, []).append(pair)
        for key, value in labels.items():
            if isinstance(value, str):
                self._by_label.setdefault((pair.scope, key, value), []).append(pair)

    def having(self, scope: str, wanted: Mapping[str, Json]) -> list[Pair]:
        """Return the workloads whose pods have all these labels; all of the scope where none is named."""
        if not wanted:
            return self._by_scope.get(scope, [])
        values = [(scope, key, value) for key, value in wanted.items() if isinstance(value, str)]
        few = min((self._by_label.get(value, []) for value in values), key=len, default=[])
        return [pair for pair in few if all(self._labels[pair].get(key) == value for key, value in wanted.items())]


class Change:
    """Every object of a change, sorted."""

    def __init__(self, pairs: Iterable[Pair], assumptions: Assumptions, snapshot: Snapshot | None = None) -> None:
        """Take the pairs.

        Args:
            pairs: One for each object.
            assumptions: What the manifests do not say; hazards trust only what was given.
            snapshot: What the cluster held before the change; None when nobody knows.
        """
        self.view = None if snapshot is None else ClusterView(snapshot)
        """The cluster before the change."""

        self.pairs = tuple(sorted(pairs, key=lambda pair: (Key.of(pair.id), pair.place.path, pair.place.document)))
        self.nodes = assumptions.nodes if "nodes" in assumptions.given else None
        """How many nodes can run the pods, by assumption; None when nobody knows. See `nodes_for`."""

        self.unknown_gates_met = assumptions.unknown_gates_met
        """Whether readiness gates that no known controller serves are set by somebody."""

    @classmethod
    def between(
        cls,
        before: Sequence[Resource],
        after: Sequence[Resource],
        assumptions: Assumptions,
        snapshot: Snapshot | None = None,
    ) -> "Change":
        """Pair objects by namespace, kind and name.

        An object that several files hold (one folder a cluster, overlays without a namespace of their own) is paired
        file by file; in its namespace only objects of one folder are taken to belong together.
        """
        old, new = _by_key(before), _by_key(after)
        pairs = [pair for key in old.keys() | new.keys() for pair in _pair_up(old.get(key, []), new.get(key, []))]
        several = {key.namespace for side in (old, new) for key, found in side.items() if _in_several_files(found)}
        placed = [replace(pair, scope=_scope(pair, several)) for pair in pairs]
        return cls([*placed, *_only_live(placed, snapshot)], assumptions, snapshot)

    def nodes_for(self, body: Body) -> int | None:
        """Return how many nodes can run the pods of a workload; None when nobody knows."""
        if self.nodes is not None or self.view is None or not self.view.knows_nodes:
            return self.nodes
        return len(self.view.eligible(self.view.pod_of(body, namespace_of(body))))

    def find_any(self, kind: str, scope: str, name: str) -> Pair | None:
        """Return the object of any group with a kind and a name, if the change knows it."""
        return self._by_name.get((kind, scope, name))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Pair]:
        return {(pair.id.kind, pair.scope, pair.id.name): pair for pair in reversed(self.pairs)}

    def of_kind(self, *kinds: str) -> list[Pair]:
        """Return the pairs of some kinds."""
        return [pair for kind in kinds for pair in self._by_kind.get(kind, ())]

    def find(self, kind: str, scope: str, name: str) -> Pair | None:
        """Return the object of a core kind with a name, if the change knows it."""
        return self._core.get((kind, scope, name))

    def workloads_in(self, scope: str) -> list[Pair]:
        """Return the workloads of a scope that exist after the change."""
        return self._by_scope.get(scope, [])

    def canary_of(self, workload: Pair) -> Pair | None:
        """Return the Canary of Flagger, there before and after the change, that rolls a Deployment out."""
        if workload.id.kind != "Deployment":
            return None
        return self._canaries.get((workload.scope, workload.id.name))

    @cached_property
    def _canaries(self) -> dict[tuple[str, str], Pair]:
        found: dict[tuple[str, str], Pair] = {}
        for pair in self.of_kind("Canary"):
            target = struct(struct((pair.new or {}).get("spec")).get("targetRef"))
            name = target.get("name")
            at_work = pair.id.group == "flagger.app" and pair.old is not None and pair.new is not None
            if at_work and target.get("kind") == "Deployment" and isinstance(name, str):
                found[pair.scope, name] = pair
        return found

    @cached_property
    def labels_before(self) -> Labels:
        """Return the index of the workloads before the change."""
        return Labels((pair, pair.old) for pair in self.pairs)

    @cached_property
    def labels_after(self) -> Labels:
        """Return the index of the workloads after the change."""
        return Labels((pair, pair.new) for pair in self.pairs)

    @cached_property
    def _by_kind(self) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.id.kind, []).append(pair)
        return found

    @cached_property
    def _core(self) -> dict[tuple[str, str, str], Pair]:
        core = (pair for pair in reversed(self.pairs) if not pair.id.group)
        return {(pair.id.kind, pair.scope, pair.id.name): pair for pair in core}

    @cached_property
    def _by_scope(self) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        for pair in self.workloads:
            found.setdefault(pair.scope, []).append(pair)
        return found

    @cached_property
    def workloads(self) -> tuple[Pair, ...]:
        """Return the pairs with a simulator that exist after the change."""
        return tuple(pair for pair in self.pairs if pair.after is not None and can_simulate(pair.after.body))


def _only_live(pairs: Sequence[Pair], snapshot: Snapshot | None) -> Iterator[Pair]:
    """Yield what the cluster holds and the change does not, of the kinds that workloads have to do with."""
    if snapshot is None:
        return
    known = {(pair.id.namespace or "default", pair.id.kind, pair.id.name) for pair in pairs}
    for kind in LIVE_KINDS:
        for body in snapshot.objects.get(kind, ()):
            one = resource_id({**body, "apiVersion": LIVE_KINDS[kind], "kind": kind})
            if (one.namespace, one.kind, one.name) not in known:
                resource = Resource(id=one, body=body, origin=LIVE)
                for scope in _scopes_of(one.namespace, pairs):
                    yield Pair(before=resource, after=resource, scope=scope)


def _scopes_of(namespace: str, pairs: Sequence[Pair]) -> list[str]:
    """Return the scopes in which a live object counts; manifests without a namespace are applied to `default`."""
    return sorted({pair.scope for pair in pairs if (pair.id.namespace or "default") == namespace})


def _scope(pair: Pair, several: Collection[str]) -> str:
    namespace = pair.id.namespace
    return f"{namespace} in {posixpath.dirname(pair.place.path)}" if namespace in several else namespace


def _in_several_files(resources: Sequence[Resource]) -> bool:
    return len({resource.origin.path for resource in resources}) > 1


def _by_key(resources: Sequence[Resource]) -> Mapping[Key, list[Resource]]:
    found: dict[Key, list[Resource]] = {}
    for resource in resources:
        found.setdefault(Key.of(resource.id), []).append(resource)
    return found


def _pair_up(old: list[Resource], new: list[Resource]) -> Iterator[Pair]:
    left = list(old)
    rest: list[Resource] = []
    for resource in new:
        same = next((one for one in left if one.origin.path == resource.origin.path), None)
        if same is None:
            rest.append(resource)
        else:
            left.remove(same)
            yield Pair(before=same, after=resource)
    for resource in rest:
        yield Pair(before=left.pop(0) if left else None, after=resource)
    yield from (Pair(before=resource, after=None) for resource in left)


def template_of(body: Body) -> Body:
    """Return a workload's pod template."""
    return struct(struct(body.get("spec")).get("template"))


def labels_of(body: Body) -> Mapping[str, Json]:
    """Return the labels of a workload's pods."""
    return struct(struct(template_of(body).get("metadata")).get("labels"))

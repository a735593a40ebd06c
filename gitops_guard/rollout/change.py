"""A whole change: every object before and after it, paired by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gitops_guard.model import Body
from gitops_guard.model.resource import Resource, ResourceId
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.simulate import can_simulate
from gitops_guard.rollout.template import canonical


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One object before and after the change; never neither."""

    before: Resource | None
    after: Resource | None

    @property
    def id(self) -> ResourceId:
        """Return the identity after the change, or before it where nothing is left."""
        found = self.after or self.before
        assert found is not None
        return found.id

    @property
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


class Change:
    """Every object of a change, sorted."""

    def __init__(self, pairs: Iterable[Pair], assumptions: Assumptions) -> None:
        """Take the pairs.

        Args:
            pairs: One for each object.
            assumptions: What the manifests do not say; hazards trust only what was given.
        """
        self.pairs = tuple(sorted(pairs, key=lambda pair: (Key.of(pair.id), _place(pair))))
        self.nodes = assumptions.nodes if "nodes" in assumptions.given else None
        """How many nodes can run the pods; None when nobody knows."""

        self.unknown_gates_met = assumptions.unknown_gates_met
        """Whether readiness gates that no known controller serves are set by somebody."""

    @classmethod
    def between(cls, before: Sequence[Resource], after: Sequence[Resource], assumptions: Assumptions) -> "Change":
        """Pair objects by namespace, kind and name.

        An object that several files hold (overlays without a namespace of their own) is paired file by file.
        """
        old, new = _by_key(before), _by_key(after)
        pairs = [pair for key in old.keys() | new.keys() for pair in _pair_up(old.get(key, []), new.get(key, []))]
        return cls(pairs, assumptions)

    def of_kind(self, *kinds: str) -> list[Pair]:
        """Return the pairs of some kinds."""
        return [pair for kind in kinds for pair in self._by_kind.get(kind, ())]

    def find(self, kind: str, namespace: str, name: str) -> Pair | None:
        """Return the object of a core kind with a name, if the change knows it."""
        return self._core.get((kind, namespace, name))

    def workloads_in(self, namespace: str) -> list[Pair]:
        """Return the workloads of a namespace that exist after the change."""
        return self._by_namespace.get(namespace, [])

    @cached_property
    def _by_kind(self) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.id.kind, []).append(pair)
        return found

    @cached_property
    def _core(self) -> dict[tuple[str, str, str], Pair]:
        core = (pair for pair in reversed(self.pairs) if not pair.id.group)
        return {(pair.id.kind, pair.id.namespace, pair.id.name): pair for pair in core}

    @cached_property
    def _by_namespace(self) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        for pair in self.workloads:
            found.setdefault(pair.id.namespace, []).append(pair)
        return found

    @cached_property
    def workloads(self) -> tuple[Pair, ...]:
        """Return the pairs with a simulator that exist after the change."""
        return tuple(pair for pair in self.pairs if pair.after is not None and can_simulate(pair.after.body))


def _place(pair: Pair) -> tuple[str, int]:
    found = pair.after or pair.before
    assert found is not None
    return found.origin.path, found.origin.document


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


def rolls(pair: Pair) -> bool:
    """Tell whether the change replaces the template of a workload that there was before."""
    if pair.old is None or pair.new is None:
        return False
    return canonical(dict(template_of(pair.old))) != canonical(dict(template_of(pair.new)))

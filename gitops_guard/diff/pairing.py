"""Which object of one side is which of the other: by identity, across files, API versions and new names."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gitops_guard.model import Body, Json, Resource, ResourceId

_HASHED: Final = re.compile(r"(.+)-(?:[2456789bcdfghkmt]{10}|ver-[0-9]{1,9})")
"""Kustomize's name suffix (its alphabet has no 0, 1, 3, a, e) and kapp's version suffix."""

_MOVED_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("extensions", "apps"),
    "DaemonSet": ("extensions", "apps"),
    "ReplicaSet": ("extensions", "apps"),
    "Ingress": ("extensions", "networking.k8s.io"),
    "NetworkPolicy": ("extensions", "networking.k8s.io"),
    "PodSecurityPolicy": ("extensions", "policy"),
    "Event": ("", "events.k8s.io"),
}
"""Kinds that one and the same object of the cluster has been served under several groups."""

_LEAST_ALIKE: Final = 0.6
_FEWEST_LEAVES: Final = 3
_MOST_CANDIDATES: Final = 40
"""Beyond this many objects of a kind on either side no renames are guessed: the time is quadratic."""

_Key = Callable[[Resource], Hashable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One object on both sides; one of the two is None when it came or went."""

    before: Resource | None
    after: Resource | None
    renamed: bool = False


def pair(before: Sequence[Resource], after: Sequence[Resource]) -> list[Pair]:
    """Pair the objects of two sides, each at most once; in no particular order."""
    old, new = list(before), list(after)
    pairs: list[Pair] = []
    for key in (_id_and_path, _object_and_path, _id, _object):
        old, new, found = _matched(old, new, key)
        pairs += [Pair(before=one, after=other) for one, other in found]
    for key in (_stem_and_path, _stem):
        old, new, found = _matched(old, new, key)
        pairs += [Pair(before=one, after=other, renamed=True) for one, other in found]
    old, new, found = _alike(old, new)
    pairs += [Pair(before=one, after=other, renamed=True) for one, other in found]
    pairs += [Pair(before=one, after=None) for one in old]
    pairs += [Pair(before=None, after=other) for other in new]
    return pairs


_Matched = tuple[list[Resource], list[Resource], list[tuple[Resource, Resource]]]


def _matched(old: list[Resource], new: list[Resource], key: _Key) -> _Matched:
    """Pair what has the same key, in order; a key of None takes no part."""
    waiting: dict[Hashable, deque[Resource]] = defaultdict(deque)
    for resource in old:
        waiting[key(resource)].append(resource)
    waiting.pop(None, None)
    found: list[tuple[Resource, Resource]] = []
    rest: list[Resource] = []
    for resource in new:
        queue = waiting.get(key(resource))
        if queue:
            found.append((queue.popleft(), resource))
        else:
            rest.append(resource)
    taken = {id(one) for one, _ in found}
    return [resource for resource in old if id(resource) not in taken], rest, found


def _id(resource: Resource) -> Hashable:
    return resource.id if resource.id.name else None


def _id_and_path(resource: Resource) -> Hashable:
    return (resource.id, resource.origin.path)


def _object(resource: Resource) -> Hashable:
    return _object_of(resource.id) if resource.id.name else None


def _object_and_path(resource: Resource) -> Hashable:
    return (_object_of(resource.id), resource.origin.path)


def _object_of(one: ResourceId) -> tuple[str, ...]:
    groups = _MOVED_GROUPS.get(one.kind, ())
    group = groups[-1] if one.group in groups else one.group
    return (group, one.kind, one.namespace, one.name)


def _stem(resource: Resource) -> Hashable:
    match = _HASHED.fullmatch(resource.id.name)
    return None if match is None else (*_object_of(resource.id)[:3], match[1])


def _stem_and_path(resource: Resource) -> Hashable:
    stem = _stem(resource)
    return None if stem is None else (stem, resource.origin.path)


def _alike(old: list[Resource], new: list[Resource]) -> _Matched:
    """Pair objects of one kind and namespace that say nearly the same, the most alike first."""
    left, right = _by_kind(old), _by_kind(new)
    found: list[tuple[Resource, Resource]] = []
    for kind in sorted(left.keys() & right.keys()):
        if max(len(left[kind]), len(right[kind])) <= _MOST_CANDIDATES:
            found += _most_alike(left[kind], right[kind])
    taken = {id(resource) for couple in found for resource in couple}
    return (
        [resource for resource in old if id(resource) not in taken],
        [resource for resource in new if id(resource) not in taken],
        found,
    )


def _by_kind(resources: Sequence[Resource]) -> dict[tuple[str, ...], list[Resource]]:
    found: dict[tuple[str, ...], list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.id.name and resource.id.kind:
            found[_object_of(resource.id)[:3]].append(resource)
    return found


def _most_alike(old: Sequence[Resource], new: Sequence[Resource]) -> Iterator[tuple[Resource, Resource]]:
    before = [(resource, frozenset(_leaves(resource))) for resource in old]
    after = [(resource, frozenset(_leaves(resource))) for resource in new]
    scored = sorted(
        (-_likeness(one, other), left.id, right.id, i, j)
        for i, (left, one) in enumerate(before)
        for j, (right, other) in enumerate(after)
        if _likeness(one, other) >= _LEAST_ALIKE
    )
    used_old: set[int] = set()
    used_new: set[int] = set()
    for _, _, _, i, j in scored:
        if i not in used_old and j not in used_new:
            used_old.add(i)
            used_new.add(j)
            yield before[i][0], after[j][0]


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    if min(len(one), len(other)) < _FEWEST_LEAVES:
        return 0.0
    return len(one & other) / len(one | other)


def _leaves(resource: Resource) -> Iterator[str]:
    """Yield what an object says, one text a leaf, its own name left out wherever it stands."""
    body: Body = {key: value for key, value in resource.body.items() if key not in ("apiVersion", "kind", "status")}
    yield from _texts(body, "", resource.id.name)


def _texts(value: "Json | Body", at: str, name: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if not (at == "/metadata" and key in ("name", "namespace")):
                yield from _texts(item, f"{at}/{key}", name)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _texts(item, f"{at}/[]", name)
    else:
        yield f"{at}={type(value).__name__}:{value!r}".replace(name, "{name}")

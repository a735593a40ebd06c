"""How the items of two lists are paired: by key, as a set, or in order by their longest common subsequence."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from gitops_guard.model import FieldPath, Json, ResourceId

ListKeys: TypeAlias = Callable[[ResourceId, FieldPath], tuple[str, ...] | None]
"""Keys of a list: `("name",)`, `("port", "protocol")`; `()` for a set, None for a list whose order counts."""

_BY_NAME: Final = (
    "containers", "initContainers", "ephemeralContainers", "env", "volumes", "imagePullSecrets", "webhooks",
    "resourceClaims", "claims", "versions", "secrets", "validations", "dependsOn", "volumeClaimTemplates",
)  # fmt: skip
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_BY_NAME, ("name",)),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "subjects": ("kind", "namespace", "name"),
    "ownerReferences": ("uid",),
    "items": ("key",),
    # Sets: the API server or the controller gives their order no meaning.
    "finalizers": (),
    "accessModes": (),
    "policyTypes": (),
    "verbs": (),
    "apiGroups": (),
    "resourceNames": (),
    "nonResourceURLs": (),
    "externalIPs": (),
    "loadBalancerSourceRanges": (),
    "drop": (),
}
_PORTS: Final = {"Service": ("port", "protocol")}
_ABSENT_KEY: Final = {"protocol": "TCP", "namespace": ""}
"""What a key field means that is left out."""

_ORDERED: Final = frozenset(("initContainers", "args", "command", "rules", "webhooks"))
"""Keyed lists and sets whose order has a meaning all the same."""

_MOST_MATCHES: Final = 500_000
"""Beyond this many pairs of equal items the longest common subsequence is not looked for: each costs time."""


class Pair(NamedTuple):
    """Two items that are compared; one of the indices is None for an item that came or went."""

    old: int | None
    new: int | None
    label: str
    """How the item is named in a path: `name=web`, or its index."""


def known_list_keys(owner: ResourceId, path: FieldPath) -> tuple[str, ...] | None:
    """Return the keys of the lists of built-in kinds, by the names of their fields."""
    field = path[-1] if path else ""
    if field == "ports":
        return _PORTS.get(owner.kind, ("containerPort", "protocol"))
    if field == "resources" and owner.kind in ("Role", "ClusterRole"):
        return ()
    keys = _KEYS.get(str(field))
    return None if keys == () and not is_builtin(owner) else keys


def is_builtin(owner: ResourceId) -> bool:
    """Tell whether a kind is one of Kubernetes' own, as far as its group tells."""
    return "." not in owner.group or owner.group.endswith(".k8s.io")


def by_key(old: Sequence[Json], new: Sequence[Json], keys: tuple[str, ...]) -> list[Pair] | None:
    """Pair items by their keys; None when some item lacks a key or shares it with another."""
    before, after = _indexed(old, keys), _indexed(new, keys)
    if before is None or after is None:
        return None
    pairs = [Pair(before.get(key), index, _label(keys, key)) for key, index in after.items()]
    pairs += [Pair(index, None, _label(keys, key)) for key, index in before.items() if key not in after]
    return pairs


def as_set(old: Sequence[Json], new: Sequence[Json]) -> list[Pair] | None:
    """Pair equal items; None when one occurs twice."""
    before = {spelled(item): index for index, item in enumerate(old)}
    after = {spelled(item): index for index, item in enumerate(new)}
    if len(before) < len(old) or len(after) < len(new):
        return None
    pairs = [Pair(before.get(key), index, str(index)) for key, index in after.items()]
    pairs += [Pair(index, None, str(index)) for key, index in before.items() if key not in after]
    return pairs


def in_order(old: Sequence[Json], new: Sequence[Json]) -> list[Pair]:
    """Pair items by their longest common subsequence; replaced items are paired one by one."""
    before, after = [spelled(item) for item in old], [spelled(item) for item in new]
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    mid_old, mid_new = before[start : len(before) - end], after[start : len(after) - end]
    pairs = [Pair(index, index, str(index)) for index in range(start)]
    pairs += [
        Pair(
            None if i is None else start + i,
            None if j is None else start + j,
            str(start + (j if j is not None else i or 0)),
        )
        for i, j in _aligned(mid_old, mid_new)
    ]
    shift = len(after) - len(before)
    pairs += [Pair(index, index + shift, str(index + shift)) for index in range(len(before) - end, len(before))]
    return pairs


def spelled(item: Json) -> str:
    """Return a text that is the same for equal items alone: true is not 1, and the order of keys does not count."""
    return json.dumps(item, sort_keys=True)


def is_shuffled(pairs: Sequence[Pair]) -> bool:
    """Tell whether the items that both lists have stand in another order."""
    shared = [pair.old for pair in pairs if pair.old is not None and pair.new is not None]
    return any(one > other for one, other in pairwise(shared))


def order_counts(path: FieldPath, old: Sequence[Json], new: Sequence[Json]) -> bool:
    """Tell whether the order of a keyed list or set has a meaning: environment variables may refer to earlier ones."""
    field = path[-1] if path else ""
    if field == "env":
        return any("$(" in str(item.get("value", "")) for item in (*old, *new) if isinstance(item, dict))
    return field in _ORDERED


def _indexed(items: Sequence[Json], keys: tuple[str, ...]) -> dict[tuple[str, ...], int] | None:
    found: dict[tuple[str, ...], int] = {}
    for index, item in enumerate(items):
        key = _key(item, keys)
        if key is None or key in found:
            return None
        found[key] = index
    return found


def _key(item: Json, keys: tuple[str, ...]) -> tuple[str, ...] | None:
    if not isinstance(item, dict):
        return None
    metadata = item.get("metadata")
    if keys == ("name",) and "name" not in item and isinstance(metadata, dict):
        item = metadata  # claim templates are named as objects are
    parts = [item.get(key, _ABSENT_KEY.get(key)) for key in keys]
    if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
        return None
    return tuple(str(part) for part in parts)


def _label(keys: tuple[str, ...], key: tuple[str, ...]) -> str:
    return ",".join(f"{name}={value}" for name, value in zip(keys, key, strict=True))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    counted = Counter(new)
    if sum(counted[item] for item in old) > _MOST_MATCHES:
        yield from _side_by_side(0, len(old), 0, len(new))
        return
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield from _side_by_side(i1, i2, j1, j2)


def _side_by_side(i1: int, i2: int, j1: int, j2: int) -> Iterator[tuple[int | None, int | None]]:
    for offset in range(max(i2 - i1, j2 - j1)):
        i, j = i1 + offset, j1 + offset
        yield (i if i < i2 else None), (j if j < j2 else None)

"""Lists: the API server's own functions and the lists extension."""

import functools
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.functions import ANY, Library
from gitops_guard.cel.operators import arithmetic, compare, equals
from gitops_guard.cel.values import Duration, Timestamp, UInt, kind_of

LISTS_KUBERNETES = Library("lists.kubernetes")
LISTS_EXT = Library("lists.ext")
INCLUDES = Library("lists.includes")

_ORDERED = frozenset({bool, int, UInt, float, str, bytes, Timestamp, Duration})
_SUMMED = frozenset({int, UInt, float, Duration})


@LISTS_KUBERNETES.method("isSorted", list, budgeted=True)
def _is_sorted(budget: Budget, items: list[Any]) -> bool:
    budget.spend(len(items))
    return all(compare(left, right) <= 0 for left, right in pairwise(items))


@LISTS_KUBERNETES.method("sum", list, budgeted=True)
def _sum(budget: Budget, items: list[Any]) -> Any:
    budget.spend(len(items))
    if not items:
        return 0
    if any(kind_of(item) not in _SUMMED for item in items):
        raise no_overload()
    return functools.reduce(lambda left, right: arithmetic("+", left, right, budget), items)


def _extreme(budget: Budget, items: list[Any], *, sign: int, name: str) -> Any:
    budget.spend(len(items))
    if not items:
        raise CelError(f"{name} called on empty list")
    best = items[0]
    for item in items[1:]:
        if sign * compare(item, best) > 0:
            best = item
    return best


@LISTS_KUBERNETES.method("min", list, budgeted=True)
def _min(budget: Budget, items: list[Any]) -> Any:
    return _extreme(budget, items, sign=-1, name="min")


@LISTS_KUBERNETES.method("max", list, budgeted=True)
def _max(budget: Budget, items: list[Any]) -> Any:
    return _extreme(budget, items, sign=1, name="max")


@LISTS_KUBERNETES.method("indexOf", list, ANY, budgeted=True)
def _index_of(budget: Budget, items: list[Any], wanted: Any) -> int:
    budget.spend(len(items))
    return next((index for index, item in enumerate(items) if equals(item, wanted, budget)), -1)


@LISTS_KUBERNETES.method("lastIndexOf", list, ANY, budgeted=True)
def _last_index_of(budget: Budget, items: list[Any], wanted: Any) -> int:
    budget.spend(len(items))
    return next((index for index in range(len(items) - 1, -1, -1) if equals(items[index], wanted, budget)), -1)


@INCLUDES.method("includes", ANY, ANY, budgeted=True)
def _includes(budget: Budget, value: Any, wanted: Any) -> bool:
    if kind_of(value) is not list:
        return equals(value, wanted, budget)
    budget.spend(len(value))
    return any(equals(item, wanted, budget) for item in value)


@LISTS_EXT.method("slice", list, int, int, budgeted=True)
def _slice(budget: Budget, items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(items)}")
    budget.spend_text(end - start)
    return items[start:end]


@LISTS_EXT.method("flatten", list, budgeted=True)
def _flatten_once(budget: Budget, items: list[Any]) -> list[Any]:
    return _flatten(budget, items, 1)


@LISTS_EXT.method("flatten", list, int, budgeted=True)
def _flatten(budget: Budget, items: list[Any], depth: int) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    flat = items
    for _ in range(depth):
        if not any(kind_of(item) is list for item in flat):
            break
        budget.spend(sum(len(item) if kind_of(item) is list else 1 for item in flat))
        flat = [inner for item in flat for inner in (item if kind_of(item) is list else (item,))]
    return flat


@LISTS_EXT.method("distinct", list, budgeted=True)
def _distinct(budget: Budget, items: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        budget.spend(1 + len(kept) // 2)
        if not any(equals(item, other, budget) for other in kept):
            kept.append(item)
    return kept


@LISTS_EXT.method("reverse", list, budgeted=True)
def _reverse(budget: Budget, items: list[Any]) -> list[Any]:
    budget.spend_text(len(items))
    return items[::-1]


@LISTS_EXT.method("sort", list, budgeted=True)
def _sort(budget: Budget, items: list[Any]) -> list[Any]:
    return sorted_by(budget, items, items)


def sorted_by(budget: Budget, items: Sequence[Any], keys: Sequence[Any]) -> list[Any]:
    """Sort items by their keys; equal keys keep their order.

    Raises:
        CelError: The keys are not of one comparable type.
    """
    budget.spend(2 * len(items))
    if not items:
        return []
    kinds = {kind_of(key) for key in keys}
    if len(kinds) > 1:
        raise CelError("list elements must have the same type")
    if not kinds <= _ORDERED:
        raise CelError("list elements must be comparable")
    order = functools.cmp_to_key(compare)
    return [items[position] for position in sorted(range(len(items)), key=lambda position: order(keys[position]))]


@LISTS_EXT.function("lists.range", int, budgeted=True)
def _range(budget: Budget, count: int) -> list[int]:
    budget.spend_text(max(count, 0))
    return list(range(count))

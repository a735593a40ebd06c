"""The sets extension: lists taken as sets, by CEL's equality."""

from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.functions import Library
from gitops_guard.cel.operators import contains

SETS = Library("sets")


@SETS.function("sets.contains", list, list, budgeted=True)
def _contains(budget: Budget, items: list[Any], wanted: list[Any]) -> bool:
    budget.spend(len(wanted))
    return all(contains(item, items, budget) for item in wanted)


@SETS.function("sets.equivalent", list, list, budgeted=True)
def _equivalent(budget: Budget, left: list[Any], right: list[Any]) -> bool:
    return _contains(budget, left, right) and _contains(budget, right, left)


@SETS.function("sets.intersects", list, list, budgeted=True)
def _intersects(budget: Budget, left: list[Any], right: list[Any]) -> bool:
    budget.spend(len(left))
    return any(contains(item, right, budget) for item in left)

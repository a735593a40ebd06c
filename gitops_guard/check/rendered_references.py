"""References of what units are rendered to: a unit is judged by its objects as they reach the cluster.

Each unit is asked first, then the units that may go to the same cluster, then the plain files of the tree. Where the
unit could not be rendered as a whole nothing is certain, so only what is there and does not fit is told.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from gitops_guard.check.references import Group, follow, scene_of
from gitops_guard.links.outline import Outline, outline
from gitops_guard.links.view import ReferenceRule
from gitops_guard.model import Problem, Severity
from gitops_guard.model.unit import RenderedObject, RenderedUnit, Unit


class RenderedSuspect(NamedTuple):
    """What is wrong with the references of one rendered object."""

    unit: Unit
    object: RenderedObject
    problem: Problem
    """With rule and severity."""


def follow_rendered(
    units: Sequence[RenderedUnit],
    plain: Sequence[Group],
    rules: Iterable[ReferenceRule],
    *,
    listed: Collection[str] = (),
    judged: Callable[[Unit], bool] | None = None,
) -> list[RenderedSuspect]:
    """Judge the references of rendered objects.

    Args:
        units: All units of the tree, or those that are rendered in this run.
        plain: The tree's files as they are written; they answer, and are not judged here.
        rules: Those that are on.
        listed: Ids of rules of which everything is reported, however much leads out of the repository.
        judged: Tells which units are judged; all of them where it is not given. The others only answer.
    """
    known = tuple(rules)
    found: list[RenderedSuspect] = []
    asked = [unit.unit for unit in units if judged is None or judged(unit.unit)]
    for clusters in sorted({unit.clusters for unit in asked}):
        together = [unit for unit in units if _may_meet(unit.unit.clusters, clusters)]
        groups = [
            _group(number, unit, judged=unit.unit.clusters == clusters and unit.unit in asked)
            for number, unit in enumerate(together)
        ]
        answering = [replace(group, judged=False) for group in plain]
        followed = follow(groups, scene_of((*groups, *answering)), known, listed=listed)
        for suspect in followed.suspects:
            unit = together[int(suspect.path)]
            one = _objects(unit)[suspect.position][1]
            severity = suspect.problem.severity or suspect.rule.severity
            if severity is not Severity.ERROR and not _is_whole(unit):
                continue
            problem = replace(suspect.problem, rule=suspect.rule.id, severity=severity)
            found.append(RenderedSuspect(unit.unit, one, problem))
    return found


def _may_meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not one or not other or not set(one).isdisjoint(other)


def _is_whole(unit: RenderedUnit) -> bool:
    return not unit.errors


def _objects(unit: RenderedUnit) -> list[tuple[Outline, RenderedObject]]:
    return list(_outlined(unit))


def _outlined(unit: RenderedUnit) -> Iterator[tuple[Outline, RenderedObject]]:
    for one in unit.objects:
        found = outline(one.resource.body)
        if found is not None and one.hook != "test":
            namespace = found.namespace or unit.unit.namespace
            yield found._replace(namespace=namespace), one


def _group(number: int, unit: RenderedUnit, *, judged: bool) -> Group:
    label = f"{unit.unit.kind} {unit.unit.name} {' '.join(unit.unit.clusters)}"
    return Group(unit=label, path=str(number), outlines=[found for found, _ in _outlined(unit)], judged=judged)

"""rollouts-compete-for-nodes: each rollout of a change fits on the nodes alone, all of them together do not."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gitops_guard.model import Problem, Severity
from gitops_guard.rollout.capacity import Need, Without, need_of, place_of
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.cluster_view import ClusterView, namespace_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.scheduling.fit import place
from gitops_guard.rollout.scheduling.state import Placed
from gitops_guard.rollout.workload import POD_SPEC

RULE = "rollouts-compete-for-nodes"


class _Mover(NamedTuple):
    pair: Pair
    need: Need
    own: Sequence[Placed]


def find(change: Change) -> Iterator[Hazard]:
    """Yield the workloads that come last, where the nodes do not hold all that the change wants at once."""
    view = change.view
    if view is None or not view.knows_nodes:
        return
    movers = [mover for pair in change.workloads if (mover := _mover(pair, change, view)) is not None]
    if len(movers) < 2:
        return
    yield from _at_the_end(movers, view)
    yield from _at_the_start(movers, view)


def _mover(pair: Pair, change: Change, view: ClusterView) -> _Mover | None:
    if pair.id.kind == "DaemonSet" or not pair.changed or place_of(pair, change).why:
        return None
    own = view.state.workloads.get((namespace_of(pair.new or {}), f"{pair.id.kind}/{pair.id.name}"), [])
    need = need_of(pair, view, len(own))
    return None if need is None or not need.total or need.pod.claims else _Mover(pair, need, own)


def _at_the_end(movers: Sequence[_Mover], view: ClusterView) -> Iterator[Hazard]:
    """All old pods are gone, all new ones wanted."""
    own = [placed for mover in movers for placed in mover.own]
    with Without(own, view.state):
        missing = _missing([(mover, mover.need.total) for mover in movers], view)
    for mover, held in missing:
        message = f"the nodes hold {held} of {mover.need.total} pods beside what else the change wants"
        yield _hazard(mover, message, Severity.ERROR)


def _at_the_start(movers: Sequence[_Mover], view: ClusterView) -> Iterator[Hazard]:
    """All old pods run, and the first extra pod of each rollout that needs one."""
    rigid = [mover for mover in movers if mover.need.beside and not mover.need.freed]
    for mover, _ in _missing([(mover, 1) for mover in rigid], view):
        message = f"the first extra pods of {len(rigid)} rollouts do not fit at once: it waits for the others"
        yield _hazard(mover, message, Severity.WARNING)


def _missing(wanted: Sequence[tuple[_Mover, int]], view: ClusterView) -> list[tuple[_Mover, int]]:
    """Place them all, the largest first, and return whose pods found no room, with how many did."""
    order = sorted(wanted, key=lambda one: -one[0].need.pod.requests.get("memory", 0))
    all_placed: list[Placed] = []
    missing = []
    for mover, count in order:
        placed = place(mover.need.pod, count, view.state)
        all_placed += placed
        if len(placed) < count:
            missing.append((mover, len(placed)))
    for one in all_placed:
        view.state.remove(one)
    return missing


def _hazard(mover: _Mover, message: str, severity: Severity) -> Hazard:
    assert mover.pair.after is not None
    return Hazard(mover.pair.after, Problem(rule=RULE, field=POD_SPEC, message=message, severity=severity))

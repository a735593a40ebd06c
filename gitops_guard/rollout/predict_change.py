"""The predictions for all workloads and Services that a change concerns."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from gitops_guard.model import CheckError
from gitops_guard.model.rollout import Rollout, RolloutVerdict
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.capacity import place_of
from gitops_guard.rollout.change import Change, Key, Pair
from gitops_guard.rollout.cluster_view import namespace_of
from gitops_guard.rollout.configuration import stale_reasons
from gitops_guard.rollout.hazards.quota_usage import most_pods
from gitops_guard.rollout.image import mutable_images
from gitops_guard.rollout.service import selector
from gitops_guard.rollout.simulate import simulate, simulate_flagger, simulate_service
from gitops_guard.rollout.waves import wave_of


class Predictions(NamedTuple):
    """What became of a change's workloads."""

    rollouts: tuple[Rollout, ...]
    errors: tuple[CheckError, ...]
    unchanged: int


def predict_change(change: Change, assumptions: Assumptions, version: str) -> Predictions:
    """Predict every workload and Service that a change concerns.

    Args:
        change: All objects; workloads and Services are predicted, the others only give reasons.
        assumptions: As of `simulate`.
        version: As of `simulate`.
    """
    rollouts: list[Rollout] = []
    errors: list[CheckError] = []
    unchanged = 0
    for pair in (*change.workloads, *_switched_services(change)):
        is_service = pair.id.kind == "Service"
        stale = () if is_service else stale_reasons(pair, change)
        if not pair.changed and not stale and not is_service:
            unchanged += 1
            continue
        try:
            found = _rollout(pair, change, stale, assumptions, version)
            rollouts.append(replace(found, wave=wave_of(pair.new or {})))
        except ValueError as error:
            errors.append(_error(pair, str(error)))
    rollouts.sort(key=lambda one: (one.wave, Key.of(one.resource)))
    return Predictions(tuple(rollouts), tuple(errors), unchanged)


def _rollout(pair: Pair, change: Change, stale: tuple[str, ...], assumptions: Assumptions, version: str) -> Rollout:
    assert pair.after is not None
    if pair.id.kind == "Service":
        workloads = [(one.old, one.new) for one in change.workloads_in(pair.scope) if one.new is not None]
        return simulate_service(pair.old, pair.after.body, workloads, assumptions=assumptions, version=version)
    assumptions = _seen_live(pair, change, assumptions)
    place = place_of(pair, change)
    canary = change.canary_of(pair)
    if canary is not None and canary.new is not None and pair.old is not None and pair.rolls:
        return simulate_flagger(canary.new, pair.old, pair.after.body, assumptions=assumptions, place=place)
    found = simulate(pair.old, pair.after.body, assumptions=assumptions, version=version, place=place)
    return _with_reasons(found, pair, stale)


def _seen_live(pair: Pair, change: Change, assumptions: Assumptions) -> Assumptions:
    """Return the assumptions with what a snapshot knows better: how many nodes, how many replicas."""
    if change.view is None or pair.new is None:
        return assumptions
    known: dict[str, int] = {}
    if pair.id.kind == "DaemonSet" and (nodes := change.nodes_for(pair.new)) is not None:
        known["nodes"] = nodes
    quota = most_pods(change, pair)
    if quota is not None and "quota_pods" not in assumptions.given:
        known["quota_pods"] = quota
    pods = change.view.pods_of(namespace_of(pair.new), f"{pair.id.kind}/{pair.id.name}")
    if pods and "replicas" not in assumptions.given:
        known["replicas"] = sum(not pod.terminating for pod in pods)
    return replace(assumptions, given=assumptions.given | known.keys(), **known)  # type: ignore[arg-type]  # numbers all


def _with_reasons(rollout: Rollout, pair: Pair, stale: tuple[str, ...]) -> Rollout:
    """Say why a merge that was meant to change something changes nothing."""
    reasons = list(stale)
    if rollout.verdict is RolloutVerdict.NO_OP and not rollout.triggers and pair.new is not None:
        reasons += [f"image {image} is not pulled again: its tag may move, but the text is the same"
                    for image in mutable_images(pair.new)]  # fmt: skip
    return replace(rollout, reasons=(*reasons, *rollout.reasons)) if reasons else rollout


def _error(pair: Pair, message: str) -> CheckError:
    found = pair.after or pair.before
    assert found is not None
    return CheckError(path=found.origin.path, line=found.origin.line, column=0, message=f"{pair.id}: {message}")


def _switched_services(change: Change) -> Iterator[Pair]:
    """Yield the Services whose set of workloads the change alters: selector, labels, or what is created."""
    for pair in change.of_kind("Service"):
        if pair.id.group or pair.new is None or pair.old is None or not selector(pair.new):
            continue
        before = change.labels_before.having(pair.scope, selector(pair.old)) if selector(pair.old) else []
        after = change.labels_after.having(pair.scope, selector(pair.new))
        if before != after and (before or after):
            yield pair

"""rwo-volume-in-rolling-update: the new pod waits for a volume that the old one holds, and the old for the new."""

from collections.abc import Iterator

from gitops_guard.model import Body, Problem, Severity
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.scheduling.selectors import node_selector
from gitops_guard.rollout.workload import POD_SPEC, is_rigid, pod_spec, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield volumes of rolling Deployments that one node or one pod alone can hold, where no pod may be missing."""
    for pair in change.workloads:
        if pair.after is None or not pair.rolls or not is_rigid(pair.after.body):
            continue
        for problem in _problems(pair, change):
            yield Hazard(pair.after, problem)


def _problems(workload: Pair, change: Change) -> Iterator[Problem]:
    for index, volume in enumerate(structs(pod_spec(workload.new or {}).get("volumes"))):
        claim = struct(volume.get("persistentVolumeClaim")).get("claimName")
        found = change.find("PersistentVolumeClaim", workload.scope, str(claim))
        modes = _modes(found.new or found.old or {}) if found is not None else []
        if modes not in (["ReadWriteOnce"], ["ReadWriteOncePod"]):
            continue
        if modes == ["ReadWriteOnce"] and _is_of_one_node(found.new or found.old or {} if found else {}, change):
            continue  # all pods run on the node of the volume, where they may share it
        if modes == ["ReadWriteOncePod"]:
            why, severity = "one pod alone may use it, so the new pod never starts", Severity.ERROR
        else:
            why, severity = "on another node the new pod waits for it for ever (Multi-Attach)", Severity.WARNING
        message = f"PersistentVolumeClaim {claim} is {modes[0]}: {why}, and the old pod stays until it is ready"
        yield Problem(
            rule="rwo-volume-in-rolling-update",
            field=(*POD_SPEC, "volumes", index, "persistentVolumeClaim", "claimName"),
            message=message,
            hint="strategy Recreate, or a StatefulSet",
            severity=severity,
        )


def _is_of_one_node(claim: Body, change: Change) -> bool:
    """Tell whether the volume of a claim is on one node of the snapshot alone: a local one."""
    name = spec_of(claim).get("volumeName")
    if change.view is None or not isinstance(name, str) or not change.view.knows_nodes:
        return False
    volume = change.view.find("PersistentVolume", "", name) or {}
    required = struct(spec_of(volume).get("nodeAffinity")).get("required")
    nodes = change.view.snapshot.nodes
    return required is not None and sum(node_selector(required, node.name, node.labels) for node in nodes) == 1


def _modes(claim: Body) -> list[str]:
    modes = spec_of(claim).get("accessModes")
    return [str(mode) for mode in modes] if isinstance(modes, list) else []

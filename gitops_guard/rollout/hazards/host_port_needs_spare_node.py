"""host-port-needs-spare-node: old and new pods need the same port of a node, and no pod may be missing."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import host_ports
from gitops_guard.rollout.change import Change, Pair, template_of
from gitops_guard.rollout.daemonset_case import daemonset_spec
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.hazards.spare_node import spare_node_problem
from gitops_guard.rollout.workload import POD_SPEC, is_rigid

RULE = "host-port-needs-spare-node"


def find(change: Change) -> Iterator[Hazard]:
    """Yield rolling Deployments and surging DaemonSets whose old and new pods share a port of the node."""
    for pair in change.workloads:
        if pair.after is None or pair.old is None or not pair.rolls:
            continue
        shared = set(host_ports(template_of(pair.old))) & set(host_ports(template_of(pair.after.body)))
        problem = _problem(pair, min(shared), change) if shared else None
        if problem is not None:
            yield Hazard(pair.after, problem)


def _problem(pair: Pair, port: int, change: Change) -> Problem | None:
    body, field = pair.new or {}, (*POD_SPEC, "containers")
    if pair.id.kind == "DaemonSet":
        spec = daemonset_spec(body, "new")
        if spec.on_delete or not spec.limits(100)[0]:
            return None
        message = f"maxSurge runs old and new pod on one node, but both need host port {port}: no new pod can start"
        return Problem(rule=RULE, field=field, message=message, hint="maxUnavailable in the place of maxSurge")
    if not is_rigid(body):
        return None
    return spare_node_problem(RULE, field, f"old and new pods need host port {port}", body, change)

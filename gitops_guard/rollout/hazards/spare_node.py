"""What several hazards share: a rollout that needs one node more than there are pods."""

from gitops_guard.model import Body, FieldPath, Problem, Severity
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.workload import replicas


def spare_node_problem(rule: str, field: FieldPath, why: str, body: Body, change: Change) -> Problem | None:
    """Return the problem, unless it is known that there are nodes enough.

    An error where the nodes are known to be too few, else a warning that says how many are needed.
    """
    needed = replicas(body) + 1
    nodes = change.nodes_for(body)
    if nodes is not None and nodes >= needed:
        return None
    known = "" if nodes is None else f", there are {nodes}"
    message = f"{why}, and maxUnavailable is 0: the rollout is stuck unless {needed} nodes can run it{known}"
    hint = "maxUnavailable: 1"
    severity = None if nodes is None else Severity.ERROR
    return Problem(rule=rule, field=field, message=message, hint=hint, severity=severity)

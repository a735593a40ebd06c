"""unserved-readiness-gate: a condition that no known controller sets keeps pods from ever becoming ready."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import structs
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.lifecycle import SERVED_GATES
from gitops_guard.rollout.workload import POD_SPEC, pod_spec


def find(change: Change) -> Iterator[Hazard]:
    """Yield readiness gates of changed workloads that were not there before and that nothing known serves."""
    for pair in change.workloads:
        if pair.after is None or not pair.changed or change.unknown_gates_met:
            continue
        before = [gate.get("conditionType") for gate in structs(pod_spec(pair.old or {}).get("readinessGates"))]
        for index, gate in enumerate(structs(pod_spec(pair.after.body).get("readinessGates"))):
            name = gate.get("conditionType")
            if isinstance(name, str) and name not in before and not name.startswith(SERVED_GATES):
                message = f"no known controller sets the condition {name}: pods never become ready without one"
                field = (*POD_SPEC, "readinessGates", index, "conditionType")
                yield Hazard(pair.after, Problem(rule="unserved-readiness-gate", field=field, message=message))

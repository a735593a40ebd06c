"""service-port-missing: a Service sends traffic to a port name that its pods do not have."""

from collections.abc import Iterator

from gitops_guard.links.pods import ports
from gitops_guard.model import Problem, Severity
from gitops_guard.rollout.case import structs
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import selector
from gitops_guard.rollout.workload import pod_spec, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield target ports that none of the selected workloads names; something of them is changed."""
    for service in change.of_kind("Service"):
        if service.after is None or service.id.group or not selector(service.after.body):
            continue
        chosen = change.labels_after.having(service.scope, selector(service.after.body))
        if not chosen or not any(pair.changed for pair in (service, *chosen)):
            continue
        names = {name for pair in chosen for name, _ in ports(pod_spec(pair.new or {}))}
        for index, port in enumerate(structs(spec_of(service.after.body).get("ports"))):
            target = port.get("targetPort")
            if isinstance(target, str) and not target.isdecimal() and target not in names:
                message = f"no pod behind the Service has a port named {target}: it gets no endpoints for this port"
                field = ("spec", "ports", index, "targetPort")
                problem = Problem(rule="service-port-missing", field=field, message=message, severity=Severity.ERROR)
                yield Hazard(service.after, problem)

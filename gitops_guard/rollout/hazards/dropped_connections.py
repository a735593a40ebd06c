"""dropped-connections: pods behind a load balancer end before it has stopped sending to them."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.service import selector
from gitops_guard.rollout.workload import POD_SPEC, containers, spec_of


def find(change: Change) -> Iterator[Hazard]:
    """Yield workloads that roll behind a Service of type LoadBalancer without any preStop hook."""
    told = set()
    for service in change.of_kind("Service"):
        if service.new is None or spec_of(service.new).get("type") != "LoadBalancer" or not selector(service.new):
            continue
        for pair in change.labels_after.having(service.scope, selector(service.new)):
            hooks = [struct(one.get("lifecycle")).get("preStop") for _, one in containers(pair.new or {})]
            if pair.after is None or not pair.rolls or any(hooks) or pair in told:
                continue
            told.add(pair)
            message = (
                f"no container has a preStop hook, and Service {service.id.name} is a load balancer: it still sends"
                " to a pod that ends already"
            )
            field = (*POD_SPEC, "containers")
            hint = "lifecycle.preStop.sleep.seconds: 10"
            yield Hazard(pair.after, Problem(rule="dropped-connections", field=field, message=message, hint=hint))

"""What hazards read off a workload's manifest: its size, whether a rollout needs an extra pod, its labels."""

from collections.abc import Iterator, Mapping

from gitops_guard.links.selectors import selects
from gitops_guard.model import Body, FieldPath, Json
from gitops_guard.rollout.case import integer, struct, structs
from gitops_guard.rollout.change import Change, Pair, labels_of, template_of
from gitops_guard.rollout.deployment import DeploymentSpec
from gitops_guard.rollout.deployment_case import deployment_spec

POD_SPEC: FieldPath = ("spec", "template", "spec")


def spec_of(body: Body) -> Mapping[str, Json]:
    """Return `spec`."""
    return struct(body.get("spec"))


def pod_spec(body: Body) -> Mapping[str, Json]:
    """Return the spec of a workload's pods."""
    return struct(template_of(body).get("spec"))


def containers(body: Body) -> Iterator[tuple[FieldPath, Mapping[str, Json]]]:
    """Yield the main containers of a workload's pods with their paths."""
    for index, container in enumerate(structs(pod_spec(body).get("containers"))):
        yield (*POD_SPEC, "containers", index), container


def replicas(body: Body) -> int:
    """Return spec.replicas, 1 where it is absent."""
    return integer(spec_of(body).get("replicas"), 1)


def rolling(body: Body) -> DeploymentSpec | None:
    """Return the numbers of a Deployment that is updated by RollingUpdate; None for everything else."""
    if body.get("kind") != "Deployment":
        return None
    found = deployment_spec(body, "new", 1)
    return None if found.recreate else found


def is_rigid(body: Body) -> bool:
    """Tell whether a rollout moves only while an extra pod can run: no old pod may be missing."""
    found = rolling(body)
    return found is not None and found.replicas > 0 and found.budget.unavailable == 0


def selected(change: Change, scope: str, selector: Json) -> list[Pair]:
    """Return the workloads after the change whose pods a label selector matches; none where there is no selector."""
    if not isinstance(selector, dict):
        return []
    found = change.labels_after.having(scope, struct(selector.get("matchLabels")))
    return [pair for pair in found if pair.new is not None and selects(selector, labels_of(pair.new))]

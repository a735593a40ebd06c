"""The door of the stage: two versions of a workload and assumptions in, a prediction out."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from gitops_guard.model import Body
from gitops_guard.model.resource import resource_id
from gitops_guard.model.rollout import Rollout
from gitops_guard.rollout import service
from gitops_guard.rollout.argo_case import RolloutCase
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.case import ANYWHERE, Case, Place
from gitops_guard.rollout.daemonset_case import DaemonSetCase
from gitops_guard.rollout.deployment_case import DeploymentCase
from gitops_guard.rollout.flagger_case import FlaggerCase
from gitops_guard.rollout.predict import predict
from gitops_guard.rollout.statefulset_case import StatefulSetCase
from gitops_guard.rollout.versions import KubernetesModel, kubernetes_model

_Make: TypeAlias = Callable[[Body | None, Body, Assumptions, KubernetesModel], Case]

_CASES: Mapping[tuple[str, str], _Make] = MappingProxyType(
    {
        ("apps", "Deployment"): lambda before, after, assumptions, _: DeploymentCase(before, after, assumptions),
        ("apps", "StatefulSet"): StatefulSetCase,
        ("argoproj.io", "Rollout"): lambda before, after, assumptions, _: RolloutCase(before, after, assumptions),
        ("apps", "DaemonSet"): lambda before, after, assumptions, _: DaemonSetCase(before, after, assumptions),
    }
)


def can_simulate(body: Body) -> bool:
    """Return whether there is a simulator for the controller of this object."""
    resource = resource_id(body)
    return (resource.group, resource.kind) in _CASES


def simulate(
    before: Body | None,
    after: Body,
    *,
    assumptions: Assumptions | None = None,
    version: str = "1.36",
    place: Place = ANYWHERE,
) -> Rollout:
    """Predict what merging `after` in the place of `before` does to the workload's pods.

    Pure: the same input gives the same prediction, byte for byte.

    Args:
        before: The workload as it runs; None when the merge creates it.
        after: The workload as merged.
        assumptions: What the manifests do not say; None for the defaults.
        version: Of Kubernetes: `1.36` (then its newest patch) or `1.35.2`.
        place: What the nodes can hold of the new version; anything by default.

    Raises:
        ValueError: There is no simulator for the kind, the two are not the same workload, `version` is none, or
            the simulation would take too long.
    """
    case, model = _case(before, after, assumptions or Assumptions(), version)
    case.place = place
    return predict(case, model.name)


def simulate_service(
    before: Body | None,
    after: Body,
    workloads: Sequence[tuple[Body | None, Body]],
    *,
    assumptions: Assumptions | None = None,
    version: str = "1.36",
) -> Rollout:
    """Predict the endpoints of a Service in a merge that changes its selector or its workloads.

    For blue-green and canary made by hand.

    Args:
        before: The Service as it is; None when the merge creates it.
        after: The Service as merged.
        workloads: (before, after) of every workload in its namespace that there is after the merge, changed or not;
            kinds without a simulator are left out.
        assumptions: As of `simulate`.
        version: As of `simulate`.

    Raises:
        ValueError: As of `simulate`.
    """
    given = assumptions or Assumptions()
    cases = [_case(old, new, given, version)[0] for old, new in workloads if can_simulate(new)]
    return service.simulate_service(before, after, cases)


def simulate_flagger(
    canary: Body,
    before: Body,
    after: Body,
    *,
    assumptions: Assumptions | None = None,
    place: Place = ANYWHERE,
) -> Rollout:
    """Predict what Flagger makes of a merge that changes the Deployment of a Canary.

    Args:
        canary: The Canary, which had been initialized before the merge.
        before: Its target, a Deployment, as it was.
        after: The target as merged.
        assumptions: As of `simulate`.
        place: As of `simulate`.

    Raises:
        ValueError: The simulation would take too long.
    """
    resource = resource_id(after)
    given = (assumptions or Assumptions()).for_workload(resource.kind, resource.namespace, resource.name)
    case = FlaggerCase(canary, before, after, given)
    case.place = place
    return predict(case, "flagger 1.44")


def _case(before: Body | None, after: Body, assumptions: Assumptions, version: str) -> tuple[Case, KubernetesModel]:
    resource = resource_id(after)
    make = _CASES.get((resource.group, resource.kind))
    if make is None:
        raise ValueError(f"no simulator for {resource.api_version} {resource.kind}")
    if before is not None and _name(before) != _name(after):
        raise ValueError(f"{resource_id(before)} and {resource} are not the same workload")
    given = assumptions.for_workload(resource.kind, resource.namespace, resource.name)
    model = kubernetes_model(version, given.gates)
    return make(before, after, given, model), model


def _name(body: Body) -> tuple[str, str, str, str]:
    resource = resource_id(body)
    return resource.group, resource.kind, resource.namespace, resource.name

"""Controllers of other projects run beside ours' judges: flagger and Argo Rollouts."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane.api import Api, Body, wait_for
from controlplane.others import ArgoRollouts, Flagger
from controlplane.server import ADMIN


def template(image: str) -> Body:
    container = {"name": "main", "image": image, "ports": [{"containerPort": 8080, "name": "http"}]}
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }


def deployment(namespace: str, image: str) -> Body:
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }


def canary(namespace: str) -> Body:
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "service": {"port": 80, "targetPort": 8080},
        # flagger looks every 10 s at least; with an analysis this would take five looks more
        "skipAnalysis": True,
        "analysis": {"interval": "10s", "threshold": 2, "iterations": 1},
    }
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }


def rollout(namespace: str, image: str) -> Body:
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image),
        "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": spec,
    }


def apply(api: Api, body: Body) -> str:
    answer = api.apply(body, force=True)
    assert answer.status in (200, 201), answer
    return api.path_of(body)


def wait_for_phase(api: Api, path: str, phase: str) -> Any:
    def ask() -> Any:
        live = api.expect("GET", path)
        return live if live.get("status", {}).get("phase") == phase else None

    return wait_for(ask, what=f"{path} to be {phase}", timeout_s=100)


@pytest.mark.timeout(240)
def test_flagger_when_a_canarys_target_changes_then_it_promotes_it(flagger: Flagger, controlled_namespace: str) -> None:
    api = flagger.controllers.control_plane.api(ADMIN)
    apply(api, deployment(controlled_namespace, "web:1"))
    path = apply(api, canary(controlled_namespace))
    wait_for_phase(api, path, "Initialized")
    apply(api, deployment(controlled_namespace, "web:2"))
    wait_for_phase(api, path, "Succeeded")
    primary = api.expect("GET", f"/apis/apps/v1/namespaces/{controlled_namespace}/deployments/web-primary")
    assert primary["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"


def test_argo_rollouts_when_a_rollout_changes_then_it_pauses_at_its_step(
    argo_rollouts: ArgoRollouts, controlled_namespace: str
) -> None:
    api = argo_rollouts.controllers.control_plane.api(ADMIN)
    path = apply(api, rollout(controlled_namespace, "web:1"))
    wait_for_phase(api, path, "Healthy")
    apply(api, rollout(controlled_namespace, "web:2"))
    live = wait_for_phase(api, path, "Paused")
    assert (live["status"]["updatedReplicas"], live["status"]["currentStepIndex"]) == (1, 1)

"""Waiting for what the controllers of other projects do: Argo Rollouts and Flagger, the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from controlplane.controllers import Controllers
from controlplane.others import ArgoRollouts, Flagger
from controlplane.server import ADMIN

from gitops_guard.cluster import Client, load_access
from gitops_guard.model.sync import HealthStatus, SyncVerdict

Body = dict[str, Any]


@pytest.fixture
def fleet_on(words: Any, controlled_namespace: str) -> Callable[[Controllers], Any]:
    @contextmanager
    def connected(controllers: Controllers) -> Iterator[Any]:
        path = controllers.control_plane.kubeconfig(ADMIN)
        with Client(load_access({}, kubeconfig=str(path))) as client:
            yield words.fleet(client, controlled_namespace)

    return connected


def template(image: str, **annotations: str) -> Body:
    container = {"name": "main", "image": image, "ports": [{"containerPort": 8080, "name": "http"}]}
    metadata = {
        "labels": {"app": "web"},
        "annotations": {f"stage.test/{k.replace('_', '-')}": v for k, v in annotations.items()},
    }
    return {"metadata": metadata, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}


def rollout(namespace: str, image: str, **annotations: str) -> Body:
    spec = {
        "replicas": 2,
        "progressDeadlineSeconds": 3,
        "progressDeadlineAbort": True,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image, **annotations),
        "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": "1s"}}]}},
    }
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}


def test_sync_when_argo_rolls_then_it_waits_for_the_last_step_and_fails_with_argos_reason(
    argo_rollouts: ArgoRollouts, fleet_on: Any
) -> None:
    with fleet_on(argo_rollouts.controllers) as fleet:
        fleet.want(rollout(fleet.namespace, "web:1"))
        first = fleet.sync(wait=True)
        fleet.want(rollout(fleet.namespace, "web:2"))
        second = fleet.sync(wait=True)
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{fleet.namespace}/rollouts/web"
        status = argo_rollouts.controllers.control_plane.api(ADMIN).expect("GET", path)["status"]
        fleet.want(rollout(fleet.namespace, "web:3", never_ready="true"))
        third = fleet.sync(wait=True)

    assert [SyncVerdict.SYNCED] * 2 == [first.verdict, second.verdict], (first, second)
    assert ("Healthy", status["currentPodHash"]) == (status["phase"], status["stableRS"])
    (health,) = third.health
    assert (SyncVerdict.UNHEALTHY, HealthStatus.FAILED) == (third.verdict, health.status), third
    assert health.message


def test_sync_when_flagger_sets_a_canary_up_then_it_waits_for_that(flagger: Flagger, fleet_on: Any) -> None:
    with fleet_on(flagger.controllers) as fleet:
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": fleet.namespace},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template("web:1")},
        }
        canary = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {"name": "web", "namespace": fleet.namespace},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "service": {"port": 80, "targetPort": 8080},
                "skipAnalysis": True,
                "analysis": {"interval": "10s", "threshold": 2, "iterations": 1},
            },
        }
        fleet.want(deployment, canary)
        report = fleet.sync(wait=True)
        path = f"/apis/flagger.app/v1beta1/namespaces/{fleet.namespace}/canaries/web"
        phase = flagger.controllers.control_plane.api(ADMIN).expect("GET", path)["status"]["phase"]
        drift = fleet.drift()

    assert (SyncVerdict.SYNCED, "Initialized") == (report.verdict, phase), report
    assert () == drift.drift

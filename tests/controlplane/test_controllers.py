"""Workloads roll on real controllers, with KWOK's stages in place of kubelets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from controlplane.api import Api, Body, wait_for
from controlplane.controllers import Controllers
from controlplane.server import ADMIN


@pytest.fixture
def api(controllers: Controllers) -> Api:
    return controllers.control_plane.api(ADMIN)


def workload(kind: str, namespace: str, *, name: str = "web", image: str = "web:1", **more: Any) -> Body:
    """Return a small workload; `stages` are annotations of its pods, without their prefix."""
    stages = {f"stage.test/{key.replace('_', '-')}": value for key, value in more.pop("stages", {}).items()}
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels, "annotations": stages},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": image}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template, **more}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def apply(api: Api, body: Body) -> None:
    answer = api.apply(body, force=True)
    assert answer.status in (200, 201), answer


def pods(api: Api, namespace: str) -> list[Body]:
    items: list[Body] = api.expect("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    return items


def condition(body: Body, name: str) -> Body:
    found = [one for one in body.get("status", {}).get("conditions", []) if one["type"] == name]
    return found[0] if found else {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda namespace: workload("Deployment", namespace, replicas=4), id="deployment"),
        pytest.param(
            lambda namespace: workload("StatefulSet", namespace, replicas=2, serviceName="web"), id="statefulset"
        ),
        pytest.param(lambda namespace: workload("DaemonSet", namespace), id="daemonset"),
    ],
)
def test_workload_when_its_pods_become_ready_then_it_settles(
    controllers: Controllers, api: Api, controlled_namespace: str, body: Callable[[str], Body]
) -> None:
    wanted = body(controlled_namespace)
    apply(api, wanted)
    controllers.wait_for_rollout(wanted)
    expected = {"Deployment": 4, "StatefulSet": 2, "DaemonSet": 3}[wanted["kind"]]
    assert ["True"] * expected == [condition(pod, "Ready")["status"] for pod in pods(api, controlled_namespace)]


def test_deployment_when_its_image_changes_then_old_pods_go(
    controllers: Controllers, api: Api, controlled_namespace: str
) -> None:
    for image in ("web:1", "web:2"):
        body = workload("Deployment", controlled_namespace, replicas=3, image=image)
        apply(api, body)
        controllers.wait_for_rollout(body)
    wait_for(lambda: len(pods(api, controlled_namespace)) == 3, what="old pods to be gone")
    assert {"web:2"} == {pod["spec"]["containers"][0]["image"] for pod in pods(api, controlled_namespace)}


def test_deployment_when_pods_never_become_ready_then_the_deadline_is_exceeded(
    api: Api, controlled_namespace: str
) -> None:
    body = workload(
        "Deployment", controlled_namespace, replicas=1, progressDeadlineSeconds=1, stages={"never_ready": "true"}
    )
    apply(api, body)

    def given_up() -> Body | None:
        progressing = condition(api.expect("GET", api.path_of(body)), "Progressing")
        return progressing if progressing.get("status") == "False" else None

    assert wait_for(given_up, what="the deadline to pass")["reason"] == "ProgressDeadlineExceeded"
    (pod,) = pods(api, controlled_namespace)
    assert (pod["status"]["phase"], condition(pod, "Ready")["status"]) == ("Running", "False")


def test_pod_when_it_crashes_then_it_backs_off(api: Api, controlled_namespace: str) -> None:
    apply(api, workload("Deployment", controlled_namespace, replicas=1, stages={"crash": "true"}))

    def reason() -> str:
        statuses = [
            one for pod in pods(api, controlled_namespace) for one in pod["status"].get("containerStatuses", [])
        ]
        return statuses[0]["state"].get("waiting", {}).get("reason", "") if statuses else ""

    assert wait_for(reason, what="the crash") == "CrashLoopBackOff"


def test_pod_when_it_has_a_ready_delay_then_it_is_not_ready_before(api: Api, controlled_namespace: str) -> None:
    started = time.monotonic()
    apply(api, workload("Deployment", controlled_namespace, replicas=1, stages={"ready_delay": "1s"}))
    wait_for(lambda: _running(api, controlled_namespace), what="the pod to run")
    wait_for(lambda: condition(pods(api, controlled_namespace)[0], "Ready")["status"] == "True", what="readiness")
    assert time.monotonic() - started >= 1


def test_pod_when_it_terminates_slowly_then_it_stays_for_that_long(
    controllers: Controllers, api: Api, controlled_namespace: str
) -> None:
    body = workload("Deployment", controlled_namespace, replicas=1, stages={"termination_delay": "1s"})
    apply(api, body)
    controllers.wait_for_rollout(body)
    started = time.monotonic()
    api.expect("DELETE", api.path_of(body))
    wait_for(lambda: not pods(api, controlled_namespace), what="the pod to be gone")
    assert time.monotonic() - started >= 1


def test_job_when_its_pod_ends_then_it_is_complete(api: Api, controlled_namespace: str) -> None:
    container = {"name": "main", "image": "job:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": "once", "namespace": controlled_namespace}
    body: Body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    apply(api, body)
    path = api.path_of(body)
    wait_for(lambda: condition(api.expect("GET", path), "Complete").get("status") == "True", what="the job to complete")


def _running(api: Api, namespace: str) -> bool:
    found = pods(api, namespace)
    return bool(found) and found[0]["status"]["phase"] == "Running"

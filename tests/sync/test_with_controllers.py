"""Runs with real controllers: waiting, failing fast, order by health, rolling back, pruning what has children."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane.controllers import Controllers
from controlplane.server import ADMIN

from gitops_guard.cluster import Client, load_access
from gitops_guard.model.sync import HealthStatus, SyncVerdict
from gitops_guard.sync.request import History, Rendered


@pytest.fixture
def api(controllers: Controllers) -> Any:
    return controllers.control_plane.api(ADMIN)


def workload(words: Any, namespace: str, name: str = "web", **stage: str) -> dict[str, Any]:
    body = words.deployment(namespace, name, replicas=2)
    body["spec"]["template"]["metadata"]["annotations"] = {
        f"stage.test/{key.replace('_', '-')}": value for key, value in stage.items()
    }
    return body


def test_sync_when_waiting_then_the_run_ends_when_all_pods_are_ready(rolling, words, api):
    rolling.want(workload(words, rolling.namespace))

    report = rolling.sync(wait=True)

    assert SyncVerdict.SYNCED is report.verdict
    assert [HealthStatus.CURRENT] == [one.status for one in report.health]
    status = api.expect("GET", f"/apis/apps/v1/namespaces/{rolling.namespace}/deployments/web")["status"]
    assert 2 == status["readyReplicas"]
    assert rolling.revision == rolling.stored().inventory.healthy_revision


def test_sync_when_nothing_changed_after_a_rollout_then_it_is_clean_in_the_end(rolling, words):
    rolling.want(workload(words, rolling.namespace))
    rolling.sync(wait=True)
    rolling.sync()  # the controller's annotation came after the apply: looked at once

    before = sum(rolling.client.counts.values())
    report = rolling.drift()

    assert ("synced", ()) == (report.verdict, report.drift)
    assert sum(rolling.client.counts.values()) - before <= 2


def test_sync_when_a_container_crashes_then_waiting_ends_early_with_the_reason(rolling, words):
    rolling.want(workload(words, rolling.namespace, crash="true"))

    report = rolling.sync(wait=True, timeout_s=90.0)

    assert SyncVerdict.UNHEALTHY is report.verdict
    (found,) = report.health
    assert (HealthStatus.FAILED, "CrashLoopBackOff") == (found.status, found.reason)
    assert "container web of pod web-" in found.message


def test_sync_when_an_object_depends_on_a_rollout_then_it_comes_after_the_last_pod(rolling, words, api):
    after = words.config_map(rolling.namespace, "after")
    reference = f"apps/namespaces/{rolling.namespace}/Deployment/web"
    after["metadata"]["annotations"] = {"config.kubernetes.io/depends-on": reference}
    rolling.want(workload(words, rolling.namespace, ready_delay="1s"), after)

    report = rolling.sync()

    assert {"ConfigMap after": "created", "Deployment web": "created"} == words.actions(report)
    made = api.expect("GET", f"/api/v1/namespaces/{rolling.namespace}/configmaps/after")["metadata"]
    pods = api.expect("GET", f"/api/v1/namespaces/{rolling.namespace}/pods")["items"]
    ready = [one for pod in pods for one in pod["status"]["conditions"] if one["type"] == "Ready"]
    assert 2 == len(ready)
    assert all(one["status"] == "True" and one["lastTransitionTime"] <= made["creationTimestamp"] for one in ready)


def test_sync_when_a_dependency_never_becomes_healthy_then_what_waits_for_it_is_skipped(rolling, words):
    after = words.config_map(rolling.namespace, "after")
    reference = f"apps/namespaces/{rolling.namespace}/Deployment/web"
    after["metadata"]["annotations"] = {"config.kubernetes.io/depends-on": reference}
    rolling.want(workload(words, rolling.namespace, never_ready="true"), after)

    report = rolling.sync(timeout_s=2.0)

    assert {"ConfigMap after": "skipped", "Deployment web": "created"} == words.actions(report)
    assert "which is not healthy" in report.changes[0].reason


def test_sync_when_a_revision_fails_then_the_last_healthy_one_comes_back_and_stays(rolling, words, api):
    good = workload(words, rolling.namespace)
    rolling.want(good)
    assert SyncVerdict.SYNCED is rolling.sync(wait=True).verdict
    healthy = Rendered(revision=rolling.revision, wanted=(words.wanted(good),))
    history = History(follows=lambda _older: True, at=lambda _revision: healthy)
    rolling.revision = "2" * 40
    rolling.want(workload(words, rolling.namespace, never_ready="true"))

    report = rolling.sync(wait=True, timeout_s=3.0, rollback_on_failure=True, history=history)
    again = rolling.sync(wait=True, history=history)

    assert SyncVerdict.ROLLED_BACK is report.verdict
    assert f"rolled back to {'1' * 12}" in report.notes[0]
    live = api.expect("GET", f"/apis/apps/v1/namespaces/{rolling.namespace}/deployments/web")
    assert {} == live["spec"]["template"]["metadata"].get("annotations", {})
    assert (SyncVerdict.SYNCED, "1" * 40) == (again.verdict, again.revision)
    assert "2" * 40 == rolling.stored().inventory.pinned


def test_sync_when_a_workload_left_git_then_its_children_go_with_it_and_others_stay(rolling, words, api):
    rolling.want(workload(words, rolling.namespace), workload(words, rolling.namespace, "other"))
    rolling.sync(wait=True)
    rolling.drop("Deployment", "other")

    report = rolling.sync(prune=True, wait=True)

    assert "deleted" == words.actions(report)["Deployment other"]
    names = {
        one["metadata"]["name"]
        for one in api.expect("GET", f"/apis/apps/v1/namespaces/{rolling.namespace}/deployments")["items"]
    }
    assert {"web"} == names


def test_sync_when_a_job_removes_itself_then_it_has_done_its_work(rolling, words):
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}
    rolling.want(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": rolling.namespace},
            "spec": {"ttlSecondsAfterFinished": 0, "template": pod},
        }
    )

    report = rolling.sync(wait=True)

    assert (SyncVerdict.SYNCED, ["Current"]) == (report.verdict, [one.status for one in report.health])


def test_sync_when_watches_break_then_waiting_goes_on(controllers, rolling, words):
    from controlplane.proxy import Fault, FaultProxy

    with FaultProxy(controllers.control_plane) as proxy:
        proxy.order(Fault(path="watch=1", watch_events=1, times=1), Fault(path="watch=1", status=503, times=2))
        with Client(load_access({}, kubeconfig=str(proxy.kubeconfig()))) as client:
            rolling.want(workload(words, rolling.namespace, ready_delay="1s"))
            report = rolling.sync(client=client, wait=True)

    assert SyncVerdict.SYNCED is report.verdict

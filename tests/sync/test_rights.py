"""Runs with few rights, and what a real server says about the numbers that we trust."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane.api import MERGE_PATCH
from controlplane.server import ADMIN, NAMESPACED, ControlPlane

from gitops_guard.model.sync import SyncAction, SyncVerdict
from gitops_guard.sync.planning import _GENERATION


@pytest.fixture
def api(control_plane: ControlPlane) -> Any:
    return control_plane.api(ADMIN)


def test_sync_when_only_one_namespace_is_allowed_then_it_works_there(fleet, words, connect, control_plane):
    control_plane.allow_in(fleet.namespace)
    fleet.want(words.config_map(fleet.namespace, "one"), words.config_map(fleet.namespace, "two"))
    limited = connect(NAMESPACED)

    first = fleet.sync(client=limited)
    fleet.drop("ConfigMap", "two")
    second = fleet.sync(client=limited, prune=True)

    assert (SyncVerdict.SYNCED, SyncVerdict.SYNCED) == (first.verdict, second.verdict)
    assert {"ConfigMap one": "unchanged", "ConfigMap two": "deleted"} == words.actions(second)


def test_sync_when_one_object_is_not_permitted_then_the_others_are_applied(fleet, words, connect, control_plane, api):
    control_plane.allow_in(fleet.namespace)
    other = f"{fleet.namespace}-other"
    control_plane.create_namespace(other)
    fleet.want(words.config_map(fleet.namespace, "mine"), words.config_map(other, "theirs"))

    report = fleet.sync(client=connect(NAMESPACED))

    assert {"ConfigMap mine": "created", "ConfigMap theirs": "blocked"} == words.actions(report)
    assert "no right" in words.reasons(report, SyncAction.BLOCKED)["ConfigMap theirs"]
    assert 200 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/mine").status


def test_sync_when_a_kind_cannot_be_listed_everywhere_then_nothing_of_it_is_pruned(
    fleet, words, connect, control_plane, api
):
    control_plane.allow_in(fleet.namespace)
    other = f"{fleet.namespace}-other"
    control_plane.create_namespace(other)
    fleet.want(*(words.config_map(space, name) for space in (fleet.namespace, other) for name in ("one", "two")))
    fleet.sync()
    fleet.drop("ConfigMap", "two")

    report = fleet.sync(client=connect(NAMESPACED), prune=True)

    assert 0 == report.counts["deleted"]
    listed = api.expect("GET", f"/api/v1/namespaces/{other}/configmaps")["items"]
    assert {"one", "two"} <= {one["metadata"]["name"] for one in listed}
    assert 4 == len(fleet.stored().inventory.entries)


def test_drift_when_dry_runs_are_not_allowed_then_suspects_are_told_as_unconfirmed(
    fleet, words, connect, control_plane, api
):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    api.expect("PATCH", path, {"data": {"a": "2"}}, headers={"Content-Type": MERGE_PATCH})
    control_plane.allow_in(fleet.namespace, verbs=("get", "list"))

    report = fleet.drift(client=connect(NAMESPACED))

    (found,) = report.drift
    assert found.message.startswith("unconfirmed")


LABELS = {"app": "a"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
JOB = {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
WORKLOAD = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
CHANGES: dict[tuple[str, str], tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    ("apps", "Deployment"): ("apps/v1", "deployments", {"spec": WORKLOAD}, {"spec": {"replicas": 3}}),
    ("apps", "StatefulSet"): ("apps/v1", "statefulsets", {"spec": {**WORKLOAD, "serviceName": "a"}}, {"spec": {"replicas": 3}}),
    ("apps", "DaemonSet"): ("apps/v1", "daemonsets", {"spec": WORKLOAD}, {"spec": {"minReadySeconds": 3}}),
    ("apps", "ReplicaSet"): ("apps/v1", "replicasets", {"spec": WORKLOAD}, {"spec": {"replicas": 3}}),
    ("batch", "Job"): ("batch/v1", "jobs", {"spec": {"template": JOB}}, {"spec": {"suspend": True}}),
    ("batch", "CronJob"): ("batch/v1", "cronjobs", {"spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": JOB}}}}, {"spec": {"suspend": True}}),
    ("networking.k8s.io", "Ingress"): ("networking.k8s.io/v1", "ingresses", {"spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}}, {"spec": {"ingressClassName": "x"}}),
    ("networking.k8s.io", "NetworkPolicy"): ("networking.k8s.io/v1", "networkpolicies", {"spec": {"podSelector": {}}}, {"spec": {"policyTypes": ["Egress"]}}),
    ("policy", "PodDisruptionBudget"): ("policy/v1", "poddisruptionbudgets", {"spec": {"minAvailable": 1}}, {"spec": {"minAvailable": 2}}),
}  # fmt: skip


def test_generation_when_trusted_then_each_such_kind_is_tried_on_the_server():
    assert _GENERATION - {("apiextensions.k8s.io", "CustomResourceDefinition")} == CHANGES.keys()


@pytest.mark.parametrize("kind", sorted(CHANGES), ids="/".join)
def test_generation_when_the_specification_changes_then_it_grows(api, namespace, kind):
    version, plural, body, change = CHANGES[kind]
    path = f"/apis/{version}/namespaces/{namespace}/{plural}"
    before = api.expect("POST", path, {"metadata": {"name": "a"}, **body})["metadata"]["generation"]

    after = api.expect("PATCH", f"{path}/a", change, headers={"Content-Type": MERGE_PATCH})["metadata"]["generation"]

    assert after > before

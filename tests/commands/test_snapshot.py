"""`gitops-guard snapshot` and `simulate --context` on a real control plane."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import Body, wait_for
from controlplane.controllers import Controllers
from controlplane.server import ADMIN, READER

from gitops_guard.rollout.snapshot_file import read_snapshot

QUOTA: Body = {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "3"}}}
SECRET: Body = {"metadata": {"name": "secret"}, "stringData": {"password": "hunter2"}}


def web(namespace: str, tag: str) -> Body:
    container = {"name": "web", "image": f"web:{tag}", "readinessProbe": {"httpGet": {"port": 80}}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "strategy": rolling, "template": template}
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


@pytest.fixture
def namespace(controllers: Controllers, controlled_namespace: str) -> str:
    """A namespace with a Deployment of three pods, a quota that they fill, and a Secret."""
    api = controllers.control_plane.api(ADMIN)
    for plural, body in (("resourcequotas", QUOTA), ("secrets", SECRET)):
        api.expect("POST", f"/api/v1/namespaces/{controlled_namespace}/{plural}", body)
    body = web(controlled_namespace, "1")
    api.expect("POST", api.path_of(body).rpartition("/")[0], body)
    controllers.wait_for_rollout(body)
    quota = f"/api/v1/namespaces/{controlled_namespace}/resourcequotas/team"
    wait_for(lambda: api.expect("GET", quota).get("status", {}).get("used", {}).get("pods") == "3", what="the quota")
    return controlled_namespace


def kubeconfig(controllers: Controllers, user: str = ADMIN) -> str:
    return str(controllers.control_plane.kubeconfig(user))


def test_snapshot_when_taken_then_it_is_read_back_and_holds_no_secret(
    controllers: Controllers, namespace: str, repo: Any
) -> None:
    before = len(controllers.control_plane.audit_events(stage="ResponseComplete"))
    outcome = repo({}).run("snapshot", "--kubeconfig", kubeconfig(controllers))
    outcome.assert_code(0)
    events = controllers.control_plane.audit_events(stage="ResponseComplete")[before:]
    ours = [event for event in events if event.get("userAgent", "").startswith("gitops-guard")]
    assert {event["verb"] for event in ours} <= {"get", "list"}
    assert not [event for event in ours if event.get("objectRef", {}).get("resource") == "secrets"]
    snapshot = read_snapshot(outcome.out)
    assert ["node-0", "node-1", "node-2"] == [node.name for node in snapshot.nodes]
    own = [pod for pod in snapshot.pods if pod.namespace == namespace]
    assert [("Deployment/web", True)] * 3 == [(pod.workload, pod.ready) for pod in own]
    assert snapshot.kubernetes == controllers.control_plane.version()
    assert "apps/v1/Deployment" in snapshot.served
    assert "hunter2" not in outcome.out


def test_simulate_when_the_quota_of_the_context_is_full_then_stuck_and_by_a_snapshot_file_the_same(
    controllers: Controllers, namespace: str, repo: Any, tmp_path: Path
) -> None:
    sandbox = repo({f"{tag}.json": json.dumps(web(namespace, tag)) for tag in "12"})
    taken = sandbox.run("snapshot", "--kubeconfig", kubeconfig(controllers)).out
    (tmp_path / "cluster.json").write_text(taken, encoding="utf-8")
    arguments = ("simulate", "1.json", "2.json", "--format", "json")
    live = sandbox.run(*arguments, "--context", "test", "--kubeconfig", kubeconfig(controllers))
    filed = sandbox.run(*arguments, "--snapshot", str(tmp_path / "cluster.json"))
    assert (1, 1) == (live.code, filed.code)
    for outcome in (live, filed):
        assert ["stuck"] == [one["verdict"] for one in outcome.json()["rollouts"]]
        assert ["quota-blocks-rollout"] == [one["rule"] for one in outcome.json()["hazards"]]


def test_snapshot_when_the_account_may_not_list_then_what_is_unread_is_named(
    controllers: Controllers, namespace: str, repo: Any
) -> None:
    outcome = repo({}).run("snapshot", "--kubeconfig", kubeconfig(controllers, READER))
    outcome.assert_code(0)
    snapshot = read_snapshot(outcome.out)
    for kind in snapshot.unread:
        assert f"no right to list {kind}" in outcome.err


def test_simulate_when_both_context_and_snapshot_are_given_then_2(repo: Any) -> None:
    outcome = repo({"a.yaml": ""}).run("simulate", "a.yaml", "a.yaml", "--context", "x", "--snapshot", "a.yaml")
    outcome.assert_code(2)

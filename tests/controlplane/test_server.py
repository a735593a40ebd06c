"""The real API server answers as one: create, apply, dry-run, watch, conflict, admission, custom resources."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import Api, Body, wait_for
from controlplane.server import ADMIN, NAMESPACED, READER, ControlPlane


@pytest.fixture
def api(control_plane: ControlPlane) -> Api:
    return control_plane.api(ADMIN)


def config_map(namespace: str, name: str = "settings", **data: str) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def test_version_when_asked_then_it_is_the_pinned_one(api: Api) -> None:
    assert "v1.36" in api.expect("GET", "/version")["gitVersion"]


def test_create_when_new_then_201_and_again_then_409(api: Api, namespace: str) -> None:
    body = config_map(namespace, color="blue")
    assert api.create(body).status == 201
    again = api.create(body)
    assert (again.status, again.reason) == (409, "AlreadyExists")


def test_apply_when_nothing_changes_then_the_resource_version_stays(api: Api, namespace: str) -> None:
    first = api.apply(config_map(namespace, color="blue"))
    second = api.apply(config_map(namespace, color="blue"))
    assert (first.status, second.status) == (201, 200)
    assert first.body["metadata"]["resourceVersion"] == second.body["metadata"]["resourceVersion"]


def test_dry_run_when_it_would_create_then_it_answers_and_stores_nothing(api: Api, namespace: str) -> None:
    body = config_map(namespace, color="blue")
    answer = api.apply(body, dry_run=True)
    assert answer.status == 201
    assert "resourceVersion" not in answer.body["metadata"]
    assert api.request("GET", api.path_of(body)).status == 404


def test_apply_when_another_manager_owns_the_field_then_409_names_it(api: Api, namespace: str) -> None:
    api.apply(config_map(namespace, color="blue"), manager="first")
    answer = api.apply(config_map(namespace, color="red"), manager="second")
    assert (answer.status, answer.reason) == (409, "Conflict")
    assert [(one["reason"], one["field"]) for one in answer.causes] == [("FieldManagerConflict", ".data.color")]
    assert api.apply(config_map(namespace, color="red"), manager="second", force=True).status == 200


def test_watch_when_objects_change_then_the_events_come_in_order(api: Api, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    since = api.expect("GET", path)["metadata"]["resourceVersion"]
    with api.watch(path, since=since) as events:
        api.apply(config_map(namespace, color="blue"))
        api.apply(config_map(namespace, color="red"))
        api.expect("DELETE", f"{path}/settings")
        seen = [next(events) for _ in range(3)]
    assert [(event["type"], event["object"]["data"]["color"]) for event in seen] == [
        ("ADDED", "blue"),
        ("MODIFIED", "red"),
        ("DELETED", "red"),
    ]


def test_admission_policy_when_it_denies_then_422_with_its_message(api: Api, namespace: str) -> None:
    policy, binding = _policy(namespace)
    assert (api.create(policy).status, api.create(binding).status) == (201, 201)

    def denied() -> Any:
        answer = api.apply(config_map(namespace, color="red"), dry_run=True)
        return answer if answer.status >= 400 else None

    answer = wait_for(denied, what="the policy to be compiled")  # takes the server up to a second
    assert (answer.status, answer.reason) == (422, "Invalid")
    assert answer.message.endswith("denied request: only blue is allowed")
    assert api.apply(config_map(namespace, color="blue"), dry_run=True).status == 201


def _policy(namespace: str) -> tuple[Body, Body]:
    name = f"only-blue-{namespace}"
    mine = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    policy: Body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], **mine},
            "validations": [{"expression": "object.data.color == 'blue'", "message": "only blue is allowed"}],
        },
    }
    binding: Body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return policy, binding


def test_custom_resource_when_a_cel_rule_fails_then_422_and_else_201(api: Api, namespace: str) -> None:
    answer = api.create(_crd())
    assert answer.status == 201, answer
    gate: Body = {
        "apiVersion": "test.gitops-guard/v1",
        "kind": "Gate",
        "metadata": {"name": "main", "namespace": namespace},
        "spec": {"low": 1, "high": 2},
    }
    path = f"/apis/test.gitops-guard/v1/namespaces/{namespace}/gates"
    first = wait_for(lambda: _unless_404(api.request("POST", path, gate)), what="the custom resource to be served")
    assert first.status == 201, first
    refused = api.request("POST", path, {**gate, "metadata": {"name": "other"}, "spec": {"low": 3, "high": 2}})
    assert (refused.status, refused.reason) == (422, "Invalid")
    assert "low must not exceed high" in refused.message


def _unless_404(answer: Any) -> Any:
    return None if answer.status == 404 else answer


def _crd() -> Body:
    spec = {
        "type": "object",
        "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.low <= self.high", "message": "low must not exceed high"}],
    }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gates.test.gitops-guard"},
        "spec": {
            "group": "test.gitops-guard",
            "names": {"kind": "Gate", "plural": "gates"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(ADMIN, (200, 201), id="admin"),
        pytest.param(READER, (200, 403), id="reader"),
        pytest.param(NAMESPACED, (200, 201), id="namespaced"),
    ],
)
def test_users_when_they_read_and_write_then_rbac_decides(
    control_plane: ControlPlane, namespace: str, user: str, expected: tuple[int, int]
) -> None:
    control_plane.allow_in(namespace)
    api = control_plane.api(user)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    read, written = api.request("GET", path), api.request("POST", path, config_map(namespace))
    assert expected == (read.status, written.status)


def test_namespaced_user_when_outside_of_the_namespace_then_403(control_plane: ControlPlane, namespace: str) -> None:
    api = control_plane.api(NAMESPACED)
    assert api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps").status == 403


def test_audit_log_when_a_request_was_answered_then_it_has_the_event(
    control_plane: ControlPlane, api: Api, namespace: str
) -> None:
    api.apply(config_map(namespace))
    events = control_plane.audit_events(verb="patch")
    mine = [event for event in events if event["objectRef"].get("namespace") == namespace]
    assert [(event["user"]["username"], event["responseStatus"]["code"]) for event in mine] == [("admin", 201)]


@pytest.mark.parametrize("by", ["token", "certificate"])
def test_kubeconfig_when_kubectl_uses_it_then_it_is_the_user(
    control_plane: ControlPlane, kubectl: Path, by: str
) -> None:
    command: list[str | Path] = [
        kubectl,
        f"--kubeconfig={control_plane.kubeconfig(READER, by=by)}",
        "auth",
        "whoami",
        "-o",
        "json",
    ]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert told["status"]["userInfo"]["username"] == "reader"


def test_restart_when_the_server_is_killed_then_it_comes_back_with_its_data(start_control_plane: Any) -> None:
    plane: ControlPlane = start_control_plane()
    plane.create_namespace("kept")
    plane.restart_kube_apiserver()
    assert plane.api().request("GET", "/api/v1/namespaces/kept").status == 200

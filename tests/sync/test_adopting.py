"""Objects of other tools on the real server: taken over without downtime, and what that takes away is told before."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.model.sync import SyncAction, SyncReport, SyncVerdict
from gitops_guard.sync.objects import PART_OF

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
ARGO = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}
HELM = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"}


@pytest.fixture
def api(control_plane: ControlPlane) -> Any:
    return control_plane.api(ADMIN)


def with_extras(body: dict[str, Any], **metadata: dict[str, str]) -> dict[str, Any]:
    """Return an object as a tool applied it: with marks of its own, and an argument that Git gives no more."""
    found: dict[str, Any] = json.loads(json.dumps(body))
    found["metadata"] |= metadata
    found["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "OLD", "value": "1"}]
    return found


def edits(report: SyncReport, kind: str) -> list[tuple[str, str]]:
    """Return what would happen to which fields of the object of a kind."""
    (change,) = [one for one in report.changes if one.id.kind == kind]
    return [(str(field.op), field.field) for field in change.fields]


def deployed(api: Any, namespace: str) -> dict[str, Any]:
    found: dict[str, Any] = api.expect("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    return found


def managers(body: dict[str, Any]) -> set[str]:
    return {entry["manager"] for entry in body["metadata"]["managedFields"]}


def by_flux(api: Any, body: dict[str, Any]) -> None:
    assert 201 == api.apply(with_extras(body, labels=FLUX), manager="kustomize-controller").status


def by_argo(api: Any, body: dict[str, Any]) -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    assert 201 == api.create(with_extras(body, annotations=ARGO | last), fieldManager="argocd-controller").status


def by_argo_server_side(api: Any, body: dict[str, Any]) -> None:
    assert 201 == api.apply(with_extras(body, annotations=ARGO), manager="argocd-controller").status


def by_helm(api: Any, body: dict[str, Any]) -> None:
    assert 201 == api.create(with_extras(body, annotations=HELM), fieldManager="helm").status


TOOLS = [
    pytest.param(by_flux, id="flux"),
    pytest.param(by_argo, id="argo-cd"),
    pytest.param(by_argo_server_side, id="argo-cd-server-side"),
    pytest.param(by_helm, id="helm"),
]


@pytest.mark.parametrize("apply", TOOLS)
def test_adopt_when_another_tool_deployed_it_then_its_marks_and_what_git_gave_up_go(apply, fleet, words, api):
    body = words.deployment(fleet.namespace)
    apply(api, body)
    fleet.want(body)

    looked = fleet.sync(adopt=True, dry_run=True)
    report = fleet.sync(adopt=True)

    found = deployed(api, fleet.namespace)
    assert ("removed", "spec.template.spec.containers[name=web].env") in edits(looked, "Deployment")
    assert SyncVerdict.SYNCED is report.verdict
    assert {PART_OF: fleet.name.id} == found["metadata"]["labels"]
    assert "annotations" not in found["metadata"]
    assert "env" not in found["spec"]["template"]["spec"]["containers"][0]
    assert {"gitops-guard"} == managers(found)


@pytest.mark.parametrize("apply", TOOLS)
def test_adopt_when_git_wants_what_is_there_then_no_pod_is_replaced(apply, fleet, words, api):
    body = words.deployment(fleet.namespace)
    apply(api, body)
    before = deployed(api, fleet.namespace)
    fleet.want(with_extras(body))

    looked = fleet.sync(adopt=True, dry_run=True)
    fleet.sync(adopt=True)

    after = deployed(api, fleet.namespace)
    assert all(field.startswith("metadata.") for _, field in edits(looked, "Deployment"))
    assert (before["metadata"]["uid"], before["spec"]) == (after["metadata"]["uid"], after["spec"])


@pytest.mark.parametrize("apply", TOOLS)
def test_adopt_when_git_gives_a_field_up_later_then_it_goes(apply, fleet, words, api):
    body = words.deployment(fleet.namespace)
    apply(api, body)
    fleet.want(with_extras(body))
    fleet.sync(adopt=True)
    fleet.want(body)

    looked = fleet.drift()
    fleet.sync()

    assert [("removed", "spec.template.spec.containers[name=web].env")] == edits(looked, "Deployment")
    assert "env" not in deployed(api, fleet.namespace)["spec"]["template"]["spec"]["containers"][0]


def test_adopt_when_kubectl_applied_it_then_the_dry_run_tells_just_what_happens(
    fleet, words, api, kubectl: Path, control_plane: ControlPlane
):
    old = [
        words.config_map(fleet.namespace, a="1", old="2"),
        with_extras(words.deployment(fleet.namespace, replicas=3)),
        {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": fleet.namespace},
            "stringData": {"kept": "same-value", "changed": "first-value", "gone": "old-value"},
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": fleet.namespace},
            "spec": {"selector": {"app": "web"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]},
        },
    ]  # fmt: skip
    line = [str(kubectl), "--kubeconfig", str(control_plane.kubeconfig(ADMIN)), "apply", "-f", "-"]
    subprocess.run(line, input=json.dumps({"apiVersion": "v1", "kind": "List", "items": old}), text=True, check=True)
    secret = {**old[2], "stringData": {"kept": "same-value", "changed": "second-value"}}
    service = {**old[3], "spec": {"selector": {"app": "web"}, "ports": [{"name": "a", "port": 80}]}}
    fleet.want(words.config_map(fleet.namespace, a="1"), words.deployment(fleet.namespace), secret, service)

    looked = fleet.sync(adopt=True, dry_run=True)
    fleet.sync(adopt=True)

    assert [("removed", "data[old]")] == edits(looked, "ConfigMap")
    web = [("changed", "spec.replicas"), ("removed", "spec.template.spec.containers[name=web].env")]
    assert web == edits(looked, "Deployment")
    assert [("changed", "data[changed]"), ("removed", "data[gone]")] == edits(looked, "Secret")
    assert [("removed", "spec.ports[port=81,protocol=TCP]")] == edits(looked, "Service")
    assert not any(value in repr(looked) for value in ("same-value", "first-value", "second-value", "old-value"))
    root = f"/api/v1/namespaces/{fleet.namespace}"
    assert {"a": "1"} == api.expect("GET", f"{root}/configmaps/settings")["data"]
    assert {"kept", "changed"} == api.expect("GET", f"{root}/secrets/login")["data"].keys()
    assert [80] == [port["port"] for port in api.expect("GET", f"{root}/services/web")["spec"]["ports"]]
    assert SyncVerdict.SYNCED is fleet.drift(verify_all=True).verdict


def test_adopt_when_a_member_has_fields_of_another_tool_then_they_are_taken_over_once(fleet, words, api):
    body = words.deployment(fleet.namespace)
    by_flux(api, with_extras(body))
    fleet.want(with_extras(body))
    fleet.sync()  # both own all of it, and nothing differs
    shared = managers(deployed(api, fleet.namespace))

    first, second = fleet.sync(adopt=True), fleet.sync(adopt=True)

    assert {"gitops-guard", "kustomize-controller"} == shared
    assert {"Deployment web": "the fields of kustomize-controller become ours"} == words.reasons(
        first, SyncAction.CONFIGURED
    )
    assert {"Deployment web": "unchanged"} == words.actions(second)
    assert {"gitops-guard"} == managers(deployed(api, fleet.namespace))


def test_adopt_when_a_controller_has_a_field_that_git_does_not_give_then_it_stays(fleet, words, api):
    body = words.deployment(fleet.namespace)
    by_flux(api, body)
    path = f"/apis/apps/v1/namespaces/{fleet.namespace}/deployments/web"
    note = {"metadata": {"annotations": {"example.com/seen": "yes"}}}
    api.expect("PATCH", path, note, query={"fieldManager": "some-controller"}, headers=MERGE_PATCH)
    fleet.want(body)

    fleet.sync(adopt=True)

    assert {"example.com/seen": "yes"} == deployed(api, fleet.namespace)["metadata"]["annotations"]


def test_drift_when_somebody_added_a_field_with_kubectl_edit_then_it_is_told_and_undone(fleet, words, api):
    fleet.want(words.config_map(fleet.namespace, a="1"))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/settings"
    api.expect("PATCH", path, {"data": {"b": "2"}}, query={"fieldManager": "kubectl-edit"}, headers=MERGE_PATCH)

    (told,) = fleet.drift().drift
    fleet.sync()

    assert ("data[b]", None, "2", "kubectl-edit") == (told.field, told.want, told.have, told.manager)
    assert {"a": "1"} == api.expect("GET", path)["data"]


def test_sync_when_git_gives_up_a_key_of_string_data_then_it_goes(fleet, api):
    def login(**values: str) -> dict[str, Any]:
        metadata = {"name": "login", "namespace": fleet.namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"c": "Yw=="}, "stringData": values}

    fleet.want(login(a="1", b="2"))
    fleet.sync()
    fleet.want(login(a="1"))

    looked = fleet.drift()
    fleet.sync()

    assert [("removed", "data[b]")] == edits(looked, "Secret")
    data = api.expect("GET", f"/api/v1/namespaces/{fleet.namespace}/secrets/login")["data"]
    assert {"a": "MQ==", "c": "Yw=="} == data


def test_sync_when_string_data_holds_no_text_then_the_server_says_so(fleet, words):
    metadata = {"name": "login", "namespace": fleet.namespace}
    fleet.want({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"port": 5432}})

    report = fleet.sync()

    assert SyncVerdict.FAILED is report.verdict
    assert "5432" not in str(words.reasons(report, SyncAction.BLOCKED))

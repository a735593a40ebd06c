"""What the client asks of a real API server, as each of its users."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import Api, wait_for
from controlplane.server import ADMIN, NAMESPACED, READER, ControlPlane

from gitops_guard.cluster import (
    AccessError,
    ApiError,
    ApiResource,
    CancelledError,
    Client,
    ErrorClass,
    Impersonation,
    PatchType,
    Resources,
    in_parallel,
    load_access,
)
from gitops_guard.cluster.answer import JSON, Answer, Call
from gitops_guard.cluster.discovery import discover
from gitops_guard.model import ResourceId

Make = Callable[..., dict[str, Any]]
Connect = Callable[..., Client]


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    api = control_plane.api()
    yield api
    api.close()


def config_map_id(namespace: str, name: str = "settings") -> ResourceId:
    return ResourceId(group="", version="v1", kind="ConfigMap", namespace=namespace, name=name)


def config_maps(client: Client) -> ApiResource:
    found = client.resources().find("", "v1", "ConfigMap")
    assert found is not None
    return found


def refused(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("by", ["token", "certificate"])
def test_client_when_it_proves_who_it_is_then_it_is_that_user(connect: Connect, by: str) -> None:
    client = connect(READER, by=by)
    review = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    answer = client.send(Call(method="POST", path="/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review))
    assert answer.body["status"]["userInfo"]["username"] == "reader"


def test_client_when_it_impersonates_then_it_is_that_user(control_plane: ControlPlane) -> None:
    access = load_access({}, kubeconfig=str(control_plane.kubeconfig()))
    as_jane = Impersonation(user="jané"[:3] + "e", groups=("readers", "b"), extra={"example.com/a": ("1", "2")})
    with Client(dataclasses.replace(access, impersonation=as_jane)) as client:
        review = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
        answer = client.send(Call(method="POST", path="/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review))
        told = answer.body["status"]["userInfo"]
        assert ("jane", {"readers", "b", "system:authenticated"}) == (told["username"], set(told["groups"]))
        assert told["extra"] == {"example.com/a": ["1", "2"]}
        assert client.list(config_maps(client)).resource_version


def test_impersonation_when_it_would_break_the_header_then_an_error(control_plane: ControlPlane) -> None:
    access = load_access({}, kubeconfig=str(control_plane.kubeconfig()))
    with pytest.raises(AccessError, match="no header may have"):
        Client(dataclasses.replace(access, impersonation=Impersonation(user="a\r\nX: y")))


def test_client_when_the_authority_is_another_then_the_certificate_is_not_trusted(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    config = json.loads(control_plane.kubeconfig().read_text())
    del config["clusters"][0]["cluster"]["certificate-authority"]
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    with Client(load_access({}, kubeconfig=str(path))) as client, pytest.raises(AccessError, match="is not trusted"):
        client.version()


@pytest.mark.parametrize(
    ("change", "works"),
    [
        pytest.param({"tls-server-name": "kubernetes.default.svc"}, True, id="a name of the certificate"),
        pytest.param({"tls-server-name": "other.test"}, False, id="another name"),
        pytest.param({"certificate-authority": None, "insecure-skip-tls-verify": True}, True, id="insecure"),
    ],
)
def test_client_when_the_kubeconfig_says_how_to_trust_then_that_holds(
    control_plane: ControlPlane, tmp_path: Path, change: dict[str, Any], works: bool
) -> None:
    config = json.loads(control_plane.kubeconfig().read_text())
    config["clusters"][0]["cluster"] |= change
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    with Client(load_access({}, kubeconfig=str(path))) as client:
        if works:
            assert client.is_ready()
        else:
            with pytest.raises(AccessError, match="is not trusted"):
                client.version()


def test_client_certificate_when_it_was_loaded_then_no_file_of_it_is_left(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert connect(READER, by="certificate").version().startswith("v1.")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("days", [pytest.param(-1, id="expired"), pytest.param(1, id="valid")])
def test_client_certificate_when_it_has_expired_then_the_credentials_are_refused(
    control_plane: ControlPlane, tmp_path: Path, days: int
) -> None:
    certificate, key = control_plane.authority.client(f"guest{days}", ("system:masters",), days=days)
    config = json.loads(control_plane.kubeconfig().read_text())
    config["users"][0]["user"] = {"client-certificate": str(certificate), "client-key": str(key)}
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    with Client(load_access({}, kubeconfig=str(path))) as client:
        if days > 0:
            assert client.list(config_maps(client)).resource_version
        else:
            error = refused(lambda: client.get(config_map_id("default")))
            assert error.error_class is ErrorClass.UNAUTHENTICATED


def test_discovery_when_aggregated_then_it_is_that_of_the_old_way(client: Client) -> None:
    def plain(call: Call) -> Answer:
        return client.send(dataclasses.replace(call, accept=JSON))

    new, old = client.resources(), discover(plain)
    assert set(old.all) == set(new.all)
    assert old.preferred("autoscaling", "HorizontalPodAutoscaler") == new.preferred(
        "autoscaling", "HorizontalPodAutoscaler"
    )
    assert client.counts == {("GET", 200): 2 + 2 + len({(one.group, one.version) for one in old.all})}


def test_discovery_when_asked_then_it_knows_kinds(client: Client) -> None:
    found = client.resources().find("apps", "v1", "Deployment")
    assert found is not None
    assert ("deployments.apps", "/apis/apps/v1", True) == (str(found), found.root, found.namespaced)
    assert {"scale", "status"} == set(found.subresources)
    assert {"get", "list", "patch"} < set(found.verbs)


def test_discovery_when_a_group_is_stale_then_its_kinds_are_not_called_missing() -> None:
    def send(call: Call) -> Answer:
        version = {"version": "v1beta1", "freshness": "Stale", "resources": []}
        items = [{"metadata": {"name": "metrics.k8s.io"}, "versions": [version, None]}, "x"]
        return Answer(status=200, body={"items": items}, content_type=f"{JSON};as=APIGroupDiscoveryList")  # type: ignore[dict-item, arg-type]  # hostile on purpose

    assert discover(send) == Resources(all=(), stale=("metrics.k8s.io/v1beta1",) * 2)


def test_kind_when_it_is_not_served_then_nothing_is_sent(client: Client) -> None:
    wanted = ResourceId(group="none.test", version="v1", kind="None", namespace="", name="x")
    error = refused(lambda: client.get(wanted))
    assert (ErrorClass.NOT_SERVED, 0) == (error.error_class, error.status)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "%2e%2e"])
def test_name_when_it_would_lead_elsewhere_then_nothing_is_sent(client: Client, name: str) -> None:
    client.resources()
    before = client.counts
    for wanted in (config_map_id("default", name), config_map_id(name or "..", "x")):
        error = refused(lambda wanted=wanted: client.get(wanted))
        assert (ErrorClass.INVALID, 0) == (error.error_class, error.status)
    assert before == client.counts


@pytest.mark.parametrize("name", ["a b", "a?b=c", "a#b", "ä", "a\r\nb", "a\ud800", "system:x"])
def test_name_when_it_is_odd_then_it_stays_one_part_of_the_path(client: Client, namespace: str, name: str) -> None:
    assert client.find(config_map_id(namespace, name)) is None


def test_object_when_it_names_no_namespace_then_it_is_that_of_the_context(
    control_plane: ControlPlane, namespace: str, config_map: Make
) -> None:
    body = config_map(namespace)
    del body["metadata"]["namespace"]
    path = control_plane.kubeconfig(namespace=namespace)
    with Client(load_access({}, kubeconfig=str(path))) as client:
        assert client.apply(body, manager="m", dry_run=True).body["metadata"]["namespace"] == namespace


def test_apply_when_new_then_created_and_then_not(client: Client, namespace: str, config_map: Make) -> None:
    body = config_map(namespace, a="b")
    assert [True, False] == [client.apply(body, manager="m").created for _ in range(2)]
    assert client.get(config_map_id(namespace))["data"] == {"a": "b"}


def test_dry_run_when_it_would_write_then_nothing_is_stored(client: Client, namespace: str, config_map: Make) -> None:
    body = config_map(namespace, a="b")
    assert client.apply(body, manager="m", dry_run=True).created
    assert client.create(body, manager="m", dry_run=True).created
    assert client.find(config_map_id(namespace)) is None
    client.apply(body, manager="m")
    client.patch(config_map_id(namespace), {"data": {"a": "c"}}, manager="m", dry_run=True)
    assert client.delete(config_map_id(namespace), dry_run=True)
    assert client.get(config_map_id(namespace))["data"] == {"a": "b"}


def test_apply_when_another_manager_owns_it_then_the_conflict_names_field_and_manager(
    client: Client, namespace: str, config_map: Make
) -> None:
    client.apply(config_map(namespace, a="b"), manager="first")
    error = refused(lambda: client.apply(config_map(namespace, a="c"), manager="second"))
    assert error.error_class is ErrorClass.CONFLICT
    assert [("FieldManagerConflict", ".data.a", 'conflict with "first"')] == [
        (one.reason, one.field, one.message) for one in error.causes
    ]
    client.apply(config_map(namespace, a="c"), manager="second", force=True)


def test_apply_when_a_field_is_unknown_then_it_is_final(client: Client, namespace: str, config_map: Make) -> None:
    error = refused(lambda: client.apply({**config_map(namespace), "dta": {}}, manager="m"))
    assert (ErrorClass.WRONG_OBJECT, 500) == (error.error_class, error.status)
    assert client.counts[("PATCH", 500)] == 1


def test_apply_when_the_uid_is_another_then_it_changed(client: Client, namespace: str, config_map: Make) -> None:
    client.apply(config_map(namespace), manager="m")
    body = config_map(namespace, a="b")
    body["metadata"]["resourceVersion"] = "1"
    assert refused(lambda: client.apply(body, manager="m")).error_class is ErrorClass.CHANGED


def test_create_when_it_exists_then_an_error_of_that_class(client: Client, namespace: str, config_map: Make) -> None:
    client.create(config_map(namespace), manager="m")
    error = refused(lambda: client.create(config_map(namespace), manager="m"))
    assert error.error_class is ErrorClass.ALREADY_EXISTS


def test_create_when_the_namespace_is_missing_then_an_error_of_that_class(client: Client, config_map: Make) -> None:
    for write in (client.create, client.apply):
        error = refused(lambda write=write: write(config_map("no-such-namespace"), manager="m"))
        assert error.error_class is ErrorClass.NO_NAMESPACE


def test_patch_when_by_json_then_each_operation_is_done(client: Client, namespace: str, config_map: Make) -> None:
    client.apply(config_map(namespace, a="b"), manager="m")
    patch = [{"op": "replace", "path": "/data/a", "value": "c"}]
    written = client.patch(config_map_id(namespace), patch, manager="m", patch_type=PatchType.JSON)
    assert written.body["data"] == {"a": "c"}


def test_delete_when_a_precondition_fails_then_the_object_stays(
    client: Client, namespace: str, config_map: Make
) -> None:
    metadata = client.apply(config_map(namespace), manager="m").body["metadata"]
    wanted = config_map_id(namespace)
    for wrong in ({"uid": "other"}, {"resource_version": "1"}):
        error = refused(lambda wrong=wrong: client.delete(wanted, **wrong))
        assert error.error_class is ErrorClass.CHANGED
    client.delete(wanted, uid=metadata["uid"], resource_version=metadata["resourceVersion"])
    assert client.find(wanted) is None
    assert refused(lambda: client.delete(wanted)).error_class is ErrorClass.NOT_FOUND


def test_delete_when_only_the_query_says_dry_run_then_a_body_makes_it_real(
    client: Client, namespace: str, config_map: Make
) -> None:
    wanted = config_map_id(namespace)
    options = b'{"apiVersion":"v1","kind":"DeleteOptions"}'
    for body, is_kept in ((None, True), (options, False)):  # why Client.delete says it in the body
        client.apply(config_map(namespace), manager="m")
        client.send(Call(method="DELETE", path=f"{client.path_of(wanted)}?dryRun=All", body=body))
        assert is_kept is (client.find(wanted) is not None)


@pytest.mark.parametrize("page", [1, 2, 500])
def test_list_when_it_has_pages_then_all_objects_come_once(
    client: Client, namespace: str, config_map: Make, page: int
) -> None:
    for name in ("a", "b", "c"):
        client.apply({**config_map(namespace, name), "immutable": name == "c"}, manager="m")
    listed = client.list(config_maps(client), namespace=namespace, page=page)
    assert ["a", "b", "c"] == [item["metadata"]["name"] for item in listed.items]
    assert {("v1", "ConfigMap")} == {(item["apiVersion"], item["kind"]) for item in listed.items}


def test_list_when_by_metadata_and_label_then_there_is_no_data(
    client: Client, namespace: str, config_map: Make
) -> None:
    body = config_map(namespace, "labelled", a="b")
    body["metadata"]["labels"] = {"team": "a b".replace(" ", "-")}
    client.apply(body, manager="m")
    client.apply(config_map(namespace, "other"), manager="m")
    listed = client.list(config_maps(client), namespace=namespace, labels="team in (a-b)", metadata_only=True)
    assert [("labelled", False)] == [(item["metadata"]["name"], "data" in item) for item in listed.items]
    only = client.get(config_map_id(namespace, "labelled"), metadata_only=True)
    assert ("PartialObjectMetadata", False) == (only["kind"], "data" in only)


def test_list_when_long_and_far_then_it_comes_compressed(
    control_plane: ControlPlane, namespace: str, config_map: Make
) -> None:
    access = dataclasses.replace(load_access({}, kubeconfig=str(control_plane.kubeconfig())), compressed=True)
    with Client(access) as client:
        client.apply(config_map(namespace, text="x" * 300_000), manager="m")
        listed = client.list(config_maps(client), namespace=namespace)
        assert len(listed.items[0]["data"]["text"]) == 300_000


def test_reader_when_it_writes_then_it_has_no_right(connect: Connect, namespace: str, config_map: Make) -> None:
    error = refused(lambda: connect(READER).apply(config_map(namespace), manager="m", dry_run=True))
    assert error.error_class is ErrorClass.FORBIDDEN
    assert 'cannot patch resource "configmaps"' in error.message


def test_rights_when_asked_then_they_are_those_of_the_user(
    connect: Connect, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.allow_in(namespace, verbs=("get", "list"))
    client = connect(NAMESPACED)
    resource = config_maps(connect(ADMIN))
    rules = client.rules(namespace)
    for verb, expected in (("list", True), ("delete", False)):
        assert expected is client.may(verb, resource, namespace=namespace)
        assert expected is rules.allows(verb, resource)
    assert not client.may("list", resource)
    assert connect(READER).rules(namespace).allows("get", resource, name="a", subresource="status")


def test_secret_when_the_server_refuses_it_then_its_value_is_not_quoted(client: Client, namespace: str) -> None:
    metadata = {"name": "hidden", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": ["hunter2-x"]}}
    error = refused(lambda: client.apply(body, manager="m", dry_run=True))
    assert error.error_class.is_temporary is False
    assert "hunter2" not in repr(error) + str(error)
    typed = {**body, "stringData": {"a": "b"}, "type": "kubernetes.io/tls", "data": {"tls.crt": "aHVudGVyMi14"}}
    error = refused(lambda: client.apply(typed, manager="m", dry_run=True))
    assert "hunter2" not in repr(error) + str(error)
    assert "aHVudGVyMi14" not in repr(error) + str(error)


def test_request_when_too_large_then_it_is_not_sent(client: Client, namespace: str, config_map: Make) -> None:
    error = refused(lambda: client.apply(config_map(namespace, a="x" * (4 << 20)), manager="m"))
    assert (ErrorClass.TOO_LARGE, 0) == (error.error_class, error.status)


def test_warning_when_the_server_gives_one_then_it_is_kept(client: Client, namespace: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": namespace, "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "a", "image": "a", "env": [{"name": "X", "value": "1"}] * 2}]},
    }
    written = client.create(pod, manager="m", dry_run=True)
    assert written.warnings == client.warnings
    assert "hides previous definition" in "".join(written.warnings)


def test_connections_when_kept_then_many_requests_need_few(
    client: Client, control_plane: ControlPlane, namespace: str, config_map: Make
) -> None:
    names = [f"n{number}" for number in range(40)]
    created = in_parallel(lambda name: client.apply(config_map(namespace, name), manager="m").created, names)
    assert [True] * 40 == created
    assert len(client.list(config_maps(client), namespace=namespace).items) == 40


def test_cancel_when_called_then_nothing_is_sent_any_more(client: Client) -> None:
    client.version()
    client.cancel()
    with pytest.raises(CancelledError):
        client.version()
    assert client.counts == {("GET", 200): 1}


def test_custom_kind_when_its_definition_was_just_applied_then_a_new_discovery_finds_it(
    client: Client, namespace: str
) -> None:
    kind = "Widget"
    group = f"{namespace}.test"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    assert client.resources().find(group, "v1", kind) is None
    client.apply(crd, manager="m")
    wait_for(lambda: client.resources(refresh=True).find(group, "v1", kind), what="the kind to be listed")
    body = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "w", "namespace": namespace}, "a": 1}
    wait_for(lambda: _applied(client, body), what="the kind to be served")


def _applied(client: Client, body: dict[str, Any]) -> bool:
    try:
        return client.apply(body, manager="m", dry_run=True).created
    except ApiError as error:
        if error.error_class in (ErrorClass.NOT_SERVED, ErrorClass.OVERLOADED):
            return False
        raise

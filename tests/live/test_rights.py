"""The rights that we hand out are enough for a preview, and for nothing else: judged by a real API server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from controlplane.api import wait_for
from controlplane.server import ControlPlane

from gitops_guard.cluster import ApiError, Client, ErrorClass, Impersonation, load_access
from gitops_guard.model.live import ClusterPreview, Preview
from gitops_guard.model.resource import resource_id

Body = dict[str, Any]
Make = Callable[..., Body]
Ask = Callable[..., ClusterPreview]
RIGHTS = Path(__file__).parents[2] / "deploy" / "live-diff" / "rbac.yaml"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:gitops-guard", "system:authenticated")


@pytest.fixture
def account(control_plane: ControlPlane, client: Client, namespace: str) -> Iterator[Client]:
    """Return a client with exactly the rights of the file, as its service account."""
    for body in yaml.safe_load_all(RIGHTS.read_text()):
        client.apply(body, manager="test")
    access = load_access({}, kubeconfig=str(control_plane.kubeconfig()))
    user = Impersonation(user="system:serviceaccount:gitops-guard:live-diff", groups=GROUPS)
    made = Client(dataclasses.replace(access, impersonation=user))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": namespace}}

    def is_kept_from_writing() -> bool:
        try:
            made.apply(body, manager="test")
        except ApiError as error:
            return error.error_class is ErrorClass.DENIED
        return False

    with made:
        wait_for(is_kept_from_writing, what="role and policy to hold")
        yield made


def test_rights_when_a_preview_uses_them_then_none_is_missing(
    account: Client, client: Client, namespace: str, deployment: Make, config_map: Make, ask: Ask
) -> None:
    metadata = {"name": "login", "namespace": namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": "hunter2"}}
    base = [deployment(namespace), config_map(namespace, a="b"), secret]
    for body in base:
        client.apply(body, manager="kustomize-controller")
    head = [deployment(namespace, image="web:2"), config_map(namespace, a="c"), config_map(namespace, "new"), secret]
    told = ask(base, head, by=account)
    assert (told.rights, told.notes, told.objects) == ((), (), ())
    assert told.is_whole
    assert len(told.effect) == 3


def test_rights_when_a_kind_is_not_among_them_then_it_is_named(
    account: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "r", "namespace": namespace},
        "rules": [],
    }
    told = ask([], [role, config_map(namespace)], by=account)
    assert [("get", "roles.rbac.authorization.k8s.io", namespace)] == [
        (one.verb, one.resource, one.namespace) for one in told.rights
    ]
    assert {(one.id.kind, one.preview) for one in told.objects} == {("Role", Preview.UNKNOWN)}
    assert {change.id.kind for change in told.effect} == {"Role", "ConfigMap"}


@pytest.mark.parametrize("write", ["apply", "create", "delete", "patch"])
def test_rights_when_used_to_write_then_the_server_refuses(
    account: Client, client: Client, namespace: str, config_map: Make, write: str
) -> None:
    body = config_map(namespace, a="b")
    if write != "create":
        client.apply(body, manager="m")
    calls: dict[str, Callable[[], object]] = {
        "apply": lambda: account.apply(config_map(namespace, a="c"), manager="m", force=True),
        "create": lambda: account.create(body, manager="m"),
        "delete": lambda: account.delete(resource_id(body)),
        "patch": lambda: account.patch(resource_id(body), {"data": {"a": "c"}}, manager="m"),
    }
    with pytest.raises(ApiError) as caught:
        calls[write]()
    assert caught.value.error_class in (ErrorClass.DENIED, ErrorClass.FORBIDDEN)
    live = client.find(resource_id(body))
    assert live is None if write == "create" else live is not None and live["data"] == {"a": "b"}

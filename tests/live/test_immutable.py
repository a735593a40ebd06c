"""What may not be changed, kind by kind, as a real API server answers: a forbidden change is told from an invalid object."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cluster import Client
from gitops_guard.model.live import ClusterPreview, Preview

Body = dict[str, Any]
POD = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
SELECTOR = {"matchLabels": {"app": "a"}}
RBAC = "rbac.authorization.k8s.io"


def body(api_version: str, kind: str, **content: Any) -> Body:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **copy.deepcopy(content)}


def job(image: str) -> Body:
    spec = {"containers": [{"name": "a", "image": image}], "restartPolicy": "Never"}
    return body("batch/v1", "Job", spec={"template": {"spec": spec}})


def stateful(service: str) -> Body:
    return body("apps/v1", "StatefulSet", spec={"serviceName": service, "selector": SELECTOR, "template": POD})


def claim(size: str, mode: str) -> Body:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": size}}}
    return body("v1", "PersistentVolumeClaim", spec=spec)


def binding(role: str) -> Body:
    return body(f"{RBAC}/v1", "RoleBinding", roleRef={"apiGroup": RBAC, "kind": "Role", "name": role}, subjects=[])


def secret(value: str) -> Body:
    return body("v1", "Secret", immutable=True, stringData={"key": value})


def service(address: str) -> Body:
    return body("v1", "Service", spec={"clusterIP": address, "ports": [{"port": 80}], "selector": {"app": "a"}})


@pytest.mark.parametrize(
    ("base", "head"),
    [
        pytest.param(job("a:1"), job("a:2"), id="template of a Job"),
        pytest.param(stateful("a"), stateful("b"), id="service of a StatefulSet"),
        pytest.param(claim("1Gi", "ReadWriteOnce"), claim("1Gi", "ReadWriteMany"), id="mode of a claim"),
        pytest.param(binding("a"), binding("b"), id="role of a binding"),
        pytest.param(secret("first-value"), secret("other-value"), id="immutable Secret"),
        pytest.param(service("None"), service("10.0.0.77"), id="address of a Service"),
    ],
)
def test_change_when_it_is_forbidden_then_the_object_would_be_valid_anew(
    client: Client, namespace: str, ask: Callable[..., ClusterPreview], base: Body, head: Body
) -> None:
    for side in (base, head):
        side["metadata"]["namespace"] = namespace
    client.apply(base, manager="kustomize-controller")
    (one,) = ask([base], [head]).objects
    assert (Preview.REFUSED, True) == (one.preview, one.recreate)
    assert one.reason.startswith("invalid: ")
    assert "-value" not in one.reason


@pytest.mark.parametrize(
    ("base", "head"),
    [
        pytest.param(claim("1Gi", "ReadWriteOnce"), claim("1Gi", "Sometimes"), id="claim"),
        pytest.param(service("None"), service("127.0.0.1"), id="Service"),
        pytest.param(stateful("a"), stateful("a") | {"spec": {"selector": SELECTOR, "template": {}}}, id="StatefulSet"),
    ],
)
def test_change_when_the_new_object_is_invalid_then_it_is_never_called_valid_anew(
    client: Client, namespace: str, ask: Callable[..., ClusterPreview], base: Body, head: Body
) -> None:
    for side in (base, head):
        side["metadata"]["namespace"] = namespace
    client.apply(base, manager="kustomize-controller")
    (one,) = ask([base], [head]).objects
    assert (Preview.REFUSED, False) == (one.preview, one.recreate)

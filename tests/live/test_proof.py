"""What is proved to change nothing must change nothing: each proof is compared with the real server's dry-run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cluster import Client
from gitops_guard.live.proof import changes_nothing
from gitops_guard.model.resource import resource_id

Body = dict[str, Any]
Make = Callable[..., Body]
Change = Callable[[Body], None]
MANAGER = "kustomize-controller"


def container(body: Body) -> Body:
    found: Body = body["spec"]["template"]["spec"]["containers"][0]
    return found


def nothing(_: Body) -> None:
    pass


def add_container(body: Body) -> None:
    body["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})


def only(**spec: Any) -> Change:
    """Return what another manager applies of its own."""

    def change(body: Body) -> None:
        body["spec"] = spec

    return change


def _set(path: str, value: Any) -> Change:
    def change(body: Body) -> None:
        node = body
        *parents, last = path.split(".")
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[last] = value

    return change


IMAGE = "spec.template.spec.containers.0.image"
ENV = "spec.template.spec.containers.0.env"
SIDE = {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}
TWO = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


@pytest.mark.parametrize(
    ("deployed", "foreign", "desired", "proved"),
    [
        pytest.param(nothing, None, nothing, True, id="as it was applied"),
        pytest.param(nothing, None, _set(IMAGE, "web:2"), False, id="another image"),
        pytest.param(nothing, None, _set("spec.replicas", True), False, id="true is not 1"),
        pytest.param(nothing, None, _set("metadata.labels", {"a": "b"}), False, id="a new label"),
        pytest.param(nothing, None, _set("spec.paused", None), False, id="null"),
        pytest.param(nothing, None, _set("metadata.finalizers", ["a.b/c"]), False, id="a finalizer"),
        pytest.param(nothing, None, _set("status", {}), False, id="a status"),
        pytest.param(_set("spec.minReadySeconds", 3), None, nothing, False, id="a field that was dropped"),
        pytest.param(add_container, None, nothing, False, id="an item that was dropped"),
        pytest.param(_set("metadata.annotations", {"a": "b"}), None, nothing, False, id="an annotation that was dropped"),
        pytest.param(_set(ENV, TWO), None, _set(ENV, TWO), True, id="items in order"),
        pytest.param(_set(ENV, TWO), None, _set(ENV, TWO[::-1]), False, id="items in another order"),
        pytest.param(nothing, only(**SIDE), nothing, True, id="a container of another manager"),
        pytest.param(nothing, only(replicas=7), nothing, False, id="a value of another manager"),
        pytest.param(nothing, only(minReadySeconds=7), nothing, True, id="a field of another manager"),
        pytest.param(
            _set("spec.template.spec.containers.0.resources", {"requests": {"cpu": "0.1"}}),
            None,
            _set("spec.template.spec.containers.0.resources", {"requests": {"cpu": "0.1"}}),
            False,
            id="a quantity that is stored otherwise",
        ),
        pytest.param(
            _set("spec.template.spec.containers.0.args", ["a", "b"]),
            None,
            _set("spec.template.spec.containers.0.args", ["a", "b"]),
            True,
            id="a list that is one value",
        ),
        pytest.param(
            _set("spec.template.spec.tolerations", [{"key": "a", "operator": "Exists"}]),
            None,
            _set("spec.template.spec.tolerations", [{"key": "a"}]),
            False,
            id="an item of such a list with less in it",
        ),
        pytest.param(
            nothing,
            None,
            _set("spec.selector", {"matchLabels": {"app": "web"}}),
            True,
            id="a struct that is one value",
        ),
        pytest.param(nothing, None, _set("spec.strategy", {"type": "RollingUpdate"}), False, id="part of a default"),
    ],
)  # fmt: skip
def test_proof_when_compared_with_the_server_then_it_holds(
    client: Client,
    namespace: str,
    deployment: Make,
    deployed: Change,
    foreign: Change | None,
    desired: Change,
    proved: bool,
) -> None:
    body = deployment(namespace)
    deployed(body)
    client.apply(body, manager=MANAGER)
    if foreign is not None:
        other = {key: copy.deepcopy(body[key]) for key in ("apiVersion", "kind", "metadata")}
        foreign(other)
        client.apply(other, manager="other", force=True)
    sent = deployment(namespace)
    desired(sent)
    live = client.get(resource_id(sent))
    assert proved is changes_nothing(sent, live, MANAGER)
    if proved:
        dry = client.apply(sent, manager=MANAGER, force=True, dry_run=True, validation="Warn").body
        assert _state(dry) == _state(live)


def _state(body: Body) -> Body:
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}


def test_proof_when_a_service_leaves_the_protocol_out_then_it_is_tcp(client: Client, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    client.apply(service, manager=MANAGER)
    live = client.get(resource_id(service))
    assert changes_nothing(service, live, MANAGER)
    service["spec"]["ports"][0]["protocol"] = "UDP"  # type: ignore[index,call-overload]  # a literal
    assert not changes_nothing(service, live, MANAGER)


def test_proof_when_the_applier_knew_another_version_then_none(client: Client, namespace: str) -> None:
    body: Body = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 3},
    }
    client.apply(body, manager=MANAGER)
    live = client.get(resource_id(body))
    assert changes_nothing(body, live, MANAGER)
    assert not changes_nothing({**body, "apiVersion": "autoscaling/v2"}, live, MANAGER)
    newer = {**body, "apiVersion": "autoscaling/v2"}
    assert not changes_nothing(newer, client.get(resource_id(newer)), MANAGER)


@pytest.mark.parametrize("fields", [None, [], [None], [{"fieldsV1": 3}], [{"fieldsV1": {"f:data": {"k:x": {}}}}]])
def test_proof_when_the_managed_fields_are_odd_then_only_equal_values_count(fields: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}}
    live = {**body, "metadata": {"name": "a", "managedFields": fields}}
    assert changes_nothing(body, live, MANAGER)
    assert not changes_nothing({**body, "data": {"a": "c"}}, live, MANAGER)
    assert not changes_nothing(body, {**live, "data": {"a": "b", "c": "d"}}, MANAGER)

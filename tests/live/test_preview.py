"""Previews by a real API server: effect, drift and conflicts of one merge, told apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from controlplane.server import NAMESPACED, READER, ControlPlane

from gitops_guard.cluster import ApiError, Client
from gitops_guard.model import Action, Change
from gitops_guard.model.live import ClusterPreview, Conflict, MissingRight, Preview

Body = dict[str, Any]
Make = Callable[..., Body]
Ask = Callable[..., ClusterPreview]


def fields(changes: tuple[Change, ...]) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.old, one.new) for change in changes for one in change.fields}


def actions(changes: tuple[Change, ...]) -> list[tuple[Action, str]]:
    return [(change.action, change.id.name) for change in changes]


def edited(body: Body, path: str, value: Any) -> Body:
    """Return a copy with one field set: `spec.replicas`."""
    changed = copy.deepcopy(body)
    node = changed
    *parents, last = path.split(".")
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
    node[int(last) if isinstance(node, list) else last] = value
    return changed


APPLIERS = [
    pytest.param("apply", id="server-side"),
    pytest.param("update", id="client-side"),
]


def deploy(client: Client, body: Body, by: str) -> None:
    """Put an object into the cluster as Flux does, or as `kubectl apply` and Helm do."""
    if by == "apply":
        client.apply(body, manager="kustomize-controller")
    else:
        client.create(body, manager="kubectl-client-side-apply")


@pytest.mark.parametrize("by", APPLIERS)
def test_merge_when_it_changes_a_field_then_that_is_the_effect_and_nothing_has_drifted(
    client: Client, namespace: str, deployment: Make, ask: Ask, by: str
) -> None:
    base = deployment(namespace)
    deploy(client, base, by)
    told = ask([base], [edited(base, "spec.template.spec.containers.0.image", "web:2")])
    image = "spec.template.spec.containers[name=web].image"
    assert fields(told.effect) == {image: ("web:1", "web:2")}
    assert (told.drift, told.objects, told.prunes, told.rights) == ((), (), (), ())
    assert told.is_whole


@pytest.mark.parametrize("by", APPLIERS)
def test_merge_when_it_changes_nothing_then_nothing_is_asked(
    client: Client, namespace: str, deployment: Make, config_map: Make, ask: Ask, by: str
) -> None:
    base = [deployment(namespace), config_map(namespace, a="b")]
    for body in base:
        deploy(client, body, by)
    told = ask(base, base)
    assert (told.effect, told.drift, told.proved, told.dry_runs) == ((), (), 2, 0)


@pytest.mark.parametrize("by", APPLIERS)
def test_merge_when_it_drops_a_field_then_it_is_gone(
    client: Client, namespace: str, deployment: Make, config_map: Make, ask: Ask, by: str
) -> None:
    base = [deployment(namespace, minReadySeconds=7), config_map(namespace, a="b", c="d")]
    base[0]["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    for body in base:
        deploy(client, body, by)
    head = copy.deepcopy(base)
    del head[0]["spec"]["minReadySeconds"], head[0]["spec"]["template"]["spec"]["containers"][1], head[1]["data"]["c"]
    told = ask(base, head)
    changed = fields(told.effect)
    assert set(changed) == {"spec.minReadySeconds", "spec.template.spec.containers[name=side]", "data.c"} or set(
        changed
    ) == {"spec.minReadySeconds", "spec.template.spec.containers[name=side]", "data[c]"}
    assert all(new is None for _, new in changed.values())
    assert told.drift == ()


def test_cluster_when_somebody_edited_it_then_that_is_drift_and_not_the_effect(
    client: Client, namespace: str, deployment: Make, ask: Ask
) -> None:
    base = deployment(namespace)
    deploy(client, base, "apply")
    client.apply(edited(base, "spec.replicas", 5), manager="kubectl-edit", force=True)
    told = ask([base], [edited(base, "metadata.labels", {"team": "a"})])
    assert fields(told.drift) == {"spec.replicas": (2, 5)}
    assert set(fields(told.effect)) == {"metadata.labels.team"} or set(fields(told.effect)) == {"metadata.labels"}
    conflicts = [one.conflicts for one in told.objects]
    assert conflicts == [(Conflict(field=".spec.replicas", manager="kubectl-edit", already=True),)]


def test_merge_when_another_manager_owns_what_it_changes_then_the_conflict_is_new(
    client: Client, namespace: str, deployment: Make, ask: Ask
) -> None:
    base = deployment(namespace)
    deploy(client, base, "apply")
    # the autoscaler agrees with Git as long as both want the same
    client.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": base["metadata"], "spec": {"replicas": 2}},
        manager="autoscaler",
    )
    told = ask([base], [edited(base, "spec.replicas", 9)])
    assert fields(told.effect) == {"spec.replicas": (2, 9)}
    assert [one.conflicts for one in told.objects] == [
        (Conflict(field=".spec.replicas", manager="autoscaler", already=False),)
    ]


def test_objects_when_created_and_missing_then_each_is_told_in_its_section(
    client: Client, namespace: str, deployment: Make, config_map: Make, ask: Ask
) -> None:
    gone, new = config_map(namespace, "gone", a="b"), deployment(namespace, "new")
    told = ask([gone], [gone, new])
    assert actions(told.effect) == [(Action.CREATED, "new")]
    assert actions(told.drift) == [(Action.DELETED, "gone")]
    shown = told.effect[0].shown_after
    assert shown is not None
    assert shown["spec"]["strategy"]["type"] == "RollingUpdate"  # type: ignore[index,call-overload]  # as the server stores it
    assert not {"uid", "managedFields", "creationTimestamp"} & set(shown["metadata"])  # type: ignore[arg-type]  # a map


def test_object_when_it_is_live_but_new_in_git_then_the_effect_is_against_what_is_live(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    client.create(config_map(namespace, a="b"), manager="somebody")
    told = ask([], [config_map(namespace, a="c")])
    assert [(one.old, one.new) for change in told.effect for one in change.fields] == [("b", "c")]
    assert told.drift == ()
    assert [one.conflicts[0].manager for one in told.objects] == ["somebody"]


def test_service_when_it_would_be_created_then_no_address_is_made_up(namespace: str, ask: Ask) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    told = ask([service], [edited(service, "spec.ports.0.port", 81)])
    assert actions(told.drift) == [(Action.DELETED, "web")]
    assert not [field for field in fields(told.effect) if "IP" in field or "nodePort" in field]
    assert [repr(change) for change in told.effect] == [
        repr(change) for change in ask([service], [edited(service, "spec.ports.0.port", 81)]).effect
    ]


def test_field_when_it_cannot_be_changed_then_it_is_refused_but_can_be_created_anew(
    client: Client, namespace: str, deployment: Make, ask: Ask
) -> None:
    base = deployment(namespace)
    deploy(client, base, "apply")
    head = edited(base, "spec.selector.matchLabels", {"app": "web", "x": "y"})
    head["spec"]["template"]["metadata"]["labels"]["x"] = "y"
    (one,) = ask([base], [head]).objects
    assert (Preview.REFUSED, True) == (one.preview, one.recreate)
    assert "field is immutable" in one.reason


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        pytest.param("spec.replicas", -1, "must be greater than or equal to 0", id="invalid"),
        pytest.param("spec.replcas", 1, "field not declared in schema", id="unknown field"),
        pytest.param("spec.replicas", "two", "expected numeric", id="another type"),
    ],
)
def test_head_when_it_is_wrong_then_it_is_refused_and_the_rest_goes_on(
    client: Client, namespace: str, deployment: Make, config_map: Make, ask: Ask, path: str, value: Any, words: str
) -> None:
    base = deployment(namespace)
    deploy(client, base, "apply")
    told = ask([base], [edited(base, path, value), config_map(namespace)])
    (one,) = told.objects
    assert (Preview.REFUSED, False) == (one.preview, one.recreate)
    assert words in one.reason
    assert (Action.CREATED, "settings") in actions(told.effect)


def test_merge_when_it_mends_what_the_server_refuses_then_the_effect_is_against_what_is_live(
    client: Client, namespace: str, deployment: Make, ask: Ask
) -> None:
    live = deployment(namespace)
    deploy(client, live, "apply")
    told = ask([edited(live, "spec.replicas", -1)], [edited(live, "spec.replicas", 3)])
    assert fields(told.effect) == {"spec.replicas": (2, 3)}
    assert (told.drift, told.objects) == ((), ())


def test_object_when_two_units_deploy_it_then_that_is_noted(namespace: str, config_map: Make, ask: Ask) -> None:
    both = [config_map(namespace, a="b"), config_map(namespace, a="c")]
    told = ask([], both)
    assert told.notes == (f"deployed twice, of which the last one counts: v1 ConfigMap {namespace}/settings",)


def test_namespace_when_it_comes_with_the_merge_then_its_objects_are_checked_offline(
    namespace: str, config_map: Make, ask: Ask
) -> None:
    name = f"{namespace}-new"
    new = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    told = ask([], [new, config_map(name, a="b")], check_offline=lambda one: [f"looked at {one.id.name}"])
    assert [(Action.CREATED, name), (Action.CREATED, "settings")] == sorted(actions(told.effect))
    (one,) = told.objects
    assert one.preview is Preview.NOT_DRY_RUN
    assert one.reason == f"its namespace {name} comes with the same merge; looked at settings"


def test_namespace_when_it_is_missing_then_its_objects_are_refused(config_map: Make, ask: Ask) -> None:
    (one,) = ask([], [config_map("nowhere-at-all")]).objects
    assert one.preview is Preview.REFUSED
    assert one.reason.startswith("namespace missing")


def widget(namespace: str, *, with_definition: bool) -> list[Body]:
    group = f"{namespace}.test"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": namespace}}
    return [definition, body] if with_definition else [body]


@pytest.mark.parametrize(
    ("with_definition", "expected"), [(True, Preview.NOT_DRY_RUN), (False, Preview.REFUSED)], ids=["comes", "missing"]
)
def test_kind_when_it_is_not_served_then_only_its_definition_helps(
    namespace: str, ask: Ask, with_definition: bool, expected: Preview
) -> None:
    told = ask([], widget(namespace, with_definition=with_definition))
    (one,) = told.objects
    assert (expected, "w") == (one.preview, one.id.name)
    assert (Action.CREATED, "w") in actions(told.effect)


def test_quota_when_it_is_exceeded_then_the_object_is_refused(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": namespace},
        "spec": {"hard": {"count/configmaps": "0"}},
    }
    client.apply(quota, manager="m")
    # no controller runs here that would fill it in; the plugin of the server only obeys the status
    client.apply(
        {**quota, "spec": {}, "status": {"hard": {"count/configmaps": "0"}, "used": {"count/configmaps": "0"}}}
        | {"spec": quota["spec"]},
        manager="m",
        subresource="status",
    )
    (one,) = ask([], [config_map(namespace)]).objects
    assert one.preview is Preview.REFUSED
    assert one.reason.startswith("quota exceeded")


@pytest.mark.parametrize("user", [READER, NAMESPACED])
def test_right_when_it_is_missing_then_it_is_named_and_the_rest_is_told(
    connect: Callable[..., Client],
    client: Client,
    control_plane: ControlPlane,
    namespace: str,
    deployment: Make,
    config_map: Make,
    ask: Ask,
    user: str,
) -> None:
    if user == NAMESPACED:
        control_plane.allow_in(namespace, verbs=("get", "list"))
    base = [deployment(namespace), config_map(namespace, "same", a="b")]
    for body in base:
        deploy(client, body, "apply")
    head = [edited(base[0], "spec.replicas", 3), base[1]]
    told = ask(base, head, by=connect(user))
    assert fields(told.effect) == {"spec.replicas": (2, 3)}  # as Git has it
    needed = MissingRight(verb="patch", resource="deployments.apps", namespace=namespace, objects=1)
    assert needed in told.rights
    assert Preview.UNKNOWN in {one.preview for one in told.objects if one.id.kind == "Deployment"}
    assert not told.is_whole
    if user == READER:
        assert (told.proved, told.rights) == (1, (needed,))
    else:
        assert told.notes == ("webhooks cannot be listed, so every object was dry-run",)


def test_secret_when_it_changes_in_every_way_then_no_value_is_shown(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    values = ["hunter2-live", "hunter2-base", "hunter2-head"]
    metadata = {"name": "login", "namespace": namespace}
    live, base, head = (
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": value}}
        for value in values
    )
    noted = copy.deepcopy(live)
    noted["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"a":"{values[0]}"}}'}
    client.create(noted, manager="kubectl-client-side-apply")
    wrong = {**head, "metadata": {**metadata, "name": "wrong"}, "stringData": {"password": [values[2]]}}
    told = ask([base, config_map(namespace, a=values[1])], [head, wrong, config_map(namespace, a=values[0])])
    assert {one.id.name for one in (*told.effect, *told.drift)} >= {"login"}
    assert [one.preview for one in told.objects if one.id.name == "wrong"] == [Preview.REFUSED]
    printed = repr(told) + "".join(str(one.reason) for one in told.objects)
    shown = [(one.shown_before, one.shown_after, one.fields) for one in (*told.effect, *told.drift)]
    assert not [value for value in ("hunter2", "aHVudGVyMi") if value in printed + repr(shown)]


def test_version_when_the_merge_changes_it_then_the_object_is_the_same_one(
    client: Client, namespace: str, ask: Ask
) -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    old = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 50,
        },
    }
    new = copy.deepcopy(old) | {"apiVersion": "autoscaling/v2"}
    del new["spec"]["targetCPUUtilizationPercentage"]
    new["spec"]["metrics"] = [metric]
    deploy(client, old, "apply")
    told = ask([old], [new])
    assert (told.compared, told.drift) == (1, ())
    assert [change.action for change in told.effect] in ([Action.CONFIGURED], [])


def test_object_when_it_has_no_fixed_name_then_it_is_not_previewed(namespace: str, ask: Ask) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-", "namespace": namespace}}
    (one,) = ask([], [body]).objects
    assert (Preview.UNKNOWN, "it has no fixed name") == (one.preview, one.reason)


def test_cluster_when_the_token_is_refused_then_that_is_its_error(
    connect: Callable[..., Client], fault_proxy: Any, namespace: str, config_map: Make, ask: Ask
) -> None:
    through = connect(port=fault_proxy.port)
    through.resources()
    fault_proxy.expire_token()
    with pytest.raises(ApiError, match="credentials refused"):
        ask([], [config_map(namespace)], by=through)

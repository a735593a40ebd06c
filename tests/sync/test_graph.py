"""What comes before what."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_guard.model import Origin
from gitops_guard.model.resource import resource_id
from gitops_guard.sync.graph import Barrier, Gate, build, parse_reference
from gitops_guard.sync.objects import Desired, Key, desired


def make(version: str, kind: str, name: str, *, unit: str = "", namespace: str = "shop", **rest: Any) -> Desired:
    annotations = rest.pop("annotations", {})
    metadata = {"name": name, "annotations": annotations, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
    return desired(resource_id(body), body, Origin(path="a.yaml", document=0, line=1), set_id="set", unit=unit)


def names(waves: list[list[Key]]) -> list[list[str]]:
    return [[key.name for key in wave] for wave in waves]


def config(name: str, **options: Any) -> Desired:
    return make("v1", "ConfigMap", name, **options)


def after(name: str, other: str, **options: Any) -> Desired:
    reference = {"config.kubernetes.io/depends-on": f"/namespaces/shop/ConfigMap/{other}"}
    return config(name, annotations=reference, **options)


POD = {"template": {"spec": {
    "serviceAccountName": "runner", "priorityClassName": "high", "imagePullSecrets": [{"name": "pull"}],
    "volumes": [{"configMap": {"name": "files"}}, {"secret": {"secretName": "keys"}}, {"projected": {"sources": [{"secret": {"name": "more"}}]}}],
    "containers": [{"envFrom": [{"configMapRef": {"name": "environment"}}], "env": [{"valueFrom": {"secretKeyRef": {"name": "login"}}}]}],
}}}  # fmt: skip


def test_graph_when_a_workload_names_others_then_they_come_first():
    first = [
        *(config(name) for name in ("files", "environment")),
        *(make("v1", "Secret", name) for name in ("keys", "login", "more", "pull")),
        make("v1", "ServiceAccount", "runner"),
        make("scheduling.k8s.io/v1", "PriorityClass", "high", namespace=""),
    ]

    graph = build([make("apps/v1", "Deployment", "web", spec=POD), *first])

    assert [sorted(one.key.name for one in first), ["web"]] == [sorted(step) for step in names(graph.waves())]


def test_graph_when_everything_is_in_a_new_namespace_with_its_own_kind_then_both_come_first():
    definition = make(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com", namespace="",
        spec={"group": "example.com", "names": {"kind": "Widget"}},
    )  # fmt: skip
    space = make("v1", "Namespace", "shop", namespace="")

    waves = build([make("example.com/v1", "Widget", "a"), definition, space]).waves()

    assert [["shop", "widgets.example.com"], ["a"]] == [sorted(step) for step in names(waves)]


def test_graph_when_a_role_is_bound_then_role_and_account_come_before_the_binding():
    group = "rbac.authorization.k8s.io"
    binding = make(
        f"{group}/v1", "RoleBinding", "bind", roleRef={"kind": "Role", "name": "read"},
        subjects=[{"kind": "ServiceAccount", "name": "runner", "namespace": "shop"}],
    )  # fmt: skip
    role, account = make(f"{group}/v1", "Role", "read"), make("v1", "ServiceAccount", "runner")

    assert [["read", "runner"], ["bind"]] == [sorted(step) for step in names(build([binding, role, account]).waves())]


def test_graph_when_a_webhook_has_its_backend_in_the_set_then_it_comes_last():
    labels = {"app": "hook"}
    hook = make(
        "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "hook", namespace="",
        webhooks=[{"clientConfig": {"service": {"name": "hook", "namespace": "shop"}}}],
    )  # fmt: skip
    service = make("v1", "Service", "hook", spec={"selector": labels})
    backend = make("apps/v1", "Deployment", "backend", spec={"template": {"metadata": {"labels": labels}}})

    assert [["backend", "hook"], ["hook"]] == [sorted(step) for step in names(build([hook, service, backend]).waves())]


def test_graph_when_depends_on_is_said_then_the_other_must_be_healthy():
    graph = build([after("b", "a"), config("a")])

    assert Gate.HEALTHY is graph.before[Key("", "ConfigMap", "shop", "b")][Key("", "ConfigMap", "shop", "a")]
    assert [["a"], ["b"]] == names(graph.waves())


def test_graph_when_the_other_is_not_in_the_set_then_that_is_told():
    graph = build([after("b", "elsewhere")])

    assert ("/namespaces/shop/ConfigMap/elsewhere",) == graph.unknown[Key("", "ConfigMap", "shop", "b")]


def test_graph_when_objects_wait_for_each_other_then_the_cycle_is_told():
    graph = build([after("a", "c"), after("b", "a"), after("c", "b"), config("apart")])

    assert [["a", "b", "c"]] == [[key.name for key in cycle] for cycle in graph.cycles]


def test_graph_when_an_object_waits_for_itself_then_that_is_a_cycle():
    assert [["a"]] == [[key.name for key in cycle] for cycle in build([after("a", "a")]).cycles]


def test_graph_when_waves_are_given_then_each_waits_for_the_one_before():
    waves = {"late": "5", "first": "-1"}
    objects = [config(name, annotations={"argocd.argoproj.io/sync-wave": wave}) for name, wave in waves.items()]

    graph = build([*objects, config("ordinary")])

    assert [["first"], ["ordinary"], ["late"]] == names(graph.waves())


def test_graph_when_a_wave_contradicts_a_reference_then_the_wave_counts():
    web = make("apps/v1", "Deployment", "web", spec=POD)
    files = config("files", annotations={"argocd.argoproj.io/sync-wave": "1"})

    graph = build([web, files])

    assert ((), [["web"], ["files"]]) == (graph.cycles, names(graph.waves()))


def test_graph_when_a_unit_depends_on_another_then_all_of_it_waits_for_all_of_that():
    objects = [config("web", unit="apps"), config("one", unit="base"), config("two", unit="base")]

    graph = build(objects, {"apps": ["base"]})

    assert [["one", "two"], ["web"]] == names(graph.waves())
    assert Barrier("unit", "base") in graph.before[Key("", "ConfigMap", "shop", "web")]


def test_graph_when_kapp_groups_are_given_then_they_order():
    first = config("first", annotations={"kapp.k14s.io/change-group": "database"})
    rule = {"kapp.k14s.io/change-rule": "upsert after upserting database"}

    assert [["first"], ["second"]] == names(build([config("second", annotations=rule), first]).waves())


def test_graph_when_a_chain_is_long_then_it_is_walked():
    objects = [config("c0"), *(after(f"c{number}", f"c{number - 1}") for number in range(1, 3000))]

    assert 3000 == len(build(objects).waves())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("apps/namespaces/shop/Deployment/web", Key("apps", "Deployment", "shop", "web"), id="namespaced"),
        pytest.param("/namespaces/shop/Pod/a", Key("", "Pod", "shop", "a"), id="core"),
        pytest.param("rbac.authorization.k8s.io/ClusterRole/x", Key("rbac.authorization.k8s.io", "ClusterRole", "", "x"), id="cluster"),
        pytest.param("nonsense", None, id="nonsense"),
        pytest.param("a/b/c/d/e", None, id="no-namespaces"),
    ],
)  # fmt: skip
def test_reference_when_read_then_as_written(text, expected):
    assert expected == parse_reference(text)

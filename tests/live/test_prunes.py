"""What would be deleted: by marks that ApplySets, Flux and Argo CD leave on live objects of a real server."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from controlplane.api import wait_for

from gitops_guard.cluster import ApiError, Client, ErrorClass
from gitops_guard.model import Action
from gitops_guard.model.live import ClusterPreview, Prune
from gitops_guard.model.resource import resource_id

Body = dict[str, Any]
Make = Callable[..., Body]
Ask = Callable[..., ClusterPreview]


def marked(body: Body, labels: dict[str, str], annotations: dict[str, str] | None = None) -> Body:
    return {**body, "metadata": {**body["metadata"], "labels": labels, "annotations": annotations or {}}}


def told(prunes: tuple[Prune, ...]) -> list[tuple[str, bool, str]]:
    return [(one.id.name, one.by_merge, one.kept) for one in prunes]


def flux(unit: str) -> dict[str, str]:
    prefix = "kustomize.toolkit.fluxcd.io"
    return {f"{prefix}/name": unit, f"{prefix}/namespace": "flux-system"}


MARKS = [
    pytest.param(lambda unit, _: (flux(unit), {}), "Flux Kustomization flux-system/", id="Flux"),
    pytest.param(lambda unit, _: ({"applyset.kubernetes.io/part-of": unit}, {}), "ApplySet ", id="ApplySet"),
    pytest.param(
        lambda unit, body: (
            {},
            {
                "argocd.argoproj.io/tracking-id": f"{unit}:/ConfigMap:{body['metadata']['namespace']}/{body['metadata']['name']}"
            },
        ),
        "Argo CD Application ",
        id="Argo CD",
    ),
]


@pytest.mark.parametrize(("mark", "title"), MARKS)
def test_prunes_when_objects_are_marked_then_what_is_gone_from_git_is_told(
    client: Client, namespace: str, config_map: Make, ask: Ask, mark: Callable[..., Any], title: str
) -> None:
    unit = f"u-{namespace}"[:50]
    for name, by in (("kept", unit), ("removed", unit), ("left", unit), ("foreign", "another")):
        body = config_map(namespace, name, a="b")
        client.apply(marked(body, *mark(by, body)), manager="kustomize-controller")
    client.apply(config_map(namespace, "unmarked"), manager="kustomize-controller")
    child = config_map(namespace, "child")
    child = marked(child, *mark(unit, child))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kept", "uid": "0", "controller": True}
    client.apply({**child, "metadata": {**child["metadata"], "ownerReferences": [owner]}}, manager="m")
    base = [config_map(namespace, name, a="b") for name in ("kept", "removed", "unmarked")]
    found = ask(base, base[:1])
    assert told(found.prunes) == [
        ("left", False, ""),
        ("removed", True, ""),
        ("unmarked", True, "no inventory lists it"),
    ]
    assert {one.inventory for one in found.prunes if not one.kept} == {f"{title}{unit}"}
    assert [(change.action, change.id.name) for change in found.effect] == [(Action.DELETED, "removed")]


def test_prunes_when_nothing_is_marked_then_the_merge_alone_is_told(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    for name in ("kept", "removed", "other"):
        client.apply(config_map(namespace, name), manager="kustomize-controller")
    base = [config_map(namespace, name) for name in ("kept", "removed", "never-there")]
    found = ask(base, base[:1])
    assert told(found.prunes) == [("removed", True, "")]
    assert [change.id.name for change in found.effect] == ["removed"]


@pytest.mark.parametrize(
    "annotations",
    [
        {"kustomize.toolkit.fluxcd.io/prune": "Disabled"},
        {"argocd.argoproj.io/sync-options": "Validate=false,Prune=false"},
        {"cli-utils.sigs.k8s.io/on-remove": "keep"},
        {"helm.sh/resource-policy": "keep"},
    ],
)
def test_prune_when_an_annotation_forbids_it_then_the_object_stays(
    client: Client, namespace: str, config_map: Make, ask: Ask, annotations: dict[str, str]
) -> None:
    body = config_map(namespace)
    client.apply(marked(body, {}, annotations), manager="kustomize-controller")
    found = ask([body], [])
    assert [(True, "")] == [(bool(one.kept), one.inventory) for one in found.prunes]
    assert found.effect == ()


def test_prunes_when_flux_lists_its_objects_then_kinds_that_git_has_no_more_are_found(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    group = "kustomize.toolkit.fluxcd.io"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"kustomizations.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Kustomization", "plural": "kustomizations"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "old", "namespace": namespace}}
    client.apply(definition, manager="m")
    client.apply(account, manager="m")
    labels = {f"{group}/name": "shop", f"{group}/namespace": namespace}
    body = config_map(namespace, a="b")
    client.apply(marked(body, labels), manager="kustomize-controller")
    entries = [
        {"id": f"{namespace}_settings__ConfigMap", "v": "v1"},
        {"id": f"{namespace}_old__ServiceAccount", "v": "v1"},
        {"id": f"{namespace}_gone__ServiceAccount", "v": "v1"},
        {"id": "odd"},
    ]
    shop = {
        "apiVersion": f"{group}/v1",
        "kind": "Kustomization",
        "metadata": {"name": "shop", "namespace": namespace},
        "status": {"inventory": {"entries": entries}},
    }
    try:
        _until_served(client, shop)
        found = ask([body], [copy.deepcopy(body)])
    finally:
        client.delete(resource_id(definition))
    assert told(found.prunes) == [("old", False, "")]
    assert found.prunes[0].inventory == f"Flux Kustomization {namespace}/shop"


def _until_served(client: Client, body: Body) -> None:
    def applied() -> bool:
        client.resources(refresh=True)
        try:
            client.apply(body, manager="m")
        except ApiError as error:
            if error.error_class in (ErrorClass.NOT_SERVED, ErrorClass.OVERLOADED):
                return False
            raise
        return True

    wait_for(applied, what="the kind to be served")


def test_prunes_when_not_all_of_git_is_known_then_only_the_merge_is_told(
    client: Client, namespace: str, config_map: Make, ask: Ask
) -> None:
    labels = {"applyset.kubernetes.io/part-of": f"part-{namespace}"[:50]}
    for name in ("kept", "left"):
        client.apply(marked(config_map(namespace, name, a="b"), labels), manager="kustomize-controller")
    base = [config_map(namespace, "kept", a="b")]
    assert ask(base, base, whole=False).prunes == ()
    assert ask(base, base, whole=False).notes == (
        "not all that is deployed is known, so what else would be pruned is not",
    )
    assert told(ask(base, base).prunes) == [("left", False, "")]

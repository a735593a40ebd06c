"""Webhooks of a real API server that refuse, change, or cannot be called, while a merge is previewed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from controlplane.api import wait_for
from controlplane.webhooks import add_annotation, deny

from gitops_guard.cluster import Client
from gitops_guard.model.live import ClusterPreview, Preview
from gitops_guard.model.resource import resource_id

Body = dict[str, Any]
Make = Callable[..., Body]
Ask = Callable[..., ClusterPreview]
Start = Callable[..., list[Body]]
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"


@pytest.mark.parametrize("code", [403, 400, 500])
def test_webhook_when_it_refuses_then_the_object_is_refused_in_its_words(
    webhook: Start, namespace: str, config_map: Make, ask: Ask, code: int
) -> None:
    asked = webhook(VALIDATING, deny("only on weekdays", code))
    told = ask([], [config_map(namespace, a="b")])
    (one,) = told.objects
    assert one.preview is Preview.REFUSED
    assert one.reason.endswith('admission webhook "judge.test.example" denied the request: only on weekdays')
    assert [True] == [request["dryRun"] for request in asked]


def test_webhook_when_it_refuses_dry_runs_then_the_object_is_not_previewed(
    webhook: Start, namespace: str, config_map: Make, ask: Ask
) -> None:
    webhook(VALIDATING, deny("this webhook does not support dry run", 400))
    told = ask([], [config_map(namespace, a="b")])
    (one,) = told.objects
    assert one.preview is Preview.UNKNOWN
    assert [change.id.name for change in told.effect] == ["settings"]  # as Git has it


def test_webhook_when_it_cannot_be_called_then_the_object_is_not_previewed(
    webhook: Start, namespace: str, config_map: Make, ask: Ask, deployment: Make
) -> None:
    webhook(VALIDATING, None)
    told = ask([], [config_map(namespace, a="b"), deployment(namespace)])
    (one,) = told.objects
    assert (Preview.UNKNOWN, "settings") == (one.preview, one.id.name)
    assert one.reason.startswith("webhook cannot be called")
    assert not told.is_whole


def test_webhook_when_it_changes_objects_then_its_change_is_no_effect_of_the_merge(
    client: Client, webhook: Start, namespace: str, config_map: Make, ask: Ask
) -> None:
    base = config_map(namespace, a="b")
    client.apply(base, manager="kustomize-controller")
    webhook(MUTATING, add_annotation("added/by", "webhook"))
    told = ask([base], [config_map(namespace, a="c")])
    assert [(one.old, one.new) for change in told.effect for one in change.fields] == [("b", "c")]
    # the next apply would add it, with the merge or without: the cluster is not yet as Git and webhook say
    assert len(told.drift) == 1
    assert "added/by" in str(told.drift[0].fields)


def test_webhook_when_it_may_change_a_kind_then_nothing_of_it_is_taken_as_proved(
    client: Client, webhook: Start, namespace: str, config_map: Make, deployment: Make, ask: Ask
) -> None:
    webhook(MUTATING, add_annotation("added/by", "webhook"))
    base = [config_map(namespace, a="b"), deployment(namespace)]
    for body in base:
        client.apply(body, manager="kustomize-controller")
    told = ask(base, base)
    assert (told.drift, told.proved, told.dry_runs) == ((), 1, 1)


def test_webhook_when_it_quotes_a_secret_then_the_value_is_hidden(
    client: Client, webhook: Start, namespace: str, config_map: Make, ask: Ask
) -> None:
    webhook(VALIDATING, deny("hunter2-value is too weak"))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": namespace},
        "stringData": {"password": "hunter2-value"},
    }
    told = ask([], [secret, config_map(namespace, a="b")])
    (one,) = told.objects
    assert one.reason.endswith("denied the request: *** is too weak")


def test_kind_when_the_server_behind_it_is_gone_then_its_objects_are_not_previewed(
    client: Client, connect: Callable[..., Client], namespace: str, config_map: Make, ask: Ask
) -> None:
    group = f"{namespace}.example"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 10,
            "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": namespace},
        },
    }
    client.apply(service, manager="m")
    try:
        fresh = connect()
        wait_for(lambda: f"{group}/v1" in fresh.resources(refresh=True).stale, what="the group to be listed as stale")
        odd = {"apiVersion": f"{group}/v1", "kind": "Odd", "metadata": {"name": "a", "namespace": namespace}}
        told = ask([], [odd, config_map(namespace)], by=fresh)
    finally:
        client.delete(resource_id(service))
    (one,) = told.objects
    assert (Preview.UNKNOWN, "Odd") == (one.preview, one.id.kind)
    assert f"{group}/v1 is not available now" in one.reason

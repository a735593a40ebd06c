"""Drift of every type among many objects: all of it is found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane.api import MERGE_PATCH
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.sync.objects import PART_OF

EACH = 30
STRATEGIC = "application/strategic-merge-patch+json"
PLURALS = {"Deployment": "apis/apps/v1", "ConfigMap": "api/v1", "Service": "api/v1", "ServiceAccount": "api/v1"}


def objects(words: Any, namespace: str) -> list[dict[str, Any]]:
    found = []
    for number in range(EACH):
        name = f"n{number}"
        service = {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]}
        metadata = {"name": name, "namespace": namespace}
        found += [
            words.deployment(namespace, name),
            words.config_map(namespace, name),
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        ]
    return found


DRIFTS = [
    ("Deployment", "n1", {"spec": {"replicas": 5}}, MERGE_PATCH, "spec.replicas"),
    ("Deployment", "n2", {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "x:9"}]}}}}, STRATEGIC, "spec.template.spec.containers[name=web].image"),
    ("Deployment", "n3", {"metadata": {"labels": {PART_OF: None}}}, MERGE_PATCH, "metadata.labels"),
    ("ConfigMap", "n4", {"data": {"a": "2"}}, MERGE_PATCH, "data[a]"),
    ("ConfigMap", "n5", {"data": {"a": None}}, MERGE_PATCH, "data"),
    ("Service", "n6", {"spec": {"selector": {"app": "other"}}}, MERGE_PATCH, "spec.selector.app"),
    ("ServiceAccount", "n12", {"metadata": {"annotations": {"x": "y"}}}, MERGE_PATCH, "metadata.annotations[x]"),
    ("Service", "n7", {"spec": {"ports": [{"port": 81}]}}, MERGE_PATCH, ""),  # both ports together are invalid: a dry-run cannot compare
]  # fmt: skip
HARMLESS = [
    ("ServiceAccount", "n8", {"metadata": {"annotations": {"x": "y"}}}, MERGE_PATCH),
    ("Deployment", "n9", {"metadata": {"annotations": {"x": "y"}}}, MERGE_PATCH),
    ("ConfigMap", "n10", {"data": {"theirs": "1"}}, MERGE_PATCH),
]


@pytest.fixture
def patch(control_plane: ControlPlane, namespace: str) -> Any:
    api = control_plane.api(ADMIN)

    def call(
        kind: str,
        name: str,
        body: Any,
        content_type: str,
        *,
        suffix: str = "",
        method: str = "PATCH",
        manager: str = "kubectl-edit",
    ) -> None:
        path = f"/{PLURALS[kind]}/namespaces/{namespace}/{kind.lower()}s/{name}{suffix}"
        query = {"fieldManager": manager} if method == "PATCH" else None
        api.expect(method, path, body, query=query, headers={"Content-Type": content_type})

    return call


def test_drift_when_of_every_type_among_many_then_exactly_it_is_found(fleet, words, patch):
    fleet.want(*objects(words, fleet.namespace))
    assert 4 * EACH == fleet.sync().counts["created"]
    for number in range(EACH):
        status = {"status": {"observedGeneration": 1, "replicas": 1}}
        patch("Deployment", f"n{number}", status, MERGE_PATCH, suffix="/status")
    for kind, name, body, content_type, _ in DRIFTS:
        patch(kind, name, body, content_type)
    for kind, name, body, content_type in HARMLESS:
        patch(kind, name, body, content_type, manager="some-controller")
    patch("ConfigMap", "n11", None, "application/json", method="DELETE")
    before = sum(fleet.client.counts.values())

    report = fleet.drift()

    expected = {(kind, name, field) for kind, name, _, _, field in DRIFTS}
    found = {(one.id.kind, one.id.name, one.field) for one in report.drift if one.drift_class == "changed"}
    assert expected == found
    assert {("ConfigMap", "n11")} == {(d.id.kind, d.id.name) for d in report.drift if d.drift_class == "missing"}
    assert {"kubectl-edit"} >= {one.manager for one in report.drift if one.manager}
    suspects = len(DRIFTS) + len(HARMLESS)
    assert sum(fleet.client.counts.values()) - before <= 8 + 4 * suspects

    corrected = fleet.sync()

    assert ("synced", len(DRIFTS)) == (corrected.verdict, corrected.counts["configured"])
    assert "synced" == fleet.drift().verdict

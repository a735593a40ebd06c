"""What a snapshot keeps of a cluster's objects, and that it comes back from its file as it was."""

import json

import jsonschema

from gitops_guard.rollout.collect import KINDS, snapshot_of
from gitops_guard.rollout.snapshot_file import read_snapshot, schema, snapshot_text

HASH = "5d9c7"


def pod(name, *, owner=None, phase="Running", **metadata):
    container = {
        "name": "main", "image": "registry.example.com/app:1", "command": ["run"], "env": [{"name": "TOKEN", "value": "hunter2"}],
        "resources": {"requests": {"cpu": "1"}}, "ports": [{"containerPort": 80, "hostPort": 80, "name": "http"}],
    }  # fmt: skip
    spec = {"nodeName": "one", "containers": [container], "serviceAccountName": "app",
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "s", "secret": {"secretName": "s"}}]}  # fmt: skip
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    body = {"metadata": {"namespace": "shop", "name": name, "ownerReferences": owners, **metadata}, "spec": spec}
    return body | {"status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}}


LISTS = {
    "Node": [
        {
            "metadata": {"name": "one", "labels": {"zone": "a"}, "annotations": {"secret": "hunter2"}},
            "spec": {
                "unschedulable": True,
                "taints": [{"key": "k", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"}],
            },
            "status": {"allocatable": {"cpu": "2"}, "capacity": {"cpu": "3"}},
        }
    ],
    "CSINode": [
        {
            "metadata": {"name": "one"},
            "spec": {"drivers": [{"name": "disk", "allocatable": {"count": 25}}, {"name": "free", "nodeID": "n"}]},
        }
    ],
    "Pod": [
        pod("b", owner=("ReplicaSet", f"web-{HASH}"), labels={"pod-template-hash": HASH}),
        pod("a", owner=("ReplicaSet", f"roll-{HASH}"), labels={"rollouts-pod-template-hash": HASH}),
        pod("c", owner=("StatefulSet", "db"), deletionTimestamp="2026-01-01T00:00:00Z"),
        pod("d"),
        pod("ended", phase="Succeeded"),
    ],
    "ResourceQuota": [
        {
            "metadata": {"namespace": "shop", "name": "q", "uid": "1"},
            "spec": {"hard": {"pods": "4"}},
            "status": {"used": {"pods": "3"}},
        }
    ],
    "ConfigMap": [{"metadata": {"namespace": "shop", "name": "settings"}, "data": {"password": "hunter2"}}],
}


def taken():
    return snapshot_of("v1.36.3", LISTS, served=["v1/Pod", "apps/v1/Deployment"], unread=["StorageClass"])


def test_snapshot_when_pods_are_reduced_then_their_workloads_are_known_and_what_ended_is_gone():
    assert [("a", "Rollout/roll"), ("b", "Deployment/web"), ("c", "StatefulSet/db"), ("d", "")] == [
        (one.name, one.workload) for one in taken().pods
    ]
    assert [False, False, True, False] == [one.terminating for one in taken().pods]


def test_snapshot_when_a_node_is_reduced_then_what_the_scheduler_reads_is_left():
    (node,) = taken().nodes
    assert (node.name, node.unschedulable, node.attachable) == ("one", True, {"disk": 25})
    assert node.taints == ({"key": "k", "effect": "NoSchedule"},)
    assert node.allocatable == {"cpu": "2"}


def test_snapshot_when_written_then_it_holds_no_data_image_or_variable():
    text = snapshot_text(taken())
    for word in ("hunter2", "registry.example.com", "TOKEN", "secretName", "uid"):
        assert word not in text
    assert json.loads(text)["objects"]["ConfigMap"] == [{"metadata": {"namespace": "shop", "name": "settings"}}]


def test_snapshot_when_read_back_then_it_is_the_same_and_fits_its_schema():
    text = snapshot_text(taken())
    jsonschema.Draft202012Validator(schema()).validate(json.loads(text))
    assert read_snapshot(text) == taken()
    assert snapshot_text(read_snapshot(text)) == text


def test_snapshot_when_lists_come_in_another_order_then_the_bytes_are_the_same():
    turned = {kind: list(reversed(bodies)) for kind, bodies in LISTS.items()}
    other = snapshot_of("v1.36.3", turned, served=["apps/v1/Deployment", "v1/Pod"], unread=["StorageClass"])
    assert snapshot_text(other) == snapshot_text(taken())


def test_kinds_when_listed_then_secrets_are_not_among_them():
    assert "Secret" not in KINDS
    assert set(schema()["properties"]["objects"]["properties"]) == KINDS.keys() - {"Node", "Pod", "CSINode"}

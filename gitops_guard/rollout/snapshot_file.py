"""A snapshot as a file: JSON, sorted, checked against its schema when it is read."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import cast

from gitops_guard.model import Body, Json
from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
from gitops_guard.rollout.case import struct, structs

VERSION = 1


def schema() -> Body:
    """Return the JSON Schema of the file."""
    text = files("gitops_guard.rollout").joinpath("snapshot.schema.json").read_text(encoding="utf-8")
    return cast("Body", json.loads(text))


def read_snapshot(text: str) -> Snapshot:
    """Read a file.

    Raises:
        ValueError: It is no snapshot; the text says where and what is wrong, without any value of the file.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {type(error).__name__}") from None
    for problem in _problems(document):
        raise ValueError(problem)
    return _snapshot(document)


def _problems(document: Json) -> Iterator[str]:
    if isinstance(document, dict) and document.get("version") != VERSION:
        yield f"version must be {VERSION}: the file is no snapshot, or one of another version of gitops-guard"
        return
    from jsonschema import Draft202012Validator  # only a run with a snapshot pays for it

    for error in Draft202012Validator(schema()).iter_errors(document):
        place = ".".join(str(key) for key in error.absolute_path) or "the document"
        yield f"{place} is not as the schema wants it ({error.validator})"


def _snapshot(document: Mapping[str, Json]) -> Snapshot:
    objects = struct(document.get("objects"))
    return Snapshot(
        kubernetes=str(document["kubernetes"]),
        nodes=tuple(_node(body) for body in structs(document.get("nodes"))),
        pods=tuple(_pod(body) for body in structs(document.get("pods"))),
        objects={kind: tuple(structs(bodies)) for kind, bodies in objects.items()},
        served=_texts(document.get("served")),
        unread=_texts(document.get("unread")),
    )


def _node(body: Mapping[str, Json]) -> Node:
    return Node(
        name=str(body["name"]),
        labels=_strings(body.get("labels")),
        taints=tuple(structs(body.get("taints"))),
        unschedulable=body.get("unschedulable") is True,
        allocatable=struct(body.get("allocatable")),
        attachable={name: int(str(value)) for name, value in struct(body.get("attachable")).items()},
    )


def _pod(body: Mapping[str, Json]) -> RunningPod:
    return RunningPod(
        namespace=str(body["namespace"]),
        name=str(body["name"]),
        node=str(body.get("node") or ""),
        workload=str(body.get("workload") or ""),
        labels=_strings(body.get("labels")),
        spec=struct(body.get("spec")),
        ready=body.get("ready") is True,
        terminating=body.get("terminating") is True,
    )


def _strings(value: Json) -> Mapping[str, str]:
    return {key: str(item) for key, item in struct(value).items()}


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def snapshot_text(snapshot: Snapshot) -> str:
    """Return the file: the same snapshot gives the same bytes."""
    body = {
        "version": VERSION,
        "kubernetes": snapshot.kubernetes,
        "served": sorted(snapshot.served),
        "unread": sorted(snapshot.unread),
        "nodes": [_of_node(node) for node in sorted(snapshot.nodes, key=lambda one: one.name)],
        "pods": [_of_pod(pod) for pod in sorted(snapshot.pods, key=lambda one: (one.namespace, one.name))],
        "objects": {kind: sorted(bodies, key=_key) for kind, bodies in sorted(snapshot.objects.items())},
    }
    return json.dumps(body, indent=1, sort_keys=False, ensure_ascii=False) + "\n"


def _of_node(node: Node) -> dict[str, object]:
    return {
        "name": node.name,
        "labels": dict(sorted(node.labels.items())),
        "taints": list(node.taints),
        "unschedulable": node.unschedulable,
        "allocatable": dict(sorted(node.allocatable.items())),
        "attachable": dict(sorted(node.attachable.items())),
    }


def _of_pod(pod: RunningPod) -> dict[str, object]:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "node": pod.node,
        "workload": pod.workload,
        "labels": dict(sorted(pod.labels.items())),
        "ready": pod.ready,
        "terminating": pod.terminating,
        "spec": pod.spec,
    }


def _key(body: Body) -> tuple[str, str]:
    metadata = struct(body.get("metadata"))
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))

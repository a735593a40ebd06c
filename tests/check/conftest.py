"""Findings and resources made from small manifests."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gitops_guard.model import Finding, Location, Origin, Resource, ResourceId, Severity, fingerprint
from gitops_guard.model.resource import resource_id


def _resources(path: str, text: str) -> list[Resource]:
    """Read resources and their first lines; `items` of a List are unfolded."""
    found = []
    for number, node in enumerate(yaml.compose_all(text, Loader=yaml.SafeLoader)):
        if node is None:
            continue
        body = yaml.safe_load(yaml.serialize(node))
        nodes, bodies = [node], [body]
        if body.get("kind") == "List":
            nodes = next(value.value for key, value in node.value if key.value == "items")
            bodies = body["items"]
        for index, (item, content) in enumerate(zip(nodes, bodies, strict=True)):
            origin = Origin(path=path, document=number, line=item.start_mark.line + 1, item=("items", index))
            found.append(Resource(id=resource_id(content), body=content, origin=origin))
    return found


def _finding(rule: str, path: str, line: int, resource: ResourceId | None = None, field: str = "spec") -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        message="broken",
        resource=resource,
        field=field,
        location=Location(path=path, line=line, column=3, end_line=line, end_column=9),
        fingerprint=fingerprint(rule, path, resource, (field,)),
    )


@pytest.fixture
def resources_of() -> Callable[[str, str], list[Resource]]:
    return _resources


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return _finding


@pytest.fixture
def pod() -> Callable[..., ResourceId]:
    def make(name: str = "a", **rest: Any) -> ResourceId:
        return ResourceId(**({"group": "", "version": "v1", "kind": "Pod", "namespace": "", "name": name} | rest))

    return make

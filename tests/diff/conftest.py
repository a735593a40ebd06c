"""Resources made from YAML, and comparisons of two of them."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gitops_guard.diff import Conventions, compare
from gitops_guard.model import Change, Origin, Resource
from gitops_guard.model.resource import resource_id


def _resources(text: str, path: str = "a.yaml") -> list[Resource]:
    bodies = [body for body in yaml.safe_load_all(text) if body]
    return [_resource(body, path, index) for index, body in enumerate(bodies)]


def _resource(body: Any, path: str = "a.yaml", index: int = 0) -> Resource:
    return Resource(id=resource_id(body), body=body, origin=Origin(path=path, document=index, line=index + 1))


def _read_yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


@pytest.fixture
def resources() -> Callable[..., list[Resource]]:
    return _resources


@pytest.fixture
def resource() -> Callable[..., Resource]:
    return _resource


@pytest.fixture
def conventions() -> Conventions:
    return Conventions(read_yaml=_read_yaml)


@pytest.fixture
def compared(conventions: Conventions) -> Callable[[str, str], tuple[Change, ...]]:
    """Compare two YAML texts that stand in the same file."""

    def run(before: str, after: str) -> tuple[Change, ...]:
        return compare(_resources(before), _resources(after), conventions)

    return run

"""Documents made from the schemas themselves, and slips in them."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitops_guard.schema.slices import Slices

_TEXTS = {
    "byte": "aGVsbG8=",
    "date-time": "2026-01-31T12:00:00Z",
    "micro-time": "2026-01-31T12:00:00.000000Z",
    "quantity": "100m",
}
_DEEPEST = 7


class Maker:
    """Makes valid documents of one slice and breaks them, from a seed."""

    def __init__(self, content: dict[str, Any], seed: int) -> None:
        self._definitions = content["definitions"]
        self._root = content["$ref"].rpartition("/")[2]
        self._random = random.Random(seed)

    def document(self, api_version: str, kind: str) -> dict[str, Any]:
        body = self._value(self._definitions[self._root], 0)
        return {**body, "apiVersion": api_version, "kind": kind}

    def _value(self, schema: dict[str, Any], depth: int) -> Any:
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        kinds = schema.get("type", ["object"])
        kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
        if kind == "array":
            unique = 1 if "x-kubernetes-list-type" in schema else self._random.randint(1, 2)
            return [self._value(schema["items"], depth + 1) for _ in range(unique)]
        if kind == "object":
            return self._object(schema, depth)
        return self._scalar(kind, schema)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            return {"example.com/a": self._value(extra, depth + 1)}
        chance = 0.5 if depth < _DEEPEST else 0
        required = schema.get("required", ())
        names = [name for name in schema.get("properties", {}) if name in required or self._random.random() < chance]
        return {name: self._value(schema["properties"][name], depth + 1) for name in names}

    def _scalar(self, kind: str, schema: dict[str, Any]) -> Any:
        if "enum" in schema:
            return self._random.choice([word for word in schema["enum"] if word is not None])
        return {
            "string": _TEXTS.get(schema.get("format", ""), "text"),
            "integer": self._random.randint(0, 9),
            "number": 1.5,
            "boolean": True,
        }[kind]

    def mutant(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a copy with one slip: a wrong, missing, misspelt, nulled or duplicated value."""
        body = copy.deepcopy(body)
        places = list(_places(body))
        if not places:
            return {**body, "unknown": 1}
        parent, key = self._random.choice(places)
        value = parent[key]
        slips: list[Any] = ["text", 7, 1.5, 3_000_000_000, True, [], {}, {"unknown": 1}, "1GB", ""]
        if not isinstance(value, dict):
            slips.append(None)
        choice = self._random.randrange(4)
        if choice == 0:
            del parent[key]
        elif choice == 1 and isinstance(parent, dict):
            parent[f"{key}x"] = parent.pop(key)
        elif choice == 2 and isinstance(value, list) and value:
            value.append(copy.deepcopy(value[0]))
        else:
            parent[key] = self._random.choice(slips)
        return body


def _places(node: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        if depth or key not in ("apiVersion", "kind"):
            yield node, key
        yield from _places(node[key], depth + 1)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    return str(tmp_path_factory.mktemp("schemas")), bytes(32)


@pytest.fixture(scope="session")
def made(cache_dir: tuple[str, bytes]) -> Callable[[str, int], Iterator[tuple[str, str, dict[str, Any], Maker]]]:
    """Yield apiVersion, kind, slice and maker of every kind of a version."""

    def make(version: str, seed: int) -> Iterator[tuple[str, str, dict[str, Any], Maker]]:
        slices = Slices(version, cache_dir)
        for key, definition in slices.kinds.items():
            content = slices.load(definition)
            api_version, _, kind = key.partition(" ")
            yield api_version, kind, content, Maker(content, seed)

    return make


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A Deployment without any problem."""
    return copy.deepcopy(_DEPLOYMENT)


_DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": None},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "nginx:1.27",
                        "ports": [
                            {"name": "http", "containerPort": 80},
                            {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
                        ],
                        "env": [{"name": "MODE", "value": "fast"}],
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "128Mi"},
                            "limits": {"cpu": 1, "memory": None},
                        },
                        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                        "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}],
                    }
                ],
                "volumes": [{"name": "config", "configMap": {"name": "web"}}],
            },
        },
    },
    "status": {},
}

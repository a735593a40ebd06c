import json
from dataclasses import fields
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from gitops_guard.config import Config, Override, Suppression, load
from gitops_guard.config.model import Cluster
from gitops_guard.errors import ConfigError

SCHEMA: dict[str, Any] = json.loads(files("gitops_guard").joinpath("config.schema.json").read_text("utf-8"))


def _keys(kind: Any, *, without: str) -> set[str]:
    return {field.name.replace("_", "-") for field in fields(kind)} - {without}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(SCHEMA, _keys(Config, without="path"), id="config"),
        pytest.param(SCHEMA["properties"]["overrides"]["items"], _keys(Override, without=""), id="override"),
        pytest.param(
            SCHEMA["properties"]["suppressions"]["items"], _keys(Suppression, without="line"), id="suppression"
        ),
        pytest.param(
            SCHEMA["properties"]["clusters"]["additionalProperties"], _keys(Cluster, without=""), id="cluster"
        ),
    ],
)
def test_schema_when_compared_with_dataclass_then_keys_agree(schema: dict[str, Any], expected: set[str]) -> None:
    assert expected == set(schema["properties"])
    assert all(isinstance(entry["description"], str) for entry in schema["properties"].values())


def _reads(text: str) -> bool:
    try:
        load(text, "x")
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kubernetes-versions: ['1.36', v1.37]", True, id="versions"),
        pytest.param("kubernetes-versions: []", False, id="no-versions"),
        pytest.param("kubernetes-versions: [latest]", False, id="bad-version"),
        pytest.param("include: ['*.yaml']", True, id="include"),
        pytest.param("include: '*.yaml'", False, id="include-text"),
        pytest.param("missing-schema: ignore", True, id="missing-schema"),
        pytest.param("missing-schema: warn", False, id="missing-schema-bad"),
        pytest.param("severity: {a-b: 'off'}", True, id="severity"),
        pytest.param("severity: {A: error}", False, id="severity-bad-id"),
        pytest.param("severity: {a-b: fatal}", False, id="severity-bad-word"),
        pytest.param("fail-on: warning", True, id="fail-on"),
        pytest.param("fail-on: 'off'", False, id="fail-on-bad"),
        pytest.param("overrides: [{paths: [a/], exclude-rules: [x]}]", True, id="override"),
        pytest.param("overrides: [{exclude-rules: [x]}]", False, id="override-without-paths"),
        pytest.param("overrides: [{paths: [], exclude-rules: [x]}]", False, id="override-empty-paths"),
        pytest.param("suppressions: [{rule: a, reason: b, until: '2027-01-31'}]", True, id="suppression"),
        pytest.param("suppressions: [{rule: a}]", False, id="suppression-without-reason"),
        pytest.param("suppressions: [{rule: a, reason: ' '}]", False, id="suppression-blank-reason"),
        pytest.param("plugin-options: {ours: {a: 1}}", True, id="plugin-options"),
        pytest.param("plugin-options: {ours: 1}", False, id="plugin-options-bad"),
        pytest.param("rules: {a-b: {}}", True, id="rules"),
        pytest.param(
            "clusters: {a: {server: 'https://a', kubernetes-version: '1.36', paths: [a/]}}", True, id="cluster"
        ),
        pytest.param("clusters: {a: {labels: {b: c}, variables: {d: 1, e: true}}}", True, id="cluster-pairs"),
        pytest.param("clusters: {a: {}}", True, id="cluster-empty"),
        pytest.param("clusters: [a]", False, id="clusters-list"),
        pytest.param("clusters: {a: }", False, id="cluster-null"),
        pytest.param("clusters: {a: {kubernetes-version: latest}}", False, id="cluster-bad-version"),
        pytest.param("clusters: {a: {nope: 1}}", False, id="cluster-unknown-key"),
        pytest.param("clusters: {a: {variables: {d: [1]}}}", False, id="cluster-bad-variable"),
        pytest.param("nope: 1", False, id="unknown-key"),
        pytest.param("", True, id="empty"),
    ],
)
def test_schema_when_compared_with_loader_then_both_take_the_same(text: str, expected: bool) -> None:
    by_schema = jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
    assert (expected, expected) == (by_schema, _reads(text))


def test_schema_when_checked_then_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

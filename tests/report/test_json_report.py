import json
from collections.abc import Callable
from importlib.resources import files

import jsonschema
import pytest

from gitops_guard.model import Report

SCHEMA = json.loads(files("gitops_guard.report").joinpath("check.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_json_when_written_then_fits_its_schema(
    kind: str, reports: dict[str, Report], written: Callable[..., str]
) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(written("json", reports[kind])))


def test_json_when_written_then_keys_stand_in_the_contracts_order(
    reports: dict[str, Report], written: Callable[..., str]
) -> None:
    check = json.loads(written("json", reports["ordinary"]))
    assert list(check) == ["version", "findings", "errors", "coverage", "suppressed", "counts", "waivers"]
    assert check["counts"] == {"error": 2, "warning": 1, "note": 1}
    assert check["findings"][2] == {
        "rule": "unknown-field",
        "severity": "error",
        "message": 'unknown field "replcas"',
        "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"},
        "field": "spec.replcas",
        "path": "apps/web.yaml",
        "line": 7,
        "column": 3,
        "fingerprint": "2222222222222222",
        "hint": 'did you mean "replicas"?',
        "doc": "https://gitops-guard.example/rules/unknown-field",
    }


def test_json_schema_when_checked_then_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

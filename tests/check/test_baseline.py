import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gitops_guard.check import baseline
from gitops_guard.errors import BaselineError
from gitops_guard.model import Coverage, Finding, Report


def _report(*findings: Finding) -> Report:
    return Report(findings=findings, errors=(), coverage=Coverage(), suppressed=1)


def test_baseline_when_written_then_is_sorted_and_stable(finding: Callable[..., Finding]) -> None:
    one, two = finding("b", "z.yaml", 9), finding("a", "a.yaml", 3)
    data = baseline.write(_report(one, two))
    assert data == baseline.write(_report(replace(two, location=one.location), one)).replace(b"z.yaml", b"a.yaml", 1)
    assert [row["path"] for row in json.loads(data)["findings"]] == ["a.yaml", "z.yaml"]
    assert (data.endswith(b"}\n"), b"line" in data, b"message" in data) == (True, False, False)


def test_baseline_when_applied_then_known_findings_are_counted_not_shown(finding: Callable[..., Finding]) -> None:
    old, new = finding("a", "a.yaml", 3), finding("b", "a.yaml", 4)
    known = baseline.read(baseline.write(_report(old)))
    moved = replace(old, location=replace(old.location, line=99))
    report = baseline.apply(_report(moved, new), known)
    assert ((new,), 2) == (report.findings, report.suppressed)


def test_baseline_when_applied_to_its_own_report_then_nothing_is_left(finding: Callable[..., Finding]) -> None:
    report = _report(finding("a", "a.yaml", 3), finding("a", "a.yaml", 3), finding("b", "a.yaml", 3))
    assert baseline.apply(report, baseline.read(baseline.write(report))).findings == ()


@pytest.mark.parametrize(
    ("head", "base", "expected"),
    [
        pytest.param(["x"], [], ["x"], id="new"),
        pytest.param(["x"], ["x"], [], id="known"),
        pytest.param(["x", "x"], ["x"], ["x"], id="two-at-head-one-at-base"),
        pytest.param(["x"], ["x", "x"], [], id="one-at-head-two-at-base"),
        pytest.param([], ["x"], [], id="fixed"),
        pytest.param(["y", "x", "z", "x"], ["z"], ["y", "x", "x"], id="order-is-kept"),
    ],
)
def test_new_findings_when_compared_then_counts_equal_ones(
    head: list[str], base: list[str], expected: list[str], finding: Callable[..., Finding]
) -> None:
    made = [[finding(rule, "a.yaml", 1) for rule in rules] for rules in (head, base)]
    assert expected == [found.rule for found in baseline.new_findings(made[0], made[1])]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "no JSON", id="empty"),
        pytest.param(b"\xff\xfe", "no JSON", id="not-text"),
        pytest.param(b'{"version": 1', "no JSON", id="truncated"),
        pytest.param(b"[" * 200_000, "no JSON", id="deep"),
        pytest.param(b"[]", 'no "version"', id="list"),
        pytest.param(b"{}", 'no "version"', id="no-version"),
        pytest.param(b'{"version": 2, "findings": []}', "another version than 1", id="later-version"),
        pytest.param(b'{"version": true, "findings": []}', "another version than 1", id="true-is-no-version"),
        pytest.param(b'{"version": 1}', 'no list "findings"', id="no-findings"),
        pytest.param(b'{"version": 1, "findings": [{"rule": "a"}]}', r"findings\[0\] of the baseline has no fingerprint", id="no-fingerprint"),
        pytest.param(b'{"version": 1, "findings": ["a"]}', r"findings\[0\] of the baseline has no fingerprint", id="no-object"),
    ],
)  # fmt: skip
def test_baseline_when_file_is_bad_then_says_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        baseline.read(data)

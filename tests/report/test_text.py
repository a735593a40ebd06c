import time
from collections.abc import Callable

import pytest

from gitops_guard.model import CheckError, Coverage, Finding, Report
from gitops_guard.report.excerpt import Excerpt, excerpt
from gitops_guard.report.visible import visible, width


def test_text_when_piped_then_one_line_a_finding(reports: dict[str, Report], written: Callable[..., str]) -> None:
    lines = written("text", reports["ordinary"]).splitlines()
    assert lines[:2] == [
        "gitops-guard: could not check: the plugin ours 1.0 cannot be loaded",
        "apps/bad.yaml:3:5: could not check yaml-syntax: found a tab where spaces must be",
    ]
    assert 'apps/web.yaml:7:3: error unknown-field: spec.replcas: unknown field "replcas"' in lines
    assert lines[-7:-3] == [
        "validated: 9 of 12 resources in 9 files against Kubernetes 1.36, 1.37",
        "schema only, rules that belong to it not evaluated: 1 resource",
        "skipped: 3 (Helm template: 2, no schema: 1)",
        "silenced by suppressions or the baseline: 2 findings",
    ]


def test_text_when_nothing_was_found_then_says_what_was_covered(written: Callable[..., str]) -> None:
    report = Report(findings=(), errors=(), coverage=Coverage())
    assert written("text", report) == "validated: 0 of 0 resources in 0 files\n"


def test_text_when_on_a_terminal_then_errors_come_first(
    written: Callable[..., str], reports: dict[str, Report]
) -> None:
    text = written("text", reports["ordinary"], terminal=True)
    assert text.index("could not check") < text.index("unknown-field")


@pytest.mark.parametrize(
    ("line", "column", "end_column", "columns", "expected"),
    [
        pytest.param("  replcas: 3", 3, 10, 80, Excerpt("  replcas: 3", "  ^^^^^^^"), id="plain"),
        pytest.param("  名前: 値です", 7, 10, 80, Excerpt("  名前: 値です", "        ^^^^^^"), id="wide"),
        pytest.param("e\u0301x: 1", 3, 4, 80, Excerpt("e\u0301x: 1", " ^"), id="combining"),
        pytest.param("a:\tb", 4, 5, 80, Excerpt("a: b", "   ^"), id="tab"),
        pytest.param("a: \x1b[31m", 4, 5, 80, Excerpt("a: \\x1b[31m", "   ^^^^"), id="escape-sequence"),
        pytest.param("a:", 9, 12, 80, Excerpt("a:", "  ^"), id="beyond-the-end"),
        pytest.param("", 1, 1, 80, Excerpt("", "^"), id="empty-line"),
        pytest.param("x: 1\r", 1, 2, 80, Excerpt("x: 1", "^"), id="carriage-return"),
        pytest.param("k: " + "v" * 100, 4, 104, 40, Excerpt("k: " + "v" * 24 + "...", "   " + "^" * 24), id="long-value"),
        pytest.param("a" * 200 + "XY" + "b" * 200, 201, 203, 40, Excerpt("..." + "a" * 16 + "XY" + "b" * 9 + "...", " " * 19 + "^^"), id="middle-of-long-line"),
    ],
)  # fmt: skip
def test_excerpt_when_cut_then_carets_stand_below_the_place(
    line: str, column: int, end_column: int, columns: int, expected: Excerpt, make_finding: Callable[..., Finding]
) -> None:
    assert expected == excerpt(make_finding("r", "p", 1, column, end_column), (line,), columns)


@pytest.mark.parametrize("column", [1, 500, 999_999, 2_000_000])
def test_excerpt_when_line_is_huge_then_fits_and_is_quick(column: int, make_finding: Callable[..., Finding]) -> None:
    line = "语" * 1_000_000
    start = time.process_time()
    shown = excerpt(make_finding("r", "p", 1, column, column + 1_000_000), (line,), 80)
    assert time.process_time() - start < 0.5
    assert shown is not None
    assert (width(shown.line) <= 80, "^" in shown.marks) == (True, True)
    assert width(shown.marks) <= 80


@pytest.mark.parametrize(
    ("resource", "lines"),
    [
        pytest.param("secret", ("data: {a: hunter2}",), id="a-secrets-line"),
        pytest.param(None, ("a: hunter2", "---", "kind: Secret"), id="a-file-with-a-secret"),
        pytest.param(None, ("a: hunter2", '{"kind":"Secret"}'), id="json"),
        pytest.param("web", (), id="no-source"),
    ],
)
def test_excerpt_when_line_may_hold_a_secret_then_shows_nothing(
    resource: str | None, lines: tuple[str, ...], make_finding: Callable[..., Finding], reports: dict[str, Report]
) -> None:
    of = {"secret": reports["ordinary"].findings[1].resource, "web": reports["ordinary"].findings[2].resource}
    found = make_finding("r", "p", 1, 1, 5, resource=of[resource] if resource else None)
    assert None is excerpt(found, lines, 80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain Ünïcode 名", "plain Ünïcode 名", id="plain"),
        pytest.param("\x1b]0;x\x07", "\\x1b]0;x\\x07", id="terminal-title"),
        pytest.param("a\nb\r\tc", "a\\nb\\x0d\\x09c", id="line-breaks"),
        pytest.param("\u202eabc\u2066", "\\u202eabc\\u2066", id="bidi"),
        pytest.param("\x9b31m\x7f", "\\x9b31m\\x7f", id="c1"),
        pytest.param("\ud800", "\\ud800", id="surrogate"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag-character"),
        pytest.param("::add-mask::x", "\\x3a:add-mask::x", id="github-command"),
        pytest.param("x ##[error]y", "x #\\x23[error]y", id="old-github-command"),
        pytest.param("##vso[task.setvariable]", "#\\x23vso[task.setvariable]", id="azure-command"),
        pytest.param("std::string", "std::string", id="double-colon-inside"),
    ],
)
def test_visible_when_text_is_hostile_then_everything_is_seen(text: str, expected: str) -> None:
    assert expected == visible(text)


def test_text_when_error_has_no_column_then_names_what_is_known(written: Callable[..., str]) -> None:
    errors = (CheckError(path="a.yaml", line=0, column=0, message="unreadable"),)
    text = written("text", Report(findings=(), errors=errors, coverage=Coverage()))
    assert text.startswith("a.yaml: could not check: unreadable\n")

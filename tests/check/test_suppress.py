import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from gitops_guard.check.markers import may_suppress
from gitops_guard.check.suppress import Suppressed, suppress
from gitops_guard.config import Config, Override, Suppression
from gitops_guard.model import Finding, Location, Resource, ResourceId, Severity

PATH = "apps/pods.yaml"
TODAY = date(2027, 1, 31)
KNOWN = ("bad-a", "bad-b", "unknown-field")

TWO = """\
# gitops-guard: ignore bad-a vendor chart
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  x: 1  # gitops-guard: ignore bad-b on this line
  y: 2
---
apiVersion: v1
kind: Pod
metadata: {name: b}
spec:
  # gitops-guard: ignore bad-b on the next line
  x: 1
"""

LIST = """\
# gitops-guard: ignore bad-b all of them
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
# gitops-guard: ignore bad-a the second
- apiVersion: v1
  kind: Pod
  metadata: {name: b}
- apiVersion: v1
  kind: Pod
  metadata: {name: c}
"""

MARKER = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
# gitops-guard: ignore bad-a above the marker

# more words
--- # second
apiVersion: v1
kind: Pod
metadata: {name: b}
"""


@pytest.fixture
def run(resources_of: Callable[[str, str], list[Resource]]) -> Callable[..., Suppressed]:
    def call(text: str, *findings: Finding, config: Config | None = None, **rest: Any) -> Suppressed:
        return suppress(
            findings,
            sources={PATH: text},
            resources=resources_of(PATH, text),
            config=config or Config(),
            today=TODAY,
            known_rules=KNOWN,
            **rest,
        )

    return call


@pytest.mark.parametrize(
    ("text", "rule", "line", "silenced"),
    [
        pytest.param(TWO, "bad-a", 2, True, id="first-line-of-resource"),
        pytest.param(TWO, "bad-a", 7, True, id="anywhere-in-resource"),
        pytest.param(TWO, "bad-a", 11, False, id="not-in-the-next-resource"),
        pytest.param(TWO, "bad-b", 6, True, id="own-line"),
        pytest.param(TWO, "bad-b", 7, False, id="not-the-line-below"),
        pytest.param(TWO, "bad-b", 14, True, id="line-below-comment"),
        pytest.param(TWO, "bad-b", 12, False, id="not-the-line-above"),
        pytest.param(LIST, "bad-a", 7, False, id="not-the-item-above"),
        pytest.param(LIST, "bad-a", 9, True, id="list-item"),
        pytest.param(LIST, "bad-a", 11, True, id="inside-list-item"),
        pytest.param(LIST, "bad-a", 12, False, id="not-the-item-below"),
        pytest.param(LIST, "bad-b", 14, True, id="whole-document"),
        pytest.param(MARKER, "bad-a", 3, False, id="before-marker"),
        pytest.param(MARKER, "bad-a", 8, True, id="comment-above-marker"),
        pytest.param(MARKER, "bad-a", 10, True, id="whole-resource-behind-marker"),
        pytest.param("a: 1\nb:\n  # gitops-guard: ignore bad-a x\n\n  # more\n  c: 1\n", "bad-a", 6, True, id="blank-and-comment-between"),
        pytest.param("a: |\n  # gitops-guard: ignore bad-a x\n  c: 1\n", "bad-a", 3, False, id="inside-block-scalar"),
        pytest.param("--- {a: 1}\n---\n# gitops-guard: ignore bad-a x\nb: 1\nc: 2\n--- {d: 1}\n", "bad-a", 5, True, id="document-without-resource"),
        pytest.param("--- {a: 1}\n---\n# gitops-guard: ignore bad-a x\nb: 1\nc: 2\n--- {d: 1}\n", "bad-a", 6, False, id="document-ends-at-full-marker"),
        pytest.param("# gitops-guard: ignore bad-a x\n--- {a: 1}\n", "bad-a", 2, True, id="above-full-marker"),
    ],
)  # fmt: skip
def test_suppress_when_comment_stands_somewhere_then_covers_that(
    text: str, rule: str, line: int, silenced: bool, run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    result = run(text, finding(rule, PATH, line))
    assert (silenced, not silenced) == (bool(result.silenced), bool(result.kept))


def test_suppress_when_silenced_then_says_why_and_by_what(
    run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    found = finding("bad-b", PATH, 6)
    silenced = run(TWO, found).silenced[0]
    assert (found, "on this line", None) == (silenced.finding, silenced.reason, silenced.until)
    assert silenced.by == Location(path=PATH, line=6, column=9, end_line=6, end_column=50)


def test_suppress_when_alias_leads_out_of_the_resource_then_its_id_counts(
    run: Callable[..., Suppressed], finding: Callable[..., Finding], pod: Callable[..., ResourceId]
) -> None:
    assert run(LIST, finding("bad-a", PATH, 1, pod("b"))).silenced
    assert not run(LIST, finding("bad-a", PATH, 1, pod("c"))).silenced
    assert not run(LIST, finding("bad-a", "other.yaml", 9, pod("b"))).silenced


ANNOTATED = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    gitops-guard.io/ignore: "bad-a: vendor until 2027-01-31; bad-b: other"
spec:
  x: 1
---
apiVersion: v1
kind: Pod
metadata: {name: b}
"""


@pytest.mark.parametrize(
    ("rule", "line", "silenced"),
    [
        pytest.param("bad-a", 8, True, id="first-entry"),
        pytest.param("bad-b", 1, True, id="second-entry"),
        pytest.param("bad-a", 12, False, id="other-resource"),
        pytest.param("unknown-field", 8, False, id="other-rule"),
    ],
)
def test_suppress_when_resource_is_annotated_then_covers_the_resource(
    rule: str, line: int, silenced: bool, run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    assert silenced == bool(run(ANNOTATED, finding(rule, PATH, line)).silenced)


@pytest.mark.parametrize("value", ["3", "[x]", "{a: b}", "~", "''"])
def test_suppress_when_annotation_is_no_text_then_nothing_happens(value: str, run: Callable[..., Suppressed]) -> None:
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{gitops-guard.io/ignore: {value}}}}}\n"
    assert run(text) == Suppressed(kept=(), silenced=(), extra=())


def _about(result: Suppressed) -> list[tuple[str, int, str, str]]:
    return [(found.rule, found.location.line, found.message, found.hint) for found in result.extra]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        pytest.param("ignore bad-a", ("suppression-without-reason", 'the suppression of "bad-a" gives no reason, so it silences nothing'), id="no-reason"),
        pytest.param("ignore bad-a x until 2027-01-30", ("suppression-expired", 'the suppression of "bad-a" ended on 2027-01-30, so it silences nothing'), id="expired"),
        pytest.param("ignore bad-a x until 2027-02-30", ("suppression-expired", '"2027-02-30" is no day; write "until 2027-01-31"'), id="no-day"),
        pytest.param("ignore bad-q x", ("unused-suppression", 'there is no rule "bad-q"'), id="unknown-rule"),
        pytest.param("ignore", ("unused-suppression", 'no rule is named; write "ignore RULE reason"'), id="no-rule"),
        pytest.param("silence bad-a x", ("unused-suppression", '"silence" is no instruction; write "ignore RULE reason"'), id="other-word"),
    ],
)  # fmt: skip
def test_suppress_when_suppression_is_wrong_then_silences_nothing_and_is_a_finding(
    comment: str, expected: tuple[str, str], run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    result = run(f"a: 1 # gitops-guard: {comment}\n", finding("bad-a", PATH, 1))
    assert len(result.kept) == 1
    assert [expected] == [(found.rule, found.message) for found in result.extra]
    assert all(found.severity is Severity.WARNING for found in result.extra)


def test_suppress_when_last_day_is_today_then_still_holds(
    run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    result = run("a: 1 # gitops-guard: ignore bad-a x until 2027-01-31\n", finding("bad-a", PATH, 1))
    assert (len(result.silenced), result.extra) == (1, ())


def test_suppress_when_rule_is_unknown_then_names_the_nearest(run: Callable[..., Suppressed]) -> None:
    result = run("a: 1 # gitops-guard: ignore unknown-feild x\n")
    assert _about(result) == [
        ("unused-suppression", 1, 'there is no rule "unknown-feild"', 'did you mean "unknown-field"?')
    ]


def test_suppress_when_nothing_is_silenced_then_each_unused_rule_is_named(
    run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    result = run("a: 1 # gitops-guard: ignore bad-a,bad-b x\n", finding("bad-a", PATH, 1))
    assert _about(result) == [("unused-suppression", 1, 'there is no finding of "bad-b" to silence here', "remove it")]


@pytest.mark.parametrize(
    ("config", "rest"),
    [
        pytest.param(Config(severity={"bad-a": None}), {}, id="rule-is-off"),
        pytest.param(Config(overrides=(Override(paths=("apps/",), exclude_rules=("bad-a",)),)), {}, id="rule-is-off-here"),
        pytest.param(Config(severity={"unused-suppression": None}), {}, id="unused-suppression-is-off"),
        pytest.param(Config(), {"unread": [PATH]}, id="file-could-not-be-checked"),
    ],
)  # fmt: skip
def test_suppress_when_unused_proves_nothing_then_is_quiet(
    config: Config, rest: dict[str, Any], run: Callable[..., Suppressed]
) -> None:
    assert run("a: 1 # gitops-guard: ignore bad-a x\n", config=config, **rest).extra == ()


def test_suppress_when_findings_are_about_suppressions_then_cannot_be_silenced(
    run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    result = run("a: 1 # gitops-guard: ignore unused-suppression x\n", finding("unused-suppression", PATH, 1))
    assert (len(result.kept), len(result.extra)) == (1, 1)


@pytest.mark.parametrize(
    ("selector", "silenced"),
    [
        pytest.param({}, True, id="rule-only"),
        pytest.param({"kind": "Pod"}, True, id="kind"),
        pytest.param({"kind": "Deployment"}, False, id="other-kind"),
        pytest.param({"kind": "Pod.apps"}, False, id="other-group"),
        pytest.param({"name": "web-*"}, True, id="name"),
        pytest.param({"name": "web"}, False, id="whole-name"),
        pytest.param({"namespace": "dev-?"}, True, id="namespace"),
        pytest.param({"namespace": "prod"}, False, id="other-namespace"),
        pytest.param({"path": "apps/**"}, True, id="path"),
        pytest.param({"path": "infra/"}, False, id="other-path"),
        pytest.param({"field": "spec.containers[*].image"}, True, id="field"),
        pytest.param({"field": "spec.volumes"}, False, id="other-field"),
        pytest.param({"kind": "Pod", "name": "web-*", "namespace": "prod"}, False, id="all-must-match"),
        pytest.param({"until": "2027-01-30"}, False, id="expired"),
        pytest.param({"until": "2027-01-31"}, True, id="last-day"),
    ],
)
def test_suppress_when_config_selects_then_all_parts_must_match(
    selector: dict[str, str],
    silenced: bool,
    run: Callable[..., Suppressed],
    finding: Callable[..., Finding],
    pod: Callable[..., ResourceId],
) -> None:
    config = Config(path="c.yaml", suppressions=(Suppression(rule="bad-a", reason="x", line=7, **selector),))
    found = finding("bad-a", PATH, 3, pod("web-1", namespace="dev-1"), "spec.containers[0].image")
    result = run("", found, config=config)
    assert silenced == bool(result.silenced)
    if not silenced:
        assert [(entry.location.path, entry.location.line) for entry in result.extra] == [("c.yaml", 7)]


def test_suppress_when_only_some_files_were_checked_then_selectors_are_not_called_unused(
    run: Callable[..., Suppressed],
) -> None:
    config = Config(path="c.yaml", suppressions=(Suppression(rule="bad-a", reason="x"),))
    assert len(run("", config=config).extra) == 1
    assert run("", config=config, whole_tree=False).extra == ()


def test_suppress_when_equal_complaints_are_many_then_fingerprints_differ(run: Callable[..., Suppressed]) -> None:
    result = run("a: 1 # gitops-guard: ignore bad-a\nb: 1 # gitops-guard: ignore bad-a\n")
    first, second = (found.fingerprint for found in result.extra)
    assert f"{first}-2" == second


def test_suppress_when_severity_is_configured_then_extra_findings_have_it(run: Callable[..., Suppressed]) -> None:
    result = run(
        "# gitops-guard: ignore bad-a\n", config=Config(severity={"suppression-without-reason": Severity.ERROR})
    )
    assert [found.severity for found in result.extra] == [Severity.ERROR]


def test_suppress_when_comments_are_many_then_stays_fast(
    run: Callable[..., Suppressed], finding: Callable[..., Finding]
) -> None:
    text = "# gitops-guard: ignore bad-a x\n" * 10_000 + "a: 1\n"
    start = time.process_time()
    result = run(text, finding("bad-a", PATH, 10_001))
    assert time.process_time() - start < 3.0
    assert (len(result.silenced), result.extra) == (1, ())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"# gitops-guard: ignore x", True, id="comment"),
        pytest.param(b"gitops-guard.io/ignore: x", True, id="annotation"),
        pytest.param(b"gitops-guard", False, id="name-alone"),
    ],
)
def test_may_suppress_when_bytes_are_searched_then_finds_markers(data: bytes, expected: bool) -> None:
    assert expected == may_suppress(data)

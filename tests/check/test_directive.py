from datetime import date

import pytest

from gitops_guard.check.directive import Directive, parse_annotation, parse_comment

DAY = date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ignore a-b vendor chart", Directive(rules=("a-b",), reason="vendor chart"), id="plain"),
        pytest.param("ignore a,b , c why", Directive(rules=("a", "b", "c"), reason="why"), id="several"),
        pytest.param("ignore a why, oh why", Directive(rules=("a",), reason="why, oh why"), id="comma-in-reason"),
        pytest.param("ignore a: why", Directive(rules=("a",), reason="why"), id="colon"),
        pytest.param("ignore a -- why", Directive(rules=("a",), reason="why"), id="dashes"),
        pytest.param("ignore a reason=vendor", Directive(rules=("a",), reason="vendor"), id="reason-word"),
        pytest.param("ignore a reason", Directive(rules=("a",), reason=""), id="reason-word-alone"),
        pytest.param("ignore a reasonable default", Directive(rules=("a",), reason="reasonable default"), id="reason-as-part-of-word"),
        pytest.param("ignore a why until 2027-01-31", Directive(rules=("a",), reason="why", until=DAY), id="until"),
        pytest.param("ignore a why (until 2027-01-31).", Directive(rules=("a",), reason="why", until=DAY), id="until-in-brackets"),
        pytest.param("ignore a reason=vendor image expires=2027-01-31", Directive(rules=("a",), reason="vendor image", until=DAY), id="key-and-value"),
        pytest.param("ignore a until 2027-01-31", Directive(rules=("a",), reason="", until=DAY), id="until-without-reason"),
        pytest.param("ignore a until we migrate", Directive(rules=("a",), reason="until we migrate"), id="until-as-reason"),
        pytest.param("ignore a why until 2027-02-30", Directive(rules=("a",), reason="why", mistake='"2027-02-30" is no day; write "until 2027-01-31"'), id="no-such-day"),
        pytest.param("ignore a why until 31.01.2027", Directive(rules=("a",), reason="why", mistake='"31.01.2027" is no day; write "until 2027-01-31"'), id="other-form"),
        pytest.param("ignore a", Directive(rules=("a",), reason=""), id="no-reason"),
        pytest.param("ignore a ---", Directive(rules=("a",), reason=""), id="only-dashes"),
        pytest.param("ignore", Directive(rules=(), reason="", mistake='no rule is named; write "ignore RULE reason"'), id="no-rule"),
        pytest.param("ignored a b", Directive(rules=(), reason="", mistake='"ignored" is no instruction; write "ignore RULE reason"'), id="other-word"),
        pytest.param("", Directive(rules=(), reason="", mistake='"" is no instruction; write "ignore RULE reason"'), id="nothing"),
        pytest.param("ignore " + "a," * 5000, Directive(rules=(), reason="", mistake='no rule is named; write "ignore RULE reason"'), id="absurd"),
    ],
)  # fmt: skip
def test_parse_comment_when_read_then_follows_the_grammar(text: str, expected: Directive) -> None:
    assert expected == parse_comment(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: why", (Directive(rules=("a",), reason="why"),), id="one"),
        pytest.param("a,b: why until 2027-01-31; c: because; ", (Directive(rules=("a", "b"), reason="why", until=DAY), Directive(rules=("c",), reason="because")), id="two"),
        pytest.param("a: x\nb: y\n", (Directive(rules=("a",), reason="x"), Directive(rules=("b",), reason="y")), id="lines"),
        pytest.param("a", (Directive(rules=("a",), reason=""),), id="no-reason"),
        pytest.param("a: why: this", (Directive(rules=("a",), reason="why: this"),), id="colon-in-reason"),
        pytest.param("  ", (), id="blank"),
    ],
)  # fmt: skip
def test_parse_annotation_when_read_then_follows_the_grammar(text: str, expected: tuple[Directive, ...]) -> None:
    assert expected == parse_annotation(text)

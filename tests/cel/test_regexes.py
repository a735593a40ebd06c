"""Regular expressions: the simulator agrees with Python's matcher, and the risk of backtracking is told rightly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.regex_machine import Machine
from gitops_guard.cel.regex_risk import EXPONENTIAL, degree
from gitops_guard.cel.regex_syntax import parse_regex
from gitops_guard.cel.regexes import compile_regex

ATOMS = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    r"\w",
    r"\b",
    r"\B",
    "^",
    "$",
    "(?m:^)",
    "(?m:$)",
    "(?i:A)",
    "é",
    "(?s:.)",
]
atoms = st.sampled_from(ATOMS)
counts = st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}"])
pieces = st.builds("{}{}".format, atoms.map(lambda atom: f"(?:{atom})"), counts)
patterns = st.recursive(
    st.lists(pieces, min_size=1, max_size=3).map("".join),
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=4,
)
texts = st.text(alphabet="abAé1 \n", max_size=8)


@settings(max_examples=150, deadline=None)
@given(patterns, texts)
def test_simulator_when_compared_with_backtracking_then_finds_the_same(pattern: str, text: str) -> None:
    fast = compile_regex(pattern).find(text, Budget())
    slow = Machine(parse_regex(pattern)).find(text, 0, Budget())
    assert (None if fast is None else fast.spans) == slow


RISKS = [
    ("abc", 0),
    ("a*", 1),
    ("^[a-z]+$", 1),
    ("a*b*", 1),
    ("a*a*", 2),
    (".*foo.*bar", 2),
    ("(foo|bar)+", 1),
    (r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", 1),
    (r"^[a-z0-9.-]+(:[0-9]+)?/([a-z0-9-]+/)*[a-z0-9-]+:[a-z0-9.]+$", 2),
    ("(a*)*", EXPONENTIAL),
    ("(a|a)*", EXPONENTIAL),
    ("(a|aa)+", EXPONENTIAL),
    ("(a+b?)+", EXPONENTIAL),
    ("(a?b?)*", EXPONENTIAL),
    (r"(\w+\s?)*", EXPONENTIAL),
    ("((a{1,9}){1,9})", EXPONENTIAL),
    ("(" + "|".join(["ab"] * 300) + ")*", EXPONENTIAL),
]


@pytest.mark.parametrize(("pattern", "expected"), [pytest.param(*row, id=row[0][:40]) for row in RISKS])
def test_risk_when_told_from_the_pattern_then_is_the_power_of_the_length(pattern: str, expected: int) -> None:
    assert expected == degree(parse_regex(pattern).root)


REFUSED = [
    (r"a{1001}", "invalid repeat count: `{1001}`"),
    ("(a{40}){40}", "invalid repeat count: `{40}`"),
    ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
    ("(?<!a)", "invalid or unsupported Perl syntax: `(?<!a)`"),
    (r"\1", r"invalid escape sequence: `\1`"),
    (r"\Z", r"invalid escape sequence: `\Z`"),
    (r"\C", r"invalid escape sequence: `\C`"),
    ("a**", "invalid nested repetition operator: `**`"),
    ("*", "missing argument to repetition operator: `*`"),
    ("[z-a]", "invalid character class range: `z-a`"),
    ("[a", "missing closing ]: `[a`"),
    ("(a", "missing closing ): `(a`"),
    ("a)", "unexpected ): `a)`"),
    (r"\p{Klingon}", r"invalid or unsupported character class range: `\p{Klingon}`"),
    ("a" * 10_001, "pattern longer than 10000 characters"),
]


@pytest.mark.parametrize(("pattern", "message"), [pytest.param(*row, id=row[0][:40]) for row in REFUSED])
def test_pattern_when_re2_refuses_it_then_so_do_we(pattern: str, message: str) -> None:
    with pytest.raises(CelError) as caught:
        compile_regex(pattern)
    assert f"error parsing regexp: {message}" == caught.value.message


def test_matches_when_empty_ones_touch_then_are_dropped() -> None:
    found = [match.spans[0] for match in compile_regex("b*").find_all("abc", Budget())]
    assert found == [(0, 0), (1, 2), (3, 3)]

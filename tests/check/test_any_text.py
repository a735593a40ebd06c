"""Suppressions in any text: nothing raises, and nothing inside a string is taken for one."""

from datetime import date
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.check.comments import find_comments
from gitops_guard.check.directive import parse_annotation, parse_comment
from gitops_guard.check.suppress import suppress
from gitops_guard.config import Config

PIECES = st.sampled_from(
    ["# gitops-guard: ignore bad-a x", " # gitops-guard:", "\n", "\n  ", "a: ", "b: |\n", "- ", "'", '"', "\\", "[", "]", "{", "}", "---\n",
     "...\n", "#", " ", "until 2027-01-31", ";", ",", "\r\n", "\r", "\u2028", "\ud800", "\ufeff", "\t", "名", "&a", "*a", "?"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_suppress_when_text_is_anything_then_places_exist(text: str) -> None:
    result = suppress(
        (), sources={"a": text}, resources=(), config=Config(), today=date(2027, 1, 1), known_rules=("bad-a",)
    )
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    for found in result.extra:
        assert lines[found.location.line - 1][found.location.column - 1] == "#"


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_directive_when_text_is_anything_then_reads_something(text: str) -> None:
    parse_comment(text)
    parse_annotation(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["# gitops-guard: ignore bad-a x", " ", "\n", "a", "'", '"', ":", "\\", "  "]), max_size=8
    ).map("".join),
    st.sampled_from([None, "'", '"', "|", ">"]),
)
def test_find_comments_when_marker_is_only_in_a_value_then_finds_none(value: str, style: Any) -> None:
    text = yaml.safe_dump({"a": value, "b": [value]}, default_style=style, allow_unicode=True)
    assert find_comments(text, "gitops-guard:") == []

"""Every value has its place in the file."""

import pytest

from gitops_guard.manifest.loader import load

TEXT = b"""# first
a: 1
---
x: &x {k: 1}
spec:
  list:
  - name: "b"  # note
    empty:
  - c
m:
  <<: *x
u: *x
t: !!str 12
"""

PLACES = [
    pytest.param(("x", "k"), False, (4, 11), id="flow value"),
    pytest.param(("x", "k"), True, (4, 8), id="flow key"),
    pytest.param(("spec", "list", 0, "name"), False, (7, 11), id="quoted value"),
    pytest.param(("spec", "list", 1), False, (9, 5), id="list item"),
    pytest.param(("spec", "list", 0, "empty"), False, (8, 5), id="missing value at its key"),
    pytest.param(("spec", "replicas"), False, (5, 1), id="absent field at its parent's key"),
    pytest.param(("nothing",), False, (4, 1), id="absent root field at the first key"),
    pytest.param(("m", "k"), False, (11, 7), id="merged value at its use"),
    pytest.param(("u", "k"), False, (12, 4), id="aliased value at its use"),
    pytest.param(("t",), False, (13, 10), id="after the tag"),
    pytest.param((), False, (4, 1), id="root"),
]


@pytest.mark.parametrize(("path", "on_key", "expected"), PLACES)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_locate_when_asked_then_gives_line_and_column(path, on_key, expected, newline):
    span = load(TEXT.replace(b"\n", newline)).documents[1].locate(path, on_key=on_key)
    assert expected == (span.line, span.column)


def test_locate_when_json_then_gives_line_and_column():
    span = load(b'\n {"a":\n  [1, {"b": "x"}]}').documents[0].locate(("a", 1, "b"))
    assert (span.line, span.column, span.end_line, span.end_column) == (3, 13, 3, 16)


def test_scalar_when_asked_then_tells_text_and_style():
    document = load(b'a: 010\nb: "x"\nc: []\n').documents[0]
    assert [(s.text, s.plain) for s in map(document.scalar, [("a",), ("b",)]) if s] == [("010", True), ("x", False)]
    assert document.scalar(("c",)) is None

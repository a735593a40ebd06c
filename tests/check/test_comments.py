import time

import pytest

from gitops_guard.check.comments import Comment, find_comments

MARK = "guard:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("# guard: x\na: 1\n", [(1, 1, True)], id="alone"),
        pytest.param("a: 1 # guard: x\n", [(1, 6, False)], id="behind-a-value"),
        pytest.param("a: 1\t#guard: x\n", [(1, 6, False)], id="tab-and-no-blank"),
        pytest.param("a:\n    #   guard: x\n  b: 1\n", [(2, 5, True)], id="indented"),
        pytest.param("a: 1# guard: x\n", [], id="no-blank-before-hash"),
        pytest.param("a: 'x # guard: x'\n", [], id="single-quotes"),
        pytest.param('a: "x # guard: x"\n', [], id="double-quotes"),
        pytest.param('a: "x\\" # guard: x"\n', [], id="escaped-quote"),
        pytest.param("a: 'it''s # guard: x'\n", [], id="doubled-quote"),
        pytest.param("a: 'x\n  # guard: x\n  y'\n", [], id="multi-line-quotes"),
        pytest.param("a: 'x\n  y' # guard: x\n", [(2, 6, False)], id="behind-multi-line-quotes"),
        pytest.param("'# guard: x': 1 # guard: y\n", [(1, 17, False)], id="quoted-key"),
        pytest.param("a: |\n  # guard: x\n  y\nb: 1\n", [], id="literal-block"),
        pytest.param("a: >-\n  y # guard: x\n\n  # guard: y\nb: 1\n", [], id="folded-block"),
        pytest.param("a: | # guard: x\n  y\n", [(1, 6, False)], id="block-header"),
        pytest.param("a: |2\n    # guard: x\n   y\n", [], id="block-with-indent"),
        pytest.param("a: |\n  x\n# guard: x\nb: 1\n", [(3, 1, True)], id="after-block"),
        pytest.param("a: |\n  x\n\n# guard: x\n", [(4, 1, True)], id="after-last-block"),
        pytest.param("a: x\n  # guard: x\n", [(2, 3, True)], id="ends-plain-scalar"),
        pytest.param("a: [1, # guard: x\n  2]\n", [(1, 8, False)], id="inside-flow"),
        pytest.param('{"a": "# guard: x"}\n', [], id="json"),
        pytest.param("a: 1 # see # guard: x\n", [], id="marker-later-in-comment"),
        pytest.param("--- # guard: x\na: 1\n", [(1, 5, False)], id="behind-document-marker"),
        pytest.param("a: 1\n---\n# guard: x\nb: 1\n", [(3, 1, True)], id="second-document"),
        pytest.param("a: 1\r\n# guard: x\r\nb: 1\r\n", [(2, 1, True)], id="windows-line-ends"),
        pytest.param("a: 'x\u2028y' # guard: x\n", [(1, 10, False)], id="line-separator-is-no-line"),
        pytest.param("a: 名前 # guard: x\n", [(1, 7, False)], id="wide-characters"),
        pytest.param("\ufeff# guard: x\n", [(1, 1, True)], id="byte-order-mark"),
        pytest.param("# guard: x", [(1, 1, True)], id="no-line-end"),
        pytest.param("# guard: x\na: 'open\n# guard: y\n", [(1, 1, True)], id="open-quote-hides-the-rest"),
        pytest.param("# nothing\n", [], id="other-comment"),
        pytest.param("", [], id="empty"),
    ],
)  # fmt: skip
def test_find_comments_when_text_is_hostile_then_finds_only_comments(
    text: str, expected: list[tuple[int, int, bool]]
) -> None:
    assert expected == [(found.line, found.column, found.alone) for found in find_comments(text, MARK)]


def test_find_comments_when_found_then_text_is_stripped() -> None:
    assert find_comments("a: 1 #  guard: x y  \n", MARK) == [Comment(1, 6, 19, "guard: x y", False)]


@pytest.mark.parametrize(
    "text", ["[" * 50_000 + " # guard: x", "# guard: x\n" * 20_000, "a: '" + "# guard: x\n" * 20_000 + "'"]
)
def test_find_comments_when_text_is_large_then_stays_fast(text: str) -> None:
    start = time.process_time()
    find_comments(text, MARK)
    assert time.process_time() - start < 2.0

"""The line reader: right when it speaks, silent about all that is not plainly written."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.manifest.lines import read_lines
from gitops_guard.manifest.loader import load
from gitops_guard.manifest.plain import read_plain
from gitops_guard.manifest.plain_events import read_events

DATA = Path(__file__).parent / "data"
EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "apiVersion: e.com/v1\nkind: K\nmetadata: {name: a}\n"

PLAIN = [
    pytest.param("a: 1\n---\nb: x\n", [{"a": 1}, {"b": "x"}], id="two documents"),
    pytest.param("---\na: 1\n---\n# nothing\n---\n---\n", [{"a": 1}], id="empty documents"),
    pytest.param("a: 1\nb: 1.0\nc: 1.5\nd: true\ne: ~\nf: '1'\ng: -1\n", [{"a": 1, "b": 1, "c": 1.5, "d": True, "e": None, "f": "1", "g": -1}], id="types"),
    pytest.param("a:\n  b:\n    c: d\n  e: f\ng:\n", [{"a": {"b": {"c": "d"}, "e": "f"}, "g": None}], id="mappings"),
    pytest.param("a:\n- b\n- c: d\n  e: f\ng: h\n", [{"a": ["b", {"c": "d", "e": "f"}], "g": "h"}], id="list at its key's column"),
    pytest.param("a:\n  - - b\n    - c\n  -\n    d: e\n  - \n", [{"a": [["b", "c"], {"d": "e"}, None]}], id="lists in lists"),
    pytest.param("a:\n  -   b: c\n      d: e\n", [{"a": [{"b": "c", "d": "e"}]}], id="wide dash"),
    pytest.param("a:\n  - b:\n    - c\n    d:\n      e: f\n", [{"a": [{"b": ["c"], "d": {"e": "f"}}]}], id="key without value in an item"),
    pytest.param("# c\na: b # c\n  # c\n\nd: e#f  \ng: # c\n  h: i\n", [{"a": "b", "d": "e#f", "g": {"h": "i"}}], id="comments"),
    pytest.param('a: "x: y # z"  # c\nb: \'it\'\'s\'\nc: "\\"\\\\\\n\\t"\n"d e": f\n\'g\': h\n', [{"a": "x: y # z", "b": "it's", "c": '"\\\n\t', "d e": "f", "g": "h"}], id="quotes"),
    pytest.param("a: [ALL, 'b c', 1]\nd: {e: 100m, f: {g: [x]}}\nh: []\ni: {}  # c\n", [{"a": ["ALL", "b c", 1], "d": {"e": "100m", "f": {"g": ["x"]}}, "h": [], "i": {}}], id="flow"),
    pytest.param("a: http://x:80/?q=1\nb: --flag=x\nc: $(X)\nd: a, b] c}\n", [{"a": "http://x:80/?q=1", "b": "--flag=x", "c": "$(X)", "d": "a, b] c}"}], id="signs in plain text"),
    pytest.param("a: |\n  x\n   y\n\n  # z\n  ---\n\nb: |-\n   x\n\nc: |+\n x\n\n", [{"a": "x\n y\n\n# z\n---\n", "b": "x", "c": "x\n\n"}], id="literals"),
    pytest.param("a: |\n\n\n  x\n# c\nb:\n- |\n y\n- c: |-\n    z", [{"a": "\n\nx\n", "b": ["y\n", {"c": "z"}]}], id="literals in odd places"),
    pytest.param("a: >\n  x\n  y\nb: >-\n  x \n  y\n\n", [{"a": "x y\n", "b": "x  y"}], id="folded"),
    pytest.param("mode: 0644\ndefaultMode: 0400\n", [{"mode": 420, "defaultMode": 256}], id="file modes"),
    pytest.param('a: ü😀 é\nb: "日本"\n# ñ\n', [{"a": "ü😀 é", "b": "日本"}], id="letters of other scripts"),
    pytest.param("  a: 1\n  b: 2\n", [{"a": 1, "b": 2}], id="indented root"),
    pytest.param(f"a: {'x' * 5000}\nb: \"{'y' * 5000}\"\n", [{"a": "x" * 5000, "b": "y" * 5000}], id="long values"),
]  # fmt: skip

DOUBTFUL = [
    "", "# c\n", "---\n", "- a\n", "x\n", "a: 1\na: 2\n", '"a": 1\na: 2\n', "a:\n- b: 1\n  b: 2\n", "a: {b: 1, b: 2}\n",
    "a: yes\n", "1: a\n", "true: a\n", "~: a\n", '"": a\n', "'1': a\n", "a: 0644\n", "a: [mode, 0644]\n", "a: 1e3\n", "a: 1:30\n",
    "a: 2001-01-01\n", "a: 0_b11\n", "a: 1e_3\n", "a: .inf\n", "a: 9223372036854775808\n", "a: <<\n", "<<: {a: b}\n", "a: =\n",
    "a: &x 1\n", "a: *x\n", "a: !!str 1\n", "a: @x\n", "a: `x\n", "a: %x\n", "a: ? b\n", "? a\n: b\n", "a: b: c\n", "a: b:\n", "a: - b\n",
    "a: -\n", "a: b\n  c\n", "a:\n  b\n", "a: 'b\n  c'\n", 'a: "b\n', "a: 'b' c\n", "a: 'b'#c\n", 'a: "\\x41"\n', 'a: "\\/"\n', "a:\n  b: 1\n c: 2\n",
    "a:\n  - b\n  c: d\n", "a:\n  - b\n - c\n", "a: 1\n- b\n", "a: 1\n  b: 2\n", " a: 1\nb: 2\n", "a: |2\n  x\n", "a: |\n", "a: |\nb: c\n",
    "a: |\n   \n  x\n", "a: |\n  x\n y\n", "a: >\n  x\n\n  y\n", "a: >\n  x\n   y\n", "a: [b\n", "a: [b]]\n", "a: [b,]\n", "a: [b: c]\n", "a: {b}\n",
    "a: {b: }\n", "a: {b:c}\n", "a: [b?c]\n", "a: [b #c]\n", "a: [b]#c\n", '{"a": 1}', " {a: 1}", "a: 1\n...\n", "%YAML 1.1\n---\na: 1\n", "--- \na: 1\n",
    "--- x\n", "a: 1\n---foo\n", "a: ---\n", "a: b---\n", "a: 1\n ---\n", "a: b\rc: d\n", "a: b\r\n", "a:\tb\n", "a: b\tc\n", "\ta: b\n", "a: \0\n",
    "a: \x7f\n", "\ufeffa: 1\n", "a: \ufeff\n", "a: \x85\n", "a: \u2028\n", "a: \u200b\n", "a: \xa0\n",
    f"{'k' * 1025}: a\n", f"- {'k' * 1025}: a\n", f"a: {{{'k' * 1025}: b}}\n", f"a: {'[' * 9}{']' * 9}\n",
    "".join(f"{' ' * n}k:\n" for n in range(100)), "a: " + "x" * 3_145_728,
]  # fmt: skip


def assert_agrees(text: str) -> bool:
    bodies = read_lines(text.encode())
    if bodies is None:
        return False
    stream = load(text.encode())
    assert () == stream.problems, text
    assert json.dumps([document.body for document in stream.documents]) == json.dumps(bodies), text
    return True


@pytest.mark.parametrize(("text", "expected"), PLAIN)
def test_read_lines_when_plainly_written_then_gives_the_bodies(text: str, expected: list):
    assert json.dumps(expected) == json.dumps(read_lines(text.encode()))
    assert assert_agrees(text)


@pytest.mark.parametrize("text", DOUBTFUL, ids=lambda text: repr(text[:30]))
def test_read_lines_when_not_plainly_written_then_gives_none(text: str):
    assert read_lines(text.encode()) is None


@pytest.mark.parametrize("data", [b"a: \xff\n", b"\xff\xfea\0:\0", b"a: \xed\xa0\x80\n"])
def test_read_lines_when_not_utf8_then_gives_none(data: bytes):
    assert read_lines(data) is None


def test_read_lines_when_given_every_recorded_row_then_agrees_or_doubts():
    scalars, keys, streams = (
        json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")) for name in ("scalars", "keys", "streams")
    )
    texts = [f"{HEAD}v: {row['text']}\n" for row in scalars]
    texts += [f"{HEAD}v:\n- k: {row['text']}\n- [{row['text']}]\n" for row in scalars]
    texts += [f"{HEAD}v: {{{row['text']}: a}}\n" for row in keys] + [f"{HEAD}v:\n  {row['text']}: a\n" for row in keys]
    texts += [row["text"] for row in streams]
    assert sum(map(assert_agrees, texts)) > 100


def test_read_lines_when_a_body_is_changed_then_later_bodies_are_not():
    data = b"a: [x]\nb: {c: [z], d: {}}\n"
    (first,) = read_lines(data)
    first["a"].append("z")
    first["b"]["c"].append("x")
    first["b"]["d"]["e"] = 1
    assert [{"a": ["x"], "b": {"c": ["z"], "d": {}}}] == read_lines(data)


def test_read_lines_when_given_the_examples_then_takes_most_of_what_the_event_reader_takes():
    files = [path.read_bytes() for path in sorted(EXAMPLES.rglob("*.yaml"))]
    taken = [data for data in files if read_events(data) is not None]
    assert len(taken) > 20
    assert sum(read_lines(data) is not None for data in taken) >= 0.8 * len(taken)


SIGNS = " \n:-#\"'|>[]{},?&*!%@`\t\\aby019.~/_=<+é\r$"
INSERTED = ["", "  ", "---", "# c", "- a", "- a: b", "- - x", "k: |", "k: |+", "k: >-", "  x", "k:", "-", "k: [a, {b: c}]", "k: 'it''s'", '"q": "\\n"', "mode: 0644", "k: yes"]  # fmt: skip


def mutated(lines: list[str], rng: random.Random) -> str:
    """Change a few characters, lines or indentations of a piece of a manifest."""
    start = rng.randrange(len(lines))
    lines = lines[start : start + rng.randrange(1, 16)]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    lines = [line[margin:] for line in lines]
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        line = lines[at]
        cut = rng.randrange(len(line) + 1)
        change = rng.randrange(7)
        if change < 3:
            lines[at] = line[:cut] + rng.choice(SIGNS) + line[cut + (change == 2) :]
        elif change == 3:
            lines[at] = " " * rng.randrange(5) + line.lstrip(" ")
        elif change == 4:
            lines.insert(at, line)
        elif change == 5:
            lines.insert(at, " " * rng.randrange(6) + rng.choice(INSERTED))
        else:
            lines[at] = line[:cut] + line[cut + 1 :]
    return "\n".join(lines) + rng.choice(("\n", ""))


def test_read_lines_when_real_manifests_are_mutated_then_agrees_or_doubts():
    rng = random.Random(1)
    sources = [path.read_text(encoding="utf-8").split("\n") for path in sorted(EXAMPLES.rglob("*.yaml"))]
    texts = [mutated(rng.choice(sources), rng) for _ in range(15_000)]
    assert sum(map(assert_agrees, texts)) > 1_000


KEYS = st.sampled_from(["a", "b", "mode", "x.y/z", '"q r"', "'s'", "1", "y", "-a", "a b"])
SCALARS = st.one_of(
    st.sampled_from(["x", "1", "1.0", "true", "~", "'it''s'", '"\\n"', "a-b", "http://x:80", "[a, b]", "{a: [1], b: c}", "[]", "0644", "yes", "x # c", "é", "x:", "&x"]),
    st.text(alphabet="0123456789+-._:xobeyn TZ'\"#,[]{}", max_size=8),
)  # fmt: skip
BLOCKS = st.tuples(
    st.sampled_from(["|", "|-", "|+", ">", ">-"]),
    st.lists(st.sampled_from(["x", "# y", " z", "", "   ", "k: v"]), min_size=1, max_size=4),
)


def indented(lines: list[str], columns: int) -> list[str]:
    return [" " * columns + line for line in lines]


def mapping_of(entries: list[tuple[str, object]], columns: int) -> list[str]:
    lines = []
    for key, value in entries:
        if isinstance(value, str):
            lines.append(f"{key}: {value}")
        elif isinstance(value, tuple):
            lines += [f"{key}: {value[0]}", *indented(value[1], max(columns, 1))]
        else:
            lines += [f"{key}:", *indented(value, columns)]
    return lines


def list_of(items: list[object]) -> list[str]:
    lines = []
    for item in items:
        body = [item] if isinstance(item, str) else [item[0], *item[1]] if isinstance(item, tuple) else item
        lines += ["- " + body[0], *indented(body[1:], 2)]
    return lines


def collections(values: st.SearchStrategy) -> st.SearchStrategy:
    values = st.one_of(values, BLOCKS)
    return st.one_of(
        st.builds(
            mapping_of, st.lists(st.tuples(KEYS, values), min_size=1, max_size=4), st.sampled_from([0, 1, 2, 2, 4])
        ),
        st.builds(list_of, st.lists(values, min_size=1, max_size=4)),
    )


TREES = st.recursive(SCALARS, collections, max_leaves=12)
DOCUMENTS = st.builds(
    mapping_of, st.lists(st.tuples(KEYS, TREES), min_size=1, max_size=3), st.sampled_from([0, 2, 2, 4])
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(DOCUMENTS, min_size=1, max_size=2))
def test_read_lines_when_given_random_trees_then_agrees_or_doubts(documents: list[list[str]]):
    assert_agrees("\n---\n".join("\n".join(lines) for lines in documents) + "\n")


HOSTILE = ["a: " + sign * 500_000 + end for sign in (" ", '"', "'", "''", "[", "[a,", "{a: ", "x:", "x ", "- ", "\\", '"\\n', "#", " #", "-", "1", "1:", "_") for end in ("", "!")]  # fmt: skip
HOSTILE += [sign * 500_000 + ": a" for sign in (" ", '"', "'", "k", "- ", "-", "k:", "#")]
HOSTILE += [
    "a: |\n" + " \n" * 500_000,
    "a:\n" + "- b: |\n    c\n" * 100_000,
    "a:\n" + "- - c\n" * 100_000,
    "a: |\n" + " x\n" * 500_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_read_lines_when_input_is_hostile_then_takes_linear_time(text: str):
    data = text.encode()
    started = time.process_time()
    read_lines(data)
    # A quadratic reader would take minutes; this leaves a slow machine a hundred times what it needs.
    assert time.process_time() - started < 5


def test_read_plain_when_plainly_written_then_yaml_is_not_imported():
    code = (
        f"import sys; sys.path = {sys.path!r}; from gitops_guard.manifest.plain import read_plain;"
        "assert read_plain(b'a: [b]') == [{'a': ['b']}]; print('yaml' in sys.modules);"
        "slow = {'dataclasses', 'typing', 'pathlib', 'json'} & set(sys.modules); print(sorted(slow));"
        "assert read_plain(b'a: [b,]') == [{'a': ['b']}]; print('yaml' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert ["False", "[]", "True"] == run.stdout.split("\n")[:3]


def test_read_plain_when_a_mode_is_a_list_item_then_doubts():
    assert read_plain(b"a: [mode, 0644]\nb: '*'\n") is None


def test_read_plain_when_digits_go_on_and_on_then_takes_linear_time():
    started = time.process_time()
    read_events(b"a: " + b"1" * 1_000_000 + b"x\n")
    assert time.process_time() - started < 5

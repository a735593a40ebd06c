"""The quick reader: right when it speaks, silent when there is anything to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.manifest.loader import load
from gitops_guard.manifest.plain import looks_like_manifest, read_plain

DATA = Path(__file__).parent / "data"
HEAD = "apiVersion: e.com/v1\nkind: K\nmetadata: {name: a}\n"

PLAIN = [
    pytest.param(
        b"a: 1\n---\nb: [1.5, x, true, null]\n", [{"a": 1}, {"b": [1.5, "x", True, None]}], id="two documents"
    ),
    pytest.param(b"---\na: 1\n---\n# nothing\n---\n", [{"a": 1}], id="empty documents"),
    pytest.param(b"a: |\n  x\n  y", [{"a": "x\ny\n"}], id="no newline at the end"),
    pytest.param(b"a: 1\r\nb: |\r\n  x\r\n", [{"a": 1, "b": "x\n"}], id="crlf"),
    pytest.param(b"defaultMode: 0644\n", [{"defaultMode": 420}], id="file mode"),
    pytest.param(
        b'a: "*"\nb: "yes"\nc: 1.2.3\nd: 10m\ne: 3.0\n',
        [{"a": "*", "b": "yes", "c": "1.2.3", "d": "10m", "e": 3}],
        id="strings",
    ),
    pytest.param("é: ü😀\n".encode(), [{"é": "ü😀"}], id="unicode"),
    pytest.param(b"a: [[b, {c: d}], []]\n", [{"a": [["b", {"c": "d"}], []]}], id="nested lists"),
]

DOUBTFUL = [
    b"", b"# c\n", b"---\n", b"- a\n", b"x\n", b"a: 1\na: 2\n", b"a: yes\n", b"1: a\n", b"yes: a\n", b"a: 0644\n", b"a: 1e3\n",
    b"a: 1:30\n", b"a: 2001-01-01\n", b"a: &x 1\n", b"a: *x\n", b"a: !!str 1\n", b"a: ! 1\n", b"<<: {a: 1}\n", b"a: <<\n",
    b'{"a": 1}', b" {a: 1}", b"\xef\xbb\xbfa: 1\n", b"a: \xff\n", b"\xff\xfea\0:\0", b"a: 1\n...\n", b"%YAML 1.1\n---\na: 1\n",
    b"--- x\n", b"a: 1\n---foo\n", b"a: {b: c?d}\n", b'a: "\\/"\n', b"a: .inf\n", b"a: 9223372036854775808\n", b"a: b\rc: d\n",
    b"a: [1\n", b"a: \0\n", b"? [a]\n: b\n", b"a: " + b"[" * 300 + b"]" * 300, b"a: 1\n ---\n", b"a: 1\n# " + b"x" * 3_145_728,
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), PLAIN)
def test_read_plain_when_nothing_is_unusual_then_gives_the_bodies(data: bytes, expected: list):
    assert expected == read_plain(data)


@pytest.mark.parametrize("data", DOUBTFUL, ids=lambda data: repr(data[:30]))
def test_read_plain_when_in_doubt_then_gives_none(data: bytes):
    assert read_plain(data) is None


def assert_agrees(data: bytes) -> bool:
    bodies = read_plain(data)
    if bodies is None:
        return False
    stream = load(data)
    assert stream.problems == ()
    assert json.dumps(bodies) == json.dumps([document.body for document in stream.documents])
    return True


def test_read_plain_when_given_every_recorded_row_then_agrees_or_doubts():
    scalars = json.loads((DATA / "scalars.json").read_text(encoding="utf-8"))
    keys = json.loads((DATA / "keys.json").read_text(encoding="utf-8"))
    streams = json.loads((DATA / "streams.json").read_text(encoding="utf-8"))
    texts = [f"{HEAD}v: {row['text']}\n" for row in scalars]
    texts += [f"{HEAD}v: {{{row['text']}: a}}\n" for row in keys]
    texts += [row["text"] for row in streams]
    spoken = [text for text in texts if assert_agrees(text.encode())]
    assert len(spoken) > 100


SCALARS = st.one_of(
    st.text(alphabet="0123456789+-._:xobeyn TZ", max_size=8),
    st.sampled_from(
        [
            "yes",
            "true",
            "~",
            "'a'",
            '"b"',
            "a?b",
            "[a, b]",
            "{a: b}",
            "*x",
            "&x 1",
            "!!str 1",
            "|\n  a",
            "a: b",
            "---",
            "...",
            "0644",
            "mode: 0644",
        ]
    ),
    st.text(max_size=6),
)
LINES = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["a", "b", "mode", "1", "'c'", "y", "? d", "  e", "- f"]), SCALARS),
    st.builds("- {}".format, SCALARS),
    st.sampled_from(["---", "--- ", "---x", "...", "%YAML 1.1", "# c", "", "  ", "\t", " ---", "{", "}", "\ufeff"]),
    SCALARS,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_read_plain_when_it_speaks_then_the_loader_agrees(lines: list[str], newline: str, ends: bool):
    text = newline.join(lines) + (newline if ends else "")
    assert_agrees(text.encode("utf-8", "replace"))


def test_plain_when_imported_then_brings_nothing_that_yaml_does_not():
    code = (
        "import sys, yaml; before = set(sys.modules); import gitops_guard.manifest.plain;"
        "new = {name for name in set(sys.modules) - before if not name.startswith('gitops_guard')};"
        "slow = {'dataclasses', 'typing', 'pathlib', 'json'} & set(sys.modules);"
        "print(sorted(new), sorted(slow))"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[] []"


MEANT = [
    pytest.param(b"apiVersion: v1\nkind: Pod\n", True, id="block"),
    pytest.param(b'{"apiVersion": "v1", "kind": "Pod"}', True, id="json"),
    pytest.param(b"{apiVersion: v1, kind: Pod}", True, id="flow"),
    pytest.param(b"kind: Pod\n", False, id="no version"),
    pytest.param(b"apiVersion: v2\nname: chart\n", False, id="chart"),
    pytest.param(b"mykind: a\nmyapiVersion: b\n", False, id="other words"),
]


@pytest.mark.parametrize(("data", "expected"), MEANT)
def test_looks_like_manifest_when_asked_then_sees_both_keys(data: bytes, expected: bool):
    assert expected is looks_like_manifest(data)

"""Input made to break a loader: it must end in a finding, soon, and without a crash."""

import time

import pytest

from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.manifest.plain import read_plain

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {k: [x, x, x, x, x, x, x, x, x, x]}\n" + "".join(
    f"{new}: &{new} {{{', '.join(f'{key}: {{<<: *{old}}}' for key in 'pqrstuvwxy')}}}\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TOWER = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} {'[' * 100}*a{n - 1}{']' * 100}\n" for n in range(1, 5))

HOSTILE = [
    pytest.param(BOMB.encode(), "yaml-alias-budget", id="alias bomb"),
    pytest.param(MERGE_BOMB.encode(), "yaml-alias-budget", id="merge bomb"),
    pytest.param(TOWER.encode(), "yaml-depth", id="depth by aliases"),
    pytest.param(b"a: " + b"[" * 12_000 + b"]" * 12_000, "yaml-depth", id="deep flow lists"),
    pytest.param(b"a: " + b"{a: " * 12_000, "yaml-depth", id="deep flow mappings"),
    pytest.param("".join(f"{' ' * n}a:\n" for n in range(2_000)).encode(), "yaml-depth", id="deep block mappings"),
    pytest.param(b"- " * 12_000 + b"a\n", "yaml-depth", id="deep block lists"),
    pytest.param(b'{"a":' * 12_000 + b"1" + b"}" * 12_000, "yaml-depth", id="deep json"),
    pytest.param(b'{"a":' + b"[" * 12_000, "yaml-depth", id="deep json without end"),
    pytest.param(b"a: \0\n", "yaml-syntax", id="nul"),
    pytest.param(b"a: \xe9\n", "yaml-encoding", id="latin 1"),
    pytest.param(b"a: \xed\xa0\x80\n", "yaml-encoding", id="encoded surrogate"),
    pytest.param(b'a: "\\ud800"\n', "yaml-syntax", id="escaped surrogate"),
    pytest.param(b"\xff\xfea\0:", "yaml-encoding", id="odd utf-16"),
    pytest.param(b"a: " + b"x" * 3_145_728 + b"\n", "yaml-too-large", id="too large"),
    pytest.param(b'{"a": "' + b"x" * 3_145_728 + b'"}', "yaml-too-large", id="too large json"),
    pytest.param(b"a: " + "ü".encode() * 1_572_864 + b"\n", "yaml-too-large", id="too large in bytes"),
    pytest.param(b"a: " + b"9" * 300 + b"\n", "yaml-number-rounded", id="number of many digits"),
    pytest.param(b"a: &a [*a]\n", "yaml-alias-cycle", id="cycle"),
    pytest.param(b"a: &a {<<: *a}\n", "yaml-alias-cycle", id="cycle by merge"),
]


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("data", "rule"), HOSTILE)
def test_load_when_input_is_hostile_then_names_the_rule_and_returns_soon(data: bytes, rule: str, dialect: Dialect):
    began = time.process_time()
    problems = load(data, dialect=dialect).problems
    assert time.process_time() - began < 3
    assert rule in {problem.rule for problem in problems}
    assert read_plain(data) is None


@pytest.mark.parametrize(
    "text", ["9" * 100_000, "1_" * 50_000, "1:" * 50_000, "0x" + "f" * 100_000, "1" * 50_000 + "x", "." * 100_000]
)
def test_readers_when_a_scalar_is_long_then_are_quick(text: str):
    began = time.process_time()
    load(f"a: {text}\n".encode())
    read_plain(f"a: {text}\n".encode())
    assert time.process_time() - began < 2


def test_load_when_one_document_is_broken_then_reads_the_others():
    stream = load(b"a: [\n---\nb: 1\n---\n- x\n---\nc: 2\n")
    assert [(item.index, item.line, item.body) for item in stream.documents] == [(1, 3, {"b": 1}), (3, 7, {"c": 2})]
    assert [(item.rule, item.document) for item in stream.problems] == [("yaml-syntax", 0), ("yaml-not-object", 2)]
    assert all(problem.unreadable for problem in stream.problems)


def test_problem_when_values_are_secret_then_does_not_show_them():
    stream = load(b"stringData: {a: 0755, b: 2001-12-14, c: yes, d: 12345678901234567890123}\n")
    shown = " ".join(f"{problem.message} {problem.hint}" for problem in stream.problems)
    assert len(stream.problems) == 4
    assert not any(value in shown for value in ("493", "2001", "12345"))

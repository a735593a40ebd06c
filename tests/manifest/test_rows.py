"""The readings of section tables as data: what kubectl 1.36 and its kustomize made of each text, recorded from the tools."""

import json
from pathlib import Path

import pytest

from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.model import Severity

DATA = Path(__file__).parent / "data"
HEAD = "apiVersion: e.com/v1\nkind: K\nmetadata: {name: a}\n"


def rows(name: str):
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str):
    made = []
    for number, row in enumerate(rows(name)):
        for dialect in Dialect:
            if row[dialect] is not None:
                made.append(pytest.param(row, dialect, id=f"{number}-{dialect}-{row['text'][-40:]!r}"))
    return made


def refused(stream) -> bool:
    return any(problem.severity is Severity.ERROR for problem in stream.problems)


def numeric(value):
    """Compare numbers as JSON does: 1e+23 and 10**23 are one, but true is not 1."""
    if isinstance(value, dict):
        return {key: numeric(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numeric(item) for item in value]
    return ("number", float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def check_value(stream, expected) -> None:
    if expected.get("error"):
        assert refused(stream)
    else:
        (document,) = stream.documents
        assert numeric(expected["value"]) == numeric(document.body["v"])


@pytest.mark.parametrize(("row", "dialect"), cases("scalars"))
def test_scalar_when_loaded_then_is_what_the_tool_reads(row, dialect):
    stream = load(f"{HEAD}v: {row['text']}\n".encode(), dialect=dialect)
    if row.get("gap") and row["text"] != '"\\N"':
        assert refused(stream)  # libyaml refuses `:` before a bracket, which kubectl reads as text
    elif row.get("gap") and dialect is Dialect.KUSTOMIZE:
        assert stream.documents[0].body["v"] == "\x85"  # kustomize writes it raw, and reading that folds it to a blank
    else:
        check_value(stream, row[dialect])


@pytest.mark.parametrize(("row", "dialect"), cases("keys"))
def test_key_when_loaded_then_is_what_the_tool_reads(row, dialect):
    check_value(load(f"{HEAD}v: {{{row['text']}: a}}\n".encode(), dialect=dialect), row[dialect])


@pytest.mark.parametrize(("row", "dialect"), cases("streams"))
def test_stream_when_loaded_then_has_the_objects_that_the_tool_reads(row, dialect):
    stream = load(row["text"].encode(), dialect=dialect)
    actual = [dict(body) for document in stream.documents for _, body in unfold(document.body)]
    expected = row[dialect]["objects"]
    if row[dialect]["error"]:
        assert refused(stream)
        if dialect is Dialect.KUBECTL:  # it stops at the first error, we go on
            assert numeric(expected) == numeric(actual[: len(expected)])
    elif dialect is Dialect.KUBECTL:
        assert numeric(expected) == numeric(actual)
    else:
        assert sorted(map(repr, numeric(expected))) == sorted(
            repr(numeric(dict(sorted(body.items())))) for body in actual
        ) or numeric(sorted(expected, key=lambda body: body["metadata"]["name"])) == numeric(
            sorted(actual, key=lambda body: body["metadata"]["name"])
        )


def test_rows_when_counted_then_cover_the_tables():
    assert len(rows("scalars")) + len(rows("keys")) >= 200
    assert len(rows("streams")) >= 100

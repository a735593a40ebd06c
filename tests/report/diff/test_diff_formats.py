"""How comparisons look, and that nothing in them acts or leaks."""

import base64
import json
from importlib.resources import files

import jsonschema
import pytest
import yaml
from markdown_it import MarkdownIt

from gitops_guard.report.diff_formats import DIFF_FORMATS
from gitops_guard.report.yaml_lines import yaml_lines

SCHEMA = json.loads(files("gitops_guard.report").joinpath("diff.schema.json").read_text("utf-8"))
VARIANTS = [
    *(pytest.param(name, f"diff-{name}", {}, id=name) for name in DIFF_FORMATS),
    *(pytest.param(name, f"diff-{name}-verbose", {"verbose": True}, id=f"{name}-verbose") for name in ("text", "markdown", "yaml")),
    pytest.param("text", "diff-text-colour", {"terminal": True, "colour": True}, id="text-colour"),
    pytest.param("text", "diff-text-wide", {"terminal": True, "width": 160}, id="text-wide"),
]  # fmt: skip
KINDS = ["ordinary", "clean", "hostile"]


@pytest.mark.parametrize(("name", "folder", "options"), VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_diff_format_when_written_then_is_as_reviewed(name, folder, options, kind, comparisons, written, golden):
    golden(f"{folder}/{kind}.txt", written(name, comparisons[kind], **options))


@pytest.mark.parametrize(("name", "folder", "options"), VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_diff_format_when_written_then_holds_no_secret_and_nothing_that_acts(
    name, folder, options, kind, comparisons, written, secrets
):
    text = written(name, comparisons[kind], **options)
    assert text.encode("utf-8")
    for secret in secrets:
        assert secret not in text
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text
    acting = {"\r", "\u202e", "\u2028"} | (set() if options.get("colour") else {"\x1b"})
    assert not set(text) & acting
    if name != "json":
        assert not [line for line in text.split("\n") if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("kind", KINDS)
def test_diff_json_when_written_then_fits_its_schema(kind, comparisons, written):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(written("json", comparisons[kind])))


def test_diff_json_when_written_then_what_is_shown_and_folded_is_counted(comparisons, written):
    diff = json.loads(written("json", comparisons["ordinary"]))
    assert {"created": 1, "configured": 3, "unchanged": 0, "deleted": 1} == diff["counts"]
    assert {"equal to the default": 1, "same quantity": 1, "order only": 1} == diff["folded"]
    assert sum(diff["folded"].values()) == sum(len(change["folded"]) for change in diff["changes"])


def test_diff_markdown_when_content_is_hostile_then_its_structure_is_ours_alone(comparisons, written):
    tokens = MarkdownIt("commonmark").enable("table").parse(written("markdown", comparisons["hostile"], verbose=True))
    headings = [tokens[i + 1].children[0].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    expected = ["gitops-guard diff: 1 created, 1 configured; 1 thing could not be compared"]
    assert [*expected, "Could not compare", "configured: ", "created: ", "Coverage"] == headings
    assert not [token for token in tokens if token.type in ("html_block", "table_open")]
    inner = [child for token in tokens for child in token.children or []]
    assert not [child for child in inner if child.type in ("html_inline", "link_open", "image")]
    assert not [child for child in inner if child.type == "text" and ("@" in child.content or "#1" in child.content)]


@pytest.mark.parametrize("name", list(DIFF_FORMATS))
def test_diff_format_when_a_secret_changes_then_its_key_is_named(name, comparisons, written):
    text = written(name, comparisons["ordinary"])
    assert all(key in text for key in ("stringData[password]", "stringData[old]", "stringData[new]"))


@pytest.mark.parametrize("name", list(DIFF_FORMATS))
def test_diff_format_when_secrets_have_200_shapes_then_no_byte_of_a_value_is_shown(name, compared_bodies, written):
    for number in range(200):
        before, after, values = _shape(number)
        text = written(name, compared_bodies(before, after), verbose=True)
        assert not [value for value in values if value in text], number
        assert "db" in text or before[:1] == after[:1], number


def _shape(number: int):
    """Return a Secret before and after, something that repeats it, and what must not be seen."""
    old, new = f"zq{number}xk-old-value" + "w" * (number % 50), f"zq{number}xk-new-value" + "v" * (number % 37)
    texts = [f"a\nurl={old}\nb", json.dumps({"x": [old]}), json.dumps({"deep": {"er": old}}), encoded(old)]
    before = [_secret(number, old), _map(texts[number % 4])]
    after = [_secret(number, new), _map("other")]
    sides = [(before, after), (before, before[:1]), ([], before), (before, [])][number // 4 % 4]
    return *sides, [form for value in (old, new) for form in (value, encoded(value), encoded(value).rstrip("="))]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(number: int, value: str):
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": value} if number % 3 else {"of": f"the {value}"}
    entry = {"data": {f"k{number}": encoded(value)}} if number % 2 else {"stringData": {f"k{number}": value}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "annotations": annotations}, **entry}


def _map(text: str):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"t": text}}


@pytest.mark.parametrize("name", list(DIFF_FORMATS))
def test_diff_format_when_a_long_text_repeats_its_lines_then_it_ends_and_shows_the_change(
    name, compared_bodies, written
):
    lines = [str(number % 150) for number in range(20_000)]
    sides = [[_map("\n".join(lines))], [_map("\n".join([*lines[1:], "the-new-line"]))]]
    expected = "more lines left out here" if name == "markdown" else "the-new-line"
    assert expected in written(name, compared_bodies(*sides))


@pytest.mark.parametrize(
    "value",
    [
        {"a": "true", "b": True, "c": None, "d": 1.5, "e": "1", "f": [], "g": {}, "h": "", "i": "***"},
        {"a": "one\ntwo\n", "b": "one\n  two", "c": "\nx\n", "d": " lead\nx\n", "e": "x\n\n", "f": "x \ny\n"},
        {"a": [1, [2, 3], {"b": [4, {"c": "multi\nline\n"}]}], "k: v": "a: b", "#": "# no comment", "- x": "- y"},
        {"a": "@x", "b": "*x", "c": "&x", "d": "!x", "e": "%x", "f": "0x1", "g": "1e3", "h": "null", "i": "~", "j": "a #b"},
        {"a": ["one\ntwo\n", "x"], "b": "\ttab\nx\n", "c": "x\r\ny\n", "d": "\u2028\nx", "e": "é\nü\n", "y": "no", "n": "Off"},
    ],
)  # fmt: skip
def test_yaml_lines_when_read_again_then_the_tree_is_the_same(value):
    assert value == yaml.safe_load("\n".join(yaml_lines(value)) + "\n")

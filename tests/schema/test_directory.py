"""A kubeconform-style directory of schemas."""

import json
from typing import Any

import pytest

from gitops_guard.errors import SchemaError
from gitops_guard.model import format_field_path
from gitops_guard.schema.directory import DEFAULT_TEMPLATE, SchemaDirectory

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "additionalProperties": False,
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "mode": {"enum": ["a", "b"]},
                "names": {"type": ["array", "null"], "items": {"$ref": "#/definitions/name"}},
            },
        }
    },
    "definitions": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
}


class Files:
    """Files in memory that remember what was asked for."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files
        self.asked: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        content = self.files.get(path)
        return content if content is None or isinstance(content, bytes) else json.dumps(content).encode()


@pytest.mark.parametrize(
    ("template", "key", "path"),
    [
        pytest.param(DEFAULT_TEMPLATE, ("example.com", "v1", "Widget"), "example.com/widget_v1.json", id="catalog"),
        pytest.param(
            "{{ .ResourceKind }}{{ .KindSuffix }}.json",
            ("apps", "v1", "Deployment"),
            "deployment-apps-v1.json",
            id="kubernetes-json-schema",
        ),
        pytest.param(
            "{{.ResourceKind}}{{.KindSuffix}}.json",
            ("networking.k8s.io", "v1", "Ingress"),
            "ingress-networking-v1.json",
            id="first label of the group",
        ),
        pytest.param("{{.ResourceKind}}{{.KindSuffix}}.json", ("", "v1", "Pod"), "pod-v1.json", id="core"),
        pytest.param(
            "{{.NormalizedKubernetesVersion}}-standalone{{.StrictSuffix}}/{{.ResourceKind}}.json",
            ("", "v1", "Pod"),
            "v1.36.0-standalone-strict/pod.json",
            id="version and strictness",
        ),
    ],
)
def test_find_asks_for_the_path_of_the_template(template: str, key: tuple[str, str, str], path: str) -> None:
    files = Files({path: SCHEMA})
    assert SchemaDirectory(template, files.read, kubernetes_version="1.36").find(*key) is not None
    assert [path] == files.asked


@pytest.mark.parametrize(
    "key",
    [
        ("example.com", "v1", "../../x"),
        ("../..", "v1", "Widget"),
        ("example.com", "../v1", "Widget"),
        ("example.com", "v1", "a/b"),
        ("example.com", "v1", "a\\b"),
        ("example.com", "v1", ""),
        ("example.com", "", "Widget"),
        ("example.com", "v1", "x" * 10_000),
        ("example.com", "v1", "a\0"),
        ("..", "v1", ".."),
        ("a..b", "v1", "Widget"),
        ("example.com", "v1", "{{.Group}}"),
        ("example.com", "v1", "Widget\n"),
    ],
)
def test_find_of_words_that_no_api_has_asks_for_nothing(key: tuple[str, str, str]) -> None:
    files = Files({})
    assert SchemaDirectory(DEFAULT_TEMPLATE, files.read).find(*key) is None
    assert [] == files.asked


def test_find_reads_each_file_once_also_when_there_is_none() -> None:
    files = Files({})
    directory = SchemaDirectory(DEFAULT_TEMPLATE, files.read)
    assert [None, None] == [directory.find("example.com", "v1", "Widget") for _ in range(2)]
    assert 1 == len(files.asked)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"size": 1, "names": ["a"]}, [], id="valid"),
        pytest.param({}, [("missing-field", "spec.size", "Required value")], id="missing"),
        pytest.param({"size": None}, [("missing-field", "spec.size", "Required value")], id="null in a required field"),
        pytest.param(
            {"size": 1, "names": [None]},
            [("wrong-type", "spec.names[0]", "expected string, got null")],
            id="null list item",
        ),
        pytest.param({"size": "1"}, [("wrong-type", "spec.size", "expected integer, got string")], id="type"),
        pytest.param(
            {"size": 0},
            [("invalid-value", "spec.size", "Invalid value: 0: spec.size in body does not meet minimum 1")],
            id="minimum",
        ),
        pytest.param(
            {"size": 1, "mode": "c"},
            [("unsupported-value", "spec.mode", 'Unsupported value: "c": supported values: "a", "b"')],
            id="enum",
        ),
        pytest.param(
            {"size": 1, "sizze": 1}, [("unknown-field", "spec.sizze", 'unknown field "spec.sizze"')], id="unknown"
        ),
        pytest.param(
            {"size": 1, "names": ["a", "B"]},
            [
                (
                    "invalid-value",
                    "spec.names[1]",
                    'Invalid value: "B": spec.names[1] in body does not meet pattern ^[a-z]+$',
                )
            ],
            id="reference",
        ),
        pytest.param(
            {"sizze": 0, "mode": 1},
            [
                ("missing-field", "spec.size", "Required value"),
                ("unknown-field", "spec.sizze", 'unknown field "spec.sizze"'),
                ("unsupported-value", "spec.mode", 'Unsupported value: 1: supported values: "a", "b"'),
            ],
            id="all of them",
        ),
    ],
)
def test_problems_of_a_resource_by_a_file(spec: Any, expected: list[tuple[str, str, str]]) -> None:
    schema = SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": SCHEMA}).read).find(
        "example.com", "v1", "Widget"
    )
    assert schema is not None
    assert schema.complete
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": spec}
    assert sorted(expected) == sorted(
        (problem.rule, format_field_path(problem.field), problem.message) for problem in schema.problems(body)
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"a"', b"\xff", b"[" * 100_000])
def test_find_of_a_file_that_is_no_schema_raises_and_names_it(content: bytes) -> None:
    with pytest.raises(SchemaError, match="example.com/widget_v1.json"):
        SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": content}).read).find(
            "example.com", "v1", "Widget"
        )


@pytest.mark.parametrize(
    "schema",
    [{"type": "nothing"}, {"$ref": "https://example.com/other.json"}, {"$ref": "other.json#/a"}, {"properties": 1}],
)
def test_problems_by_a_schema_that_cannot_be_used_raises_and_names_the_file(schema: Any) -> None:
    found = SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": schema}).read).find(
        "example.com", "v1", "Widget"
    )
    assert found is not None
    with pytest.raises(SchemaError, match="example.com/widget_v1.json"):
        list(found.problems({"apiVersion": "example.com/v1", "kind": "Widget"}))


@pytest.mark.parametrize(
    "template",
    ["{{.Kind}}.json", "/etc/{{.ResourceKind}}.json", "../{{.ResourceKind}}.json", "a/../../{{.ResourceKind}}"],
)
def test_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(SchemaError, match="schema template"):
        SchemaDirectory(template, Files({}).read)


@pytest.mark.parametrize("spec", [{"size": 1, "mode": None}, {"size": 1, "names": None}])
def test_problems_leaves_out_what_the_server_drops_before_it_validates(spec: Any) -> None:
    found = SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": SCHEMA}).read).find(
        "example.com", "v1", "Widget"
    )
    assert found is not None
    assert [] == list(found.problems({"apiVersion": "example.com/v1", "kind": "Widget", "spec": spec}))


def test_problems_of_a_required_field_with_a_default_is_none() -> None:
    schema = {"properties": {"spec": {"required": ["a"], "properties": {"a": {"type": "string", "default": "b"}}}}}
    found = SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": schema}).read).find(
        "example.com", "v1", "Widget"
    )
    assert found is not None
    assert [] == list(found.problems({"apiVersion": "example.com/v1", "kind": "Widget", "spec": {}}))


@pytest.mark.parametrize(("rules", "complete"), [([{"rule": "true"}], False), ([], True)])
def test_complete_is_false_when_the_file_has_cel_rules(rules: list[Any], complete: bool) -> None:
    schema = {"properties": {"spec": {"items": {"x-kubernetes-validations": rules}}}}
    found = SchemaDirectory(DEFAULT_TEMPLATE, Files({"example.com/widget_v1.json": schema}).read).find(
        "example.com", "v1", "Widget"
    )
    assert found is not None
    assert complete is found.complete


def test_secrets_values_do_not_show() -> None:
    schema = {"properties": {"data": {"additionalProperties": {"pattern": "^x$", "enum": ["x"], "minLength": 99}}}}
    found = SchemaDirectory("{{.ResourceKind}}.json", Files({"secret.json": schema}).read).find("", "v1", "Secret")
    assert found is not None
    assert "hunter2" not in repr(list(found.problems({"apiVersion": "v1", "kind": "Secret", "data": {"a": "hunter2"}})))

"""Custom resources against their CRD: every row of the server's table, in the server's words."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker, validators

from gitops_guard.model import Problem, format_field_path
from gitops_guard.schema.custom import CustomSchemas
from gitops_guard.schema.custom_formats import FORMATS


def _crd(spec: dict[str, Any], **version: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
            ],
        },
    }


@pytest.fixture
def judge(cache_dir: tuple[str, bytes]) -> Any:
    """Return a function from the schema of `spec.x` and a value to the problems, as (rule, field, message)."""

    def run(schema: dict[str, Any], value: Any, **outer: Any) -> list[tuple[str, str, str]]:
        spec = {"type": "object", "properties": {"x": schema}, **outer}
        found = CustomSchemas.from_crds([_crd(spec)], cache=cache_dir).find("example.com", "v1", "Widget")
        assert found is not None
        body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"x": value}}
        before = copy.deepcopy(body)
        problems = [
            (problem.rule, format_field_path(problem.field), problem.message) for problem in found.problems(body)
        ]
        assert before == body, "the document was changed"
        return problems

    return run


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [INTEGER, STRING]}
OBJECT = {"type": "object", "properties": {"a": STRING, "n": {"type": "object", "properties": {"b": STRING}}}}
PRESERVE = {**OBJECT, "x-kubernetes-preserve-unknown-fields": True}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
MAP_LIST = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
    "items": {"type": "object", "properties": {"k": {"type": "string", "default": "d"}, "v": INTEGER}},
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(PRESERVE, {"a": "b", "unknown": {"deep": 1}}, id="preserved unknown field"),
        pytest.param(STRING, None, id="null dropped"),
        pytest.param({**STRING, "nullable": True}, None, id="nullable"),
        pytest.param({**STRING, "default": "a", "enum": ["a"]}, None, id="null replaced by its default"),
        pytest.param({"type": "object", "additionalProperties": STRING}, {"a": None}, id="null map value dropped"),
        pytest.param(INTEGER, 1.0, id="whole float for integer"),
        pytest.param(INT_OR_STRING, "25%", id="string for int-or-string"),
        pytest.param(INT_OR_STRING, 5, id="integer for int-or-string"),
        pytest.param({**STRING, "format": "no-such-format"}, "a", id="unknown format ignored"),
        pytest.param({**STRING, "format": "duration"}, "1h2m", id="Go duration"),
        pytest.param({**STRING, "format": "duration"}, "PT1H", id="ISO duration"),
        pytest.param({**STRING, "pattern": "b"}, "abc", id="pattern is not anchored"),
        pytest.param({**STRING, "maxLength": 2}, "éé", id="length in characters"),
        pytest.param({"type": "array", "items": STRING, "x-kubernetes-list-type": "set"}, ["a", "b"], id="set"),
        pytest.param(
            {"type": "array", "items": {"x-kubernetes-int-or-string": True}, "x-kubernetes-list-type": "set"},
            [1, "1"],
            id="1 is not the text 1",
        ),
        pytest.param(MAP_LIST, [{"k": "a"}, {"k": "b"}, {}], id="map list"),
        pytest.param({"oneOf": [{"required": ["a"]}, {"required": ["n"]}], **OBJECT}, {"a": "b"}, id="oneOf"),
        pytest.param({"not": {"required": ["n"]}, **OBJECT}, {"a": "b"}, id="not"),
        pytest.param(
            EMBEDDED,
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "Not A Name"}, "spec": 1},
            id="embedded, bad name passes",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "string", "default": "b"}}, "required": ["a"]},
            {},
            id="default before required",
        ),
        pytest.param(
            {
                "type": "object",
                "default": {},
                "properties": {"a": {"type": "string", "default": "b"}},
                "required": ["a"],
            },
            None,
            id="default inside a default",
        ),
    ],
)
def test_problems_of_what_the_server_accepts_is_empty(schema: dict[str, Any], value: Any, judge: Any) -> None:
    assert [] == judge(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        pytest.param(OBJECT, {"b": 1}, ("unknown-field", "spec.x.b", 'unknown field "spec.x.b"'), id="unknown field"),
        pytest.param(
            PRESERVE,
            {"n": {"c": 1}},
            ("unknown-field", "spec.x.n.c", 'unknown field "spec.x.n.c"'),
            id="unknown below preserved",
        ),
        pytest.param(
            {"type": "array", "items": OBJECT},
            [{}, {"b": 1}],
            ("unknown-field", "spec.x[1].b", 'unknown field "spec.x[1].b"'),
            id="unknown in an item",
        ),
        pytest.param(
            {"type": "array", "items": STRING},
            [None],
            ("wrong-type", "spec.x[0]", 'Invalid value: "null": spec.x[0] in body must be of type string: "null"'),
            id="null list item",
        ),
        pytest.param(
            INTEGER,
            1.5,
            ("wrong-type", "spec.x", 'Invalid value: "number": spec.x in body must be of type integer: "number"'),
            id="fraction for integer",
        ),
        pytest.param(
            INTEGER,
            "1",
            ("wrong-type", "spec.x", 'Invalid value: "string": spec.x in body must be of type integer: "string"'),
            id="string for integer",
        ),
        pytest.param(
            INTEGER,
            True,
            ("wrong-type", "spec.x", 'Invalid value: "boolean": spec.x in body must be of type integer: "boolean"'),
            id="boolean for integer",
        ),
        pytest.param(
            INT_OR_STRING,
            1.5,
            (
                "wrong-type",
                "spec.x",
                'Invalid value: "number": spec.x in body must be of type integer,string: "number"',
            ),
            id="float for int-or-string",
        ),
        pytest.param(
            INT_OR_STRING,
            True,
            (
                "wrong-type",
                "spec.x",
                'Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
            ),
            id="boolean for int-or-string",
        ),
        pytest.param(
            {**INTEGER, "format": "int32"},
            2**31,
            ("invalid-value", "spec.x", "Invalid value: 2147483648: must be of type integer with format int32 in body"),
            id="int32",
        ),
        pytest.param(
            INTEGER,
            2**63,
            (
                "invalid-value",
                "spec.x",
                "Invalid value: 9223372036854775808: must be of type integer with format int64 in body",
            ),
            id="int64",
        ),
        pytest.param(
            {**INTEGER, "minimum": 1},
            0,
            ("invalid-value", "spec.x", "Invalid value: 0: spec.x in body should be greater than or equal to 1"),
            id="minimum",
        ),
        pytest.param(
            {**INTEGER, "minimum": 1, "exclusiveMinimum": True},
            1,
            ("invalid-value", "spec.x", "Invalid value: 1: spec.x in body should be greater than 1"),
            id="exclusive minimum",
        ),
        pytest.param(
            {**INTEGER, "maximum": 9},
            10,
            ("invalid-value", "spec.x", "Invalid value: 10: spec.x in body should be less than or equal to 9"),
            id="maximum",
        ),
        pytest.param(
            {**INTEGER, "maximum": 9, "exclusiveMaximum": True},
            9,
            ("invalid-value", "spec.x", "Invalid value: 9: spec.x in body should be less than 9"),
            id="exclusive maximum",
        ),
        pytest.param(
            {**INTEGER, "multipleOf": 5},
            7,
            ("invalid-value", "spec.x", "Invalid value: 7: spec.x in body should be a multiple of 5"),
            id="multipleOf",
        ),
        pytest.param(
            {**STRING, "enum": ["a", "b"]},
            "c",
            ("unsupported-value", "spec.x", 'Unsupported value: "c": supported values: "a", "b"'),
            id="enum",
        ),
        pytest.param(
            {**STRING, "default": "c", "enum": ["a"]},
            None,
            ("unsupported-value", "spec.x", 'Unsupported value: "c": supported values: "a"'),
            id="default is validated",
        ),
        pytest.param(
            {**STRING, "pattern": "^[a-z]+$"},
            "a\n",
            ("invalid-value", "spec.x", "Invalid value: \"a\\n\": spec.x in body should match '^[a-z]+$'"),
            id="$ is the end of text",
        ),
        pytest.param(
            {**STRING, "pattern": r"^\d$"},
            "١",
            ("invalid-value", "spec.x", "Invalid value: \"١\": spec.x in body should match '^\\d$'"),
            id="digits are ASCII",
        ),
        pytest.param(
            {**STRING, "minLength": 2},
            "a",
            ("invalid-value", "spec.x", 'Invalid value: "a": spec.x in body should be at least 2 chars long'),
            id="minLength",
        ),
        pytest.param(
            {**STRING, "maxLength": 2},
            "abc",
            ("invalid-value", "spec.x", "Too long: may not be more than 2 bytes"),
            id="maxLength",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "minItems": 1},
            [],
            ("invalid-value", "spec.x", "Invalid value: 0: spec.x in body should have at least 1 items"),
            id="minItems",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "maxItems": 1},
            ["a", "b"],
            ("invalid-value", "spec.x", "Too many: 2: must have at most 1 item"),
            id="maxItems",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": STRING, "minProperties": 1},
            {},
            ("invalid-value", "spec.x", "Invalid value: 0: spec.x in body should have at least 1 properties"),
            id="minProperties",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": STRING, "maxProperties": 1},
            {"a": "", "b": ""},
            ("invalid-value", "spec.x", "Too many: 2: must have at most 1 item"),
            id="maxProperties",
        ),
        pytest.param({**OBJECT, "required": ["a"]}, {}, ("missing-field", "spec.x.a", "Required value"), id="required"),
        pytest.param(
            {**OBJECT, "required": ["a"]},
            {"a": None},
            ("missing-field", "spec.x.a", "Required value"),
            id="null in a required field",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": INTEGER},
            {"a b": "c"},
            (
                "wrong-type",
                "spec.x[a b]",
                'Invalid value: "string": spec.x.a b in body must be of type integer: "string"',
            ),
            id="map key in brackets",
        ),
        pytest.param(
            {**OBJECT, "anyOf": [{"required": ["a"]}, {"required": ["n"]}]},
            {},
            ("invalid-value", "spec.x", 'Invalid value: "": "spec.x" must validate at least one schema (anyOf)'),
            id="anyOf",
        ),
        pytest.param(
            {**OBJECT, "oneOf": [{"required": ["a"]}, {"required": ["n"]}]},
            {"a": "", "n": {}},
            (
                "invalid-value",
                "spec.x",
                'Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
            ),
            id="oneOf, two",
        ),
        pytest.param(
            {**OBJECT, "oneOf": [{"required": ["a"]}]},
            {},
            (
                "invalid-value",
                "spec.x",
                'Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
            ),
            id="oneOf, none",
        ),
        pytest.param(
            {**STRING, "allOf": [{"minLength": 1}, {"maxLength": 3}]},
            "abcd",
            ("invalid-value", "spec.x", "Too long: may not be more than 3 bytes"),
            id="allOf",
        ),
        pytest.param(
            {**STRING, "not": {"enum": ["a"]}},
            "a",
            ("invalid-value", "spec.x", 'Invalid value: "": "spec.x" must not validate the schema (not)'),
            id="not",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
            ["a", "a", "a"],
            ("duplicate-list-item", "spec.x[1]", 'Duplicate value: "a"'),
            id="set",
        ),
        pytest.param(
            MAP_LIST,
            [{"k": "d"}, {}],
            ("duplicate-list-item", "spec.x[1]", 'Duplicate value: {"k":"d"}'),
            id="map, after defaulting",
        ),
        pytest.param(
            EMBEDDED,
            {"kind": "Pod"},
            ("missing-field", "spec.x.apiVersion", "Required value"),
            id="embedded without apiVersion",
        ),
        pytest.param(
            EMBEDDED,
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"labelz": {}}},
            ("unknown-field", "spec.x.metadata.labelz", 'unknown field "spec.x.metadata.labelz"'),
            id="embedded metadata, unknown",
        ),
        pytest.param(
            EMBEDDED,
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}},
            ("wrong-type", "spec.x.metadata.labels[a]", "expected string, got integer"),
            id="embedded metadata, wrong type",
        ),
    ],
)
def test_problems_of_what_the_server_refuses(
    schema: dict[str, Any], value: Any, expected: tuple[str, str, str], judge: Any
) -> None:
    assert [expected] == judge(schema, value)


FORMAT_VECTORS = {
    "date-time": (["2026-01-31T12:00:00Z"], ["2026-01-31 12:00:00Z", "2026-01-31T12:00:00", "2026-01-31"]),
    "date": (["2026-01-31"], ["2026-02-30", "31.01.2026"]),
    "duration": (["1h", "1h2m", "1.5s", "-1m", "0", "PT1H", "22 ns", "1 day"], ["", "soon", "1", "5 parsecs"]),
    "ipv4": (["10.0.0.1"], ["10.0.0.256", "::1", "010.0.0.1", "10.0.0"]),
    "ipv6": (["::1", "2001:db8::ffff"], ["10.0.0.1", "fe80::1%eth0", ":::"]),
    "cidr": (["10.0.0.0/24", "10.0.0.1/24", "2001:db8::/64"], ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.255.255.0"]),
    "email": (["a@b.c", "A <a@b.c>"], ["a", "a@b@c"]),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
        ["123e4567", "g23e4567-e89b-12d3-a456-426614174000"],
    ),
    "byte": (["aGVsbG8="], ["aGVsbG8", "%"]),
    "hexcolor": (["#fff", "a0B1c2"], ["#ffff"]),
    "k8s-short-name": (["a-b"], ["A", "a.b", "-a", "a" * 64]),
    "k8s-long-name": (["a.b-c"], ["a..b", "a" * 254]),
}


@pytest.mark.parametrize("form", FORMAT_VECTORS)
def test_formats_take_the_good_and_refuse_the_bad(form: str, judge: Any) -> None:
    good, bad = FORMAT_VECTORS[form]
    assert [[]] * len(good) == [judge({**STRING, "format": form}, text) for text in good]
    assert ["invalid-value"] * len(bad) == [
        problem[0] for text in bad for problem in judge({**STRING, "format": form}, text)
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        pytest.param({"name": "a", "labels": {"a": 1}}, ["wrong-type metadata.labels[a]"], id="wrong type"),
        pytest.param({"name": "a", "nname": "b"}, ["unknown-field metadata.nname"], id="unknown key"),
        pytest.param([], ["wrong-type metadata"], id="list"),
        pytest.param({"name": "a", "finalizers": ["no-slash"]}, [], id="finalizer without slash"),
        pytest.param(None, [], id="null"),
    ],
)
def test_top_level_metadata_is_object_meta(metadata: Any, expected: list[str], cache_dir: tuple[str, bytes]) -> None:
    schema = CustomSchemas.from_crds([_crd({"type": "object"})], cache=cache_dir).find("example.com", "v1", "Widget")
    assert schema is not None
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}
    assert expected == [f"{problem.rule} {format_field_path(problem.field)}" for problem in schema.problems(body)]


@pytest.mark.parametrize(
    ("status", "subresource", "expected"),
    [
        ({"n": "text"}, True, []),
        ({"n": "text"}, False, ["wrong-type"]),
        ({"m": 1}, True, ["unknown-field"]),
        ({"m": 1}, False, ["unknown-field"]),
    ],
)
def test_status_is_dropped_after_strict_decoding_when_its_subresource_is_on(
    status: Any, subresource: bool, expected: list[str], cache_dir: tuple[str, bytes]
) -> None:
    crd = _crd({"type": "object"}, **({"subresources": {"status": {}}} if subresource else {}))
    schema = CustomSchemas.from_crds([crd], cache=cache_dir).find("example.com", "v1", "Widget")
    assert schema is not None
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": status}
    assert expected == [problem.rule for problem in schema.problems(body)]


@pytest.mark.parametrize(
    ("schema", "complete"),
    [
        pytest.param(STRING, True, id="plain"),
        pytest.param({**STRING, "x-kubernetes-validations": [{"rule": "self != ''"}]}, False, id="CEL"),
        pytest.param({**STRING, "x-kubernetes-validations": []}, True, id="no CEL"),
        pytest.param({**STRING, "pattern": r"\pL"}, False, id="pattern that Python cannot read"),
        pytest.param({**STRING, "format": "hostname"}, False, id="format that is left out"),
        pytest.param({"type": "array", "items": {"anyOf": [{"not": {"pattern": r"\pL"}}]}}, False, id="deep inside"),
    ],
)
def test_complete_is_false_when_something_is_not_evaluated(
    schema: dict[str, Any], complete: bool, cache_dir: tuple[str, bytes]
) -> None:
    spec = {"type": "object", "properties": {"x": schema}}
    found = CustomSchemas.from_crds([_crd(spec)], cache=cache_dir).find("example.com", "v1", "Widget")
    assert found is not None
    assert complete is found.complete


def test_from_crds_reads_v1beta1_and_passes_over_the_rest(cache_dir: tuple[str, bytes]) -> None:
    old = {
        "apiVersion": "apiextensions.k8s.io/v1beta1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "old.io",
            "version": "v1",
            "names": {"kind": "Old"},
            "validation": {"openAPIV3Schema": {"type": "object"}},
        },
    }
    no_schema = _crd({"type": "object"}, schema=None)
    bodies = [
        {"apiVersion": "v1", "kind": "Pod"},
        old,
        no_schema,
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": []},
    ]
    found = CustomSchemas.from_crds(bodies, cache=cache_dir)
    assert frozenset({"old.io"}) == found.groups()
    assert found.find("old.io", "v1", "Old") is not None
    assert found.find("example.com", "v1", "Widget") is None


def test_find_of_a_version_that_is_not_served_is_none(cache_dir: tuple[str, bytes]) -> None:
    assert (
        CustomSchemas.from_crds([_crd({"type": "object"}, served=False)], cache=cache_dir).find(
            "example.com", "v1", "Widget"
        )
        is None
    )


def _int_or_string(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if value:
        yield from validator.descend(instance, {"type": ["integer", "string"]})


ORACLE = validators.extend(
    Draft4Validator, {"x-kubernetes-int-or-string": _int_or_string, "additionalProperties": lambda *_: ()}
)


def _random_schema(chooser: random.Random, depth: int = 0) -> dict[str, Any]:
    strings = [
        STRING,
        {**STRING, "enum": ["a", "b"]},
        {**STRING, "pattern": "^[a-z]$"},
        {**STRING, "minLength": 2},
        {**STRING, "maxLength": 1},
    ]
    leaves = [
        *strings,
        INTEGER,
        {**INTEGER, "minimum": 2, "exclusiveMinimum": True},
        {**INTEGER, "maximum": 3},
        {"type": "number", "multipleOf": 2},
        {"type": "boolean"},
        INT_OR_STRING,
    ]
    if depth == 3 or chooser.random() < 0.4:
        return chooser.choice(leaves)
    if chooser.random() < 0.3:
        return {
            "type": "array",
            "items": _random_schema(chooser, depth + 1),
            "minItems": chooser.randint(0, 1),
            "maxItems": chooser.randint(1, 2),
        }
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _random_schema(chooser, depth + 1) for name in "ab"},
    }
    if chooser.random() < 0.5:
        schema["required"] = ["a"]
    if chooser.random() < 0.4:
        schema[chooser.choice(["anyOf", "oneOf", "allOf"])] = [
            {"required": ["a"]},
            {"required": ["b"]},
            {"not": {"required": ["a"]}},
        ][: chooser.randint(1, 3)]
    return schema


def _random_value(chooser: random.Random, schema: dict[str, Any]) -> Any:
    if chooser.random() < 0.15:
        return chooser.choice(["a", "zz", 1, 4, 1.5, True, [], {}, ["a"], {"a": 1}])
    if schema.get("type") == "object":
        return {
            name: _random_value(chooser, child)
            for name, child in schema["properties"].items()
            if chooser.random() < 0.7
        }
    if schema.get("type") == "array":
        return [_random_value(chooser, schema["items"]) for _ in range(chooser.randint(0, 3))]
    return {"string": "a", "integer": 3, "number": 4, "boolean": True}.get(schema.get("type", "string"), "a")


def _verdict(problems: list[Problem]) -> bool:
    return not [problem for problem in problems if problem.rule != "unknown-field"]


def test_validation_agrees_with_jsonschema_on_random_schemas_and_values(cache_dir: tuple[str, bytes]) -> None:
    """Same verdict on 1,500 pairs; unknown fields are not jsonschema's business here."""
    chooser = random.Random(7)
    verdicts = []
    for _ in range(150):
        schema = {"type": "object", "properties": {"x": _random_schema(chooser)}}
        found = CustomSchemas.from_crds([_crd(schema)], cache=cache_dir).find("example.com", "v1", "Widget")
        assert found is not None
        for _ in range(10):
            spec = {"x": _random_value(chooser, schema["properties"]["x"])}
            body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}
            expected = ORACLE(schema, format_checker=FormatChecker(formats=())).is_valid(spec)
            assert expected is _verdict(list(found.problems(body))), (schema, spec)
            verdicts.append(expected)
    assert 300 < sum(verdicts) < 1200


def test_every_format_that_is_enforced_has_vectors() -> None:
    assert set() == set(FORMATS) - set(FORMAT_VECTORS) - {"datetime", "password", "uuid3", "uuid4", "uuid5"}


def test_problems_of_a_value_that_two_places_share_judges_each_by_its_own_schema(cache_dir: tuple[str, bytes]) -> None:
    """A YAML alias makes one object of two places: pruning the one must not empty the other."""
    first = {"type": "object", "properties": {"a": STRING}, "x-kubernetes-preserve-unknown-fields": False}
    second = {"type": "object", "properties": {"b": STRING}, "required": ["b"]}
    spec = {"type": "object", "properties": {"first": first, "second": second}}
    schema = CustomSchemas.from_crds([_crd(spec)], cache=cache_dir).find("example.com", "v1", "Widget")
    assert schema is not None
    shared = {"b": "text"}
    body = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a"},
        "spec": {"first": shared, "second": shared},
    }
    assert [("unknown-field", "spec.first.b")] == [
        (problem.rule, format_field_path(problem.field)) for problem in schema.problems(body)
    ]

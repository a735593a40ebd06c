"""What the server refuses in a CRD: rows of its validation, with its words."""

import copy
from typing import Any

import pytest

from gitops_guard.model import format_field_path
from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.plain import PlainSchemas

BASE = "spec.versions[0].schema.openAPIV3Schema"
X = f"{BASE}.properties[spec].properties[x]"
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {
            "kind": "Widget",
            "plural": "widgets",
            "singular": "widget",
            "listKind": "WidgetList",
            "shortNames": ["wd"],
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "additionalPrinterColumns": [
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "properties": {"replicas": {"type": "integer", "default": 1, "minimum": 0}},
                            },
                        },
                    }
                },
            }
        ],
    },
}


def _judge(body: dict[str, Any], cache_dir: tuple[str, bytes]) -> list[tuple[str, str, str]]:
    schema = BuiltinSchemas("1.37", cache_dir).find("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert schema is not None
    return [(problem.rule, format_field_path(problem.field), problem.message) for problem in schema.problems(body)]


def _with(path: str, value: Any) -> dict[str, Any]:
    """Return the CRD with one field set; the path is dotted, numbers are indices."""
    body = copy.deepcopy(CRD)
    node: Any = body
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    node[last] = value
    return body


def test_crd_without_mistake_has_no_problem_and_is_left_to_the_full_path(cache_dir: tuple[str, bytes]) -> None:
    assert [] == _judge(CRD, cache_dir)
    assert not PlainSchemas("1.37", cache_dir).is_clean(CRD)


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        pytest.param(
            "metadata/name",
            "widget.example.com",
            "metadata.name",
            'Invalid value: "widget.example.com": must be spec.names.plural+"."+spec.group',
            id="name",
        ),
        pytest.param(
            "spec/scope",
            "Namespace",
            "spec.scope",
            'Unsupported value: "Namespace": supported values: "Cluster", "Namespaced"',
            id="scope",
        ),
        pytest.param(
            "spec/preserveUnknownFields",
            True,
            "spec.preserveUnknownFields",
            "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
            id="preserveUnknownFields",
        ),
        pytest.param(
            "spec/names/listKind",
            "Widget",
            "spec.names.listKind",
            'Invalid value: "Widget": kind and listKind may not be the same',
            id="listKind",
        ),
        pytest.param(
            "spec/versions/0/storage",
            False,
            "spec.versions",
            "Invalid value: must have exactly one version marked as storage version",
            id="no storage version",
        ),
        pytest.param("spec/versions/0/schema", {}, f"{BASE}", "Required value", id="no schema"),
        pytest.param(
            "spec/versions/0/deprecationWarning",
            "old",
            "spec.versions[0].deprecationWarning",
            'Invalid value: "old": can only be set for deprecated versions',
            id="warning",
        ),
        pytest.param(
            "spec/versions/0/additionalPrinterColumns/0/type",
            "text",
            "spec.versions[0].additionalPrinterColumns[0].type",
            'Invalid value: "text": must be one of boolean,date,integer,number,string',
            id="column type",
        ),
        pytest.param(
            "spec/versions/0/additionalPrinterColumns/0/jsonPath",
            "spec.a",
            "spec.versions[0].additionalPrinterColumns[0].jsonPath",
            'Invalid value: "spec.a": must be a simple json path starting with .',
            id="column path",
        ),
        pytest.param(
            "spec/versions/0/subresources/scale/specReplicasPath",
            ".status.n",
            "spec.versions[0].subresources.scale.specReplicasPath",
            'Invalid value: ".status.n": should be a json path under .spec',
            id="scale path",
        ),
        pytest.param(
            "spec/versions/0/selectableFields",
            [{"jsonPath": ".spec.a"}, {"jsonPath": ".spec.a"}],
            "spec.versions[0].selectableFields[1].jsonPath",
            'Duplicate value: ".spec.a"',
            id="selectable twice",
        ),
        pytest.param(
            "spec/versions/0/selectableFields",
            [{"jsonPath": f".spec.f{n}"} for n in range(9)],
            "spec.versions[0].selectableFields",
            "Too many: 9: must have at most 8 items",
            id="too many selectable",
        ),
        pytest.param(
            "spec/conversion",
            {"strategy": "Webhook"},
            "spec.conversion.webhook.clientConfig",
            "Required value: required when strategy is set to Webhook",
            id="conversion without webhook",
        ),
        pytest.param(
            "spec/conversion",
            {"strategy": "Webhook", "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v1"]}},
            "spec.conversion.webhook.clientConfig",
            "Required value: exactly one of url or service is required",
            id="conversion without target",
        ),
        pytest.param(
            "spec/conversion",
            {
                "strategy": "Webhook",
                "webhook": {"clientConfig": {"url": "https://a"}, "conversionReviewVersions": ["v9"]},
            },
            "spec.conversion.webhook.conversionReviewVersions",
            'Invalid value: ["v9"]: must include at least one of v1, v1beta1',
            id="conversion versions",
        ),
    ],
)
def test_crd_with_one_mistake_outside_the_schema(
    path: str, value: Any, field: str, message: str, cache_dir: tuple[str, bytes]
) -> None:
    assert ("invalid-crd", field, message) in _judge(_with(path, value), cache_dir)


@pytest.mark.parametrize(
    ("group", "annotations", "count"),
    [
        ("a.k8s.io", {}, 1),
        ("a.k8s.io", {"api-approved.kubernetes.io": "yes"}, 1),
        ("a.k8s.io", {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/1"}, 0),
        ("a.kubernetes.io", {"api-approved.kubernetes.io": "unapproved, test"}, 0),
        ("k8s.io.example.com", {}, 0),
    ],
)
def test_crd_of_a_protected_group_needs_approval(
    group: str, annotations: dict[str, str], count: int, cache_dir: tuple[str, bytes]
) -> None:
    body = _with("spec/group", group)
    body["metadata"] = {"name": f"widgets.{group}", "annotations": annotations}
    assert count == len(_judge(body, cache_dir))


def test_crd_group_without_dot_is_refused(cache_dir: tuple[str, bytes]) -> None:
    body = _with("spec/group", "example")
    body["metadata"]["name"] = "widgets.example"
    assert [
        ("invalid-crd", "spec.group", 'Invalid value: "example": should be a domain with at least one dot')
    ] == _judge(body, cache_dir)


def test_crd_versions_are_unique(cache_dir: tuple[str, bytes]) -> None:
    versions = [CRD["spec"]["versions"][0], {**CRD["spec"]["versions"][0], "storage": False}]
    assert ("invalid-crd", "spec.versions", "Invalid value: must contain unique version names") in _judge(
        _with("spec/versions", versions), cache_dir
    )


STRING = {"type": "string"}
NESTED = "must be empty to be structural"


@pytest.mark.parametrize(
    ("schema", "field", "message"),
    [
        pytest.param({}, "type", "Required value: must not be empty for specified object fields", id="no type"),
        pytest.param(
            {"type": "array", "items": {}},
            "items.type",
            "Required value: must not be empty for specified array items",
            id="items without type",
        ),
        pytest.param({"type": "array"}, "items", "Required value: must be specified", id="array without items"),
        pytest.param(
            {"type": "array", "items": [STRING]},
            "items",
            "Forbidden: items must be a schema object and not an array",
            id="list of items",
        ),
        pytest.param(
            {"type": "int"},
            "type",
            'Unsupported value: "int": supported values: "array", "boolean", "integer", "number", "object", "string"',
            id="unknown type",
        ),
        pytest.param(
            {"type": "null"},
            "type",
            "Forbidden: type cannot be set to null, use nullable as an alternative",
            id="type null",
        ),
        pytest.param({"$ref": "#/a", **STRING}, "$ref", "Forbidden: $ref is not supported", id="$ref"),
        pytest.param(
            {"type": "object", "patternProperties": {"a": STRING}},
            "patternProperties",
            "Forbidden: patternProperties is not supported",
            id="patternProperties",
        ),
        pytest.param(
            {"type": "object", "definitions": {"a": STRING}},
            "definitions",
            "Forbidden: definitions is not supported",
            id="definitions",
        ),
        pytest.param(
            {"type": "object", "dependencies": {"a": ["b"]}},
            "dependencies",
            "Forbidden: dependencies is not supported",
            id="dependencies",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "uniqueItems": True},
            "uniqueItems",
            "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            id="uniqueItems",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": STRING}, "additionalProperties": STRING},
            "additionalProperties",
            "Forbidden: additionalProperties and properties are mutual exclusive",
            id="both kinds of properties",
        ),
        pytest.param(
            {**STRING, "anyOf": [{"type": "string"}]}, "anyOf[0].type", f"Forbidden: {NESTED}", id="type under anyOf"
        ),
        pytest.param(
            {**STRING, "oneOf": [{"description": "a"}]},
            "oneOf[0].description",
            f"Forbidden: {NESTED}",
            id="description under oneOf",
        ),
        pytest.param(
            {**STRING, "allOf": [{"default": "a"}]},
            "allOf[0].default",
            "Forbidden: must be undefined to be structural",
            id="default under allOf",
        ),
        pytest.param(
            {**STRING, "not": {"nullable": True}},
            "not.nullable",
            "Forbidden: must be false to be structural",
            id="nullable under not",
        ),
        pytest.param(
            {**STRING, "anyOf": [{"allOf": [{"title": "a"}]}]},
            "anyOf[0].allOf[0].title",
            f"Forbidden: {NESTED}",
            id="title deep inside",
        ),
        pytest.param(
            {"type": "object", "anyOf": [{"additionalProperties": STRING}]},
            "anyOf[0].additionalProperties",
            "Forbidden: must be undefined to be structural",
            id="additionalProperties under anyOf",
        ),
        pytest.param(
            {**STRING, "x-kubernetes-preserve-unknown-fields": False},
            "x-kubernetes-preserve-unknown-fields",
            "Invalid value: false: must be true or undefined",
            id="preserve false",
        ),
        pytest.param(
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            "x-kubernetes-preserve-unknown-fields",
            "Invalid value: true: must be false if x-kubernetes-int-or-string is true",
            id="int-or-string and preserve",
        ),
        pytest.param(
            {"x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            "type",
            "Required value: must be object if x-kubernetes-embedded-resource is true",
            id="embedded without type",
        ),
        pytest.param(
            {"type": "object", "x-kubernetes-embedded-resource": True},
            "properties",
            "Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
            id="embedded without properties",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "x-kubernetes-list-type": "bag"},
            "x-kubernetes-list-type",
            'Unsupported value: "bag": supported values: "atomic", "set", "map"',
            id="list type",
        ),
        pytest.param(
            {**STRING, "x-kubernetes-list-type": "set"},
            "type",
            'Invalid value: "string": must be array if x-kubernetes-list-type is specified',
            id="list type of no list",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            "x-kubernetes-list-map-keys",
            "Required value: must not be empty if x-kubernetes-list-type is map",
            id="map without keys",
        ),
        pytest.param(
            {
                "type": "array",
                "items": {"type": "object"},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["a"],
            },
            "x-kubernetes-list-map-keys",
            'Invalid value: ["a"]: entries must all be names of item properties',
            id="key is no property",
        ),
        pytest.param(
            {
                "type": "array",
                "items": {"type": "object", "properties": {"a": STRING}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["a"],
            },
            "items.properties[a].default",
            "Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            id="key is optional",
        ),
        pytest.param(
            {"type": "array", "items": STRING, "x-kubernetes-list-map-keys": ["a"]},
            "x-kubernetes-list-type",
            "Required value: must be map if x-kubernetes-list-map-keys is non-empty",
            id="keys without map",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
            "items.x-kubernetes-map-type",
            "Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
            id="set of objects",
        ),
        pytest.param(
            {"type": "array", "items": {**STRING, "nullable": True}, "x-kubernetes-list-type": "set"},
            "items.nullable",
            "Forbidden: cannot be nullable when x-kubernetes-list-type is set",
            id="nullable set items",
        ),
        pytest.param(
            {"type": "object", "x-kubernetes-map-type": "fine"},
            "x-kubernetes-map-type",
            'Unsupported value: "fine": supported values: "atomic", "granular"',
            id="map type",
        ),
        pytest.param(
            {**STRING, "pattern": "(?=a)"},
            "pattern",
            'Invalid value: "(?=a)": must be a valid regular expression, but isn\'t: invalid or unsupported Perl syntax',
            id="pattern",
        ),
        pytest.param({**STRING, "anyOf": [{"pattern": "("}]}, "anyOf[0].pattern", None, id="pattern under anyOf"),
        pytest.param({**STRING, "default": 1}, "default", None, id="default of another type"),
        pytest.param(
            {"type": "object", "properties": {"a": STRING}, "default": {"b": 1}},
            "default",
            'Invalid value: {"b":1}: must not have unknown fields',
            id="default with an unknown field",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": STRING}, "required": ["a"], "default": {}},
            "default.a",
            "Required value",
            id="default that lacks a required field",
        ),
    ],
)
def test_schema_of_a_crd_that_the_server_refuses(
    schema: dict[str, Any], field: str, message: str | None, cache_dir: tuple[str, bytes]
) -> None:
    found = _judge(_with("spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/x", schema), cache_dir)
    assert ("non-structural-schema", f"{X}.{field}") in [problem[:2] for problem in found]
    assert message is None or ("non-structural-schema", f"{X}.{field}", message) in found


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^a$"},
            id="int-or-string with anyOf",
        ),
        pytest.param(
            {
                "x-kubernetes-int-or-string": True,
                "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "a"}],
            },
            id="int-or-string with allOf",
        ),
        pytest.param({"x-kubernetes-preserve-unknown-fields": True}, id="anything"),
        pytest.param({"type": "object", "additionalProperties": True}, id="additionalProperties true"),
        pytest.param(
            {"type": "object", "anyOf": [{"properties": {"undeclared": {"minLength": 1}}}]},
            id="undeclared field below the root: the server looks at the root only",
        ),
        pytest.param({**STRING, "pattern": r"^\pL+$"}, id="RE2 that Python cannot read"),
        pytest.param(
            {
                "type": "object",
                "properties": {
                    "metadata": {
                        "type": "object",
                        "properties": {"labels": {"type": "object", "additionalProperties": STRING}},
                    }
                },
            },
            id="metadata below the root",
        ),
        pytest.param({"type": "object", "properties": {"a": STRING}, "default": {"a": "b"}}, id="default"),
        pytest.param(
            {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
            id="embedded",
        ),
        pytest.param(
            {
                "type": "array",
                "items": {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["a"],
            },
            id="map",
        ),
        pytest.param({**STRING, "x-kubernetes-validations": [{"rule": "self == 'a'"}]}, id="CEL"),
    ],
)
def test_schema_of_a_crd_that_the_server_takes(schema: dict[str, Any], cache_dir: tuple[str, bytes]) -> None:
    assert [] == _judge(_with("spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/x", schema), cache_dir)


@pytest.mark.parametrize(
    ("root", "field", "message"),
    [
        pytest.param({}, "type", "Required value: must not be empty at the root", id="no type"),
        pytest.param({"type": "string"}, "type", 'Invalid value: "string": must be object at the root', id="string"),
        pytest.param(
            {"type": "object", "nullable": True},
            "nullable",
            "Forbidden: nullable cannot be true at the root",
            id="nullable",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": STRING},
            "additionalProperties",
            "Forbidden: must not be used at the root",
            id="additionalProperties",
        ),
        pytest.param(
            {"type": "object", "properties": {"kind": {"type": "integer"}}},
            "properties[kind].type",
            'Invalid value: "integer": must be string',
            id="kind",
        ),
        pytest.param(
            {
                "type": "object",
                "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}},
            },
            "properties[metadata]",
            "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
            id="metadata",
        ),
        pytest.param(
            {"type": "object", "oneOf": [{"properties": {"a": {"minLength": 1}}}]},
            "properties[a]",
            f"Required value: because it is defined in {BASE}.oneOf[0].properties[a]",
            id="undeclared field under oneOf",
        ),
        pytest.param(
            {"type": "object", "anyOf": [{"properties": {"metadata": {}}}]},
            "anyOf[0].properties[metadata]",
            "Forbidden: must not be specified in a nested context",
            id="metadata under anyOf",
        ),
    ],
)
def test_root_schema_of_a_crd_that_the_server_refuses(
    root: dict[str, Any], field: str, message: str, cache_dir: tuple[str, bytes]
) -> None:
    found = _judge(_with("spec/versions/0/schema/openAPIV3Schema", root), cache_dir)
    assert ("non-structural-schema", f"{BASE}.{field}", message) in found


@pytest.mark.parametrize("junk", [1, "a", [], [1], {"a": 1}, {"a": []}, None, True])
@pytest.mark.parametrize(
    "key", ["items", "additionalProperties", "allOf", "default", "enum", "required", "x-kubernetes-list-map-keys"]
)
def test_schema_of_a_crd_with_junk_in_free_form_places_does_not_raise(
    key: str, junk: Any, cache_dir: tuple[str, bytes]
) -> None:
    schema = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "items": {"type": "object", "required": junk, "properties": {"a": junk}},
        key: junk,
    }
    assert isinstance(
        _judge(_with("spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/x", schema), cache_dir), list
    )

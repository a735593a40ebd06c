"""Custom resources are compared by what their definitions say."""

import pytest
import yaml

from gitops_guard.diff import Conventions, CustomKinds, compare
from gitops_guard.model import FoldReason

CRD = yaml.safe_load("""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer, default: 3}
                tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                steps: {type: array, items: {type: string}}
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [id, side]
                  items: {type: object, properties: {colour: {type: string, default: red}}}
                zones:
                  type: object
                  additionalProperties: {type: object, properties: {lit: {type: boolean, default: true}}}
""")
PARTS = "parts: [{id: a, side: l, n: 1}, {id: a, side: r, n: 1}]"


def widget(spec: str) -> str:
    return f"apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{{spec}}}\n"


@pytest.mark.parametrize(
    ("before", "after", "shown", "folded"),
    [
        pytest.param("a: 1", "a: 1, size: 3", [], [FoldReason.DEFAULT], id="default"),
        pytest.param("a: 1", "a: 1, size: 4", ["spec.size"], [], id="not-the-default"),
        pytest.param("zones: {x: {}}", "zones: {x: {lit: true}}", [], [FoldReason.DEFAULT], id="default-in-a-map"),
        pytest.param("parts: [{id: a, side: l}]", "parts: [{id: a, side: l, colour: red}]", [], [FoldReason.DEFAULT], id="default-in-a-list"),
        pytest.param(PARTS, "parts: [{id: a, side: r, n: 2}, {id: a, side: l, n: 1}]", ["spec.parts[id=a,side=r].n"], [FoldReason.ORDER], id="map-keys"),
        pytest.param("tags: [x, y]", "tags: [y, x]", [], [FoldReason.ORDER], id="set"),
        pytest.param("steps: [x, y]", "steps: [y, x]", ["spec.steps"], [], id="atomic"),
    ],
)  # fmt: skip
def test_compare_when_a_definition_says_so_then_lists_and_defaults_follow_it(resources, before, after, shown, folded):
    kinds = CustomKinds([CRD])
    conventions = Conventions(list_keys=kinds.list_keys, default_of=kinds.default_of)
    (change,) = compare(resources(widget(before)), resources(widget(after)), conventions)
    assert shown == [field.field for field in change.fields]
    assert folded == [field.reason for field in change.folded]


@pytest.mark.parametrize(
    "definition",
    [{}, {"spec": 1}, {"spec": {"group": 1, "versions": [1]}}, {"spec": {"group": "a", "names": [], "versions": {}}}],
)
def test_custom_kinds_when_a_definition_is_malformed_then_it_defines_nothing(resources, definition):
    kinds = CustomKinds([definition])
    conventions = Conventions(list_keys=kinds.list_keys, default_of=kinds.default_of)
    (change,) = compare(resources(widget("a: 1")), resources(widget("a: 1, size: 3")), conventions)
    assert ["spec.size"] == [field.field for field in change.fields]


def test_custom_kinds_when_two_definitions_differ_then_only_what_they_agree_on_counts(resources):
    other = yaml.safe_load(yaml.safe_dump(CRD).replace("default: 3", "default: 4"))
    kinds = CustomKinds([CRD, other])
    conventions = Conventions(list_keys=kinds.list_keys, default_of=kinds.default_of)
    (change,) = compare(resources(widget("tags: [x, y]")), resources(widget("tags: [y, x], size: 4")), conventions)
    assert ["spec.size"] == [field.field for field in change.fields]
    assert [FoldReason.ORDER] == [field.reason for field in change.folded]

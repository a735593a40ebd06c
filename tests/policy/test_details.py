"""The small parts: canonical quantities, guessed plurals, places in scalars, bindings of kinds."""

from collections.abc import Callable
from typing import Any

import pytest
from policy.cases import DEFINITION

from gitops_guard.manifest.loader import load as read
from gitops_guard.policy.decoded import decoded
from gitops_guard.policy.kinds import ResourceTable, builtin_resources, guess_plural
from gitops_guard.policy.quantity_text import canonical
from gitops_guard.policy.text_position import place_in_scalar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Ki", "1Mi"),
        ("0.5Ki", "512"),
        ("1500m", "1500m"),
        ("1e3", "1e3"),
        ("1000k", "1M"),
        ("0", "0"),
        ("-1.5", "-1500m"),
        ("1.1n", "2n"),
        ("no quantity", "no quantity"),
        ("", ""),
    ],
)
def test_quantity_when_read_and_written_then_it_is_canonical(text: str, expected: str) -> None:
    assert expected == canonical(text)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Policy", "policies"), ("Ingress", "ingresses"), ("Goose", "gooses"), ("Endpoints", "endpoints")],
)
def test_plural_when_nobody_declares_it_then_it_is_guessed(kind: str, expected: str) -> None:
    assert expected == guess_plural(kind)


def test_resources_when_definitions_declare_them_then_they_are_known() -> None:
    found = ResourceTable.from_crds([DEFINITION]).find("policy.example.com", "Goose", has_namespace=False)
    assert ("geese", True, ("v1", "v2"), False) == (found.plural, found.namespaced, found.versions, found.converts)


def test_resources_when_built_in_then_discovery_named_them() -> None:
    known = builtin_resources()
    assert ("deployments", True) == (known["apps", "Deployment"].plural, known["apps", "Deployment"].namespaced)
    assert (False, 60) == (known["", "Namespace"].namespaced, min(60, len(known)))


def test_body_when_nothing_changes_then_it_is_the_same_object() -> None:
    body: dict[str, Any] = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "args": ["b"]}]}}
    assert decoded(body) is body


def test_body_when_something_changes_then_the_rest_is_shared_and_the_original_kept() -> None:
    kept: dict[str, Any] = {"name": "a"}
    body: dict[str, Any] = {"spec": {"volumes": None, "containers": [kept]}}
    new: Any = decoded(body)
    assert {"spec": {"containers": [kept]}} == new
    assert new["spec"]["containers"][0] is kept
    assert {"spec": {"volumes": None, "containers": [kept]}} == body


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        pytest.param("a: one X two\n", "X", id="plain"),
        pytest.param("a: 'one X two'\n", "X", id="single quotes"),
        pytest.param('a: "one X two"\n', "X", id="double quotes"),
        pytest.param("a: |\n  one\n\n    X two\n", "X", id="literal"),
        pytest.param("a: >-\n  one\n  X two\n", "X", id="folded"),
        pytest.param("a: one\n  X two\n", "X", id="plain over two lines"),
        pytest.param("b: 1\nc: {d: [1], a: one X}\n", "X", id="flow"),
    ],
)
def test_place_when_a_character_of_a_scalar_is_asked_for_then_it_is_the_one_in_the_file(text: str, needle: str) -> None:
    (document,) = read(text.encode()).documents
    path = ("a",) if "a" in document.body else ("c", "a")
    scalar = document.scalar(path)
    assert scalar is not None
    line, column = place_in_scalar(text.split("\n"), document.locate(path), scalar.text.index(needle))
    assert needle == text.split("\n")[line - 1][column - 1]


def test_rule_when_its_match_names_kinds_then_it_is_asked_about_these_only(load_text: Callable[..., Any]) -> None:
    text = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: kinds}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: ["", apps], apiVersions: [v1], operations: ["*"], resources: [%s]}
  validations: [{expression: "true"}]
"""
    (narrow,) = load_text(text.replace('["", apps]', "[apps]") % "deployments, statefulsets/scale").rules
    (wide,) = load_text(text % '"*"').rules
    assert (("Deployment.apps", "StatefulSet.apps"), ("*",)) == (narrow.kinds, wide.kinds)

"""The clean path's word on the policies that come along is never better than the engine's."""

import ast
import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.manifest.loader import load
from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.policy import plain_more, plain_rules
from gitops_guard.policy.pack_rules import listed, pack_rules
from gitops_guard.policy.packs import pack_folder, pack_names
from gitops_guard.policy.plain import PlainPolicies
from gitops_guard.policy.request import World

ROOT = Path(__file__).parents[2]
VERSION = "1.37"
POD: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True},
    "containers": [
        {
            "name": "web",
            "image": "registry.example/web:1.0",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
            "readinessProbe": {"tcpSocket": {"port": 80}},
        }
    ],
    "topologySpreadConstraints": [{"maxSkew": 1}],
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": 2, "template": {"metadata": {}, "spec": POD}},
}
ENGINE = {rule.id: rule._engine.rule(rule.path, rule.id) for rule in pack_rules(pack_names(), [VERSION])}
WORLD = World()


def _examples() -> list[dict[str, Any]]:
    found = []
    for path in sorted(Path(pack_folder()).glob("*/*/*/*.yaml")):
        found += [document.body for document in load(path.read_bytes()).documents]
    return [*found, DEPLOYMENT]


EXAMPLES = _examples()
VALUES = st.sampled_from(
    [None, True, False, 0, 1, -1, 2, 1.5, 1 << 60, "", "0", "x", "Never", "web:latest", "a/b@sha256:0", "é", "1024m", "0.5", 0.5]
    + ["ALL", "NET_RAW", "/var/run/docker.sock", "/etc", "DB_PASSWORD", "x" * 2000, [], {}, ["ALL"], [None], [{}], {"memory": "0.1"}]
)  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in pairs] + [place for _, inner in pairs for place in _places(inner)]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    body = copy.deepcopy(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(0, 3))):
        places = [place for place in _places(body) if place[1] not in ("apiVersion", "kind")]
        if places:
            holder, key = draw(st.sampled_from(places))
            if draw(st.booleans()) and isinstance(holder, dict):
                del holder[key]
            else:
                holder[key] = copy.deepcopy(draw(VALUES))
    return body


def denied(rule: str, body: dict[str, Any]) -> bool:
    request = WORLD.request_of(
        Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=0, line=1))
    )
    return bool(list(ENGINE[rule].judge(request, (VERSION,))))


def overruled(body: dict[str, Any]) -> list[str]:
    """Return the policies that the engine denies and the plain tests do not."""
    unsure = PlainPolicies(listed()).unsure(body)
    return [rule for rule in ENGINE if rule not in unsure and denied(rule, body)]


@settings(max_examples=120, deadline=None)
@given(mutated())
def test_plain_policies_of_any_object_then_what_passes_is_denied_by_no_policy(body: dict[str, Any]) -> None:
    assert [] == overruled(body)


def test_plain_policies_of_all_examples_then_most_verdicts_are_sure_so_that_the_property_says_something() -> None:
    plain, sure, passing = PlainPolicies(listed()), 0, 0
    for body in EXAMPLES[::7]:
        unsure = plain.unsure(body)
        allowed = [rule for rule in ENGINE if body["kind"] in str(listed()[rule].kinds) and not denied(rule, body)]
        passing += len(allowed)
        sure += sum(rule not in unsure for rule in allowed)
    assert sure > 0.85 * passing > 2000


def test_plain_policies_when_a_workload_is_sound_then_it_is_clean() -> None:
    assert PlainPolicies().is_clean(DEPLOYMENT)


def test_plain_rules_then_each_policy_that_is_on_has_a_test() -> None:
    on = {rule for rule, known in listed().items() if known.is_default}
    assert on == set(plain_rules.TESTS)
    assert set() == on & set(plain_more.TESTS)


@pytest.mark.parametrize("name", ["packs.json", "plain_rules.py", "plain_more.py"])
def test_plain_policies_then_the_written_files_are_those_of_the_policies(name: str) -> None:
    spec = importlib.util.spec_from_file_location("plain_policies", ROOT / "tools" / "plain_policies.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    expected = {path.name: text for path, text in tool.files().items()}[name]
    actual = (ROOT / "gitops_guard" / "policy" / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        expected, actual = ast.dump(ast.parse(expected)), ast.dump(ast.parse(actual))
    assert expected == actual, "run tools/plain_policies.py"

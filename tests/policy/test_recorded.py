"""Our verdicts are those that the real API server gave; `test_server.py` holds the recording to the server."""

import json
from typing import Any

import pytest
from policy.cases import DEFINITION, NAMESPACES, Body, Case, cases, recorded

from gitops_guard.model import Severity, Unevaluated
from gitops_guard.model.resource import resource_id
from gitops_guard.policy.load import PolicySet, PolicySource, load
from gitops_guard.policy.request import World, object_key

NOT_TOLD = {"refused-variable-type"}
"""What the server's type checker refuses and we do not: it knows the types of variables inside of expressions."""


def loaded(case: Case) -> PolicySet:
    text = "\n---\n".join(json.dumps(body) for body in (case.policy, *case.bindings))
    return load([PolicySource(path="policy.json", data=text.encode(), origin="policies")], versions=("1.36",))


def verdict(case: Case, found: PolicySet, operation: str, body: Body) -> Body:
    world = World(bodies=[*NAMESPACES, DEFINITION, *case.existing])
    identity = resource_id(body)
    existing = {object_key(resource_id(one)): one for one in case.existing}
    request = world.request(
        identity,
        new=None if operation == "delete" else body,
        old=None if operation == "create" else existing[object_key(identity)],
    )
    problems = [problem for rule in found.rules for problem in rule.within(world).judge(request, ("1.36",))]
    assert not [problem for problem in problems if isinstance(problem, Unevaluated)]
    of = lambda severity: [one.message for one in problems if getattr(one, "severity", None) is severity]  # noqa: E731
    # the server's answer names the first denial only
    return {"denied": of(Severity.ERROR)[:1], "warned": sorted(of(Severity.WARNING))}


def requests() -> list[Any]:
    return [
        pytest.param(case, number, id=f"{case.name}-{number}")
        for case in cases()
        if not case.is_refused
        for number in range(len(case.requests))
    ]


@pytest.mark.parametrize(("case", "number"), requests())
def test_policy_when_a_request_is_judged_then_the_verdict_is_the_servers(case: Case, number: int) -> None:
    found = loaded(case)
    assert found.errors == ()
    assert recorded()[case.name][number] == verdict(case, found, *case.requests[number])


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in cases() if case.is_refused and case.name not in NOT_TOLD]
)
def test_policy_when_the_server_refuses_it_then_it_is_an_error(case: Case) -> None:
    found = loaded(case)
    assert recorded()[case.name]["status"] == 422
    assert (1, found.rules) == (len(found.errors), ())


def test_recording_when_compared_with_the_cases_then_it_answers_each() -> None:
    assert sorted(recorded()) == sorted(case.name for case in cases())
    assert {
        verdict["denied"] == [] for answers in recorded().values() if isinstance(answers, list) for verdict in answers
    } == {
        True,
        False,
    }

"""CEL rules of CustomResourceDefinitions say what the real API server says; its answers are recorded."""

import json
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane
from policy.definitions import RECORDED, Body, DefinitionCase, ask_definitions, definition_cases, recorded_definitions

from gitops_guard.model import format_field_path
from gitops_guard.policy.crd_rules import compile_rules
from gitops_guard.schema.custom import CustomSchemas


def complaints(case: DefinitionCase, old: Body | None, new: Body) -> list[list[str]]:
    def compiled(schema: Body) -> Any:
        rules = compile_rules(schema, "1.36")
        assert rules is not None
        return lambda body: rules.problems(body, old)

    schemas = CustomSchemas.from_crds([case.definition], compile_rules=compiled)
    schema = schemas.find(case.definition["spec"]["group"], "v1", "Thing")
    assert schema is not None
    assert schema.complete
    return sorted([format_field_path(problem.field), problem.message] for problem in schema.problems(new))


def said(answer: list[list[str]]) -> list[list[str]]:
    """Return the server's complaints, without the one that rules were not evaluated: a finding says why already."""
    fields = [[field.replace("<nil>", ""), message] for field, message in answer]
    return [one for one in sorted(fields) if "some validation rules were not checked" not in one[1]]


@pytest.mark.parametrize(
    ("case", "number"),
    [
        pytest.param(case, number, id=f"{case.name}-{number}")
        for case in definition_cases()
        for number in range(len(case.requests))
    ],
)
def test_custom_resource_when_its_rules_are_evaluated_then_they_say_what_the_server_says(
    case: DefinitionCase, number: int
) -> None:
    assert said(recorded_definitions()[case.name][number]) == complaints(case, *case.requests[number])


@pytest.mark.controlplane
def test_recording_of_definitions_when_the_server_is_asked_again_then_it_says_the_same(
    control_plane: ControlPlane, request: pytest.FixtureRequest
) -> None:
    api = control_plane.api(ADMIN)
    answers = ask_definitions(api)
    if request.config.getoption("--update-golden"):
        version = api.expect("GET", "/version")["gitVersion"]
        RECORDED.write_text(json.dumps({"source": f"kube-apiserver {version}", "cases": answers}, indent=1) + "\n")
    assert recorded_definitions() == answers

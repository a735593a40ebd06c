"""Hostile and broken policies: a located error or a denial in bounded time, never a hang and never a pass."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.model import Severity

HEAD = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: bad}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [configmaps]}
"""
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {text: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!}
"""
TEN = "[1,2,3,4,5,6,7,8,9,10]"
NESTED = "".join(f"{TEN}.all({name}, " for name in "abcdefghi") + "object.data.text.size() + a > 0" + ")" * 9
GROWING = "object.data.text" + ".replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 6 + ".size() > 0"
LIMIT_S = 20.0
"""Far above what it takes, far below what it would take without a budget."""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(NESTED, "operation cancelled: actual cost limit exceeded", id="nested comprehensions"),
        pytest.param(GROWING, "operation cancelled: actual cost limit exceeded", id="growing string"),
    ],
)
def test_expression_when_it_would_never_end_then_it_is_denied_in_time(
    judge: Callable[..., list[Any]], expression: str, expected: str
) -> None:
    started = time.process_time()
    (problem,) = judge(f'{HEAD}  validations:\n  - expression: "{expression}"\n', CONFIG_MAP)
    assert time.process_time() - started < LIMIT_S
    assert (Severity.ERROR, True) == (problem.severity, expected in problem.message)


def test_expression_when_its_pattern_is_catastrophic_then_it_ends_in_time(judge: Callable[..., list[Any]]) -> None:
    started = time.process_time()
    (problem,) = judge(f"{HEAD}  validations:\n  - expression: \"object.data.text.matches('^(a+)+$')\"\n", CONFIG_MAP)
    assert time.process_time() - started < LIMIT_S
    assert ("data", "text") == problem.field


def test_policy_when_all_expressions_together_take_too_long_then_it_is_denied_in_time(
    judge: Callable[..., list[Any]],
) -> None:
    validations = "".join(f'  - expression: "{NESTED}"\n' for _ in range(40))
    started = time.process_time()
    problems = judge(f"{HEAD}  validations:\n{validations}", CONFIG_MAP)
    assert time.process_time() - started < LIMIT_S
    assert "validation failed due to running out of cost budget" in problems[-1].message
    assert len(problems) < 40


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        pytest.param("  validations:\n  - expression: object.nosuch()\n", (9, 23), "undeclared reference to 'nosuch'", id="unknown function"),
        pytest.param("  validations:\n  - expression: |\n      true\n        && nosuch\n", (11, 12), "undeclared reference to 'nosuch'", id="block scalar"),
        pytest.param("  validations:\n  - expression: >-\n      true\n      && nosuch\n", (11, 10), "undeclared reference to 'nosuch'", id="folded scalar"),
        pytest.param("  validations:\n  - expression: 'true &&\n      nosuch'\n", (10, 7), "undeclared reference to 'nosuch'", id="quoted over two lines"),
        pytest.param("  variables:\n  - {name: a, expression: variables.b}\n  - {name: b, expression: variables.a}\n  validations:\n  - expression: variables.a == 1\n", (9, 36), "undefined field 'b'", id="recursive variables"),
        pytest.param("  validations:\n  - expression: params.a == 1\n", (9, 17), "undeclared reference to 'params'", id="params without kind"),
        pytest.param("  validations:\n  - expression: object.a ==\n", (9, 28), "syntax error", id="syntax"),
        pytest.param("  validations: 5\n", (8, 16), "spec.validations: must be a list", id="no list"),
        pytest.param("  validations:\n  - {message: x}\n", (9, 6), "expression: Required value", id="no expression"),
        pytest.param("  validations: []\n", (8, 16), "must contain at least one item", id="nothing to validate"),
        pytest.param("  failurePolicy: Never\n  validations: [{expression: 'true'}]\n", (8, 18), "Unsupported value", id="failure policy"),
    ],
)  # fmt: skip
def test_policy_when_it_cannot_be_used_then_the_error_has_its_place(
    load_text: Callable[..., Any], body: str, place: tuple[int, int], message: str
) -> None:
    found = load_text(HEAD + body)
    assert found.rules == ()
    assert (place, True) == ((found.errors[0].line, found.errors[0].column), message in found.errors[0].message)


def test_policy_file_when_it_is_no_yaml_then_that_is_an_error(load_text: Callable[..., Any]) -> None:
    found = load_text("kind: ValidatingAdmissionPolicy\n  bad: [\n")
    assert [error.line for error in found.errors] == [2]


def test_secret_when_a_message_would_quote_it_then_the_message_is_withheld(judge: Callable[..., list[Any]]) -> None:
    policy = HEAD.replace("configmaps", "secrets") + (
        "  validations:\n  - {expression: 'false', message: plain, messageExpression: object.stringData.token + '!'}\n"
        "  - {expression: int(object.stringData.token) > 0}\n"
    )
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {token: hunter2}\n"
    problems = judge(policy, secret)
    assert 2 == len(problems)
    assert not [problem for problem in problems if "hunter2" in problem.message]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param("authorizer.path('/x').check('get').allowed()", "the authorizer", id="authorizer"),
        pytest.param("request.userInfo.username == 'a'", "who sends the request", id="user"),
        pytest.param("namespaceObject.metadata.name == 'a'", "no Namespace shop", id="namespace"),
    ],
)
def test_validation_when_only_the_cluster_knows_then_it_is_unevaluated_and_no_finding(
    judge: Callable[..., list[Any]], expression: str, reason: str
) -> None:
    (found,) = judge(f'{HEAD}  validations:\n  - expression: "{expression}"\n', CONFIG_MAP)
    assert not hasattr(found, "message")
    assert reason in found.reason

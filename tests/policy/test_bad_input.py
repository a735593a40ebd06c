"""Hostile and broken policies: a located error or a denial in bounded time, never a hang and never a pass."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.model import Severity
from gitops_guard.policy.crd_rules import compile_rules

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
"""Processor time: far above what it takes, far below what it would take without a budget."""

LIMIT_BYTES = 200 << 20
"""The same of memory: text and lists that only grow would take terabytes."""

DOUBLING = "[1,2,3,4,5,6,7,8]" + ".map(x, [1,2,3,4,5,6,7,8]).flatten()" * 9 + ".size() > 0"
JOINED = (
    "[object.data.text].map(a, [a,a,a,a,a,a,a,a,a,a].join())"
    + ".map(a, [a,a,a,a,a,a,a,a,a,a].join())" * 9
    + "[0].size() > 0"
)
BETWEEN = "object.data.text" + ".replace('', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 7 + ".size() > 0"
CANCELLED = "operation cancelled: actual cost limit exceeded"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(NESTED, CANCELLED, id="nested comprehensions"),
        pytest.param(GROWING, CANCELLED, id="growing string"),
        pytest.param(DOUBLING, CANCELLED, id="growing list"),
        pytest.param(JOINED, CANCELLED, id="joined text"),
        pytest.param(BETWEEN, CANCELLED, id="text between all characters"),
    ],
)
def test_expression_when_it_would_never_end_then_it_is_denied_in_time(
    judge: Callable[..., list[Any]], expression: str, expected: str
) -> None:
    started = time.process_time()
    tracemalloc.start()
    try:
        (problem,) = judge(f'{HEAD}  validations:\n  - expression: "{expression}"\n', CONFIG_MAP)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < LIMIT_S
    assert most_bytes < LIMIT_BYTES
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
        pytest.param("  variables:\n  - {name: a, expression: variables.a + 1}\n  validations:\n  - expression: variables.a == 1\n", (9, 36), "undefined field 'a'", id="variable of itself"),
        pytest.param("  validations:\n  - expression: object.data.text.matches('(a')\n", (9, 42), "invalid matches argument", id="malformed pattern"),
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


PARAMS = """  paramKind: {apiVersion: v1, kind: ConfigMap}
  validations:
  - expression: object.data.text == params.data.text
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: bad}
spec: {policyName: bad, validationActions: [ACTION], paramRef: {name: nowhere, namespace: shop, parameterNotFoundAction: NOT_FOUND}}
"""


@pytest.mark.parametrize(
    ("not_found", "expected"),
    [
        pytest.param("Deny", ["failed to configure binding: no params found"], id="deny"),
        pytest.param("Allow", [], id="allow"),
    ],
)
def test_policy_when_its_params_are_missing_then_the_binding_decides(
    judge: Callable[..., list[Any]], not_found: str, expected: list[str]
) -> None:
    problems = judge(HEAD + PARAMS.replace("ACTION", "Deny").replace("NOT_FOUND", not_found), CONFIG_MAP)
    assert [(Severity.ERROR, True)] * len(expected) == [
        (problem.severity, problem.message.startswith(words)) for problem, words in zip(problems, expected, strict=True)
    ]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(NESTED.replace("object.data.text", "self"), id="nested comprehensions"),
        pytest.param(GROWING.replace("object.data.text", "self"), id="growing string"),
    ],
)
def test_rule_of_a_definition_when_it_would_never_end_then_it_is_denied_in_time(rule: str) -> None:
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "x-kubernetes-validations": [{"rule": rule}]}},
    }
    rules = compile_rules(schema, "1.36")
    assert rules is not None
    started = time.process_time()
    (problem,) = rules.problems({"text": "a" * 30})
    assert time.process_time() - started < LIMIT_S
    assert (("text",), True) == (problem.field, CANCELLED in problem.message)


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

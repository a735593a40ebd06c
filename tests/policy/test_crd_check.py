"""A definition whose CEL rules do not compile is refused by the API server; the finding stands on the rule's line."""

from typing import Any

import pytest

CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              sizes:
                type: array
                maxItems: 5
                items:
                  type: integer
                  x-kubernetes-validations:
                  - rule: RULE
                    messageExpression: MESSAGE
"""


@pytest.mark.parametrize(
    ("rule", "message", "place", "words"),
    [
        pytest.param("self >", "'ok'", 25, "syntax error", id="syntax"),
        pytest.param("self.nosuch()", "'ok'", 25, "nosuch", id="unknown function"),
        pytest.param("other > 1", "'ok'", 25, "undeclared reference to 'other'", id="unknown name"),
        pytest.param("'text'", "'ok'", 25, "must evaluate to bool", id="no bool"),
        pytest.param("self > 1", "nosuch", 26, "undeclared reference to 'nosuch'", id="message"),
        pytest.param("self > 1", "5", 26, "must evaluate to string", id="message of another type"),
    ],
)
def test_check_when_a_rule_of_a_definition_does_not_compile_then_its_line_is_reported(
    repo: Any, rule: str, message: str, place: int, words: str
) -> None:
    text = CRD.replace("RULE", f'"{rule}"').replace("MESSAGE", f'"{message}"')
    outcome = repo({"crd.yaml": text}).run("check")
    outcome.assert_findings(("crd.yaml", place, "invalid-crd"))
    (finding,) = outcome.json()["findings"]
    assert finding["message"].startswith("Invalid value: compilation failed at line 1, column ")
    assert words in finding["message"]


def test_check_when_the_rules_of_a_definition_compile_then_clean(repo: Any) -> None:
    text = CRD.replace("RULE", '"self > 1"').replace("MESSAGE", "\"'at least ' + string(self)\"")
    repo({"crd.yaml": text}).run("check").assert_clean()

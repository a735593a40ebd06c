"""Where policies come from and what they are given: files, other repositories, params, switches, places of mistakes."""

from collections.abc import Callable
from typing import Any

import pytest

POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: most-replicas}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations:
  - expression: object.spec.replicas <= int(params.data.most)
    messageExpression: "'more than ' + params.data.most"
"""
BINDING = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: most-replicas}
spec:
  policyName: most-replicas
  validationActions: [Deny]
  paramRef: {name: limits, namespace: shop, parameterNotFoundAction: Deny}
"""
LIMITS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: shop}\ndata: {most: '3'}\n"
PLAIN = POLICY.replace("  paramKind: {apiVersion: v1, kind: ConfigMap}\n", "").replace(
    "int(params.data.most)\n    messageExpression: \"'more than ' + params.data.most\"", "3\n    message: more than 3"
)
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""
FOUND = ("web.yaml", 5, "most-replicas")
Repo = Callable[..., Any]


def config(text: str = "policies: [policies]") -> dict[str, str]:
    return {".gitops-guard.yaml": f"{text}\n", "web.yaml": WEB}


@pytest.mark.parametrize("named", ["policies", "policies/most.yaml", "./policies/"])
def test_check_when_a_directory_or_a_file_is_named_then_its_policies_hold(repo: Repo, named: str) -> None:
    sandbox = repo({**config(f"policies: [{named}]"), "policies/most.yaml": PLAIN})
    sandbox.run("check").assert_findings(FOUND)
    sandbox.commit()
    sandbox.run("check", "--rev", "HEAD").assert_findings(FOUND)


def test_check_when_a_policy_is_in_another_repository_then_its_revision_holds_and_its_work_tree_does_not(
    repo: Repo,
) -> None:
    central = repo({"org/most.yaml": PLAIN}, name="central").commit()
    central.git("tag", "v1")
    central.commit({"org/most.yaml": PLAIN.replace("<= 3", "<= 9")}).write({"org/most.yaml": "no policy"})
    sandbox = repo(config("policies: [git+../central/org@v1]"))
    sandbox.run("check").assert_findings(FOUND)
    sandbox.write(config("policies: [git+../central/org@main]")).run("check").assert_clean()


def test_check_when_params_are_in_the_repository_then_they_decide(repo: Repo) -> None:
    sandbox = repo({**config(), "policies/p.yaml": POLICY, "cluster/b.yaml": BINDING, "shop/limits.yaml": LIMITS})
    outcome = sandbox.run("check")
    outcome.assert_findings(FOUND)
    assert "more than 3" == outcome.json()["findings"][0]["message"]
    sandbox.write({"shop/limits.yaml": LIMITS.replace("'3'", "'4'")}).run("check").assert_clean()


def test_check_when_params_lie_beside_the_policy_then_they_decide(repo: Repo) -> None:
    sandbox = repo({**config(), "policies/p.yaml": POLICY, "policies/b.yaml": BINDING, "policies/limits.yaml": LIMITS})
    sandbox.run("check").assert_findings(FOUND)


def test_check_when_params_are_missing_then_the_binding_says_what_that_means(repo: Repo) -> None:
    sandbox = repo({**config(), "policies/p.yaml": POLICY, "policies/b.yaml": BINDING})
    outcome = sandbox.run("check")
    (finding,) = outcome.json()["findings"]
    assert (1, "most-replicas") == (outcome.code, finding["rule"])
    assert "limits" in finding["message"] or "param" in finding["message"]
    allowed = BINDING.replace("NotFoundAction: Deny", "NotFoundAction: Allow")
    sandbox.write({"policies/b.yaml": allowed}).run("check").assert_clean()


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        pytest.param("severity: {most-replicas: warning}", ["warning"], id="severity"),
        pytest.param("severity: {most-replicas: off}", [], id="off"),
        pytest.param("overrides: [{paths: ['web.yaml'], severity: {most-replicas: note}}]", ["note"], id="override"),
        pytest.param("overrides: [{paths: ['web.yaml'], exclude-rules: [most-replicas]}]", [], id="excluded"),
        pytest.param("overrides: [{paths: [other/], severity: {most-replicas: note}}]", ["error"], id="elsewhere"),
    ],
)
def test_check_when_a_policy_is_switched_then_its_severity_is_that(
    repo: Repo, text: str, severities: list[str]
) -> None:
    outcome = repo({**config(f"policies: [policies]\n{text}"), "policies/p.yaml": PLAIN}).run("check")
    assert severities == [one["severity"] for one in outcome.json()["findings"]]


def test_check_when_a_pack_is_named_then_single_policies_of_it_are_switched(repo: Repo) -> None:
    text = WEB.replace('image: "web:1"}', 'image: "web:1", securityContext: {privileged: true}}')
    sandbox = repo({"web.yaml": text})
    rules = {}
    for severity in ("error", "off"):
        sandbox.write(
            {".gitops-guard.yaml": f"policies: ['pack:security']\nseverity: {{privileged-container: {severity}}}\n"}
        )
        rules[severity] = {one["rule"] for one in sandbox.run("check").json()["findings"]}
    assert rules["error"] - rules["off"] == {"privileged-container"}


@pytest.mark.parametrize(
    ("expression", "line", "column", "message"),
    [
        pytest.param("object.spec.replicas <= treplicas", 8, 41, "treplicas", id="unknown name"),
        pytest.param("object.spec.replicas.syze() > 3", 8, 37, "syze", id="unknown function"),
        pytest.param("object.spec.replicas <= (3", 8, 43, "end of expression", id="syntax"),
        pytest.param("size('a')", 8, 17, "bool", id="type"),
    ],
)
@pytest.mark.parametrize("named", ["policies", "git+policies@HEAD"])
def test_check_when_a_policy_does_not_compile_then_the_error_has_its_place(
    repo: Repo, named: str, expression: str, line: int, column: int, message: str
) -> None:
    broken = PLAIN.replace("object.spec.replicas <= 3", expression)
    sandbox = repo({**config(f"policies: ['{named}']"), "policies/p.yaml": broken}).commit()
    outcome = sandbox.run("check", "web.yaml")
    (error,) = outcome.json()["errors"]
    path = "HEAD:policies/p.yaml" if named.startswith("git+") else "policies/p.yaml"
    assert (2, path, line, column) == (outcome.code, error["path"], error["line"], error["column"]), error
    assert message in error["message"], error

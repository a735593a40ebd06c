"""`gitops_guard.testing` as a plugin author has it: loaded by pytest, in a project of its own."""

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]

RULES = '''
from gitops_guard.authoring import Problem, Unevaluated, rule


@rule(kinds=["Deployment"], options={"least": 2})
def too_few_replicas(body, least, repository, kubernetes_versions):
    """A Deployment that a drain takes down."""
    replicas = body["spec"]["replicas"]
    if repository.find("HorizontalPodAutoscaler", "web"):
        yield Unevaluated(reason="an autoscaler decides")
    elif replicas < least:
        yield Problem(field=("spec", "replicas"), message=f"fewer than {least} on {kubernetes_versions}")
'''
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1  # finding: too-few-replicas
"""
POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
  validations: [{expression: object.spec.replicas > 1}]
"""
HEAD = f"import pytest\nfrom rules import too_few_replicas\n\nWEB = {WEB!r}\nPOLICY = {POLICY!r}\n\n"


@pytest.fixture
def outcome_of(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    def run(test: str) -> pytest.RunResult:
        pytester.makeconftest('pytest_plugins = ["gitops_guard.testing"]')
        pytester.makepyfile(rules=RULES, test_ours=HEAD + test)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q")

    return run


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("run_rule(too_few_replicas, WEB).assert_marked()", id="marked"),
        pytest.param("run_rule(too_few_replicas, WEB).assert_findings((5, 'spec.replicas'))", id="findings"),
        pytest.param("run_rule(too_few_replicas, WEB, options={'least': 1}).assert_clean()", id="options"),
        pytest.param("assert 'on (\\'1.35\\',)' in run_rule(too_few_replicas, WEB, kubernetes_versions=('1.35',)).findings[0].message", id="versions"),
        pytest.param("hpa = 'apiVersion: autoscaling/v2\\nkind: HorizontalPodAutoscaler\\nmetadata: {name: web}\\n'\n    assert ('an autoscaler decides',) == run_rule(too_few_replicas, WEB, files={'hpa.yaml': hpa}).unevaluated", id="files"),
        pytest.param("outcome = run_rule(too_few_replicas, WEB.replace('  replicas', '  replica'))\n    assert 'KeyError at' in outcome.errors[0].message", id="errors"),
        pytest.param("with pytest.raises(AssertionError, match='has no option leest'):\n        run_rule(too_few_replicas, WEB, options={'leest': 1})", id="unknown option"),
        pytest.param("with pytest.raises(AssertionError, match='line 5: spec.replicas: fewer than 2'):\n        run_rule(too_few_replicas, WEB).assert_clean()", id="finds and should not"),
        pytest.param("with pytest.raises(AssertionError, match='said:\\nnothing'):\n        run_rule(too_few_replicas, WEB, options={'least': 1}).assert_marked()", id="should find and does not"),
        pytest.param("with pytest.raises(AssertionError, match='no line of the text has the mark'):\n        run_rule(too_few_replicas, 'a: 1').assert_marked()", id="no mark"),
    ],
)  # fmt: skip
def test_run_rule_when_an_author_uses_it_then_says_what_the_engine_says(
    outcome_of: Callable[..., pytest.RunResult], body: str
) -> None:
    outcome_of(f"def test_it(run_rule):\n    {body}\n").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("run_policies(folder(WEB.replace('too-few-', ''))).assert_ok()", id="as marked"),
        pytest.param("with pytest.raises(AssertionError, match='fail/one.yaml: replicas: line 5: reported without a mark'):\n        run_policies(folder(WEB)).assert_ok()", id="not as marked"),
        pytest.param("with pytest.raises(AssertionError, match='there is no policy folder with examples'):\n        run_policies(tmp_path).assert_ok()", id="nothing"),
        pytest.param("with pytest.raises(AssertionError, match='policy.yaml:7:'):\n        run_policies(folder(WEB, POLICY.replace('> 1', '>'))).assert_ok()", id="does not compile"),
    ],
)  # fmt: skip
def test_run_policies_when_an_author_uses_it_then_says_what_the_examples_came_to(
    outcome_of: Callable[..., pytest.RunResult], body: str
) -> None:
    outcome_of(f"""
@pytest.fixture
def folder(tmp_path):
    def make(example, policy=POLICY):
        (tmp_path / "replicas" / "fail").mkdir(parents=True)
        (tmp_path / "replicas" / "policy.yaml").write_text(policy)
        (tmp_path / "replicas" / "fail" / "one.yaml").write_text(example)
        return tmp_path
    return make


def test_it(run_policies, folder, tmp_path):
    {body}
""").assert_outcomes(passed=1)


def test_repo_when_an_author_uses_it_then_the_whole_tool_runs(outcome_of: Callable[..., pytest.RunResult]) -> None:
    outcome_of("""
from pathlib import Path

def test_it(repo):
    files = {"web.yaml": WEB, "rules.py": Path(__file__).with_name("rules.py").read_text()}
    outcome = repo(files).run("check", "-p", "rules.py")
    assert ("web.yaml", 5, "too-few-replicas") in [(f["path"], f["line"], f["rule"]) for f in outcome.json()["findings"]]
""").assert_outcomes(passed=1)

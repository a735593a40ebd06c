"""`gitops_guard.testing` as a plugin author has it: loaded by pytest, in a project of its own."""

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


@rule(kinds=["Deployment"])
def without_service(resource, references):
    """A Deployment that no Service is named after."""
    if not references.exists("Service", resource.id.name):
        yield Problem(field=("metadata", "name"), message="alone")
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
HEAD = f"""import pytest
from pathlib import Path
from rules import too_few_replicas, without_service

WEB = {WEB!r}
POLICY = {POLICY!r}
SERVICE = "apiVersion: v1\\nkind: Service\\nmetadata: {{name: web}}\\n"
HPA = "apiVersion: autoscaling/v2\\nkind: HorizontalPodAutoscaler\\nmetadata: {{name: web}}\\n"
"""
TESTS = """
def test_marked(run_rule):
    run_rule(too_few_replicas, WEB).assert_marked()


def test_findings(run_rule):
    run_rule(too_few_replicas, WEB).assert_findings((5, "spec.replicas"))


def test_options(run_rule):
    run_rule(too_few_replicas, WEB, options={"least": 1}).assert_clean()


def test_versions(run_rule):
    (finding,) = run_rule(too_few_replicas, WEB, kubernetes_versions=("1.35",)).findings
    assert "fewer than 2 on ('1.35',)" == finding.message


def test_files(run_rule):
    assert ("an autoscaler decides",) == run_rule(too_few_replicas, WEB, files={"hpa.yaml": HPA}).unevaluated


def test_references(run_rule):
    run_rule(without_service, WEB).assert_findings((3, "metadata.name"))
    run_rule(without_service, WEB, files={"service.yaml": SERVICE}).assert_clean()


def test_errors(run_rule):
    (error,) = run_rule(too_few_replicas, WEB.replace("  replicas", "  replica")).errors
    assert "KeyError at" in error.message


def test_function_itself():
    assert [] == list(too_few_replicas({"spec": {"replicas": 2}}, 2, NoAutoscaler(), ("1.35",)))


class NoAutoscaler:
    def find(self, kind, name):
        return None


@pytest.mark.parametrize(("call", "message"), [
    (lambda run: run(too_few_replicas, WEB, options={"leest": 1}), "has no option leest"),
    (lambda run: run(too_few_replicas, WEB).assert_clean(), "line 5: spec.replicas: fewer than 2"),
    (lambda run: run(too_few_replicas, WEB, options={"least": 1}).assert_marked(), "nothing"),
    (lambda run: run(too_few_replicas, WEB, files={"hpa.yaml": HPA}).assert_clean(), "not evaluated: an autoscaler"),
    (lambda run: run(too_few_replicas, "a: 1").assert_marked(), "no line of the text has the mark"),
])
def test_what_fails(run_rule, call, message):
    with pytest.raises(AssertionError, match=message):
        call(run_rule)


@pytest.fixture
def folder(tmp_path):
    def make(example, policy=POLICY):
        (tmp_path / "replicas" / "fail").mkdir(parents=True)
        (tmp_path / "replicas" / "policy.yaml").write_text(policy)
        (tmp_path / "replicas" / "fail" / "one.yaml").write_text(example)
        return tmp_path
    return make


def test_policies(run_policies, folder):
    run_policies(folder(WEB.replace("too-few-", ""))).assert_ok()


@pytest.mark.parametrize(("example", "policy", "message"), [
    (WEB, POLICY, "fail/one.yaml: replicas: line 5: reported without a mark"),
    (WEB, "a: 1", "there is no policy folder with examples"),
    (WEB, POLICY.replace("> 1", ">"), "policy.yaml:7:"),
])
def test_what_policies_fail(run_policies, folder, example, policy, message):
    with pytest.raises(AssertionError, match=message):
        run_policies(folder(example, policy)).assert_ok()


def test_repo(repo):
    files = {"web.yaml": WEB, "rules.py": Path(__file__).with_name("rules.py").read_text()}
    outcome = repo(files).run("check", "-p", "rules.py")
    assert ("web.yaml", 5, "too-few-replicas") in [(f["path"], f["line"], f["rule"]) for f in outcome.json()["findings"]]
"""


def test_testing_when_an_author_loads_it_then_its_fixtures_say_what_the_tool_says(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["gitops_guard.testing"]')
    pytester.makepyfile(rules=RULES, test_ours=HEAD + TESTS)
    outcome = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q")
    outcome.assert_outcomes(passed=18)


def test_testing_when_a_rule_is_wrong_then_the_author_sees_what_was_found(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["gitops_guard.testing"]')
    test = "def test_it(run_rule):\n    run_rule(too_few_replicas, WEB).assert_clean()\n"
    pytester.makepyfile(rules=RULES, test_ours=HEAD + test)
    outcome = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*too-few-replicas said:*", "*line 5: spec.replicas: fewer than 2*"])

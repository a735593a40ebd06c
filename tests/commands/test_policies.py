"""Policies in `check`: named in the configuration, on the command line, in packs and at revisions."""

from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.policy.pack_rules import listed

POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: floating-tag
  annotations: {gitops-guard.io/severity: warning}
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE, DELETE]
      resources: [deployments]
  validations:
  - expression: object == null || object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))
    message: pin the image
  - expression: object == null || oldObject == null || object.spec.replicas >= oldObject.spec.replicas
    message: never shrink
  - expression: request.operation != 'DELETE'
    message: never remove
"""
BINDING = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: floating-tag}
spec: {policyName: floating-tag, validationActions: [Deny]}
"""
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:latest
"""
PINNED = WEB.replace(":latest", ":1.0")
CONFIG = "policies: [policies]\n"
PLUGIN = """from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Problem, Severity


class Rule:
    id, summary, severity, kinds = "ID", "Ours.", Severity.ERROR, ("Deployment",)

    def check(self, resource, context):
        yield Problem(field=("spec",), message="ours")


@hookimpl
def gitops_guard_rules():
    return [Rule()]
"""
FOUND = ("web.yaml", 12, "floating-tag")
Repo = Callable[..., Any]


def files(**more: str) -> dict[str, str]:
    return {".gitops-guard.yaml": CONFIG, "policies/floating-tag/policy.yaml": POLICY, "web.yaml": WEB, **more}


def test_check_when_a_policy_is_configured_then_its_finding_has_a_line(repo: Repo) -> None:
    outcome = repo(files()).run("check", "--format", "json")
    outcome.assert_findings(FOUND)
    (finding,) = outcome.json()["findings"]
    assert ("warning", "pin the image", 0) == (finding["severity"], finding["message"], outcome.code)


def rules_of(outcome: Any) -> set[str]:
    return {finding["rule"] for finding in outcome.json()["findings"]}


def test_check_when_no_policy_is_named_then_those_that_the_field_agrees_on_are_applied(repo: Repo) -> None:
    outcome = repo({"policies/floating-tag/policy.yaml": POLICY, "web.yaml": WEB}).run("check")
    outcome.assert_code(1)
    assert {"latest-image-tag", "run-as-root", "missing-memory-limit", "missing-topology-spread"} <= rules_of(outcome)
    assert rules_of(outcome) <= {rule for rule, known in listed().items() if known.is_default}


@pytest.mark.parametrize(
    ("config", "flags"),
    [
        pytest.param("policies: []\n", [], id="configuration"),
        pytest.param("", ["--policies", "none"], id="flag"),
        pytest.param("policies: ['pack:*']\n", ["--policies", "none"], id="flag against configuration"),
        pytest.param("policies: ['pack:rbac']\n", [], id="another pack"),
    ],
)
def test_check_when_policies_are_switched_off_then_none_is_applied(repo: Repo, config: str, flags: list[str]) -> None:
    files = {".gitops-guard.yaml": config, "web.yaml": WEB}
    sandbox = repo({name: text for name, text in files.items() if text})
    for _ in range(2):  # also from what is remembered
        sandbox.run("check", *flags).assert_clean()


def test_check_when_single_policies_are_switched_then_the_others_stay_as_they_are(repo: Repo) -> None:
    config = "policies: ['pack:images']\nseverity: {latest-image-tag: off, missing-image-digest: warning}\n"
    outcome = repo({".gitops-guard.yaml": config, "web.yaml": WEB}).run("check")
    assert [("missing-image-digest", "warning")] == [(f["rule"], f["severity"]) for f in outcome.json()["findings"]]


def test_check_when_a_policy_is_on_for_some_paths_then_it_is_silent_elsewhere(repo: Repo) -> None:
    config = "policies: ['pack:images']\noverrides: [{paths: [a/], severity: {missing-image-digest: error}}]\n"
    sandbox = repo({".gitops-guard.yaml": config, "a/web.yaml": PINNED, "b/web.yaml": PINNED})
    sandbox.run("check").assert_findings(("a/web.yaml", 11, "missing-image-digest"))


def test_check_when_policies_are_named_by_flag_then_they_are_applied_too(repo: Repo) -> None:
    sandbox = repo({"ours/policy.yaml": POLICY, "web.yaml": WEB})
    assert {"floating-tag", "latest-image-tag"} <= rules_of(sandbox.run("check", "--policies", "ours"))
    outcome = sandbox.run("check", "--policies", "none", "--policies", "ours", "--format", "json")
    outcome.assert_findings(FOUND)


def test_check_when_a_binding_speaks_of_a_policy_that_comes_along_then_it_holds_where_the_binding_says(
    repo: Repo,
) -> None:
    binding = BINDING.replace("floating-tag", "latest-image-tag").replace("[Deny]}", "[Warn], matchResources: {NS}}")
    config = "policies: ['pack:images', cluster]\n"
    sandbox = repo({".gitops-guard.yaml": config, "web.yaml": WEB})
    for namespace, expected in (("shop", ["warning"]), ("other", [])):
        selector = f"namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}"
        bound = binding.replace("NS", selector)
        sandbox.write({"cluster/binding.yaml": bound})
        assert expected == [finding["severity"] for finding in sandbox.run("check").json()["findings"]]


def test_check_when_a_plugin_has_a_rule_of_the_same_name_then_it_takes_the_policys_place(repo: Repo) -> None:
    plugin = PLUGIN.replace("ID", "latest-image-tag")
    sandbox = repo({"ours.py": plugin, "web.yaml": PINNED, ".gitops-guard.yaml": "policies: ['pack:images']\n"})
    outcome = sandbox.run("check", "-p", "ours.py")
    assert [("latest-image-tag", "ours")] == [(f["rule"], f["message"]) for f in outcome.json()["findings"]]


def test_check_when_a_binding_says_deny_then_it_is_an_error(repo: Repo) -> None:
    outcome = repo(files(**{"cluster/binding.yaml": BINDING})).run("check", "--format", "json")
    assert (1, "error") == (outcome.code, outcome.json()["findings"][0]["severity"])


def test_check_when_a_policy_elsewhere_has_no_binding_then_it_is_inactive(repo: Repo) -> None:
    other = POLICY.replace("floating-tag", "other")
    repo(files(**{"cluster/other.yaml": other})).run("check", "--format", "json").assert_findings(FOUND)


def test_check_when_the_configuration_sets_the_severity_then_it_counts(repo: Repo) -> None:
    repo(files(**{".gitops-guard.yaml": f"{CONFIG}severity: {{floating-tag: off}}\n"})).run("check").assert_clean()
    repo(files(**{".gitops-guard.yaml": f"{CONFIG}severity: {{floating-tag: error}}\n"}), name="error").run(
        "check"
    ).assert_code(1)


def test_check_when_a_policy_is_off_by_default_then_a_severity_switches_it_on(repo: Repo) -> None:
    off = POLICY.replace("warning}", 'warning, gitops-guard.io/default: "off"}')
    policy = {"policies/floating-tag/policy.yaml": off}
    repo(files(**policy)).run("check").assert_clean()
    config = {".gitops-guard.yaml": f"{CONFIG}severity: {{floating-tag: warning}}\n"}
    repo(files(**policy, **config), name="on").run("check", "--format", "json").assert_findings(FOUND)


def test_check_when_a_policy_does_not_compile_then_it_is_an_error_with_its_place(repo: Repo) -> None:
    broken = {"policies/floating-tag/policy.yaml": POLICY.replace("endsWith", "endzWith")}
    # the configuration names a rule that the broken policy would have brought
    broken[".gitops-guard.yaml"] = f"{CONFIG}severity: {{floating-tag: error}}\n"
    outcome = repo(files(**broken)).run("check", "--format", "json")
    (error,) = outcome.json()["errors"]
    assert (2, "policies/floating-tag/policy.yaml", 14) == (outcome.code, error["path"], error["line"])


def test_check_when_staged_then_changes_are_updates_and_removals_are_judged(repo: Repo) -> None:
    sandbox = repo(files(**{"web.yaml": PINNED, "old.yaml": PINNED.replace("name: web,", "name: old,")})).commit()
    sandbox.stage({"web.yaml": PINNED.replace("replicas: 3", "replicas: 2")})
    sandbox.git("rm", "-q", "old.yaml")
    outcome = sandbox.run("check", "--staged", "--format", "json")
    outcome.assert_findings(("web.yaml", 5, "floating-tag"), ("old.yaml", 1, "floating-tag"))


def test_check_when_a_file_moves_then_its_objects_are_neither_new_nor_removed(repo: Repo) -> None:
    sandbox = repo(files(**{"web.yaml": PINNED})).commit()
    sandbox.git("mv", "web.yaml", "moved.yaml")
    sandbox.run("check", "--staged").assert_clean()


def test_check_when_policies_are_at_a_revision_then_the_trees_own_do_not_count(repo: Repo) -> None:
    config = {".gitops-guard.yaml": "policies: [git+policies@HEAD]\n"}
    sandbox = repo(files(**config)).commit()
    sandbox.stage({"policies/floating-tag/policy.yaml": POLICY.replace("endsWith", "startsWith")})
    sandbox.run("check", "web.yaml", "--format", "json").assert_findings(FOUND)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        pytest.param("pack:nosuch", 'there is no policy pack "nosuch"', id="pack"),
        pytest.param("nowhere", "nowhere: no policy files there", id="directory"),
        pytest.param("git+policies", "write it as git+PATH@REV", id="revision"),
    ],
)
def test_check_when_what_is_named_is_not_there_then_it_says_so(repo: Repo, named: str, message: str) -> None:
    outcome = repo(files(**{".gitops-guard.yaml": f"policies: [{named}]\n"})).run("check")
    assert (2, True) == (outcome.code, message in outcome.err)


def test_check_when_a_policy_changes_then_a_remembered_verdict_is_not_believed(repo: Repo) -> None:
    sandbox = repo(files(**{"web.yaml": PINNED})).commit()
    sandbox.run("check").assert_clean()
    sandbox.run("check").assert_clean()
    sandbox.stage({"policies/floating-tag/policy.yaml": POLICY.replace("':latest'", "':1.0'")})
    sandbox.run("check", "--format", "json").assert_findings(FOUND)
    sandbox.run("check", "web.yaml").assert_code(0)


def test_check_when_a_namespace_changes_then_a_remembered_verdict_is_not_believed(repo: Repo) -> None:
    selected = POLICY.replace("  validations:", "    namespaceSelector: {matchLabels: {env: prod}}\n  validations:")
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {env: dev}}\n"
    sandbox = repo(files(**{"policies/floating-tag/policy.yaml": selected, "shop.yaml": space})).commit()
    sandbox.run("check").assert_clean()
    sandbox.stage({"shop.yaml": space.replace("dev", "prod")})
    sandbox.run("check", "--format", "json").assert_findings(FOUND)


def test_check_when_only_the_cluster_knows_then_it_is_shown_and_not_validated(repo: Repo) -> None:
    asking = POLICY.replace("request.operation != 'DELETE'", "authorizer.path('/x').check('get').allowed()")
    outcome = repo(files(**{"policies/floating-tag/policy.yaml": asking, "web.yaml": PINNED})).run(
        "check", "--format", "json"
    )
    coverage = outcome.json()["coverage"]
    reasons = [entry["reason"] for entry in coverage["skipped"] if entry["resource"]]
    assert ["policy floating-tag not evaluated: the authorizer answers only in the cluster"] == reasons
    assert 1 == coverage["schema_only"]


def test_check_when_a_policy_has_examples_then_they_are_no_manifests_of_the_repository(repo: Repo) -> None:
    sandbox = repo(files(**{"web.yaml": PINNED, "policies/floating-tag/fail/latest.yaml": WEB}))
    sandbox.run("check").assert_clean()


def test_check_when_a_definition_has_rules_then_resources_are_validated_by_them(repo: Repo) -> None:
    definition = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
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
              size: {type: integer, x-kubernetes-validations: [{rule: self > 3}, {rule: self >= oldSelf}]}
"""
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n  size: 2\n"
    sandbox = repo({"crd.yaml": definition, "thing.yaml": thing})
    outcome = sandbox.run("check", "--format", "json")
    outcome.assert_findings(("thing.yaml", 5, "invalid-value"))
    assert 2 == outcome.json()["coverage"]["validated"]
    larger = sandbox.stage({"thing.yaml": thing.replace("2", "9")}).commit()
    larger.run("check").assert_clean()
    smaller = larger.stage({"thing.yaml": thing.replace("2", "5")})
    smaller.run("check", "--staged", "--format", "json").assert_findings(("thing.yaml", 5, "invalid-value"))
    smaller.run("check").assert_clean()


def test_suppression_when_it_names_a_container_then_only_its_findings_are_silenced(repo: Repo) -> None:
    two = WEB + "      - name: sidecar\n        image: proxy:latest\n"
    selector = "suppressions: [{rule: floating-tag, container: web, owner: team-a, reason: vendor}]\n"
    config = {".gitops-guard.yaml": CONFIG + selector}
    repo(files(**config)).run("check").assert_clean()
    second = {"web.yaml": two.replace("web:latest", "web:1.0")}
    outcome = repo(files(**config, **second), name="two").run("check", "--format", "json")
    outcome.assert_findings(("web.yaml", 14, "floating-tag"), (".gitops-guard.yaml", 2, "unused-suppression"))
    assert "team-a" in outcome.json()["findings"][0]["message"]


def test_check_when_the_identity_is_configured_then_policies_see_it(repo: Repo) -> None:
    asking = POLICY.replace("request.operation != 'DELETE'", "request.userInfo.groups.exists(g, g == 'ops')")
    for number, (group, code) in enumerate((("ops", 0), ("dev", 1))):
        config = f"{CONFIG}identity: {{username: flux, groups: [{group}]}}\nseverity: {{floating-tag: error}}\n"
        changed = {"policies/floating-tag/policy.yaml": asking, "web.yaml": PINNED, ".gitops-guard.yaml": config}
        repo(files(**changed), name=f"repo-{number}").run("check").assert_code(code)


@pytest.mark.parametrize("source", ["policies", "git+policies@HEAD"])
def test_explain_when_a_policy_is_the_organisations_own_then_its_page_is_shown(repo: Repo, source: str) -> None:
    page = "# Floating tags\n\nWhy we pin.\n"
    config = {".gitops-guard.yaml": f"policies: ['{source}']\n"}
    sandbox = repo().commit(files(**{"policies/floating-tag/README.md": page}) | config)
    if source != "policies":
        sandbox.write({"policies/floating-tag/README.md": "# Changed since\n"})
    assert page == sandbox.run("explain", "floating-tag").out


def test_explain_when_an_own_policy_has_no_page_then_its_first_message_stands_for_it(repo: Repo) -> None:
    out = repo(files()).run("explain", "floating-tag").out
    assert "# floating-tag\n\npin the image\n\n- severity: warning\n- from: policies\n" == out


@pytest.mark.parametrize("flags", [[], ["--policies", "none"]])
def test_check_when_a_finding_is_accepted_then_a_run_without_its_policy_does_not_call_that_unused(
    repo: Repo, flags: list[str]
) -> None:
    comment = "      # gitops-guard: ignore latest-image-tag the vendor has no other\n"
    accepted = WEB.replace("      - name: web\n", f"{comment}      - name: web\n")
    config = "policies: ['pack:images']\n"
    repo({".gitops-guard.yaml": config, "web.yaml": accepted}).run("check", *flags).assert_clean()

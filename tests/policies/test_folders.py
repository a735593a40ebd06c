"""Every policy's folder is complete, and says the same everywhere."""

import collections
import re

import pytest
import yaml

HEADINGS = ["What it flags", "Why it matters", "Flagged", "Fixed", "Options", "When to suppress", "Facts"]
FACTS = ["severity", "kinds", "default", "since", "equivalent", "reference"]
KINDS = {
    "clusterrolebindings": "ClusterRoleBinding",
    "clusterroles": "ClusterRole",
    "configmaps": "ConfigMap",
    "cronjobs": "CronJob",
    "daemonsets": "DaemonSet",
    "deployments": "Deployment",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "ingresses": "Ingress",
    "jobs": "Job",
    "namespaces": "Namespace",
    "networkpolicies": "NetworkPolicy",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "pods": "Pod",
    "replicasets": "ReplicaSet",
    "replicationcontrollers": "ReplicationController",
    "rolebindings": "RoleBinding",
    "roles": "Role",
    "services": "Service",
    "statefulsets": "StatefulSet",
}
LIST = "## All policies\n\n"


def rules(policy):
    return policy.body["spec"]["matchConstraints"]["resourceRules"]


def facts(policy):
    return dict(re.findall(r"^- (\w+): ((?:.|\n  )+)$", policy.page.partition("## Facts\n")[2], re.MULTILINE))


def summary(policy):
    return policy.page.split("\n\n")[1].replace("\n", " ")


def test_packs_when_counted_then_they_hold_what_was_promised(policies):
    packs = {policy.folder.parent.name for policy in policies}
    assert {"config", "images", "network", "rbac", "reliability", "resources", "security"} == packs
    assert len(policies) >= 60


def test_ids_when_read_together_then_each_is_used_once(policies):
    counted = collections.Counter(policy.id for policy in policies)
    assert [] == [name for name, times in counted.items() if times > 1]


def test_packs_when_listed_then_every_folder_has_a_policy(policies, policies_root):
    folders = {path for path in policies_root.glob("*/*") if path.is_dir()}
    assert {policy.folder for policy in policies} == folders


def test_folder_when_listed_then_nothing_is_missing_and_nothing_else_is_there(policy):
    assert ["README.md", "fail", "pass", "policy.yaml"] == sorted(path.name for path in policy.folder.iterdir())
    for group in ("pass", "fail"):
        assert {".yaml"} == {path.suffix for path in (policy.folder / group).iterdir()}
        assert len(policy.examples(group)) >= 2


def test_policy_when_read_then_it_is_one_that_kubectl_takes_as_it_is(policy):
    spec = policy.body["spec"]
    kind = (policy.body["apiVersion"], policy.body["kind"])
    assert ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") == kind
    assert "Fail" == spec["failurePolicy"]
    assert all(rule["operations"] == ["CREATE", "UPDATE"] for rule in rules(policy))
    assert all({"expression", "message", "messageExpression"} == one.keys() for one in spec["validations"])


def test_policy_when_read_then_names_and_annotations_agree_with_the_folder(policy):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", policy.id)
    assert not policy.id.startswith(("no-", "disallow-", "gitops-guard-"))
    assert policy.id == policy.body["metadata"]["name"]
    marks = dict(policy.annotations)
    assert (policy.id, policy.folder.parent.name) == (marks.pop("rule"), marks.pop("category"))
    assert marks.pop("severity") in ("error", "warning", "note")
    assert marks.pop("default") in ("on", "off")
    assert re.fullmatch(r"[a-zA-Z]+(\.[a-zA-Z]+)*", marks.pop("field", "spec"))
    assert {} == marks


def test_page_when_read_then_title_headings_and_facts_are_in_order(policy):
    assert policy.page.startswith(f"# {policy.id}\n\n")
    assert HEADINGS == re.findall(r"^## (.+)$", policy.page, re.MULTILINE)
    assert FACTS == list(facts(policy))
    assert 20 <= len(summary(policy)) <= 120
    assert [] == [line for line in policy.page.splitlines() if len(line) > 140]


def test_page_when_it_states_facts_then_they_are_those_of_the_policy(policy):
    stated = facts(policy)
    kinds = [KINDS[resource] for rule in rules(policy) for resource in rule["resources"] if "/" not in resource]
    assert policy.annotations["severity"] == stated["severity"]
    assert policy.annotations["default"] == stated["default"]
    assert kinds == re.split(r",\s+", stated["kinds"])
    assert "0.2.0" == stated["since"]
    assert re.fullmatch(r"<https://\S+>", stated["reference"])


def test_page_when_it_shows_examples_then_one_is_flagged_and_one_is_fixed(policy):
    assert ["Flagged", "Fixed"] == [example.group for example in policy.examples("Flagged", "Fixed")]


def test_marks_when_read_then_each_failing_example_has_one_and_no_other_has_any(policy):
    for example in policy.examples("fail"):
        assert (example.name, [policy.id]) == (example.name, [rule for _, rule in example.marks])
    assert [] == [mark for example in policy.examples("pass") for mark in example.marks]


def test_marks_when_the_policy_names_a_field_then_they_stand_at_that_field(policy):
    field = policy.annotations.get("field")
    if field:
        for example in policy.examples("fail"):
            line = example.document.locate(tuple(field.split("."))).line
            assert (example.name, [(line, policy.id)]) == (example.name, example.marks)


def test_examples_when_listed_then_the_policy_judges_their_kinds(policy):
    assert [] == [example.name for example in policy.examples("pass", "fail") if not policy.matches(example.body)]


def test_examples_when_sorted_by_kind_then_what_is_flagged_in_a_pod_is_flagged_in_a_cron_job(policy):
    judged = {resource for rule in rules(policy) for resource in rule["resources"]}
    if {"pods", "cronjobs"} <= judged and "containers" in {one["name"] for one in policy.body["spec"]["variables"]}:
        kinds = {example.body["kind"] for example in policy.examples("fail")}
        assert {"Pod", "CronJob", "Deployment"} <= kinds


@pytest.fixture(scope="session")
def pattern(policies_root):
    """The expressions that the house pattern allows for each variable."""
    page = (policies_root / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(variables:\n.*?)```", page, re.DOTALL)
    allowed = collections.defaultdict(set)
    for one in yaml.safe_load(block)["variables"]:
        allowed[one["name"]].add(one["expression"])
    return allowed


def test_variables_when_the_house_pattern_knows_them_then_they_are_written_that_way(policy, pattern):
    variables = policy.body["spec"].get("variables", [])
    names = [one["name"] for one in variables]
    assert sorted(set(names)) == sorted(names)
    for one in variables:
        assert one["expression"] in pattern.get(one["name"], {one["expression"]})


def test_list_of_policies_when_compared_then_it_is_current(policies, policies_root, request):
    file = policies_root / "README.md"
    head, _, listed = file.read_text(encoding="utf-8").partition(LIST)
    expected = "\n".join(table(policies))
    if request.config.getoption("--update-golden"):
        file.write_text(head + LIST + expected, encoding="utf-8")
        listed = expected
    assert expected == listed


def table(policies):
    packs = collections.defaultdict(list)
    for policy in policies:
        packs[policy.folder.parent.name].append(policy)
    for pack, members in sorted(packs.items()):
        yield f"### {pack}\n"
        yield "| policy | severity | default | finds |"
        yield "|---|---|---|---|"
        for one in members:
            marks = one.annotations
            yield f"| [{one.id}]({pack}/{one.id}/README.md) | {marks['severity']} | {marks['default']} | {summary(one)} |"
        yield ""

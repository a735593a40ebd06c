"""Every example gets the verdict that its folder says, from the expression language alone."""

import copy

import pytest

TEMPLATES = {
    "CronJob": ("batch/v1", ("jobTemplate", "spec", "template")),
    "DaemonSet": ("apps/v1", ("template",)),
    "Deployment": ("apps/v1", ("template",)),
    "Job": ("batch/v1", ("template",)),
    "ReplicaSet": ("apps/v1", ("template",)),
    "ReplicationController": ("v1", ("template",)),
    "StatefulSet": ("apps/v1", ("template",)),
}
"""Where each kind keeps its Pods."""


def with_pods_of(kind, pod):
    """Return a workload whose Pods are like a Pod."""
    version, path = TEMPLATES[kind]
    inner = {"metadata": {}, "spec": pod["spec"]}
    for name in reversed(path):
        inner = {name: inner}
    return {"apiVersion": version, "kind": kind, "metadata": pod["metadata"], "spec": inner}


def failing_pods(policy):
    return [example.body for example in policy.examples("fail") if example.body["kind"] == "Pod"]


def test_example_when_judged_then_the_verdict_is_that_of_its_folder(policy, example):
    assert example.is_fail == bool(policy.judge(example.body)), policy.judge(example.body)


def test_policy_when_an_example_fails_then_the_message_says_more_than_the_fixed_text(policy):
    fixed = {one["message"] for one in policy.body["spec"]["validations"]}
    said = {policy.judge(example.body) for example in policy.examples("fail")}
    assert set() == said & fixed
    assert all("\n" not in message and len(message) < 1000 for message in said)


@pytest.mark.parametrize("version", ["1.30", "1.33", "1.36"])
def test_policy_when_compiled_for_a_version_then_it_is_understood(policy, version):
    spec = policy.body["spec"]
    assert len(list(policy.compile(version))) == len(spec.get("variables", [])) + 2 * len(spec["validations"])


def test_policy_when_an_object_lacks_everything_then_there_is_still_a_verdict(policy):
    """Half-written manifests come to us, never to the API server: they must not end in errors of the expressions."""
    for kind in {example.body["kind"]: example for example in policy.examples()}.values():
        bare = {key: kind.body[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": "web"}}
        assert isinstance(policy.judge(bare), str)


def test_policy_when_a_pod_fails_then_every_kind_that_makes_it_fails_alike(policy):
    for pod in failing_pods(policy):
        workloads = [with_pods_of(kind, pod) for kind in TEMPLATES]
        for workload in filter(policy.matches, workloads):
            expected = policy.judge(pod).replace("Pod web", f"{workload['kind']} web")
            assert (workload["kind"], expected) == (workload["kind"], policy.judge(workload))


def test_policy_when_a_container_fails_then_it_fails_as_an_ephemeral_container_too(policy):
    resources = [
        name for rule in policy.body["spec"]["matchConstraints"]["resourceRules"] for name in rule["resources"]
    ]
    if "pods/ephemeralcontainers" in resources:
        for pod in failing_pods(policy):
            added = copy.deepcopy(pod)
            added["spec"]["ephemeralContainers"] = [added["spec"]["containers"].pop()]
            assert policy.judge(pod) == policy.judge(added)


def with_canary(value, canary):
    """Return a copy in which every literal value of a variable or a ConfigMap holds a canary."""
    if isinstance(value, list):
        return [with_canary(item, canary) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "ConfigMap":
        return value | {"data": {key: text + canary for key, text in value.get("data", {}).items()}}
    if isinstance(value.get("value"), str) and "name" in value:
        return value | {"value": value["value"] + canary}
    return {key: with_canary(item, canary) for key, item in value.items()}


def test_policy_when_it_speaks_of_an_object_then_it_never_shows_a_value_that_may_be_secret(policy):
    changed = [with_canary(example.body, "canary-5f1c") for example in policy.examples()]
    assert [] == [said for body in changed if "canary" in (said := policy.judge(body))]


def test_canary_when_put_into_an_example_then_it_gets_there(policies):
    by_id = {policy.id: policy for policy in policies}
    for name in ("literal-secret-env", "config-map-credentials"):
        bodies = [example.body for example in by_id[name].examples("fail")]
        assert all("canary" in str(with_canary(body, "canary-5f1c")) for body in bodies)


def test_registries_when_given_as_parameter_then_they_are_the_list(registry_case, policies):
    registries, image, is_admitted = registry_case
    (policy,) = [one for one in policies if one.id == "untrusted-registry"]
    body = next(example.body for example in policy.examples("pass") if example.body["kind"] == "Pod")
    body["spec"]["containers"][0]["image"] = image
    assert is_admitted == (policy.judge(body, {"data": {"registries": registries}}) == "")

"""Every example gets the verdict that its folder says, from the expression language alone."""

import pytest


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


def test_registries_when_given_as_parameter_then_they_are_the_list(registry_case, policies):
    registries, image, is_admitted = registry_case
    (policy,) = [one for one in policies if one.id == "untrusted-registry"]
    body = next(example.body for example in policy.examples("pass") if example.body["kind"] == "Pod")
    body["spec"]["containers"][0]["image"] = image
    assert is_admitted == (policy.judge(body, {"data": {"registries": registries}}) == "")

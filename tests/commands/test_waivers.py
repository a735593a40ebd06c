"""Waivers in `check` and `simulate`: what they silence, where they count, and how every format lists them."""

from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.report import FORMATS

POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: floating-tag}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations:
  - expression: object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))
    message: pin the image
"""
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: shop, app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:latest
"""
FOUND = ("web.yaml", 11, "floating-tag")
CONFIG = "policies: [policies]\nwaivers: [waivers]\n"
NONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n"
"""A file without waivers."""

Repo = Callable[..., Any]


def waiver(rules: str = "floating-tag", more: str = "", reason: str = "the vendor tags nothing else") -> str:
    reason = f"  reason: {reason}\n" if reason else ""
    head = "apiVersion: gitops-guard.io/v1\nkind: Waiver\nmetadata: {name: vendor}\nspec:\n"
    return f"{head}  rules: [{rules}]\n{reason}{more}"


def files(text: str, **more: str) -> dict[str, str]:
    base = {".gitops-guard.yaml": CONFIG, "policies/floating-tag/policy.yaml": POLICY, "web.yaml": WEB}
    return {**base, "waivers/vendor.yaml": text, **more}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(waiver(), id="everything"),
        pytest.param(waiver("floating-*, wrong-type"), id="globs"),
        pytest.param(waiver(more="  match: {kinds: [Deployment], namespaces: [sh*], names: ['w?b'], paths: ['*.yaml']}\n"), id="selectors"),
        pytest.param(waiver(more="  match: {kinds: [Service, Deployment.apps]}\n"), id="kinds"),
        pytest.param(waiver(more="  match: {labels: {team: 's*', app: web}}\n"), id="labels"),
        pytest.param(waiver(more="  containers: [sidecar, web]\n"), id="containers"),
        pytest.param(waiver(more="  fields: [spec.template.spec.containers]\n"), id="fields"),
        pytest.param(waiver(more="  expires: 2999-12-31\n"), id="until"),
    ],
)  # fmt: skip
def test_check_when_a_waiver_covers_a_finding_then_it_is_silenced_and_listed(repo: Repo, text: str) -> None:
    outcome = repo(files(text)).run("check")
    outcome.assert_clean()
    (listed,) = outcome.json()["waivers"]
    assert (1, "in force", "waivers/vendor.yaml") == (outcome.json()["suppressed"], listed["state"], listed["path"])
    assert [FOUND] == [(one["path"], one["line"], one["rule"]) for one in listed["findings"]]


@pytest.mark.parametrize(
    ("text", "rule", "state"),
    [
        pytest.param(waiver(more="  match: {names: [other]}\n"), "unused-suppression", "unused", id="another name"),
        pytest.param(waiver(more="  match: {labels: {team: other}}\n"), "unused-suppression", "unused", id="another label"),
        pytest.param(waiver(more="  match: {labels: {none: '*'}}\n"), "unused-suppression", "unused", id="no such label"),
        pytest.param(waiver(more="  containers: [sidecar]\n"), "unused-suppression", "unused", id="another container"),
        pytest.param(waiver("wrong-type"), "unused-suppression", "unused", id="another rule"),
        pytest.param(waiver("floating-tags"), "unused-suppression", "refused", id="no such rule"),
        pytest.param(waiver(more="  expires: 2020-12-31\n"), "suppression-expired", "expired", id="expired"),
        pytest.param(waiver(reason=""), "suppression-without-reason", "refused", id="no reason"),
    ],
)  # fmt: skip
def test_check_when_a_waiver_does_not_hold_then_the_finding_is_back_and_the_waiver_is_told(
    repo: Repo, text: str, rule: str, state: str
) -> None:
    outcome = repo(files(text)).run("check")
    outcome.assert_findings(FOUND, ("waivers/vendor.yaml", 1, rule))
    assert [state] == [one["state"] for one in outcome.json()["waivers"]]


def test_check_when_one_rule_of_an_expired_waiver_does_not_exist_then_it_silences_nothing(repo: Repo) -> None:
    outcome = repo(files(waiver("nosuch, floating-tag", "  expires: 2020-12-31\n"))).run("check")
    place = ("waivers/vendor.yaml", 1)
    outcome.assert_findings(FOUND, (*place, "unused-suppression"), (*place, "suppression-expired"))


def test_check_when_a_waiver_cannot_be_used_then_it_is_an_error_with_its_place_and_the_others_hold(repo: Repo) -> None:
    outcome = repo(files(f"{waiver()}---\n{waiver(more='  expire: 2999-12-31')}")).run("check")
    (error,) = outcome.json()["errors"]
    assert (2, [], "waivers/vendor.yaml", 14) == (
        outcome.code, outcome.json()["findings"], error["path"], error["line"],
    )  # fmt: skip
    assert 'did you mean "expires"?' in error["message"]


def test_check_when_a_waiver_lies_beside_policies_then_it_counts(repo: Repo) -> None:
    config = {".gitops-guard.yaml": "policies: [policies]\n", "policies/waivers.yaml": waiver()}
    sandbox = repo(files(NONE, **config))
    sandbox.run("check").assert_clean()


def test_check_when_a_waiver_lies_elsewhere_then_it_does_not_count_and_is_told(repo: Repo) -> None:
    outcome = repo(files(NONE, **{"apps/w.yaml": f"# ours\n{waiver()}"})).run("check")
    outcome.assert_findings(FOUND, ("apps/w.yaml", 2, "unused-suppression"))


def test_check_when_nothing_is_configured_then_a_waiver_is_no_unknown_kind_and_is_told(repo: Repo) -> None:
    sandbox = repo({"w.yaml": waiver(), ".gitops-guard.yaml": "missing-schema: error\n"}).commit()
    for _ in range(2):
        outcome = sandbox.run("check")
        outcome.assert_findings(("w.yaml", 1, "unused-suppression"))
        coverage = outcome.json()["coverage"]
        skipped = [one["reason"] for one in coverage["skipped"] if one["path"] == "w.yaml"]
        assert (0, ["waiver"]) == (coverage["resources"], skipped)


def test_check_when_waivers_are_at_a_revision_then_those_of_the_tree_do_not_count(repo: Repo) -> None:
    config = {".gitops-guard.yaml": CONFIG.replace("[waivers]", "[git+waivers@HEAD]")}
    sandbox = repo(files(waiver(more="  match: {names: [web]}\n"), **config)).commit()
    sandbox.stage({"waivers/vendor.yaml": waiver(), "other.yaml": WEB.replace("name: web,", "name: other,")})
    outcome = sandbox.run("check")
    place = ("waivers/vendor.yaml", 1, "unused-suppression")
    outcome.assert_findings(("other.yaml", 11, "floating-tag"), place)
    assert ["HEAD:waivers/vendor.yaml", "waivers/vendor.yaml"] == [one["path"] for one in outcome.json()["waivers"]]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        pytest.param("nowhere", "waivers: nowhere: no policy files there", id="nothing"),
        pytest.param("pack:security", "packs hold no waivers", id="pack"),
    ],
)
def test_check_when_what_is_named_holds_no_waivers_then_it_says_so(repo: Repo, named: str, message: str) -> None:
    outcome = repo({"web.yaml": WEB, ".gitops-guard.yaml": f"waivers: [{named}]\n"}).run("check")
    assert (2, True) == (outcome.code, message in outcome.err)


def test_check_of_some_files_then_a_waiver_is_not_called_unused(repo: Repo) -> None:
    sandbox = repo(files(waiver(), **{"web.yaml": WEB.replace(":latest", ":1")})).commit()
    sandbox.run("check", "web.yaml").assert_clean()
    sandbox.stage({"web.yaml": WEB.replace(":latest", ":2")}).run("check", "--staged").assert_clean()


def test_check_new_from_when_the_head_brings_finding_and_waiver_then_both_count_as_suppressions_do(repo: Repo) -> None:
    sandbox = repo(files(NONE, **{"web.yaml": WEB.replace(":latest", ":1")})).commit()
    sandbox.git("checkout", "--quiet", "-b", "head")
    sandbox.commit({"web.yaml": WEB, "waivers/vendor.yaml": waiver()})
    outcome = sandbox.run("check", "--new-from", "main")
    assert (0, [], "in force") == (outcome.code, outcome.json()["findings"], outcome.json()["waivers"][0]["state"])


def test_check_when_the_waiver_changes_then_what_is_remembered_does_not_hide_it(repo: Repo) -> None:
    sandbox = repo(files(waiver())).commit()
    for _ in range(2):
        sandbox.run("check", "--staged").assert_clean()
        sandbox.run("check").assert_clean()
    sandbox.stage({"waivers/vendor.yaml": waiver(more="  expires: 2020-12-31\n")})
    sandbox.run("check").assert_findings(FOUND, ("waivers/vendor.yaml", 1, "suppression-expired"))


def test_check_when_all_is_clean_then_an_unused_waiver_is_told_every_time(repo: Repo) -> None:
    config = {".gitops-guard.yaml": "waivers: [waivers]\n"}
    sandbox = repo({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", **config}).commit()
    sandbox.stage({"waivers/w.yaml": waiver("wrong-type")})
    for _ in range(3):
        sandbox.run("check").assert_findings(("waivers/w.yaml", 1, "unused-suppression"))


@pytest.mark.parametrize("name", FORMATS)
def test_check_when_a_waiver_holds_then_every_format_lists_it(repo: Repo, name: str) -> None:
    outcome = repo(files(waiver(more="  owner: team-a\n"))).call(["check", "--format", name])
    assert (0, True) == (outcome.code, "the vendor tags nothing else" in outcome.out)
    assert "team-a" in outcome.out


def test_check_when_a_waiver_holds_then_sarif_has_a_suppressed_result(repo: Repo) -> None:
    (run,) = repo(files(waiver())).run("check", "--format", "sarif").json()["runs"]
    (result,) = run["results"]
    (suppression,) = result["suppressions"]
    assert ("floating-tag", "external", "accepted") == (result["ruleId"], suppression["kind"], suppression["status"])


def test_simulate_when_a_waiver_covers_a_hazard_then_it_is_silenced(repo: Repo) -> None:
    sandbox = repo({"web.yaml": WEB, ".gitops-guard.yaml": "waivers: [waivers]\n"}).commit()
    sandbox.stage({"web.yaml": WEB.replace("web:latest", "web:edge"), "waivers/w.yaml": NONE}).commit()
    before = sandbox.run("simulate", "--from", "HEAD~1", "--format", "json").json()
    assert "mutable-image-tag" in {one["rule"] for one in before["hazards"]}
    text = waiver("mutable-image-tag", "  match: {labels: {app: web}}\n")
    sandbox.commit({"waivers/w.yaml": text})
    after = sandbox.run("simulate", "--from", "HEAD~2", "--format", "json").json()
    assert "mutable-image-tag" not in {one["rule"] for one in after["hazards"]}


def test_render_when_a_directory_holds_waivers_then_they_are_not_deployed(repo: Repo) -> None:
    sandbox = repo({"apps/web.yaml": WEB, "apps/w.yaml": waiver(), "waivers/w.yaml": waiver()})
    outcome = sandbox.call(["render"])
    assert (0, True, False) == (outcome.code, "kind: Deployment" in outcome.out, "Waiver" in outcome.out)

"""`check` follows references: in which runs, from which files, and never hidden by what is remembered."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          env:
            - name: COLOUR
              valueFrom:
                configMapKeyRef: {name: settings, key: colour}
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: red}\n"
WRONG = SETTINGS.replace("colour", "color")
FOUND = ("web.yaml", 15, "missing-config-key")
PLUGIN = """
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Problem, Severity


class Alone:
    id = "lonely-config-map"
    severity = Severity.WARNING
    kinds = ("ConfigMap",)
    summary = "A ConfigMap without a Deployment of its name."
    needs_references = True

    def check(self, resource, context):
        if not context.references.exists("Deployment", resource.id.name, resource.id.namespace):
            yield Problem(field=("metadata", "name"), message="alone")
        if context.references.selected({"matchLabels": {"app": "web"}})[0].name != "web":
            raise AssertionError


@hookimpl
def gitops_guard_rules():
    return [Alone()]
"""


@pytest.fixture
def repo(repo):
    """Make repositories in which no policies are asked, so that references stand alone."""

    def make(files=None):
        sandbox = repo({".gitops-guard.yaml": "policies: []\n", **(files or {})})
        sandbox.git("add", ".gitops-guard.yaml")
        return sandbox

    return make


def test_check_when_a_reference_is_broken_then_the_line_in_the_file_is_named(repo):
    outcome = repo({"web.yaml": WEB, "settings.yaml": WRONG}).run("check")
    outcome.assert_findings(FOUND)
    outcome.assert_code(1)


@pytest.mark.parametrize("arguments", [
    pytest.param((), id="everything"),
    pytest.param(("--staged", "."), id="whole index"),
    pytest.param(("web.yaml",), id="one file"),
    pytest.param(("--rev", "HEAD"), id="revision"),
    pytest.param(("--no-cache",), id="without cache"),
    pytest.param(("-j", "1"), id="one process"),
])  # fmt: skip
def test_check_when_more_than_a_hook_then_references_are_followed(repo, arguments):
    repo().commit({"web.yaml": WEB, "settings.yaml": WRONG}).run("check", *arguments).assert_findings(FOUND)


def test_check_staged_when_files_are_named_then_references_are_not_followed_and_no_suppression_is_unused(repo):
    text = WEB.replace("colour}", "colour}  # gitops-guard: ignore missing-config-key it is made by hand")
    sandbox = repo().stage({"web.yaml": text, "settings.yaml": WRONG})
    in_hook = sandbox.run("check", "--staged", "web.yaml")
    in_hook.assert_clean()
    assert "not followed" == json.loads(in_hook.out)["coverage"]["references"]
    everything = sandbox.run("check")
    everything.assert_clean()
    assert "references" not in json.loads(everything.out)["coverage"]


def test_check_from_when_only_the_target_changed_then_the_file_that_refers_to_it_is_not_its_business(repo):
    sandbox = repo().commit({"web.yaml": WEB, "settings.yaml": SETTINGS}).commit({"settings.yaml": WRONG})
    sandbox.run("check", "--from", "HEAD~1").assert_clean()
    sandbox.run("check").assert_findings(FOUND)


def test_check_when_another_file_changes_then_a_remembered_verdict_hides_nothing(repo):
    sandbox = repo().commit({"web.yaml": WEB, "settings.yaml": SETTINGS})
    for _ in range(2):
        sandbox.run("check").assert_clean()
    sandbox.write({"settings.yaml": WRONG}).run("check").assert_findings(FOUND)
    sandbox.write({"settings.yaml": SETTINGS}).run("check").assert_clean()
    sandbox.git("rm", "--quiet", "-f", "settings.yaml")
    sandbox.run("check").assert_findings(("web.yaml", 15, "missing-config-map"))


def modules_of(sandbox) -> set[str]:
    code = (
        "import sys, json; from gitops_guard.cli import main; main(sys.argv[1:]); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check"],
        cwd=sandbox.root, env={**os.environ, **sandbox.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_check_when_a_tree_was_fine_then_the_next_run_does_not_look_at_references(repo):
    sandbox = repo().commit({"web.yaml": WEB, "settings.yaml": SETTINGS})
    assert "gitops_guard.links.scene" in modules_of(sandbox)
    assert not {name for name in modules_of(sandbox) if name.startswith(("gitops_guard.links", "gitops_guard.model"))}


def test_check_when_a_kustomization_deploys_a_file_then_it_is_not_judged_as_it_is_written(repo):
    kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml]\n"
    sandbox = repo({"app/web.yaml": WEB, "app/kustomization.yaml": kustomization, "app/left-over.yaml": WEB})
    sandbox.run("check").assert_clean()


def test_check_when_the_configuration_says_so_then_severities_hold(repo):
    sandbox = repo({"web.yaml": WEB, "settings.yaml": WRONG})
    sandbox.write({".gitops-guard.yaml": "policies: []\nseverity: {missing-config-key: off}\n"}).run(
        "check"
    ).assert_clean()
    sandbox.write({".gitops-guard.yaml": "policies: []\nseverity: {missing-config-key: note}\n"}).run(
        "check"
    ).assert_code(0)


def test_check_when_a_plugins_rule_asks_for_references_then_it_gets_them(repo):
    sandbox = repo({"web.yaml": WEB, "settings.yaml": SETTINGS, "ours.py": PLUGIN})
    sandbox.run("check", "-p", "ours.py").assert_findings(("settings.yaml", 3, "lonely-config-map"))
    sandbox.git("add", "web.yaml", "settings.yaml")
    sandbox.run("check", "-p", "ours.py", "--staged", "settings.yaml").assert_clean()


def test_check_when_a_plugins_rule_fails_then_it_is_an_error_that_names_it(repo):
    outcome = repo({"settings.yaml": SETTINGS, "ours.py": PLUGIN}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "rule lonely-config-map failed on v1 ConfigMap settings: IndexError" in outcome.out


def test_check_when_a_list_holds_the_object_then_its_own_line_is_named(repo):
    items = "".join("  - " + one.replace("\n", "\n    ").rstrip(" ") for one in (WRONG, WEB))
    outcome = repo({"all.yaml": f"apiVersion: v1\nkind: List\nitems:\n{items}"}).run("check")
    outcome.assert_findings(("all.yaml", 22, "missing-config-key"))

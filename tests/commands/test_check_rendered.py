"""`gitops-guard check` judges what files are rendered to: which units, which findings, and where these stand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOYMENT = """apiVersion: apps/v1
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
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": DEPLOYMENT}
OVERLAY = {**BASE, "prod/kustomization.yaml": "resources: [../base]\npatches:\n  - path: patch.yaml\n"}
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n"
FLUX = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: own, namespace: flux-system}
spec: {url: https://example.com/own.git, interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1m
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: own}
  postBuild: {substitute: {count: many}}
"""


def inline(*lines: str) -> str:
    patch = [*PATCH.splitlines()[:4], *(f"  {line}" for line in lines)]
    return "resources: [../base]\npatches:\n  - patch: |\n" + "".join(f"      {line}\n" for line in patch)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {**OVERLAY, "prod/patch.yaml": PATCH.replace("2", "two")},
            [("prod/patch.yaml", 5, "wrong-type")],
            id="already-told-of-the-patch-itself",
        ),
        pytest.param(
            {**BASE, "prod/kustomization.yaml": inline("replcas: 2")},
            [("prod/kustomization.yaml", 3, "unknown-field")],
            id="in-line-patch",
        ),
        pytest.param(
            {**BASE, "base/web.yaml": DEPLOYMENT.replace("image:", "imagee:"), "a/kustomization.yaml": inline("x: 1")},
            [
                ("a/kustomization.yaml", 3, "unknown-field"),
                ("base/web.yaml", 11, "unknown-field"),
            ],
            id="a-base-is-told-once",
        ),
        pytest.param(
            {
                **BASE,
                "base/web.yaml": DEPLOYMENT.replace("  selector: {matchLabels: {app: web}}\n", ""),
                "prod/kustomization.yaml": "resources: [../base]\n"
                "labels: [{pairs: {app: web}, includeSelectors: true}]\n",
            },
            [],
            id="what-the-overlay-adds-is-not-missing",
        ),
        pytest.param(
            {
                "a/kustomization.yaml": "resources: [web.yaml]\n",
                "a/web.yaml": DEPLOYMENT.replace("  selector: {matchLabels: {app: web}}\n", ""),
            },
            [("a/web.yaml", 4, "missing-field")],
            id="what-nobody-adds-is-missing",
        ),
        pytest.param(
            {"flux.yaml": FLUX, "apps/web.yaml": DEPLOYMENT.replace("spec:\n", "spec:\n  replicas: ${count}\n", 1)},
            [("apps/web.yaml", 5, "wrong-type")],
            id="a-substituted-value",
        ),
    ],
)
def test_check_when_units_are_rendered_then_findings_stand_at_the_source(repo, files, expected):
    repo(files).run("check", "--policies", "none", "--format", "json").assert_findings(*expected)


def test_check_when_a_unit_is_wrong_then_the_finding_names_unit_and_number(repo):
    files = {**BASE, "a/kustomization.yaml": inline("x: 1"), "b/kustomization.yaml": "resources: [../a]\n"}
    files["c/kustomization.yaml"] = "resources: [../a]\nnamePrefix: c-\n"
    found = repo(files).run("check", "--policies", "none", "--format", "json").json()["findings"]
    assert [" (as rendered in kustomization b and 1 more unit)"] == [
        one["message"].removeprefix('unknown field "spec.x"') for one in found
    ]


@pytest.mark.parametrize(
    ("staged", "units"),
    [
        pytest.param(["base/web.yaml"], 2, id="base"),
        pytest.param(["one/patch.yaml"], 1, id="patch"),
        pytest.param(["two/app.properties"], 1, id="generator-file"),
        pytest.param(["plain/x.yaml"], 0, id="plain"),
        pytest.param(["one/kustomization.yaml", "plain/x.yaml"], 1, id="kustomization"),
    ],
)
def test_check_when_files_are_named_then_only_their_units_are_rendered(repo, staged, units):
    files = {
        **BASE,
        "one/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
        "one/patch.yaml": PATCH,
        "two/kustomization.yaml": "resources: [../base]\nconfigMapGenerator: [{name: c, files: [app.properties]}]\n",
        "two/app.properties": "a=b\n",
        "plain/x.yaml": CONFIG_MAP,
    }
    outcome = repo(files).stage().run("check", "--policies", "none", "--staged", *staged, "--format", "json")
    assert (0, units) == (outcome.code, outcome.json()["coverage"]["units"])


def test_check_when_a_base_loses_a_file_then_the_units_that_name_it_fail(repo):
    sandbox = repo(BASE).commit()
    sandbox.git("rm", "-q", "base/web.yaml")
    outcome = sandbox.run("check", "--staged", "--format", "text")
    outcome.assert_code(2)
    assert outcome.out.startswith("base/kustomization.yaml:1: could not check: ")


def test_check_when_rendering_is_off_then_only_files_count(repo):
    outcome = repo({**BASE, "prod/kustomization.yaml": inline("x: 1")}).run(
        "check", "--policies", "none", "--no-render", "--format", "text"
    )
    outcome.assert_clean()
    assert "rendered" not in outcome.out


def test_check_when_helm_is_missing_then_coverage_names_the_chart_and_the_run_passes(repo, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    files = {"charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"}
    files["charts/web/templates/a.yaml"] = "kind: {{ .Values.kind }}\n"
    outcome = repo(files).run("check", "--policies", "none", "--format", "text")
    outcome.assert_clean()
    assert (
        "not judged as rendered: 1 unit or part of one\n"
        "  charts/web/Chart.yaml:1: helm is not on PATH; install it from helm.sh\n"
    ) in outcome.out


def test_check_when_a_suppression_stands_at_the_source_then_it_holds_for_the_unit(repo):
    silenced = inline("x: 1").replace("  - patch", "  # gitops-guard: ignore unknown-field tried out\n  - patch")
    outcome = repo({**BASE, "prod/kustomization.yaml": silenced}).run("check", "--policies", "none", "--format", "text")
    outcome.assert_clean()
    assert "silenced by suppressions or the baseline: 1 finding" in outcome.out


def test_check_when_rendering_is_off_then_a_suppression_of_what_it_shows_is_not_called_unused(repo):
    silenced = inline("x: 1").replace("  - patch", "  # gitops-guard: ignore unknown-field tried out\n  - patch")
    idle = BASE["base/kustomization.yaml"] + "# gitops-guard: ignore unknown-field tried out\n"
    outcome = repo({**BASE, "prod/kustomization.yaml": silenced, "base/kustomization.yaml": idle}).run(
        "check", "--policies", "none", "--no-render", "--format", "text"
    )
    outcome.assert_clean()


def test_check_when_an_overlay_adds_what_a_policy_wants_then_the_base_is_not_blamed(repo):
    limits = "resources: {limits: {memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}"
    patch = inline("template:", "  spec:", f"    containers: [{{name: web, {limits}}}]")
    rules = {"missing-memory-limit", "missing-memory-request", "missing-cpu-request"}
    for files, expected in (({**BASE, "prod/kustomization.yaml": patch}, set()), (BASE, rules)):
        found = repo(files, name=f"repo{len(files)}").run("check", "--format", "json").json()["findings"]
        assert expected == rules & {one["rule"] for one in found}


def clean_path(sandbox, *arguments: str) -> str:
    """Return what the clean path alone says: empty where it steps aside."""
    probe = "import os, sys; from gitops_guard.commands import check_clean; print(check_clean.run(sys.argv[1:], os.environ))"
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments],
        cwd=sandbox.root, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


def test_clean_path_when_units_were_found_clean_then_it_says_the_same_as_the_full_path(repo):
    sandbox = repo({**BASE, "base/web.yaml": CONFIG_MAP}).stage()
    arguments = ["--staged", "base/web.yaml"]
    assert "None\n" == clean_path(sandbox, *arguments)
    full = sandbox.call(["check", *arguments])
    full.assert_clean()
    assert f"{full.out}0\n" == clean_path(sandbox, *arguments)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"prod/kustomization.yaml": inline("x: 1")}, id="a-new-overlay-spoils-it"),
        pytest.param({"base/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: x\n"}, id="another-build"),
        pytest.param({"flux.yaml": FLUX}, id="a-controller-deploys-it"),
    ],
)
def test_clean_path_when_another_file_decides_then_it_steps_aside(repo, change):
    sandbox = repo({**BASE, "base/web.yaml": CONFIG_MAP}).stage()
    sandbox.call(["check", "--staged", "base/web.yaml"]).assert_clean()
    sandbox.stage(change)
    assert "None\n" == clean_path(sandbox, "--staged", "base/web.yaml")


def test_clean_path_when_a_plain_tree_gets_a_flux_object_then_it_steps_aside(repo):
    sandbox = repo({"apps/web.yaml": CONFIG_MAP}).stage()
    assert clean_path(sandbox, "--staged", "apps/web.yaml").endswith("\n0\n")
    assert clean_path(sandbox, "apps/web.yaml").endswith("\n0\n")
    sandbox.write({"flux.yaml": FLUX})
    assert clean_path(sandbox, "--staged", "apps/web.yaml").endswith("\n0\n")
    assert "None\n" == clean_path(sandbox, "apps/web.yaml")
    sandbox.stage()
    assert "None\n" == clean_path(sandbox, "--staged", "apps/web.yaml")


def test_clean_path_when_only_the_compared_commit_had_no_units_then_it_steps_aside(repo):
    sandbox = repo({"apps/web.yaml": CONFIG_MAP}).commit()
    sandbox.commit({"apps/kustomization.yaml": "resources: [web.yaml]\n", "x/kustomization.yaml": inline("x: 1")})
    sandbox.run("check", "--policies", "none", "--staged", "apps/web.yaml", "--new-from", "HEAD^")
    sandbox.call(["check", "--staged", "apps/web.yaml", "--new-from", "HEAD^"])
    assert "None\n" == clean_path(sandbox, "--staged", "apps/web.yaml") or "rendered: " in clean_path(
        sandbox, "--staged", "apps/web.yaml"
    )


def test_check_when_compared_with_a_commit_then_only_new_findings_of_units_are_told(repo):
    sandbox = repo({**BASE, "prod/kustomization.yaml": inline("x: 1")}).commit()
    sandbox.commit({"prod/kustomization.yaml": inline("x: 1", "y: 2")})
    outcome = sandbox.run("check", "--policies", "none", "--from", "HEAD^", "--new-from", "HEAD^")
    outcome.assert_findings(("prod/kustomization.yaml", 3, "unknown-field"))
    assert "spec.y" in outcome.out

"""The example plugin as a user has it: built, installed beside gitops-guard, and found through its entry point."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1"}]}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install the plugin into a folder of its own, so that no other test meets it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache")
    copy = shutil.copytree(ROOT / "examples" / "plugin", source / "plugin", ignore=unwanted)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, copy], check=True, timeout=100)
    return target


def check(site: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return command(site, folder, "check", "--fail-on", "warning", "--policies", "none", **environment)


def command(site: Path, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    paths = os.pathsep.join([str(ROOT), str(site)])
    environment = {**os.environ, "PYTHONPATH": paths, "XDG_CACHE_HOME": str(folder / ".cache"), **environment}
    line = [sys.executable, "-m", "gitops_guard", *arguments]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_check_when_the_plugin_is_installed_then_its_rule_finds(site, tmp_path):
    (tmp_path / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    done = check(site, tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("web.yaml:3:1: warning missing-team-label: metadata.labels[team]: Required value: ")


def test_check_when_an_option_names_another_label_then_that_label_counts(site, tmp_path):
    labelled = DEPLOYMENT.replace("  name: web\n", "  name: web\n  labels: {owner: web}\n", 1)
    (tmp_path / "web.yaml").write_text(labelled, encoding="utf-8")
    (tmp_path / ".gitops-guard.yaml").write_text("rules: {missing-team-label: {label: owner}}\n", encoding="utf-8")
    assert check(site, tmp_path).returncode == 0


def test_check_when_plugins_are_disabled_then_the_rule_is_silent(site, tmp_path):
    (tmp_path / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    assert check(site, tmp_path, GITOPS_GUARD_DISABLE_PLUGINS="1").returncode == 0


def test_rules_and_explain_when_the_plugin_is_installed_then_name_and_page_are_its_own(site, tmp_path):
    row = next(line for line in command(site, tmp_path, "rules").stdout.splitlines() if "team-label" in line)
    assert row.split()[:4] == ["missing-team-label", "warning", "gitops-guard-team-label", "1.0.0"]
    page = ROOT / "examples" / "plugin" / "gitops_guard_team_label" / "missing-team-label.md"
    assert command(site, tmp_path, "explain", "missing-team-label").stdout == page.read_text(encoding="utf-8")


def test_the_plugins_own_tests_when_it_is_installed_then_they_pass(site, tmp_path):
    folder = shutil.copytree(ROOT / "examples" / "plugin" / "tests", tmp_path / "tests")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    environment.pop("PYTEST_XDIST_WORKER", None)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout

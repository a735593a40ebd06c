"""Our hooks as their users have them: pre-commit clones this repository, installs it, and runs it in real commits."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_manifest

from gitops_guard.testing import Sandbox, scrubbed_environment

ROOT = Path(__file__).parents[1]
HOOKS = [hook["id"] for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))]
SHIPPED = ("gitops_guard", "policies", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BAD = GOOD + "dta: 1\n"
# Building the environment downloads the dependencies: half a minute, or more on a busy machine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture(scope="module")
def published(home) -> tuple[str, str]:
    """Commit what we ship into a repository of its own; return its path and revision."""
    source = Sandbox(home / "published", scrubbed_environment(home))
    source.root.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source.root / name)
    source.git("init", "--quiet")
    source.commit()
    return str(source.root), source.git("rev-parse", "HEAD").strip()


def clone(hook: str, folder: Path, home: Path, published: tuple[str, str]) -> Sandbox:
    """Make a repository that uses one of our hooks, with pre-commit installed in it."""
    environment = {**scrubbed_environment(home), "PRE_COMMIT_HOME": str(home / "cache")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment.pop("PYTHONPATH", None)  # the hook must run what pre-commit installed
    sandbox = Sandbox(folder / hook, environment)
    sandbox.root.mkdir()
    sandbox.git("init", "--quiet", "--initial-branch", "main")
    config = {"repos": [{"repo": published[0], "rev": published[1], "hooks": [{"id": hook}]}]}
    sandbox.commit({".pre-commit-config.yaml": yaml.safe_dump(config), "a.yaml": GOOD})
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
        cwd=sandbox.root, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox


def commit(sandbox: Sandbox, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["git", "commit", "--message", "change", *arguments],
        cwd=sandbox.root, env=sandbox.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_every_shipped_hook_when_run_by_pre_commit_then_what_is_committed_is_checked(home, published, tmp_path):
    assert HOOKS
    for hook in HOOKS:  # one test, so that the environment is built once however the tests are spread
        sandbox = clone(hook, tmp_path, home, published)
        commits_of_the_index(sandbox)
        commits_of_the_work_tree(sandbox)


def commits_of_the_index(sandbox: Sandbox) -> None:
    sandbox.stage({"a.yaml": BAD}).write({"a.yaml": GOOD})  # the work tree is good, the index is not
    code, output = commit(sandbox)
    assert code == 1
    assert "a.yaml:4:1: error unknown-field" in output
    sandbox.stage({"a.yaml": GOOD + "data: {b: c}\n"}).write({"a.yaml": BAD})
    code, output = commit(sandbox)
    assert code == 0, output
    assert "Passed" in output


def commits_of_the_work_tree(sandbox: Sandbox) -> None:
    sandbox.write({"a.yaml": BAD})
    assert commit(sandbox, "--all")[0] == 1
    assert commit(sandbox, "a.yaml")[0] == 1
    sandbox.write({"a.yaml": GOOD + "data: {b: again}\n"})
    code, output = commit(sandbox, "a.yaml")
    assert code == 0, output

"""`gitops-guard install-hook`: real commits through the hook that it writes."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BAD = GOOD + "dta: 1\n"
FOREIGN = "#!/bin/sh\necho foreign >> foreign.log\nexit ${FOREIGN_EXIT:-0}\n"


@pytest.fixture
def clone(repo):
    """Make a repository with one commit whose hooks find this checkout."""
    sandbox = repo({".gitignore": "*.log\n"}).commit({"a.yaml": GOOD})
    sandbox.environment["PYTHONPATH"] = str(ROOT)
    return sandbox


def commit(sandbox, *arguments, directory="."):
    return subprocess.run(
        ["git", "commit", "--quiet", "--message", "change", *arguments],
        cwd=sandbox.root / directory, env=sandbox.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def hook(sandbox) -> Path:
    return sandbox.root / ".git" / "hooks" / "pre-commit"


def foreign(sandbox) -> None:
    hook(sandbox).parent.mkdir(exist_ok=True)
    hook(sandbox).write_text(FOREIGN)
    hook(sandbox).chmod(0o755)


def test_install_then_the_hook_is_executable_and_names_this_interpreter(clone):
    clone.run("install-hook").assert_code(0)
    assert hook(clone).stat().st_mode & stat.S_IXUSR
    assert f"exec {sys.executable} -P -m gitops_guard check --staged" in hook(clone).read_text()


@pytest.mark.parametrize(
    ("staged", "arguments"),
    [
        pytest.param(True, [], id="commit"),
        pytest.param(False, ["--all"], id="commit -a"),
        pytest.param(False, ["a.yaml"], id="commit PATH"),
    ],
)
def test_commit_when_the_change_is_bad_then_refused_and_when_it_is_good_then_made(clone, staged, arguments):
    clone.run("install-hook").assert_code(0)
    for content, code in ((BAD, 1), (GOOD + "data: {b: c}\n", 0)):
        clone.write({"a.yaml": content})
        if staged:
            clone.git("add", "a.yaml")
        done = commit(clone, *arguments)
        assert code == done.returncode, done.stderr
        assert ("a.yaml:4:1: error unknown-field" in done.stdout + done.stderr) is bool(code)
    assert "2" == clone.git("rev-list", "--count", "HEAD").strip()


def test_commit_path_when_something_else_that_is_staged_is_bad_then_only_the_path_counts(clone):
    clone.run("install-hook").assert_code(0)
    clone.write({"a.yaml": GOOD + "data: {b: c}\n"}).stage({"other.yaml": BAD.replace("name: a", "name: b")})
    clone.git("reset", "--quiet", "a.yaml")
    assert 0 == commit(clone, "a.yaml").returncode
    assert 1 == commit(clone).returncode


def test_commit_that_ends_a_merge_then_what_the_merge_brings_is_checked(clone):
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit({"a.yaml": GOOD + "data: {b: topic}\n"})
    clone.git("checkout", "--quiet", "main")
    clone.commit({"a.yaml": GOOD + "data: {b: main}\n"})
    clone.run("install-hook").assert_code(0)
    merged = subprocess.run(
        ["git", "merge", "--quiet", "topic"], cwd=clone.root, env=clone.environment, check=False, capture_output=True
    )
    assert 1 == merged.returncode
    clone.stage({"a.yaml": BAD})
    assert 1 == commit(clone).returncode
    clone.stage({"a.yaml": GOOD + "data: {b: both}\n"})
    done = commit(clone)
    assert 0 == done.returncode, done.stderr
    assert 3 == len(clone.git("rev-list", "--parents", "-1", "HEAD").split())


def test_commit_in_a_linked_work_tree_then_the_same_hook_checks_it(clone, tmp_path):
    clone.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    clone.run("install-hook", directory="../linked").assert_code(0)
    assert hook(clone).exists()
    (tmp_path / "linked" / "a.yaml").write_text(BAD)
    assert 1 == commit(clone, "--all", directory="../linked").returncode


def test_commit_when_the_repository_holds_modules_of_ours_then_they_are_not_run(clone):
    clone.run("install-hook").assert_code(0)
    clone.stage({"yaml.py": "raise SystemExit(0)\n", "gitops_guard/__init__.py": "", "a.yaml": BAD})
    assert 1 == commit(clone).returncode


@pytest.mark.parametrize("place", ["githooks", "~/hooks", "absolute"])
def test_install_when_core_hooks_path_is_set_then_it_is_honoured(clone, tmp_path, place):
    wanted = {"githooks": clone.root / "githooks", "~/hooks": Path(clone.environment["HOME"]) / "hooks"}
    folder = wanted.get(place, tmp_path / "hooks dir")
    clone.git("config", "core.hooksPath", place if place in wanted else str(folder))
    clone.run("install-hook").assert_code(0)
    assert (folder / "pre-commit").exists()
    clone.write({"a.yaml": BAD})
    assert 1 == commit(clone, "--all").returncode


def test_install_when_another_hook_is_there_then_it_is_refused_and_kept(clone):
    foreign(clone)
    outcome = clone.run("install-hook")
    outcome.assert_code(2)
    assert "is another tool's hook and stays as it is" in outcome.err
    assert FOREIGN == hook(clone).read_text()


def test_install_force_when_another_hook_is_there_then_both_run_and_either_can_refuse(clone):
    foreign(clone)
    outcome = clone.run("install-hook", "--force")
    outcome.assert_code(0)
    assert "runs first" in outcome.out
    clone.write({"a.yaml": BAD})
    assert 1 == commit(clone, "--all").returncode
    clone.write({"a.yaml": GOOD + "data: {b: c}\n"})
    clone.environment["FOREIGN_EXIT"] = "7"
    assert 1 == commit(clone, "--all").returncode
    clone.environment["FOREIGN_EXIT"] = "0"
    assert 0 == commit(clone, "--all").returncode
    assert "foreign\n" * 3 == (clone.root / "foreign.log").read_text()


def test_install_force_when_a_hook_was_kept_before_then_neither_is_lost(clone):
    foreign(clone)
    clone.run("install-hook", "--force").assert_code(0)
    foreign(clone)
    outcome = clone.run("install-hook", "--force")
    outcome.assert_code(2)
    assert "pre-commit.before is there already" in outcome.err
    assert FOREIGN == hook(clone).read_text()


def test_install_twice_then_the_hook_is_written_anew(clone):
    clone.run("install-hook").assert_code(0)
    clone.run("install-hook").assert_code(0)
    assert not hook(clone).with_name("pre-commit.before").exists()


def test_uninstall_then_our_hook_is_gone_and_the_one_before_is_back(clone):
    foreign(clone)
    clone.run("install-hook", "--force").assert_code(0)
    clone.run("install-hook", "--uninstall").assert_code(0)
    assert FOREIGN == hook(clone).read_text()
    assert os.access(hook(clone), os.X_OK)


def test_uninstall_when_the_hook_is_not_ours_then_it_is_kept(clone):
    foreign(clone)
    clone.run("install-hook", "--uninstall").assert_code(2)
    assert FOREIGN == hook(clone).read_text()
    hook(clone).unlink()
    clone.run("install-hook", "--uninstall").assert_code(0)


def test_install_outside_of_git_then_a_clear_error(repo, tmp_path):
    (tmp_path / "plain").mkdir()
    outcome = repo().run("install-hook", directory="../plain")
    outcome.assert_code(2)
    assert "is in no Git repository" in outcome.err

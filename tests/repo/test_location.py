import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.repo.location import find_git_dir, git_environment


def _by_git(directory: Path) -> tuple[str, str]:
    import subprocess

    done = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir", "--show-toplevel"], cwd=directory, capture_output=True, check=True
    )
    git_dir, top = done.stdout.decode().splitlines()
    return os.path.realpath(git_dir), os.path.realpath(top)


def _root(sandbox: Any, tmp_path: Path) -> Path:
    return sandbox.root  # type: ignore[no-any-return]


def _below(sandbox: Any, tmp_path: Path) -> Path:
    return sandbox.root / "apps" / "web"  # type: ignore[no-any-return]


def _linked(sandbox: Any, tmp_path: Path) -> Path:
    sandbox.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    return tmp_path / "linked" / "apps"


def _submodule(sandbox: Any, tmp_path: Path) -> Path:
    sandbox.git("clone", "--quiet", ".", str(tmp_path / "inner"))
    sandbox.git("submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
    return sandbox.root / "inner"  # type: ignore[no-any-return]


def _through_a_link(sandbox: Any, tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(sandbox.root / "apps")
    return tmp_path / "link" / "web"


@pytest.mark.parametrize("place", [_root, _below, _linked, _submodule, _through_a_link])
def test_find_when_in_a_work_tree_agrees_with_git(
    sandbox: Any, tmp_path: Path, place: Callable[[Any, Path], Path]
) -> None:
    sandbox.commit({"apps/web/a.yaml": b"1"})
    directory = place(sandbox, tmp_path)
    found = find_git_dir(str(directory))
    assert found is not None
    assert _by_git(directory) == (found.git_dir, found.work_tree)
    assert os.path.join(found.git_dir, "index") == found.index_file
    assert found.variables == {}


def test_find_when_outside_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()  # an empty directory is no repository
    assert find_git_dir(str(tmp_path)) is None


@pytest.mark.parametrize("text", [b"", b"gitdir: nowhere", b"\xff\xfe", b"x" * 10_000])
def test_find_when_the_git_file_is_broken_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / ".git").write_bytes(text)
    assert find_git_dir(str(tmp_path)) is None


def test_find_when_bare_has_no_work_tree(init: Callable[..., Any]) -> None:
    sandbox = init("bare.git", "--bare")
    found = find_git_dir(str(sandbox.root / "objects"))
    assert found is not None
    assert (str(sandbox.root), None) == (found.git_dir, found.work_tree)


def test_find_when_inside_the_git_directory_has_no_work_tree(sandbox: Any) -> None:
    found = find_git_dir(str(sandbox.root / ".git" / "refs"))
    assert found is not None
    assert found.work_tree is None


def test_find_when_a_hook_names_an_index_uses_it(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sandbox.root)
    found = find_git_dir(".", {"GIT_INDEX_FILE": ".git/next-index-1.lock"})
    assert found is not None
    assert str(sandbox.root / ".git" / "next-index-1.lock") == found.index_file


def test_find_when_a_hook_of_another_repository_runs_ignores_its_environment(
    init: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, other = init("hook"), init("other")
    monkeypatch.chdir(hook.root)
    for env in ({"GIT_INDEX_FILE": ".git/x"}, {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/x"}):
        found = find_git_dir(str(other.root), env)
        assert found is not None
        assert (str(other.root / ".git" / "index"), {}) == (found.index_file, found.variables)


def test_find_when_git_dir_and_work_tree_are_told_uses_them(
    init: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = init("dotfiles.git", "--bare")
    (tmp_path / "files" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    found = find_git_dir("files/sub", {"GIT_DIR": "dotfiles.git", "GIT_WORK_TREE": "files"})
    assert found is not None
    assert (str(sandbox.root), str(tmp_path / "files")) == (found.git_dir, found.work_tree)
    assert {"GIT_DIR": str(sandbox.root), "GIT_WORK_TREE": str(tmp_path / "files")} == found.variables


def test_find_when_git_dir_is_told_and_bare_has_no_work_tree(
    init: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = init("store.git", "--bare")
    monkeypatch.chdir(sandbox.root)
    found = find_git_dir(".", {"GIT_DIR": "."})
    assert found is not None
    assert (str(sandbox.root), None) == (found.git_dir, found.work_tree)


def test_environment_when_made_names_no_other_repository(sandbox: Any) -> None:
    found = find_git_dir(str(sandbox.root), {})
    assert found is not None
    made = git_environment(
        found, {"GIT_DIR": "/x", "GIT_WORK_TREE": "/y", "GIT_INDEX_FILE": "z", "GIT_CONFIG_COUNT": "0", "PATH": "/bin"}
    )
    assert {"GIT_CONFIG_COUNT": "0", "PATH": "/bin"}.items() <= made.items()
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} & set(made)

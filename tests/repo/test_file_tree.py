import os
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.errors import RepoError
from gitops_guard.repo.filters import filtered_reason
from gitops_guard.repo.repository import open_tree
from gitops_guard.repo.tree import shown


def _plain(tmp_path: Path, *names: str) -> Path:
    root = tmp_path / "plain"
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_directory_when_it_holds_repositories_skips_only_their_git_directories(tmp_path: Path) -> None:
    root = _plain(tmp_path, "a", "one/.git/config", "one/b")
    assert [entry.path for entry in open_tree(str(root)).entries()] == ["a", "one/b"]


def test_directory_when_it_holds_pipes_and_sockets_skips_them(tmp_path: Path) -> None:
    root = _plain(tmp_path, "a")
    os.mkfifo(root / "pipe")
    assert [entry.path for entry in open_tree(str(root)).entries()] == ["a"]


def test_directory_when_a_link_leads_round_does_not_follow_it(tmp_path: Path) -> None:
    root = _plain(tmp_path, "a/b")
    (root / "a" / "round").symlink_to("..")
    assert [entry.path for entry in open_tree(str(root)).entries()] == ["a/b", "a/round"]


def test_read_when_directories_nest_deeper_than_python_calls_reads(tmp_path: Path) -> None:
    parents = [tmp_path / "/".join(["d"] * depth) for depth in range(1, 1201)]
    for parent in parents:
        parent.mkdir()
    file = parents[-1] / "file"
    file.write_bytes(b"deep")
    try:
        assert open_tree(str(tmp_path)).read("d/" * 1200 + "file") == b"deep"
    finally:
        file.unlink()
        for parent in reversed(parents):  # the recursive removal of temporary directories would not come to the end
            parent.rmdir()


def test_read_when_a_directory_became_a_link_refuses(tmp_path: Path) -> None:
    root = _plain(tmp_path, "x/y/file")
    tree = open_tree(str(root))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("secret")
    (root / "x" / "y" / "file").unlink()
    (root / "x" / "y").rmdir()
    (root / "x" / "y").symlink_to(tmp_path / "outside")
    with pytest.raises(RepoError, match="x/y/file: x/y is no directory here, and links are not followed"):
        tree.read("x/y/file")


def test_read_when_a_tracked_directory_became_a_link_refuses(sandbox: Any, tmp_path: Path) -> None:
    sandbox.commit({"dir/file": b"tracked"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("secret!")
    (sandbox.root / "dir" / "file").unlink()
    (sandbox.root / "dir").rmdir()
    (sandbox.root / "dir").symlink_to(tmp_path / "outside")
    tree = open_tree(str(sandbox.root))
    with pytest.raises(RepoError):
        tree.read("dir/file")


def _to_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _to_pipe(path: Path) -> None:
    os.mkfifo(path)


def _to_directory(path: Path) -> None:
    path.mkdir()


def _to_nothing(path: Path) -> None:
    """Leave it removed."""


@pytest.mark.parametrize(
    ("become", "message"),
    [
        pytest.param(_to_link, "a: cannot be read .*; check that it exists", id="link"),
        pytest.param(_to_pipe, "a: is not a regular file; remove it or exclude it", id="pipe"),
        pytest.param(_to_directory, "a: (cannot be read|is not a regular file)", id="directory"),
        pytest.param(_to_nothing, "a: cannot be read .No such file or directory.; check that it exists", id="nothing"),
    ],
)
def test_read_when_the_file_became_something_else_refuses(tmp_path: Path, become: Any, message: str) -> None:
    root = _plain(tmp_path, "a")
    tree = open_tree(str(root))
    (root / "a").unlink()
    become(root / "a")
    with pytest.raises(RepoError, match=message):
        tree.read("a")


def test_read_when_the_file_is_huge_does_not_load_it(tmp_path: Path) -> None:
    root = _plain(tmp_path, "a")
    with (root / "a").open("wb") as file:
        file.truncate(1 << 40)  # sparse: reading it would take all memory
    with pytest.raises(RepoError, match="1,099,511,627,776 bytes are above the limit of 33,554,432"):
        open_tree(str(root)).read("a")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a b/ü.yaml", "a b/ü.yaml", id="plain"),
        pytest.param("a\nb\x1b[31m", "a\\nb\\x1b[31m", id="control"),
        pytest.param("\udce9", "\\udce9", id="undecodable"),
        pytest.param("a\u202eb", "a\\u202eb", id="direction override"),
    ],
)
def test_shown_when_odd_is_printable(path: str, text: str) -> None:
    assert text == shown(path)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 1\n", "Git LFS pointer", id="lfs"
        ),
        pytest.param(b"version https://hawser.github.com/spec/v1\n", "Git LFS pointer", id="hawser"),
        pytest.param(b"\0GITCRYPT\0\x12\x34", "git-crypt file", id="git-crypt"),
        pytest.param(b"apiVersion: v1\n", None, id="manifest"),
        pytest.param(b"version: https://git-lfs.github.com/spec/v1\n", None, id="yaml"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_filtered_reason_when_given_a_head_names_the_filter(head: bytes, reason: str | None) -> None:
    assert reason == filtered_reason(head)


@pytest.mark.parametrize("said", [0, 3, 10, 5_000_000])
def test_read_when_a_file_has_changed_its_size_since_it_was_asked_for_then_all_of_it_is_read(
    tmp_path, monkeypatch, said
):
    (tmp_path / "grown.yaml").write_bytes(b"0123456789" * 200_000)
    tree = open_tree(str(tmp_path))
    real = os.fstat

    def fstat(descriptor):
        found = real(descriptor)
        return os.stat_result((*found[:6], said, *found[7:]))

    monkeypatch.setattr(os, "fstat", fstat)

    assert b"0123456789" * 200_000 == tree.read("grown.yaml")


def test_read_when_a_file_grows_past_the_limit_then_it_is_too_large(tmp_path, monkeypatch):
    (tmp_path / "grown.yaml").write_bytes(b"0" * 2000)
    tree = open_tree(str(tmp_path), max_bytes=1000)
    real = os.fstat
    monkeypatch.setattr(
        os, "fstat", lambda descriptor: os.stat_result((*real(descriptor)[:6], 10, *real(descriptor)[7:]))
    )

    with pytest.raises(RepoError, match="1,000"):
        tree.read("grown.yaml")

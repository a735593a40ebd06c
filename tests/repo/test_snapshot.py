import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.repo.index import INTENT_TO_ADD, SKIP_WORKTREE, blob_id, parse_index
from gitops_guard.repo.snapshot import compare_with_index, worktree_snapshot

Ids = dict[str, bytes | None]


def _ids(root: Path) -> Ids:
    """Return the snapshot's ids by path, having checked the promise: an id is that of the file's own bytes."""
    snapshot = worktree_snapshot(str(root))
    assert snapshot is not None
    assert [entry[0] for entry in snapshot] == sorted({entry[0] for entry in snapshot})
    for path, mode, blob, size in snapshot:
        full = os.path.join(os.fsencode(root), path)
        if mode in (0o100644, 0o100755):
            data = Path(os.fsdecode(full)).read_bytes()
            assert size == len(data)
            assert blob in (None, blob_id(data))
    return {os.fsdecode(path): blob for path, _, blob, _ in snapshot}


def _known(root: Path) -> set[str]:
    return {path for path, blob in _ids(root).items() if blob is not None}


def test_snapshot_when_nothing_changed_knows_every_id(sandbox: Any) -> None:
    sandbox.commit({"a.yaml": b"1", "b/c.yaml": b"2", "empty.yaml": b""})
    sandbox.age()
    assert {"a.yaml": blob_id(b"1"), "b/c.yaml": blob_id(b"2"), "empty.yaml": blob_id(b"")} == _ids(sandbox.root)


def test_snapshot_when_changed_deleted_or_new_has_no_id(sandbox: Any) -> None:
    sandbox.commit({"same": b"1", "changed": b"1", "deleted": b"1", "touched": b"1"})
    sandbox.age()
    sandbox.write({"changed": b"2", "new": b"3"})
    (sandbox.root / "deleted").unlink()
    (sandbox.root / "touched").touch()
    assert {"same": blob_id(b"1"), "changed": None, "new": None, "touched": None} == _ids(sandbox.root)


def test_snapshot_when_the_file_is_as_young_as_the_index_has_no_id(sandbox: Any) -> None:
    sandbox.commit({"racy": b"1", "old": b"1"})
    sandbox.age()
    index = sandbox.root / ".git" / "index"
    os.utime(index, ns=(1, 1_600_000_000_000_000_000))
    assert set() == _known(sandbox.root)
    os.utime(index, ns=(1, 1_600_000_000_000_000_001))
    assert {"racy", "old"} == _known(sandbox.root)


def test_snapshot_when_changed_in_the_tick_of_the_index_is_never_wrong(sandbox: Any) -> None:
    for turn in range(20):
        sandbox.write({"racy": b"%04d" % turn})
        sandbox.git("add", "racy")
        sandbox.write({"racy": b"%04d" % (turn + 5000)})  # same size, perhaps the same tick
        _ids(sandbox.root)


def test_snapshot_when_git_marked_an_entry_racy_by_size_has_no_id(sandbox: Any) -> None:
    sandbox.commit({"file": b"1"})
    sandbox.age()
    entries = parse_index((sandbox.root / ".git" / "index").read_bytes())
    assert entries is not None
    path, blob, mode, flags, stat = entries[0]
    sandbox.write({"file": b""})
    now = os.lstat(sandbox.root / "file")
    seconds = (now.st_ctime_ns // 10**9, now.st_ctime_ns % 10**9, now.st_mtime_ns // 10**9, now.st_mtime_ns % 10**9)
    smudged = (*seconds, *stat[4:9], 0, *stat[10:])
    found = compare_with_index(os.fsencode(sandbox.root), [(path, blob, mode, flags, smudged)], now.st_mtime_ns + 1)
    assert found == [(b"file", 0o100644, None, 0)]


@pytest.mark.parametrize(
    ("flags", "known"), [(0, True), (0x1000, False), (0x3000, False), (INTENT_TO_ADD, False), (SKIP_WORKTREE, True)]
)
def test_compare_when_the_entry_is_not_what_is_staged_has_no_id(sandbox: Any, flags: int, known: bool) -> None:
    sandbox.commit({"file": b"1"})
    sandbox.age()
    index = sandbox.root / ".git" / "index"
    entries = parse_index(index.read_bytes())
    assert entries is not None
    path, blob, mode, _, stat = entries[0]
    found = compare_with_index(os.fsencode(sandbox.root), [(path, blob, mode, flags, stat)], index.stat().st_mtime_ns)
    assert [(b"file", 0o100644, blob if known else None, 1)] == found


@pytest.mark.parametrize(
    ("attributes", "known"),
    [
        pytest.param(b"", {"a.yaml", "b.png", "sub/c.txt"}, id="empty"),
        pytest.param(
            b"*.png binary\n*.yaml diff=sops -text\n# * text\n", {"a.yaml", "b.png", "sub/c.txt"}, id="harmless"
        ),
        pytest.param(b"*.png filter=lfs diff=lfs merge=lfs -text", {"a.yaml", "sub/c.txt"}, id="lfs"),
        pytest.param(b"*.PNG filter=lfs", {"a.yaml", "sub/c.txt"}, id="case"),
        pytest.param(b"* text=auto", set(), id="text auto"),
        pytest.param(b"*.yaml eol=crlf", {"b.png", "sub/c.txt"}, id="eol"),
        pytest.param(b"/sub/** ident", set(), id="directory pattern"),
        pytest.param(b'"*.t xt" text', set(), id="quoted"),
        pytest.param(b"[attr]mine text\n", set(), id="macro"),
        pytest.param(b"a.yaml working-tree-encoding=UTF-16", set(), id="encoding"),
    ],
)
@pytest.mark.parametrize(
    "place", [".gitattributes", "sub/.gitattributes", ".git/info/attributes", "untracked", "ignored", "personal"]
)
def test_snapshot_when_attributes_may_convert_has_no_id(
    sandbox: Any, attributes: bytes, known: set[str], place: str
) -> None:
    sandbox.commit({"a.yaml": b"1", "b.png": b"2", "sub/c.txt": b"3"})
    _write_attributes(sandbox, place, attributes)
    sandbox.age()
    assert known == {path for path in _known(sandbox.root) if not path.startswith(".git") and "/.git" not in path}


def _write_attributes(sandbox: Any, place: str, text: bytes) -> None:
    if place == "personal":
        sandbox.write({"../attributes": text})
        sandbox.git("config", "core.attributesFile", str(sandbox.root / ".." / "attributes"))
        return
    name = ".gitattributes" if place in {"untracked", "ignored"} else place
    sandbox.write({name: text})
    if place == "ignored":
        sandbox.write({".gitignore": b".*\n"})
    elif place not in {"untracked", ".git/info/attributes"}:
        sandbox.git("add", name)


@pytest.mark.parametrize("value", ["true", "input", "1"])
def test_snapshot_when_autocrlf_is_on_has_no_id(sandbox: Any, value: str) -> None:
    sandbox.git("config", "core.autocrlf", value)
    sandbox.commit({"a.yaml": b"1\r\n2\r\n"})
    sandbox.age()
    assert _ids(sandbox.root) == {"a.yaml": None}


def test_snapshot_when_a_filter_changed_the_bytes_is_never_wrong(sandbox: Any) -> None:
    sandbox.git("config", "filter.upper.clean", "tr a-z A-Z")
    sandbox.git("config", "filter.upper.smudge", "tr A-Z a-z")
    sandbox.commit({".gitattributes": b"secrets/* filter=upper\n", "secrets/a": b"secret", "b": b"plain"})
    sandbox.age()
    assert sandbox.git("show", ":secrets/a") == b"SECRET"
    assert _ids(sandbox.root)["secrets/a"] is None


def test_snapshot_when_ignored_leaves_it_out(sandbox: Any) -> None:
    files = {
        ".gitignore": b"*.log\n/build/\n",
        "sub/.gitignore": b"!keep.log\nlocal\n",
        "sub/keep.log": b"",
        "sub/local": b"",
        "x.log": b"",
        "build/y": b"",
        "z": b"",
    }
    sandbox.write(files)
    assert {".gitignore", "sub/.gitignore", "sub/keep.log", "z"} == set(_ids(sandbox.root))


def test_snapshot_when_ignored_but_tracked_has_it(sandbox: Any) -> None:
    sandbox.write({"x.log": b"1"})
    sandbox.git("add", "x.log")
    sandbox.commit({".gitignore": b"*.log\n"})
    assert {".gitignore", "x.log"} == set(_ids(sandbox.root))


def test_snapshot_when_a_repository_is_nested_names_it_and_does_not_enter_it(
    sandbox: Any, init: Callable[..., Any]
) -> None:
    init("repo/nested").commit({"inner.yaml": b"1"})
    sandbox.write({"outer.yaml": b"1"})
    assert {"nested": None, "outer.yaml": None} == _ids(sandbox.root)


def test_snapshot_when_unmerged_lists_the_file_once_without_id(sandbox: Any) -> None:
    sandbox.commit({"both": b"base"})
    sandbox.git("checkout", "--quiet", "-b", "other")
    sandbox.commit({"both": b"theirs"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"both": b"ours"})
    sandbox.git("merge", "other", check=False)
    assert _ids(sandbox.root) == {"both": None}


def test_snapshot_when_intended_to_add_has_no_id(sandbox: Any) -> None:
    sandbox.commit({"old": b""})
    sandbox.write({"new": b""})
    sandbox.git("add", "--intent-to-add", "new")
    sandbox.age()
    assert {"old": blob_id(b""), "new": None} == _ids(sandbox.root)


def test_snapshot_when_a_file_became_a_directory_lists_what_is_in_it(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    (sandbox.root / "a").unlink()
    sandbox.write({"a/b": b"2"})
    assert _ids(sandbox.root) == {"a/b": None}


def test_snapshot_when_a_pipe_took_the_place_of_a_file_leaves_it_out(sandbox: Any) -> None:
    sandbox.commit({"a": b"1", "b": b"1"})
    (sandbox.root / "a").unlink()
    os.mkfifo(sandbox.root / "a")
    assert {"b"} == set(_ids(sandbox.root))


def test_snapshot_when_sparse_without_sparse_index_has_what_is_there(sandbox: Any) -> None:
    sandbox.commit({"in/a": b"1", "out/b": b"2"})
    sandbox.git("sparse-checkout", "set", "--cone", "--no-sparse-index", "in")
    assert {"in/a"} == set(_ids(sandbox.root))


def test_snapshot_when_in_a_linked_work_tree_uses_its_own_index(
    sandbox: Any, tmp_path: Path, at: Callable[[Path], Any]
) -> None:
    sandbox.commit({"a": b"1"})
    sandbox.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = at(tmp_path / "linked")
    linked.commit({"b/c": b"2"})
    linked.age()
    assert {"a": blob_id(b"1"), "b/c": blob_id(b"2")} == _ids(tmp_path / "linked")


def test_snapshot_when_asked_from_below_lists_the_whole_work_tree(sandbox: Any) -> None:
    sandbox.commit({"a": b"1", "sub/b": b"2"})
    assert worktree_snapshot(str(sandbox.root)) == worktree_snapshot(str(sandbox.root / "sub"))


def test_snapshot_when_nothing_was_ever_added_lists_untracked(sandbox: Any) -> None:
    assert _ids(sandbox.root) == {}
    sandbox.write({"a": b"1"})
    assert _ids(sandbox.root) == {"a": None}


def test_snapshot_when_index_is_unusual_is_not_sure(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    sandbox.git("update-index", "--index-version", "4")
    assert worktree_snapshot(str(sandbox.root)) is None


def test_snapshot_when_there_is_no_git_is_not_sure(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox.commit({"a": b"1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert worktree_snapshot(str(sandbox.root)) is None


def test_snapshot_when_the_work_tree_is_configured_elsewhere_is_not_sure(sandbox: Any, tmp_path: Path) -> None:
    sandbox.commit({"a": b"1"})
    (tmp_path / "elsewhere").mkdir()
    sandbox.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    assert worktree_snapshot(str(sandbox.root)) is None


def test_snapshot_when_git_refuses_the_owner_is_not_sure(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit({"a": b"1"})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert worktree_snapshot(str(sandbox.root)) is None


def test_snapshot_when_a_program_is_configured_as_monitor_does_not_run_it(sandbox: Any, tmp_path: Path) -> None:
    sandbox.commit({"a": b"1"})
    sandbox.git("config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    assert worktree_snapshot(str(sandbox.root)) is not None
    assert not (tmp_path / "ran").exists()
    subprocess.run(["git", "status"], cwd=sandbox.root, capture_output=True, check=True)
    assert (tmp_path / "ran").exists()  # else this test proves nothing


def test_snapshot_when_done_leaves_no_process_and_no_file_open(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    worktree_snapshot(str(sandbox.root))
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert before == after
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)

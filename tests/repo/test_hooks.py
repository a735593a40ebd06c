"""What `--staged` sees inside real hooks of a real `git commit`: the hook runs Python and writes down the index tree."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DUMP = """
import json, sys
from gitops_guard.repo.index import staged_blob_ids
from gitops_guard.repo.location import find_git_dir
from gitops_guard.repo.repository import Repo, Side, open_tree
tree = open_tree(sys.argv[2], staged=True)
location = find_git_dir(sys.argv[2])
data = open(location.index_file, "rb").read()
paths = [entry.path for entry in tree.entries()]
fast = staged_blob_ids(data, [path.encode() for path in paths])
changed = Repo.discover(sys.argv[2]).changed_paths("HEAD", Side.INDEX)
out = {
    "read": {path: tree.read(path).decode() for path in paths},
    "agree": fast is None or {p.decode(): i.hex() for p, (i, _) in fast.items()} == {e.path: e.blob_id for e in tree.entries()},
    "sure": fast is not None,
    "work tree": [entry.path for entry in open_tree(sys.argv[2]).entries()],
    "changed": [[change.path, change.kind] for change in changed],
}
open(sys.argv[1], "w").write(json.dumps(out))
"""


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Install a pre-commit hook that dumps what it sees; returns the file it writes."""

    def make(sandbox: Any, *, name: str = "pre-commit", directory: str = ".", change_to: str = ".") -> Path:
        (tmp_path / "dump.py").write_text(DUMP)
        out = tmp_path / "out.json"
        command = f'PYTHONPATH="{ROOT}" "{sys.executable}" "{tmp_path}/dump.py" "{out}" "{directory}"'
        sandbox.hook(name, f"#!/bin/sh\ncd '{change_to}' && exec env {command}\n")
        return out

    return make


@pytest.fixture
def started(sandbox: Any) -> Any:
    """A repository with two committed files, both changed in the work tree; only `a` is staged, then changed again."""
    sandbox.commit({"a": b"a0", "b": b"b0", "sub/c": b"c0"})
    sandbox.write({"a": b"a1", "b": b"b1"})
    sandbox.git("add", "a")
    sandbox.write({"a": b"a2"})
    return sandbox


def _commit(sandbox: Any, out: Path, *arguments: str) -> Any:
    sandbox.git("commit", "--quiet", "--message", "x", *arguments)
    seen = json.loads(out.read_text())
    committed = sandbox.git("ls-tree", "-r", "--name-only", "HEAD").decode().split()
    assert seen["read"] == {name: sandbox.git("show", f"HEAD:{name}").decode() for name in committed}
    assert seen["agree"]
    return seen


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        pytest.param((), {"a": "a1", "b": "b0"}, id="staged"),
        pytest.param(("--all",), {"a": "a2", "b": "b1"}, id="all"),
        pytest.param(("b",), {"a": "a0", "b": "b1"}, id="path"),
        pytest.param(("--include", "b"), {"a": "a1", "b": "b1"}, id="include"),
    ],
)
@pytest.mark.parametrize(
    ("directory", "change_to"), [(".", "."), ("sub", "."), (".", "sub")], ids=["top", "named", "below"]
)
def test_index_when_in_a_hook_is_what_will_be_committed(
    started: Any, install: Callable[..., Path], arguments: Any, content: Any, directory: str, change_to: str
) -> None:
    seen = _commit(started, install(started, directory=directory, change_to=change_to), *arguments)
    assert {**content, "sub/c": "c0"} == seen["read"]
    assert seen["work tree"] == ["a", "b", "sub/c"]
    assert [[name, "modified"] for name, text in content.items() if not text.endswith("0")] == seen["changed"]
    assert seen["sure"]


@pytest.mark.parametrize(
    ("arguments", "content"),
    [((), {"a": "a1", "b": "b0"}), (("--all",), {"a": "a2", "b": "b1"})],
    ids=["staged", "all"],
)
@pytest.mark.parametrize("form", [("--split-index",), ("--index-version", "4")], ids=["split", "version 4"])
def test_index_when_unusual_in_a_hook_is_what_will_be_committed(
    started: Any, install: Callable[..., Path], arguments: Any, content: Any, form: Any
) -> None:
    started.git("update-index", *form)
    seen = _commit(started, install(started), *arguments)
    assert {**content, "sub/c": "c0"} == seen["read"]


@pytest.mark.parametrize("change_to", [".", "sub"])
def test_index_when_in_a_hook_of_a_linked_work_tree_is_its_own(
    started: Any, install: Callable[..., Path], at: Callable[[Path], Any], tmp_path: Path, change_to: str
) -> None:
    started.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = at(tmp_path / "linked")
    linked.write({"b": b"linked"})
    out = install(started, change_to=change_to)
    assert _commit(linked, out, "--all")["read"] == {"a": "a0", "b": "linked", "sub/c": "c0"}


def test_index_when_another_repository_is_checked_from_a_hook_is_the_others(
    started: Any, init: Callable[..., Any], install: Callable[..., Path]
) -> None:
    other = init("other")
    other.commit({"other": b"o"})
    out = install(started, directory=str(other.root))
    started.git("commit", "--quiet", "--message", "x", "--all")
    assert json.loads(out.read_text())["read"] == {"other": "o"}


def test_commit_when_in_a_pre_receive_hook_reads_the_pushed_objects(
    sandbox: Any, init: Callable[..., Any], at: Callable[[Path], Any], tmp_path: Path
) -> None:
    server = init("server.git", "--bare")
    script = "import sys; from gitops_guard.repo.repository import open_tree; print(open_tree('.', rev=sys.argv[1]).read('a').decode())"
    hook = server.root / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nread old new ref\nPYTHONPATH='{ROOT}' '{sys.executable}' -c \"{script}\" $new > '{tmp_path}/out'\n"
    )
    hook.chmod(0o755)
    sandbox.commit({"a": b"pushed"})
    sandbox.git("push", "--quiet", str(server.root), "main")
    assert (tmp_path / "out").read_text() == "pushed\n"

"""What every tree promises, asked of all of them: the same files, stored in each of the ways there are."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.errors import RepoError
from gitops_guard.repo.index import blob_id
from gitops_guard.repo.memory import MemoryTree
from gitops_guard.repo.repository import open_tree
from gitops_guard.repo.tree import EntryKind, Tree, path_text

ODD_NAMES = [
    "with space.yaml",
    "line\nbreak.yaml",
    path_text(b"latin\xe9.yaml"),
    "日本.yaml",
    "-dash.yaml",
    "a:b.yaml",
    'quo"te.yaml',
]
FILES = {
    "a.yaml": b"kind: A\n",
    "a/b.yaml": b"kind: B\n",
    "a-b.yaml": b"",
    "deep/er/c.yml": b"\0binary\xff",
    **{f"odd/{name}": name.encode("utf-8", "surrogateescape") for name in ODD_NAMES},
}
LIMIT = 1000


def _write(root: Path) -> None:
    for name, data in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _memory(init: Any, tmp_path: Path) -> Tree:
    return MemoryTree(FILES, max_bytes=LIMIT)


def _directory(init: Any, tmp_path: Path) -> Tree:
    root = tmp_path / "plain"
    _write(root)
    return open_tree(str(root), max_bytes=LIMIT)


def _untracked(init: Any, tmp_path: Path) -> Tree:
    sandbox = init()
    _write(sandbox.root)
    return open_tree(str(sandbox.root), max_bytes=LIMIT)


def _committed(init: Any, *options: str) -> Any:
    sandbox = init("repo", *options)
    _write(sandbox.root)
    sandbox.commit()
    return sandbox


def _work_tree(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init).root), max_bytes=LIMIT)


def _index(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init).root), staged=True, max_bytes=LIMIT)


def _commit(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init).root), rev="HEAD", max_bytes=LIMIT)


def _bare_commit(init: Any, tmp_path: Path) -> Tree:
    sandbox = _committed(init)
    sandbox.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    return open_tree(str(tmp_path / "bare.git"), rev="main", max_bytes=LIMIT)


def _index_v4(init: Any, tmp_path: Path) -> Tree:
    sandbox = _committed(init)
    sandbox.git("update-index", "--index-version", "4")
    return open_tree(str(sandbox.root), staged=True, max_bytes=LIMIT)


def _split_index_work_tree(init: Any, tmp_path: Path) -> Tree:
    sandbox = _committed(init)
    sandbox.git("update-index", "--split-index")
    return open_tree(str(sandbox.root), max_bytes=LIMIT)


def _sha256_index(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init, "--object-format=sha256").root), staged=True, max_bytes=LIMIT)


def _sha256_commit(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init, "--object-format=sha256").root), rev="HEAD", max_bytes=LIMIT)


def _sha256_work_tree(init: Any, tmp_path: Path) -> Tree:
    return open_tree(str(_committed(init, "--object-format=sha256").root), max_bytes=LIMIT)


MAKERS = [
    _memory,
    _directory,
    _untracked,
    _work_tree,
    _index,
    _commit,
    _bare_commit,
    _index_v4,
    _split_index_work_tree,
    _sha256_index,
    _sha256_commit,
    _sha256_work_tree,
]


@pytest.fixture(scope="module", params=[pytest.param(make, id=make.__name__.lstrip("_")) for make in MAKERS])
def tree(request: pytest.FixtureRequest, init_at: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("tree")
    return request.param(lambda name="repo", *options: init_at(root / name, *options), root)  # type: ignore[no-any-return]


def test_entries_when_listed_are_all_files_in_byte_order(tree: Tree) -> None:
    expected = sorted(FILES, key=os.fsencode)
    assert expected == [entry.path for entry in tree.entries()]


def test_entries_when_listed_twice_are_the_same(tree: Tree) -> None:
    assert list(tree.entries()) == list(tree.entries())


def test_read_when_listed_gives_the_exact_bytes(tree: Tree) -> None:
    assert {entry.path: tree.read(entry.path) for entry in tree.entries()} == FILES


def test_entry_when_it_has_an_id_has_that_of_its_bytes(tree: Tree) -> None:
    known = {entry.path: entry.blob_id for entry in tree.entries() if entry.blob_id and len(entry.blob_id) == 40}
    assert {path: blob_id(FILES[path]).hex() for path in known} == known


def test_entry_when_it_has_a_size_has_that_of_its_bytes(tree: Tree) -> None:
    known = {entry.path: entry.size for entry in tree.entries() if entry.size is not None}
    assert {path: len(FILES[path]) for path in known} == known


def test_entry_when_a_plain_file_is_not_executable(tree: Tree) -> None:
    assert {(EntryKind.FILE, False)} == {(entry.kind, entry.executable) for entry in tree.entries()}


def test_exists_when_a_file_is_true(tree: Tree) -> None:
    assert all(tree.exists(path) for path in FILES)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("nothing.yaml", id="absent"),
        pytest.param("a", id="directory"),
        pytest.param("", id="empty"),
        pytest.param("../a.yaml", id="above"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("a/../a.yaml", id="dots inside"),
        pytest.param("./a.yaml", id="dot"),
        pytest.param("a//b.yaml", id="two slashes"),
        pytest.param(".git/config", id="git directory"),
        pytest.param("a.yaml\0", id="NUL"),
        pytest.param("\ud800", id="half a surrogate pair"),
    ],
)
def test_read_when_not_an_entry_says_what_to_do(tree: Tree, path: str) -> None:
    assert not tree.exists(path)
    with pytest.raises(RepoError, match="no such file in the .*; check the spelling"):
        tree.read(path)


def test_label_when_shown_is_for_people(tree: Tree) -> None:
    assert tree.label.split()[0] in {"memory", "directory", "work", "index", "commit"}


def _big(init: Any, tmp_path: Path, *, how: str) -> Tree:
    data = b"x" * (LIMIT + 1)
    if how == "memory":
        return MemoryTree({"big": data}, max_bytes=LIMIT)
    sandbox = init("repo", *(["--object-format=sha256"] if how == "sha256" else []))
    sandbox.commit({"big": data, "small": b"y" * LIMIT})
    return open_tree(
        str(sandbox.root), staged=how == "index", rev="HEAD" if how in {"commit", "sha256"} else None, max_bytes=LIMIT
    )


@pytest.mark.parametrize("how", ["memory", "work tree", "index", "commit", "sha256"])
def test_read_when_above_the_limit_refuses_with_both_sizes(init: Any, tmp_path: Path, how: str) -> None:
    with pytest.raises(RepoError, match=r"big: 1,001 bytes are above the limit of 1,000; exclude it"):
        _big(init, tmp_path, how=how).read("big")


@pytest.mark.parametrize("how", ["work tree", "index", "commit", "sha256"])
def test_read_when_at_the_limit_gives_the_bytes(init: Any, tmp_path: Path, how: str) -> None:
    assert _big(init, tmp_path, how=how).read("small") == b"y" * LIMIT


@pytest.mark.parametrize("options", [{}, {"staged": True}, {"rev": "HEAD"}], ids=["work tree", "index", "commit"])
def test_links_when_present_are_listed_and_never_followed(init: Any, tmp_path: Path, options: Any) -> None:
    (tmp_path / "outside").write_text("secret")
    sandbox = init()
    sandbox.write({"real.yaml": b"kind: A"})
    (sandbox.root / "inside").symlink_to("real.yaml")
    (sandbox.root / "outside").symlink_to(tmp_path / "outside")
    (sandbox.root / "directory").symlink_to(tmp_path)
    (sandbox.root / "dangling").symlink_to("nowhere")
    sandbox.commit()
    tree = open_tree(str(sandbox.root), **options)
    links = ["dangling", "directory", "inside", "outside"]
    assert links == [entry.path for entry in tree.entries() if entry.kind is EntryKind.SYMLINK]
    for link in links:
        with pytest.raises(RepoError, match="is a symbolic link, which is not followed"):
            tree.read(link)
    assert not tree.exists("directory/outside")


@pytest.mark.parametrize("options", [{}, {"staged": True}, {"rev": "HEAD"}], ids=["work tree", "index", "commit"])
def test_executable_when_the_bit_is_set_is_told(init: Any, options: Any) -> None:
    sandbox = init()
    sandbox.write({"run.sh": b"#!/bin/sh", "text": b""})
    (sandbox.root / "run.sh").chmod(0o755)
    sandbox.commit()
    tree = open_tree(str(sandbox.root), **options)
    assert {entry.path: entry.executable for entry in tree.entries()} == {"run.sh": True, "text": False}


@pytest.mark.parametrize("options", [{}, {"staged": True}, {"rev": "HEAD"}], ids=["work tree", "index", "commit"])
@pytest.mark.parametrize("index", ["plain", "split"])
def test_submodule_when_present_is_listed_and_not_entered(init: Any, options: Any, index: str) -> None:
    inner = init("inner")
    commit = inner.commit({"inner.yaml": b"kind: A"})
    sandbox = init()
    sandbox.git("submodule", "--quiet", "add", str(inner.root), "modules/inner")
    sandbox.commit()
    if index == "split":
        sandbox.git("update-index", "--split-index")
    tree = open_tree(str(sandbox.root), **options)
    found = {entry.path: (entry.kind, entry.blob_id) for entry in tree.entries()}
    assert list(found) == [".gitmodules", "modules/inner"]
    assert (EntryKind.SUBMODULE, commit) == found["modules/inner"]
    with pytest.raises(RepoError, match="is a submodule, which is not entered"):
        tree.read("modules/inner")

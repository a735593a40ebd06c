import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.errors import RepoError
from gitops_guard.repo.changes import ChangedPath, ChangeKind
from gitops_guard.repo.plumbing import Git, PlumbingObjects
from gitops_guard.repo.repository import Repo, Side, open_tree

FORMATS = [pytest.param((), id="libgit2"), pytest.param(("--object-format=sha256",), id="plumbing")]
A, M, D, R = ChangeKind.ADDED, ChangeKind.MODIFIED, ChangeKind.DELETED, ChangeKind.RENAMED


def _repo(sandbox: Any) -> Repo:
    repo = Repo.discover(str(sandbox.root))
    assert repo is not None
    return repo


def _changes(repo: Repo, base: str | Side, head: str | Side) -> list[tuple[str, ChangeKind, str | None]]:
    return [(change.path, change.kind, change.renamed_from) for change in repo.changed_paths(base, head)]


# --- changes


def _change_everything(sandbox: Any) -> list[tuple[str, ChangeKind, str | None]]:
    lines = b"".join(b"line %d\n" % number for number in range(50))
    sandbox.commit({"del": b"1", "mod": b"2", "old/name": lines, "same": b"4", "type": b"5", "bytes/a b": b"6"})
    sandbox.write({"mod": b"22", "new/name": lines + b"more\n", "add": b"7", "bytes/a\nb": b"8"})
    for name in ("del", "old/name", "type"):
        (sandbox.root / name).unlink()
    (sandbox.root / "type").symlink_to("same")
    return [
        ("add", A, None),
        ("bytes/a\nb", A, None),
        ("del", D, None),
        ("mod", M, None),
        ("new/name", R, "old/name"),
        ("type", M, None),
    ]


@pytest.mark.parametrize("options", FORMATS)
def test_changes_when_between_commits_are_all_kinds_in_order(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    expected = _change_everything(sandbox)
    sandbox.commit()
    assert expected == _changes(_repo(sandbox), "HEAD~1", "HEAD")


@pytest.mark.parametrize("options", FORMATS)
def test_changes_when_head_to_index_are_what_is_staged(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    expected = _change_everything(sandbox)
    sandbox.git("add", "--all")
    sandbox.write({"untracked": b"", "mod": b"333"})
    assert expected == _changes(_repo(sandbox), "HEAD", Side.INDEX)


def test_changes_when_to_the_work_tree_have_untracked_as_added(sandbox: Any) -> None:
    _change_everything(sandbox)
    (sandbox.root / "same").touch()
    sandbox.write({".gitignore": b"*.log\n", "x.log": b""})
    expected = [
        (".gitignore", A, None),
        ("add", A, None),
        ("bytes/a\nb", A, None),
        ("del", D, None),
        ("mod", M, None),
        ("new/name", A, None),
        ("old/name", D, None),
        ("type", M, None),
    ]
    assert expected == _changes(_repo(sandbox), "HEAD", Side.WORK_TREE)
    assert expected == _changes(_repo(sandbox), Side.INDEX, Side.WORK_TREE)


@pytest.mark.parametrize("options", FORMATS)
def test_changes_when_head_is_unborn_start_from_nothing(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    assert _changes(_repo(sandbox), "HEAD", Side.INDEX) == []
    sandbox.write({"a": b"1", "b": b"2"})
    sandbox.git("add", "a")
    assert _changes(_repo(sandbox), "HEAD", Side.INDEX) == [("a", A, None)]
    assert _changes(_repo(sandbox), "HEAD", Side.WORK_TREE) == [("a", A, None), ("b", A, None)]


def test_changes_when_unmerged_name_the_path_once(sandbox: Any) -> None:
    _conflict(sandbox)
    assert _changes(_repo(sandbox), "HEAD", Side.INDEX) == [("both", M, None)]
    assert _changes(_repo(sandbox), "HEAD", Side.WORK_TREE) == [("both", M, None)]


@pytest.mark.parametrize(
    ("base", "head"),
    [(Side.INDEX, "HEAD"), (Side.WORK_TREE, Side.INDEX), (Side.INDEX, Side.INDEX), (Side.WORK_TREE, Side.WORK_TREE)],
)
def test_changes_when_asked_the_wrong_way_round_say_so(sandbox: Any, base: Any, head: Any) -> None:
    sandbox.commit({"a": b"1"})
    with pytest.raises(RepoError, match="cannot be compared"):
        _repo(sandbox).changed_paths(base, head)


def test_changed_path_when_deleted_has_the_old_name(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    (sandbox.root / "a").unlink()
    assert [ChangedPath(path="a", kind=D)] == _repo(sandbox).changed_paths("HEAD", Side.WORK_TREE)


# --- revisions


@pytest.mark.parametrize("options", FORMATS)
def test_resolve_when_any_name_of_a_commit_gives_its_id(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    first, second = sandbox.commit({"a": b"1"}), sandbox.commit({"a": b"2"})
    sandbox.git("tag", "--annotate", "--message", "x", "v1", first)
    names = {
        "HEAD": second,
        "HEAD~1": first,
        "main": second,
        "v1": first,
        second[:10]: second,
        "refs/heads/main": second,
        second: second,
    }
    assert names == {name: _repo(sandbox).resolve(name) for name in names}


@pytest.mark.parametrize("options", FORMATS)
@pytest.mark.parametrize(
    "rev", ["nope", "", "HEAD~9", "--all", "-x", "HEAD:a", "a b", "main..main", "0" * 40, "\udcff", "@{bad"]
)
def test_resolve_when_unknown_says_what_to_do(init: Callable[..., Any], options: Any, rev: str) -> None:
    sandbox = init("repo", *options)
    sandbox.commit({"a": b"1"})
    with pytest.raises(RepoError, match="names no commit in .*; check the spelling, or `git fetch` it$") as error:
        open_tree(str(sandbox.root), rev=rev)
    str(error.value).encode("utf-8")


@pytest.mark.parametrize("options", FORMATS)
@pytest.mark.parametrize("rev", ["HEAD", "HEAD~1"])
def test_resolve_when_head_is_unborn_says_so(init: Callable[..., Any], options: Any, rev: str) -> None:
    sandbox = init("repo", *options)
    assert _repo(sandbox).is_unborn
    with pytest.raises(RepoError, match="has no commit yet; commit first, or check the work tree or the index"):
        open_tree(str(sandbox.root), rev=rev)


@pytest.mark.parametrize("options", FORMATS)
def test_merge_base_when_branches_diverged_is_the_fork(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    fork = sandbox.commit({"a": b"1"})
    sandbox.git("checkout", "--quiet", "-b", "side")
    sandbox.commit({"b": b"1"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c": b"1"})
    assert fork == _repo(sandbox).merge_base("main", "side")


@pytest.mark.parametrize("options", FORMATS)
def test_merge_base_when_histories_are_unrelated_says_so(init: Callable[..., Any], options: Any) -> None:
    sandbox = init("repo", *options)
    sandbox.commit({"a": b"1"})
    sandbox.git("checkout", "--quiet", "--orphan", "side")
    sandbox.commit({"b": b"1"})
    with pytest.raises(RepoError, match="no common ancestor .* histories are unrelated; name another base"):
        _repo(sandbox).merge_base("main", "side")


@pytest.mark.parametrize("options", FORMATS)
def test_merge_base_when_the_clone_is_shallow_says_how_to_deepen(
    init: Callable[..., Any], at: Callable[[Path], Any], tmp_path: Path, options: Any
) -> None:
    sandbox = init("repo", *options)
    sandbox.commit({"a": b"1"})
    sandbox.git("checkout", "--quiet", "-b", "side")
    sandbox.commit({"b": b"1"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c": b"1"})
    sandbox.git(
        "clone", "--quiet", "--depth", "1", "--no-single-branch", f"file://{sandbox.root}", str(tmp_path / "shallow")
    )
    repo = _repo(at(tmp_path / "shallow"))
    with pytest.raises(
        RepoError, match=r"no common ancestor .*shallow clone; run `git fetch --unshallow`, in CI set `fetch-depth: 0`"
    ):
        repo.merge_base("origin/main", "origin/side")
    with pytest.raises(RepoError, match=r"names no commit .*shallow clone: `git fetch --unshallow`"):
        repo.resolve("HEAD~1")
    assert [entry.path for entry in repo.commit_tree("HEAD").entries()] == ["a", "c"]


# --- the index


def _conflict(sandbox: Any) -> None:
    sandbox.commit({"both": b"base", "other": b"1"})
    sandbox.git("checkout", "--quiet", "-b", "side")
    sandbox.commit({"both": b"theirs"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"both": b"ours"})
    sandbox.git("merge", "side", check=False)


@pytest.mark.parametrize(
    "form", [(), ("--split-index",), ("--index-version", "4")], ids=["plain", "split", "version 4"]
)
def test_index_when_unmerged_is_an_error_for_that_path_only(sandbox: Any, form: Any) -> None:
    _conflict(sandbox)
    if form:
        sandbox.git("update-index", *form)
    tree = open_tree(str(sandbox.root), staged=True)
    assert [entry.path for entry in tree.entries()] == ["both", "other"]
    assert tree.exists("both")
    assert tree.read("other") == b"1"
    with pytest.raises(RepoError, match="both: is unmerged in the index; resolve the conflict and `git add` the file"):
        tree.read("both")


@pytest.mark.parametrize(
    "form", [(), ("--split-index",), ("--index-version", "4")], ids=["plain", "split", "version 4"]
)
def test_index_when_intended_to_add_does_not_have_the_file(sandbox: Any, form: Any) -> None:
    sandbox.commit({"empty": b"", "old": b"1"})
    sandbox.write({"new": b"2"})
    sandbox.git("add", "--intent-to-add", "new")
    if form:
        sandbox.git("update-index", *form)
    assert [entry.path for entry in open_tree(str(sandbox.root), staged=True).entries()] == ["empty", "old"]
    assert [entry.path for entry in open_tree(str(sandbox.root)).entries()] == ["empty", "new", "old"]


def test_index_when_sparse_has_everything_and_the_work_tree_what_is_there(sandbox: Any) -> None:
    sandbox.commit({"in/a": b"1", "out/b": b"2", "top": b"3"})
    sandbox.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    staged = open_tree(str(sandbox.root), staged=True)
    assert {entry.path: staged.read(entry.path) for entry in staged.entries()} == {
        "in/a": b"1",
        "out/b": b"2",
        "top": b"3",
    }
    assert [entry.path for entry in open_tree(str(sandbox.root)).entries()] == ["in/a", "top"]


def test_index_when_nothing_was_added_is_empty(sandbox: Any) -> None:
    sandbox.write({"a": b"1"})
    assert list(open_tree(str(sandbox.root), staged=True).entries()) == []


def test_index_when_the_file_changed_after_staging_gives_the_staged_bytes(sandbox: Any) -> None:
    sandbox.write({"a": b"staged"})
    sandbox.git("add", "a")
    sandbox.write({"a": b"later"})
    assert open_tree(str(sandbox.root), staged=True).read("a") == b"staged"
    assert open_tree(str(sandbox.root)).read("a") == b"later"


def test_index_when_the_blob_is_missing_says_what_to_do(sandbox: Any) -> None:
    blob = "1234567890" * 4
    sandbox.git("update-index", "--add", "--cacheinfo", f"100644,{blob},a")
    tree = open_tree(str(sandbox.root), staged=True)
    with pytest.raises(RepoError, match=f"object {blob} is missing or damaged; run `git fsck`"):
        tree.read("a")
    with pytest.raises(RepoError, match=f"object {blob} is missing or damaged; run `git fsck`"):
        PlumbingObjects(Git(_repo(sandbox).location)).read(blob)


def test_index_when_the_file_is_rubbish_gives_gits_message(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    (sandbox.root / ".git" / "index").write_bytes(b"rubbish" * 100)
    for options in ({"staged": True}, {}):
        with pytest.raises(RepoError, match="bad signature|index file corrupt"):
            open_tree(str(sandbox.root), **options)  # type: ignore[arg-type]


# --- both object stores


def test_objects_when_read_by_both_stores_are_equal(sandbox: Any) -> None:
    commit = sandbox.commit({"a": b"1", "d/e": b"\0\n\n", "d/empty": b""})
    repo = _repo(sandbox)
    plumbing = PlumbingObjects(Git(repo.location))
    assert sorted(repo.objects.entries(commit)) == sorted(plumbing.entries(commit))
    for entry in plumbing.entries(commit):
        assert repo.objects.read(entry.blob) == plumbing.read(entry.blob)
        assert repo.objects.size(entry.blob) == plumbing.size(entry.blob)


def test_plumbing_when_forked_uses_a_process_of_its_own(init: Callable[..., Any]) -> None:
    sandbox = init("repo", "--object-format=sha256")
    sandbox.commit({f"{number}": b"%d" % number for number in range(50)})
    tree = open_tree(str(sandbox.root), rev="HEAD")
    assert tree.read("0") == b"0"
    child = os.fork()
    if child == 0:
        good = all(tree.read(str(number)) == b"%d" % number for number in range(50))
        os._exit(0 if good else 1)
    good = all(tree.read(str(number)) == b"%d" % number for number in range(50))
    assert good
    assert os.waitpid(child, 0)[1] == 0


def test_partial_clone_when_a_blob_is_not_there_fetches_it(
    sandbox: Any, at: Callable[[Path], Any], tmp_path: Path
) -> None:
    sandbox.commit({"a": b"1"})
    sandbox.git("config", "uploadpack.allowFilter", "true")
    sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
    sandbox.git(
        "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{sandbox.root}", str(tmp_path / "partial")
    )
    assert open_tree(str(tmp_path / "partial"), rev="HEAD").read("a") == b"1"


def test_commit_when_directories_nest_deeper_than_python_calls_is_read(sandbox: Any) -> None:
    path = "d/" * 1200 + "file"
    stream = (
        f"commit refs/heads/main\ncommitter T <t@example.com> 0 +0000\ndata 0\nM 100644 inline {path}\ndata 4\ndeep\n"
    )
    sandbox.git("fast-import", "--quiet", stdin=stream.encode())
    tree = open_tree(str(sandbox.root), rev="main")
    assert {path: b"deep"} == {entry.path: tree.read(entry.path) for entry in tree.entries()}


def test_changes_when_attributes_are_ignored_do_not_name_them(sandbox: Any) -> None:
    sandbox.commit({".gitignore": b".gitattributes\n"})
    sandbox.write({".gitattributes": b"* text\n", "sub/.gitattributes": b""})
    assert _changes(_repo(sandbox), "HEAD", Side.WORK_TREE) == []


# --- what cannot be opened


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({}, "is a bare repository and has no work tree; name a revision with --rev", id="work tree"),
        pytest.param({"staged": True}, "is a bare repository and has no index; name a revision with --rev", id="index"),
    ],
)
def test_open_when_bare_says_what_can_be_read(init: Callable[..., Any], options: Any, message: str) -> None:
    sandbox = init("bare.git", "--bare")
    assert _repo(sandbox).is_bare
    with pytest.raises(RepoError, match=message):
        open_tree(str(sandbox.root), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"staged": True}, "not in a Git repository, so --staged has nothing to read; leave it out", id="staged"
        ),
        pytest.param({"rev": "HEAD"}, "not in a Git repository, so --rev has nothing to read; leave it out", id="rev"),
        pytest.param({"staged": True, "rev": "HEAD"}, "give either --staged or --rev", id="both"),
    ],
)
def test_open_when_outside_of_a_repository_says_so(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(RepoError, match=message):
        open_tree(str(tmp_path), **options)


def test_open_when_there_is_no_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(RepoError, match="nope: no such directory; check the spelling"):
        open_tree(str(tmp_path / "nope"))


def test_open_when_the_owner_is_another_says_how_to_trust(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit({"a": b"1"})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RepoError, match=r"belongs to another user, .* run: git config --global --add safe.directory /"):
        open_tree(str(sandbox.root))


def test_open_when_there_is_no_git_says_what_to_install(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sandbox.commit({"a": b"1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepoError, match="cannot start git .*; install Git and put it on the PATH"):
        open_tree(str(sandbox.root))
    assert open_tree(str(sandbox.root), staged=True).read("a") == b"1"
    assert open_tree(str(sandbox.root), rev="HEAD").read("a") == b"1"


def test_open_when_the_repository_is_of_an_unknown_format_gives_gits_message(sandbox: Any) -> None:
    sandbox.commit({"a": b"1"})
    sandbox.git("config", "core.repositoryFormatVersion", "1")
    sandbox.git("config", "extensions.fromTheFuture", "true")
    with pytest.raises(RepoError, match="unknown repository extension"):
        open_tree(str(sandbox.root), rev="HEAD")


def test_open_when_named_from_below_gives_the_whole_tree(sandbox: Any) -> None:
    sandbox.commit({"a": b"1", "sub/b": b"2"})
    for options in ({}, {"staged": True}, {"rev": "HEAD"}):
        paths = [entry.path for entry in open_tree(str(sandbox.root / "sub"), **options).entries()]  # type: ignore[arg-type]
        assert paths == ["a", "sub/b"]


def test_remote_urls_when_the_clone_has_remotes_then_all_are_given(repo) -> None:
    sandbox = repo()
    assert () == Repo.discover(str(sandbox.root)).remote_urls
    sandbox.git("remote", "add", "origin", "git@git.example.com:shop/gitops.git")
    sandbox.git("remote", "add", "copy", "https://git.example.com/a b")
    assert ("git@git.example.com:shop/gitops.git", "https://git.example.com/a b") == Repo.discover(
        str(sandbox.root)
    ).remote_urls

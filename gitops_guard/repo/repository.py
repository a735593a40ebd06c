"""A Git repository: the place where trees, revisions and changes come from."""

import os
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cached_property

from gitops_guard.errors import RepoError
from gitops_guard.repo.blob_tree import BlobTree
from gitops_guard.repo.changes import ChangedPath, ChangeKind, in_order, parse_raw_diff
from gitops_guard.repo.file_tree import FileEntry, FileTree, walk_directory
from gitops_guard.repo.index import EMPTY_BLOB, INTENT_TO_ADD, STAGE_MASK, parse_index
from gitops_guard.repo.location import Location, common_dir, find_git_dir
from gitops_guard.repo.objects import Objects, RawEntry
from gitops_guard.repo.plumbing import Git, PlumbingObjects
from gitops_guard.repo.snapshot import LIST_UNTRACKED, entries_of, with_untracked, worktree_snapshot
from gitops_guard.repo.tree import MAX_BYTES, MODE_SUBMODULE, Tree, path_text, shown

_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_EMPTY_BLOBS = (EMPTY_BLOB.hex(), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813")


class Side(Enum):
    """What can be compared beside commits."""

    INDEX = "index"
    WORK_TREE = "work tree"


def open_tree(directory: str, *, staged: bool = False, rev: str | None = None, max_bytes: int = MAX_BYTES) -> Tree:
    """Open the tree to check; of a repository always the whole tree, from its top, wherever in it the directory is.

    Args:
        directory: In a repository (also a bare one), or a plain directory.
        staged: The index's content instead of the work tree's.
        rev: A commit's content instead of the work tree's.
        max_bytes: `read` refuses larger files.

    Raises:
        RepoError: There is no such directory, revision, index or work tree; the repository cannot be read.
    """
    if staged and rev is not None:
        raise RepoError("the index and a revision cannot be read at once; give either --staged or --rev")
    if not os.path.isdir(directory):
        raise RepoError(f"{shown(directory)}: no such directory; check the spelling")
    repo = Repo.discover(directory)
    if repo is None:
        if staged or rev is not None:
            wanted = "--staged" if staged else "--rev"
            raise RepoError(
                f"{shown(directory)}: not in a Git repository, so {wanted} has nothing to read; leave it out"
            )
        return FileTree(
            directory, walk_directory(directory), label=f"directory {shown(directory)}", max_bytes=max_bytes
        )
    if rev is not None:
        return repo.commit_tree(rev, max_bytes=max_bytes)
    return repo.index_tree(max_bytes=max_bytes) if staged else repo.work_tree(max_bytes=max_bytes)


class Repo:
    """One repository; cheap to make, reads when asked."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._git = Git(location)

    @classmethod
    def discover(cls, directory: str) -> "Repo | None":
        """Find the repository that holds a directory, hooks' environment included; None outside of any."""
        location = find_git_dir(directory)
        return None if location is None else cls(location)

    @property
    def root(self) -> str:
        """Return the top of the work tree, or the Git directory of a bare repository; absolute, links resolved."""
        return self.location.top

    @property
    def is_bare(self) -> bool:
        """Tell whether there is no work tree."""
        return self.location.work_tree is None

    @property
    def is_unborn(self) -> bool:
        """Tell whether HEAD has no commit yet."""
        return self.objects.commit("HEAD") is None

    @property
    def is_shallow(self) -> bool:
        """Tell whether history was cut off when the repository was cloned."""
        return os.path.exists(os.path.join(common_dir(self.location.git_dir), "shallow"))

    @property
    def remote_urls(self) -> tuple[str, ...]:
        """Return the URLs of all remotes, sorted."""
        out = self._git.run("config", "-z", "--get-regexp", r"^remote\..*\.url$", good=(0, 1))  # 1: there is none
        return tuple(sorted({os.fsdecode(item.partition(b"\n")[2]) for item in out.split(b"\0")[:-1]}))

    @property
    def hooks_directory(self) -> str:
        """Return where Git looks for this clone's hooks: `core.hooksPath` and linked work trees are Git's to know.

        Raises:
            RepoError: Git is not installed, or refuses.
        """
        answer = os.fsdecode(self._git.run("rev-parse", "--git-path", "hooks").removesuffix(b"\n"))
        return os.path.normpath(os.path.join(self.root, answer))

    @cached_property
    def objects(self) -> Objects:
        """Return the repository's commits and blobs: by libgit2 where it can read them, else by Git."""
        from gitops_guard.repo.libgit import (
            open_with_libgit,
        )  # costs 60 ms, which a check of the work tree need not pay

        found = open_with_libgit(self.location)
        if found is not None:
            return found
        self._git.run("rev-parse", "--git-dir")  # says what is wrong when Git cannot read it either
        return PlumbingObjects(self._git)

    def resolve(self, rev: str) -> str:
        """Return the hex id of the commit that a revision names.

        Raises:
            RepoError: There is none.
        """
        commit = self.objects.commit(rev)
        if commit is not None:
            return commit
        if rev == "HEAD" or (rev.startswith("HEAD") and self.is_unborn):
            raise RepoError(
                f"{shown(rev)}: {self.root} has no commit yet; commit first, or check the work tree or the index"
            )
        hint = (
            "; this is a shallow clone: `git fetch --unshallow` (in CI `fetch-depth: 0`) brings the rest"
            if self.is_shallow
            else ""
        )
        raise RepoError(f"{shown(rev)}: names no commit in {self.root}; check the spelling, or `git fetch` it{hint}")

    def author(self, rev: str) -> str:
        """Return who wrote a commit: `Ada Lovelace <ada@example.com>`.

        Raises:
            RepoError: The revision is unknown.
        """
        out = self._git.run("show", "--no-patch", "--format=%an <%ae>", self.resolve(rev), "--")
        return out.decode("utf-8", "replace").strip()

    def follows(self, rev: str, older: str) -> bool:
        """Tell whether a commit comes after another one, or is the same; False also when the other one is unknown."""
        before = self.objects.commit(older)
        return before is not None and self.objects.merge_base(self.resolve(rev), before) == before

    def merge_base(self, one: str, other: str) -> str:
        """Return the hex id of the best common ancestor of two revisions.

        Raises:
            RepoError: A revision is unknown, or there is no common ancestor (here: a shallow clone may lack it).
        """
        found = self.objects.merge_base(self.resolve(one), self.resolve(other))
        if found is not None:
            return found
        if self.is_shallow:
            why = "this is a shallow clone; run `git fetch --unshallow`, in CI set `fetch-depth: 0` or `GIT_DEPTH: 0`"
        else:
            why = "their histories are unrelated; name another base"
        raise RepoError(f"{one} and {other} have no common ancestor in {self.root}: {why}")

    def changed_paths(self, base: str | Side, head: str | Side) -> Sequence[ChangedPath]:
        """List what differs, sorted by the path's bytes.

        Args:
            base: A revision or the index. `HEAD` is an empty tree in a repository without commits.
            head: A revision, the index, or the work tree (with untracked files, as added).

        Raises:
            RepoError: A revision is unknown, or the two cannot be compared this way round.
        """
        if isinstance(head, str):
            if not isinstance(base, str):
                raise RepoError("a revision cannot be compared with the index as its base; swap the two")
            return in_order(self.objects.changes(self.resolve(base), self.resolve(head)))
        self._need_work_tree(head.value)
        if base is head or base is Side.WORK_TREE:
            raise RepoError(f"the {head.value} cannot be compared with the work tree as its base; swap the two")
        # `diff`, not `diff-files`: it takes a file that was only touched for what it is, unchanged.
        arguments = ["diff", "--raw", "-z", "-M", "--no-ext-diff", "--no-relative", "--ignore-submodules=dirty"]
        if head is Side.INDEX:
            arguments.append("--cached")
        if isinstance(base, str):
            arguments.append(self._tree_of(base))
        changes = list(parse_raw_diff(self._git.run(*arguments, "--")))
        if head is Side.WORK_TREE:
            files = (path for path in self._untracked() if not path.endswith(b"/"))  # no nested repositories
            changes += [ChangedPath(path=path_text(path), kind=ChangeKind.ADDED) for path in files]
        return in_order(changes)

    def commit_tree(self, rev: str, *, max_bytes: int = MAX_BYTES) -> Tree:
        """Open a commit's tree.

        Raises:
            RepoError: The revision is unknown.
        """
        commit = self.resolve(rev)
        return BlobTree(self.objects.entries(commit), self.objects, label=f"commit {commit[:7]}", max_bytes=max_bytes)

    def index_tree(self, *, max_bytes: int = MAX_BYTES) -> Tree:
        """Open what is staged: what the next commit would hold, so without files that are just intended to be added.

        Raises:
            RepoError: The repository is bare, or its index cannot be read.
        """
        self._need_work_tree("index")
        entries, unmerged = self._staged()
        return BlobTree(entries, self.objects, label="index", max_bytes=max_bytes, unmerged=unmerged)

    def work_tree(self, *, max_bytes: int = MAX_BYTES) -> Tree:
        """Open the files as they are: tracked and untracked, without what .gitignore excludes.

        Raises:
            RepoError: The repository is bare, or Git cannot list it.
        """
        self._need_work_tree("work tree")
        entries = worktree_snapshot(self.root, self.location)
        return FileTree(
            self.root, self._listed_by_git() if entries is None else entries, label="work tree", max_bytes=max_bytes
        )

    def _need_work_tree(self, wanted: str) -> None:
        if self.is_bare:
            raise RepoError(f"{self.root}: is a bare repository and has no {wanted}; name a revision with --rev")

    def _tree_of(self, rev: str) -> str:
        if rev == "HEAD" and self.is_unborn:
            digits = len(self._git.run("hash-object", "-t", "tree", "--stdin").strip())
            return _EMPTY_TREES[digits]
        return self.resolve(rev)

    def _staged(self) -> tuple[list[RawEntry], list[bytes]]:
        """Return the staged entries and the unmerged paths."""
        try:
            with open(self.location.index_file, "rb") as file:
                parsed = parse_index(file.read())
        except FileNotFoundError:
            return [], []  # nothing was ever added
        except OSError as error:
            raise RepoError(
                f"{self.location.index_file}: cannot be read ({error.strerror}); check who may read it"
            ) from error
        if parsed is None:
            entries, unmerged = self._index_by_git()
            return self._without_intended(entries), unmerged
        entries = [
            RawEntry(path, mode, blob.hex())
            for path, blob, mode, flags, _ in parsed
            if not flags & (STAGE_MASK | INTENT_TO_ADD)
        ]
        return entries, [path for path, _, _, flags, _ in parsed if flags & STAGE_MASK]

    def _index_by_git(self) -> tuple[list[RawEntry], list[bytes]]:
        entries, unmerged = [], []
        for line in self._git.run("ls-files", "--stage", "-z", "--full-name").split(b"\0")[:-1]:
            info, _, path = line.partition(b"\t")
            mode, blob, stage = info.split(b" ")
            if stage == b"0":
                entries.append(RawEntry(path, int(mode, 8), blob.decode("ascii")))
            else:
                unmerged.append(path)
        return entries, unmerged

    def _without_intended(self, entries: list[RawEntry]) -> list[RawEntry]:
        if all(entry.blob not in _EMPTY_BLOBS for entry in entries):
            return entries
        # An empty file, or one that is only intended to be added: compared with the index just the latter is new.
        intended = set(self._git.run("diff-files", "--name-only", "--diff-filter=A", "-z").split(b"\0"))
        return [entry for entry in entries if entry.path not in intended]

    def _listed_by_git(self) -> Iterable[FileEntry]:
        """List the work tree where the index is one that `parse_index` does not read."""
        entries, unmerged = self._index_by_git()
        submodules = [entry for entry in entries if entry.mode == MODE_SUBMODULE]
        tracked: list[FileEntry] = [(entry.path, entry.mode, bytes.fromhex(entry.blob), 0) for entry in submodules]
        tracked += entries_of(
            self.location, [*(e.path for e in entries if e.mode != MODE_SUBMODULE), *dict.fromkeys(unmerged)]
        )
        return with_untracked(self.location, tracked, self._untracked())

    def _untracked(self) -> list[bytes]:
        paths = self._git.run(*LIST_UNTRACKED).split(b"\0")[:-1]
        # An attributes file is listed for its meaning even when it is ignored.
        return [path for path in paths if not path.endswith(b".gitattributes")]

"""Where a repository is: found as Git finds it, without Git. Part of the clean path: imports nothing that costs time.

Hooks are the hard part. Git tells them by environment variables which repository and which index file are meant: in
`git commit -a` and `git commit PATH` it is not `.git/index`. Those variables count for the repository that runs the
hook and for no other.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OBJECT_VARIABLES = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
# Variables that do not say which repository is meant, but how Git behaves: the user's choice, kept.
_KEPT_PREFIXES = (
    "GIT_CONFIG",
    "GIT_ATTR_",
    "GIT_TEST_",
    "GIT_TRACE",
    "GIT_EXEC_PATH",
    "GIT_CEILING_",
    "GIT_DISCOVERY_",
)


class Location:
    """Where a repository's parts are; `find_git_dir` makes it."""

    __slots__ = ("git_dir", "index_file", "variables", "work_tree")

    def __init__(self, git_dir: str, work_tree: str | None, index_file: str, variables: dict[str, str]) -> None:
        self.git_dir = git_dir
        """Absolute; of a linked work tree, its own directory under `worktrees/`."""
        self.work_tree = work_tree
        """Absolute, or None for a bare repository."""
        self.index_file = index_file
        """Absolute; inside `git commit -a` and `git commit PATH` the file that GIT_INDEX_FILE names."""
        self.variables = variables
        """What Git must be told by its environment to find the same repository, index and objects from `top`."""

    @property
    def top(self) -> str:
        """Return the directory to run Git in."""
        return self.work_tree or self.git_dir


def find_git_dir(start: str, environ: "Mapping[str, str] | None" = None) -> Location | None:
    """Find the repository that holds a directory, as Git does.

    Args:
        start: A directory.
        environ: Instead of `os.environ`.

    Returns:
        None outside of any repository. The environment's repository is the answer only for a directory inside it: a
        hook that checks another repository must not be answered from the one that runs the hook.
    """
    env = os.environ if environ is None else environ
    start = os.path.realpath(start)
    told = _from_environment(env)
    if told is not None and _is_inside(start, told.top):
        return told
    found = _discover(start)
    if found is None:
        return None
    git_dir, work_tree = found
    location = Location(git_dir, work_tree, os.path.join(git_dir, "index"), {})
    if "GIT_INDEX_FILE" in env and "GIT_DIR" not in env:
        here = _discover(os.path.realpath(os.getcwd()))
        if here is not None and here[0] == git_dir:
            _use_index_and_objects(location, env)
    return location


def git_environment(location: Location, environ: "Mapping[str, str] | None" = None) -> dict[str, str]:
    """Return the environment in which `git`, run in `location.top`, sees exactly this repository and writes nothing.

    GIT_DIR is set only where the user set it: naming it would switch off Git's check of who owns the repository.
    """
    env = os.environ if environ is None else environ
    kept = {name: value for name, value in env.items() if name[:4] != "GIT_" or name.startswith(_KEPT_PREFIXES)}
    kept.update(location.variables)
    # libgit2 knows no replace refs, so Git must not follow them either: both have to read the same objects.
    kept.update(
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_OPTIONAL_LOCKS="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_LITERAL_PATHSPECS="1",
        LC_ALL="C",
    )
    return kept


def git_command(location: Location) -> list[str]:
    """Return the start of a `git` command line.

    A file system monitor would be a program that the repository's own configuration names, so there is none.
    """
    return ["git", "-c", "core.fsmonitor=false", "-C", location.top]


def _use_index_and_objects(location: Location, env: "Mapping[str, str]") -> None:
    index_file = env.get("GIT_INDEX_FILE")
    if index_file:
        # Git changes to the top of the work tree before it opens a relative name.
        location.index_file = os.path.join(location.top, index_file)
        location.variables["GIT_INDEX_FILE"] = location.index_file
    for name in _OBJECT_VARIABLES:
        if env.get(name):
            location.variables[name] = os.pathsep.join(os.path.abspath(part) for part in env[name].split(os.pathsep))


def _from_environment(env: "Mapping[str, str]") -> Location | None:
    name = env.get("GIT_DIR")
    git_dir = os.path.realpath(name) if name else ""
    if not name or not is_git_dir(git_dir):
        return None
    here = os.path.realpath(os.getcwd())
    found = _discover(here)
    # Git sets GIT_DIR alone for hooks of linked work trees and runs them at the top; below it, the walk up knows
    # better.
    top = found[1] if found is not None and found[0] == git_dir else here
    if env.get("GIT_WORK_TREE"):
        top = os.path.realpath(env["GIT_WORK_TREE"])
    elif top == here and found != (git_dir, here) and _says_bare(git_dir):
        top = None
    location = Location(git_dir, top, os.path.join(git_dir, "index"), {})
    if found != (git_dir, top):
        location.variables["GIT_DIR"] = git_dir
        if top is not None:
            location.variables["GIT_WORK_TREE"] = top
    _use_index_and_objects(location, env)
    return location


def _says_bare(git_dir: str) -> bool:
    with open(os.path.join(git_dir, "config"), "rb") as file:
        return b"bare = true" in file.read()


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _discover(directory: str) -> "tuple[str, str | None] | None":
    """Walk up to the first directory that is, or has, a Git directory."""
    while True:
        dot_git = os.path.join(directory, ".git")
        if is_git_dir(dot_git):
            return os.path.realpath(dot_git), directory
        linked = _linked_git_dir(dot_git)
        if linked is not None:
            return linked, directory
        if is_git_dir(directory):
            return directory, None
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def is_git_dir(path: str) -> bool:
    """Tell whether the directory is a Git directory, by what Git looks at."""
    if not os.path.lexists(os.path.join(path, "HEAD")):
        return False
    common = common_dir(path)
    return os.path.isdir(os.path.join(common, "objects")) and os.path.isdir(os.path.join(common, "refs"))


def common_dir(git_dir: str) -> str:
    """Return the Git directory that a linked work tree shares with the main one; else the directory itself."""
    try:
        with open(os.path.join(git_dir, "commondir"), encoding="utf-8", errors="surrogateescape") as file:
            return os.path.realpath(os.path.join(git_dir, file.read().rstrip("\n")))
    except (FileNotFoundError, NotADirectoryError):
        return git_dir


def _linked_git_dir(dot_git: str) -> str | None:
    """Follow a `.git` file, as linked work trees and submodules have it."""
    try:
        with open(dot_git, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(8192)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return None
    if not text.startswith("gitdir: "):
        return None
    target = os.path.join(os.path.dirname(dot_git), text[len("gitdir: ") :].rstrip("\n"))
    return os.path.realpath(target) if is_git_dir(target) else None

"""The plugins that a repository carries itself: code is only taken from files or a revision that is trusted.

`plugins:` in the configuration names modules and Python files, as `-p` does. A check of the work tree or the index
runs on the user's own checkout and loads them from disk. A check of a revision (a pull request's head) must not run
what that revision brings: the list and the files come from `--trusted-rev` (or `--from`), and without one a named
file is refused.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gitops_guard.config import DEFAULT_PATH
from gitops_guard.errors import PluginError, RepoError
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.tree import EntryKind, Tree


def is_file_name(name: str) -> bool:
    """Tell whether a plugin is named as a file rather than as a module."""
    return name.endswith(".py") or "/" in name


@contextmanager
def plugin_files(
    named: Sequence[str], *, repo: Repo | None, root: str, trusted_rev: str | None, head_rev: str | None
) -> Iterator[tuple[str, Sequence[str]]]:
    """Make the plugins that the configuration names loadable.

    Args:
        named: From the configuration that is in force.
        repo: The repository, if any.
        root: Directory that file names are relative to.
        trusted_rev: Revision whose configuration and files are trusted; None for none.
        head_rev: Revision being checked; None for the work tree or the index.

    Yields:
        The directory to load files from, and the names to load.

    Raises:
        PluginError: A revision names plugins and nothing says that its choice is trusted.
    """
    if trusted_rev is not None and repo is not None:
        with tempfile.TemporaryDirectory(prefix="gitops-guard-plugins-") as folder:
            yield folder, _written(repo, trusted_rev, folder)
        return
    if head_rev is not None and named:
        raise PluginError(
            f"{DEFAULT_PATH} names the plugin {named[0]}, and code that {head_rev} brings or picks is not run;"
            " name a revision that you trust with --trusted-rev, or load the plugin yourself with -p"
        )
    yield root, named


def _written(repo: Repo, rev: str, folder: str) -> Sequence[str]:
    """Write the trusted revision's plugin files below a private folder and return the names that it lists."""
    from gitops_guard.config import load  # needs PyYAML

    tree = repo.commit_tree(rev)
    if not tree.exists(DEFAULT_PATH):
        return ()
    named = load(tree.read(DEFAULT_PATH).decode("utf-8", "replace"), f"{rev}:{DEFAULT_PATH}").plugins
    for name in filter(is_file_name, named):
        target = os.path.normpath(os.path.join(folder, name))
        if not target.startswith(folder + os.sep):
            raise PluginError(f"plugin file {name} lies outside of the repository")
        try:
            data = tree.read(os.path.normpath(name))
        except RepoError as error:
            raise PluginError(f"plugin file {name} in {rev}: {error}") from error
        _write(target, data)
        for path in _pages_beside(tree, os.path.normpath(name)):
            _write(os.path.join(folder, path), tree.read(path))
    return named


def _pages_beside(tree: Tree, name: str) -> list[str]:
    """Return the Markdown files in a plugin's directory: rules may name them as their pages."""
    here = os.path.dirname(name)
    files = (entry.path for entry in tree.entries() if entry.kind is EntryKind.FILE)
    return [path for path in files if path.endswith(".md") and os.path.dirname(path) == here]


def _write(target: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as stream:
        stream.write(data)

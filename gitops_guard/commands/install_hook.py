"""`gitops-guard install-hook`: a Git hook for this clone, for people without pre-commit.

A hook that somebody else wrote is never lost: it is refused, or with `--force` kept beside ours and run first.
"""

import os
import shlex
import sys

from gitops_guard.commands.whole_file import write_whole
from gitops_guard.errors import RepoError, UsageError
from gitops_guard.repo.repository import Repo

NAME = "pre-commit"
KEPT = "pre-commit.before"
"""Name of a hook that was there before ours."""

_MARK = b"# Written by `gitops-guard install-hook`"
_SCRIPT = f"""#!/bin/sh
{_MARK.decode()}; with --uninstall it is removed again.
before="$(dirname "$0")/{KEPT}"
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi
exec {{interpreter}} -P -m gitops_guard check --staged
"""
"""`-P`: the commit's own files must not be importable, or a file `yaml.py` of the repository would be run."""


def install(directory: str, *, force: bool) -> int:
    """Write the hook.

    Args:
        directory: In the clone's work tree.
        force: Keep another hook beside ours instead of refusing.

    Raises:
        UsageError: There is another hook.
        RepoError: There is no work tree, or the hook cannot be written.
    """
    folder = _hooks_folder(directory)
    path, kept = os.path.join(folder, NAME), os.path.join(folder, KEPT)
    try:
        os.makedirs(folder, exist_ok=True)
        if os.path.lexists(path) and not _is_ours(path):
            _set_aside(path, kept, force=force)
        script = _SCRIPT.format(interpreter=shlex.quote(sys.executable))
        write_whole(path, os.fsencode(script), mode=0o777)
    except OSError as error:
        raise RepoError(f"{path}: cannot be written: {error.strerror}") from error
    sys.stdout.write(f"wrote {path}: each commit of this clone is checked\n")
    if os.path.lexists(kept):
        sys.stdout.write(f"the hook that was there before runs first: {kept}\n")
    return 0


def uninstall(directory: str) -> int:
    """Remove our hook and put back the one that was there before.

    Raises:
        UsageError: The hook is another tool's.
        RepoError: There is no work tree, or the hook cannot be removed.
    """
    folder = _hooks_folder(directory)
    path, kept = os.path.join(folder, NAME), os.path.join(folder, KEPT)
    try:
        if not os.path.lexists(path):
            sys.stdout.write(f"there is no hook {path}\n")
            return 0
        if not _is_ours(path):
            raise UsageError(f"{path} is another tool's hook; it stays as it is")
        if os.path.lexists(kept):
            os.replace(kept, path)
            sys.stdout.write(f"removed our hook; {path} is again the one that was there before\n")
        else:
            os.unlink(path)
            sys.stdout.write(f"removed {path}\n")
    except OSError as error:
        raise RepoError(f"{path}: cannot be removed: {error.strerror}") from error
    return 0


def _hooks_folder(directory: str) -> str:
    repo = Repo.discover(directory)
    if repo is None:
        raise UsageError(f"{os.path.abspath(directory)} is in no Git repository; a hook needs one")
    if repo.is_bare:
        raise UsageError(f"{repo.root} is a bare repository: nobody commits in it")
    return repo.hooks_directory


def _is_ours(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return _MARK in stream.read(4096)


def _set_aside(path: str, kept: str, *, force: bool) -> None:
    if not force:
        raise UsageError(
            f"{path} is another tool's hook and stays as it is; --force keeps it as {KEPT} and runs it first."
            " With the pre-commit framework, add our hook to .pre-commit-config.yaml instead"
        )
    if os.path.lexists(kept):
        raise UsageError(f"{kept} is there already; look at both hooks and remove one of them")
    os.rename(path, kept)

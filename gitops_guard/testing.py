"""A repository to try rules, formats and whole commands on, for our own tests and for plugin authors.

Load it as a pytest plugin (`pytest_plugins = ["gitops_guard.testing"]`) and ask for the `repo` fixture:

    def test_deployment_without_team_is_flagged(repo):
        outcome = repo({"web.yaml": DEPLOYMENT}).run("check")
        outcome.assert_findings(("web.yaml", 4, "missing-team-label"))

Everything is real: a Git repository in a temporary directory, the command line in this process, no network, an empty
cache of its own.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from gitops_guard import cli

Files = Mapping[str, str | bytes]
Place = tuple[str, int, str]
"""(path, line, rule id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return standard output as JSON."""
        return json.loads(self.out)

    def assert_clean(self) -> None:
        """Fail unless the command found nothing and could check everything."""
        assert self.code == 0, self._shown()

    def assert_findings(self, *expected: Place) -> None:
        """Fail unless exactly these places were found, in any order; the command must have run with `--format json`."""
        report = self.json()
        found = sorted((one["path"], one["line"], one["rule"]) for one in report["findings"])
        assert found == sorted(expected), self._shown()

    def assert_code(self, code: int) -> None:
        """Fail unless the exit code is this one."""
        assert self.code == code, self._shown()

    def _shown(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Sandbox:
    """A Git repository in a temporary directory."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = dict(environment)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in the repository and return what it printed."""
        done = subprocess.run(  # noqa: S603  # a list, no shell, the test's own arguments
            ["git", *arguments],  # noqa: S607  # the developer's git
            cwd=self.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode("utf-8", "surrogateescape")

    def write(self, files: Files) -> Self:
        """Write files into the work tree."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def remove(self, *names: str) -> Self:
        """Delete files from the work tree."""
        for name in names:
            (self.root / name).unlink()
        return self

    def stage(self, files: Files | None = None) -> Self:
        """Write files and stage everything."""
        self.write(files or {}).git("add", "--all")
        return self

    def commit(self, files: Files | None = None, message: str = "change") -> Self:
        """Write files, stage everything and commit it."""
        self.stage(files).git("commit", "--quiet", "--allow-empty", "--message", message)
        return self

    def run(self, *arguments: str, directory: str = ".", stdin: bytes = b"", **variables: str) -> Outcome:
        """Run a gitops-guard command in the repository, in this process.

        Args:
            arguments: The command line: `"check", "--staged"`. `check` prints JSON unless a format is named.
            directory: Where to run it, relative to the repository's root.
            stdin: What it reads from standard input.
            variables: Environment variables beside the sandbox's own.
        """
        line = list(arguments)
        if line[:1] == ["check"] and "--format" not in line:
            line += ["--format", "json"]
        return self.call(line, directory=directory, stdin=stdin, variables=variables)

    def call(
        self, line: list[str], *, directory: str = ".", stdin: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run a gitops-guard command exactly as it is given."""
        out, err = _Captured(), _Captured()
        with (
            _process_state(self.root / directory, {**self.environment, **(variables or {})}, stdin),
            contextlib.redirect_stdout(out.text),
            contextlib.redirect_stderr(err.text),
        ):
            try:
                code = cli.main(line)
            except SystemExit as end:  # argparse ends the process on a wrong flag
                code = int(end.code or 0)
        return Outcome(code=code, out=out.value(), err=err.value())


class _Captured:
    """A text stream over bytes, as the process's own are."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self.text = io.TextIOWrapper(self._bytes, encoding="utf-8", errors="surrogateescape", newline="")

    def value(self) -> str:
        self.text.flush()
        return self._bytes.getvalue().decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _process_state(directory: Path, environment: Mapping[str, str], stdin: bytes) -> Iterator[None]:
    """Change directory, environment and standard input, and put them back."""
    before, saved, old_stdin = Path.cwd(), dict(os.environ), sys.stdin
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = old_stdin
        os.environ.clear()
        os.environ.update(saved)
        os.chdir(before)


def scrubbed_environment(home: Path) -> dict[str, str]:
    """Return an environment without the user's Git and gitops-guard settings, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITOPS_GUARD_", "XDG_"))}
    kept.pop("NO_COLOR", None)
    return {
        **kept,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    }


@pytest.fixture
def repo(tmp_path: Path) -> Callable[[Files], Sandbox]:
    """Return a function that makes a Git repository with some files in its work tree."""

    def make(files: Files | None = None, *, name: str = "repo") -> Sandbox:
        root = tmp_path / name
        root.mkdir(parents=True)
        (tmp_path / "home").mkdir(exist_ok=True)
        sandbox = Sandbox(root, scrubbed_environment(tmp_path / "home"))
        sandbox.git("init", "--quiet", "--initial-branch", "main")
        return sandbox.write(files or {})

    return make

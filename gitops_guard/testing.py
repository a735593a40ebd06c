"""A pytest plugin for authors of rules, policies, formats and plugins; our own tests use it, too.

Load it (`pytest_plugins = ["gitops_guard.testing"]`) and ask for its fixtures:

    def test_rule_when_the_tag_floats_then_it_is_found(run_rule):
        run_rule(floating_tag, DEPLOYMENT).assert_marked()  # `# finding: floating-tag` stands where it is wrong

    def test_policies_when_run_on_their_examples_then_say_what_is_marked(run_policies):
        run_policies("policies").assert_ok()

    def test_check_when_the_team_is_missing_then_it_is_reported(repo):
        repo({"web.yaml": DEPLOYMENT}).run("check", "-p", "rules.py").assert_findings(("web.yaml", 4, "missing-team"))

Everything is real: rules are run by the engine, `repo` is a Git repository in a temporary directory, its commands run
in this process with an empty cache of their own, and nothing asks the network.
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
from gitops_guard.authoring import FunctionRule
from gitops_guard.check.judge import NO_SCHEMA, SOPS, Judge
from gitops_guard.check.kinds import Kinds
from gitops_guard.check.outlines import outlined
from gitops_guard.check.references import plain_groups, scene_of
from gitops_guard.check.setting import Role, Setting
from gitops_guard.check.skip_reasons import SKIP_REASONS, WAIVER
from gitops_guard.commands.criteria import needs_references
from gitops_guard.commands.test import run_below
from gitops_guard.commands.tree_rules import repository_of
from gitops_guard.config import Config, Scopes
from gitops_guard.links.view import Tally, View
from gitops_guard.model import CheckError, Finding, Json, Rule, RuleContext
from gitops_guard.policy.suite import SuiteResult, marks_of
from gitops_guard.repo.memory import MemoryTree
from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.bundle import versions

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


_NOT_THE_RULES = frozenset({NO_SCHEMA, SOPS, WAIVER, *SKIP_REASONS})
"""Why the engine itself skips something."""

MANIFEST = "manifest.yaml"
"""Path under which `run_rule` judges its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """What one rule said about one text."""

    rule: str
    text: str
    findings: tuple[Finding, ...]
    """The rule's own, in the order of the lines."""

    unevaluated: tuple[str, ...]
    """Why it could not tell about a resource."""

    errors: tuple[CheckError, ...]
    """Its failures, and what of the text cannot be read."""

    def assert_clean(self) -> None:
        """Fail unless the rule found nothing, could tell about everything and did not fail."""
        self.assert_findings()

    def assert_findings(self, *expected: tuple[int, str]) -> None:
        """Fail unless exactly these (line, field) were found: `(8, "spec.replicas")`."""
        found = [(finding.location.line, finding.field) for finding in self.findings]
        assert (sorted(expected), (), ()) == (sorted(found), self.unevaluated, self.errors), self._shown()

    def assert_marked(self) -> None:
        """Fail unless findings stand on exactly the lines that end in `# finding: <rule>`; there must be one."""
        marked = {line for line, rule in marks_of(self.text.encode()) if rule == self.rule}
        assert marked, f"no line of the text has the mark `# finding: {self.rule}`"
        found = {finding.location.line for finding in self.findings}
        assert (marked, (), ()) == (found, self.unevaluated, self.errors), self._shown()

    def _shown(self) -> str:
        lines = [f"line {one.location.line}: {one.field}: {one.message}" for one in self.findings]
        lines += [f"not evaluated: {reason}" for reason in self.unevaluated]
        lines += [f"failed on line {error.line}: {error.message}" for error in self.errors]
        return "\n".join([f"{self.rule} said:", *(lines or ["nothing"])])


@pytest.fixture
def run_rule() -> Callable[..., RuleOutcome]:
    """Return a function that runs one rule on the text of a manifest.

    `run_rule(rule, text, *, options={}, files={}, kubernetes_versions=())`: `rule` is a function marked `@rule` or a
    rule object, `options` what the configuration would say about it, `files` other files of the repository by path
    (a rule that asks for `references` finds their objects, too), and the versions are the newest bundled one where none
    is given.
    """

    def run(
        rule: Rule,
        text: str,
        *,
        options: Mapping[str, Json] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        kubernetes_versions: tuple[str, ...] = (),
    ) -> RuleOutcome:
        targets = kubernetes_versions or versions()[-1:]
        others = {**(files or {}), MANIFEST: text}
        references = _references(others) if needs_references(rule) else None
        context = RuleContext(kubernetes_versions=targets, options=options or {}, references=references)
        if isinstance(rule, FunctionRule):
            rule = _prepared(rule, others, context)
        judge = Judge(Kinds({version: BuiltinSchemas(version, None) for version in targets}))
        setting = Setting(versions=targets, rules=((rule, context),))
        verdict = judge.judge(MANIFEST, text.encode(), setting, Role())
        found = [finding for finding in verdict.findings if finding.rule == rule.id]
        return RuleOutcome(
            rule=rule.id,
            text=text,
            findings=tuple(sorted(found, key=lambda finding: finding.sort_key)),
            unevaluated=tuple(one.reason for one in verdict.skipped if one.reason not in _NOT_THE_RULES),
            errors=verdict.errors,
        )

    return run


def _references(files: Files) -> View:
    """Return who answers to the objects of the judged text: those of all files."""
    data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    groups = plain_groups({path: outlined(path, content) for path, content in data.items()}, lambda _path: True)
    return View(scene_of(groups), "", Tally())


def _prepared(rule: FunctionRule, files: Files, context: RuleContext) -> FunctionRule:
    """Check what the tool checks when it loads a plugin, and point the rule at the files."""
    _ = rule.plan
    unknown = sorted(set(context.options) - set(rule.option_schemas))
    assert not unknown, f"rule {rule.id} has no option {unknown[0]}; it has {sorted(rule.option_schemas)}"
    data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    scopes = Scopes(Config(), context.kubernetes_versions)
    return rule.within(repository_of(MemoryTree(data), scopes, lambda _path: False))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What policies said about the examples in their folders."""

    suites: tuple[SuiteResult, ...]

    def assert_ok(self) -> None:
        """Fail unless there is an example and all are judged as they are marked."""
        cases = [case for suite in self.suites for case in suite.cases]
        errors = [error for suite in self.suites for error in suite.errors]
        lines = [f"{error.path}:{error.line}:{error.column}: {error.message}" for error in errors]
        lines += [f"{case.suite}/{case.case}: {case.policy}: {case.message}" for case in cases if not case.ok]
        assert not lines, "\n".join(lines)
        assert cases, "there is no policy folder with examples: one with a policy.yaml, pass/ and fail/"


@pytest.fixture
def run_policies() -> Callable[..., PolicyOutcome]:
    """Return a function that runs the policy folders below a directory, as `gitops-guard test` does.

    `run_policies(folder, *, kubernetes_versions=())`: the versions are the newest bundled one where none is given.
    """

    def run(folder: str | os.PathLike[str], *, kubernetes_versions: tuple[str, ...] = ()) -> PolicyOutcome:
        path = os.fspath(folder)
        return PolicyOutcome(suites=tuple(run_below(path, path.rstrip("/"), kubernetes_versions or versions()[-1:])))

    return run

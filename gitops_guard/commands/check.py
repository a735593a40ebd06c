"""`gitops-guard check`: would the API server accept this, and which line do I fix?"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from gitops_guard.check import baseline
from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.run import Outcome, check_tree
from gitops_guard.check.workers import processors
from gitops_guard.commands.acceptance import sort_out
from gitops_guard.commands.criteria import cache_of, criteria_of
from gitops_guard.commands.policy_run import BaseReader, PolicyRun, custom_rules_of, look_at, read_base_of
from gitops_guard.commands.progress import Progress
from gitops_guard.commands.reference_check import References
from gitops_guard.commands.rendered_check import ToRender, touched_paths, with_rendered, without_rendered
from gitops_guard.commands.selection import Selection, Wanted, repository_paths, select
from gitops_guard.commands.tree_rules import within_tree
from gitops_guard.commands.whole_file import write_whole
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Flags, Scopes
from gitops_guard.errors import BaselineError, GuardError, PluginError, RepoError, UsageError
from gitops_guard.model import CheckError, Finding, Report
from gitops_guard.repo.changes import ChangeKind
from gitops_guard.repo.memory import MemoryTree
from gitops_guard.repo.repository import Repo, Side
from gitops_guard.repo.tree import Tree
from gitops_guard.report import FORMATS, FormatOptions
from gitops_guard.wording import count

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """The command line of `check`."""

    paths: tuple[str, ...] = ()
    directory: str | None = None
    """Where the repository is; None: where the first path lies."""

    staged: bool = False
    rev: str | None = None
    from_rev: str | None = None
    to_rev: str | None = None
    new_from: str | None = None
    baseline: str | None = None
    write_baseline: str | None = None
    config: str | None = None
    plugins: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    trusted_rev: str | None = None
    no_cache: bool = False
    render: bool = True
    """Judge what the files are rendered to, too."""

    allow_network: bool = False
    verbose: bool = False
    flags: Flags = field(default_factory=Flags)


def run(request: CheckRequest, environment: Mapping[str, str], *, today: date) -> int:
    """Check, write the report to standard output, and return the exit code.

    Args:
        request: The command line.
        environment: The process's variables.
        today: Decides which suppressions have expired.

    Raises:
        GuardError: Nothing could be checked.
    """
    workspace, report, only = judge(request, environment, today=today)
    if request.write_baseline is not None:
        return _write_baseline(report, request.write_baseline)
    if request.baseline is not None:
        known = baseline.read(_read(request.baseline))
        report = baseline.apply(report, known, looked_at=_looked_at(workspace, request, only))
    _write(report, workspace, request)
    return _exit_code(report, workspace)


def judge(
    request: CheckRequest, environment: Mapping[str, str], *, today: date
) -> tuple[Workspace, Report, frozenset[str] | None]:
    """Check, and return where, what was found, and which paths alone counted.

    Args:
        request: The command line; its baselines and its format are the caller's.
        environment: The process's variables.
        today: Decides which suppressions have expired.

    Raises:
        GuardError: Nothing could be checked.
    """
    _refuse_contradictions(request)
    workspace, only = _open(request, environment)
    outcome = check_side(
        workspace,
        workspace.tree,
        request,
        environment,
        only,
        base=read_base_of(workspace, staged=request.staged, from_rev=request.from_rev, to_rev=request.to_rev),
    )
    return workspace, _report(workspace, outcome, request, environment, today, only), only


def _refuse_contradictions(request: CheckRequest) -> None:
    sources = {
        "--staged": request.staged,
        "--rev": request.rev is not None,
        "--from/--to": request.from_rev is not None or request.to_rev is not None,
        "standard input (-)": STDIN in request.paths,
    }
    given = [name for name, there in sources.items() if there]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} name two things to check; give one of them")
    if request.to_rev is not None and request.from_rev is None:
        raise UsageError("--to needs --from; to check one revision give --rev")
    if STDIN in request.paths and len(request.paths) > 1:
        raise UsageError("standard input (-) is checked alone; leave the other paths out")
    if request.baseline is not None and request.write_baseline is not None:
        raise UsageError("--baseline reads and --write-baseline writes; give one of them")


def _open(request: CheckRequest, environment: Mapping[str, str]) -> tuple[Workspace, frozenset[str] | None]:
    """Open the workspace and say which paths alone count, if only changes do."""
    head = request.to_rev or "HEAD"
    asked = Asked(
        directory=request.directory or directory_of(request.paths),
        staged=request.staged,
        rev=head if request.from_rev is not None else request.rev,
        config=request.config,
        plugins=request.plugins,
        policies=request.policies,
        trusted_rev=request.trusted_rev or request.from_rev,
        flags=request.flags,
    )
    if STDIN in request.paths:
        tree = MemoryTree({STDIN: _standard_input()}, label="standard input")
        return open_workspace(asked, environment, tree=tree), None
    workspace = open_workspace(asked, environment)
    if workspace.repo is None:
        return workspace, None
    if request.from_rev is not None:
        base = workspace.repo.merge_base(request.from_rev, head)
        return workspace, _changed(workspace.repo, base, head)
    if request.staged and not request.paths:
        return workspace, _changed(workspace.repo, "HEAD", Side.INDEX)
    return workspace, None


def _standard_input() -> bytes:
    data = sys.stdin.buffer.read()
    if not data:  # a shell hides that `helm template` failed in front of the pipe
        raise UsageError("standard input is empty: nothing was checked; did the command before the pipe fail?")
    return data


def directory_of(paths: Sequence[str]) -> str:
    """Return the directory whose repository is meant: the first path's own when it lies in another one."""
    if not paths or paths[0] == STDIN:
        return "."
    anchor = paths[0] if os.path.isdir(paths[0]) else os.path.dirname(paths[0]) or "."
    if not os.path.isdir(anchor):
        return "."
    here = os.path.realpath(".")
    inside = os.path.realpath(anchor) == here or os.path.realpath(anchor).startswith(here.rstrip("/") + "/")
    return anchor if Repo.discover(anchor) is not None or not inside else "."


def _changed(repo: Repo, base: str, head: str | Side) -> frozenset[str]:
    changes = repo.changed_paths(base, head)
    return frozenset(change.path for change in changes if change.kind is not ChangeKind.DELETED)


def check_side(
    workspace: Workspace,
    tree: Tree,
    request: CheckRequest,
    environment: Mapping[str, str],
    only: frozenset[str] | None,
    *,
    base: BaseReader,
    about: CheckRequest | None = None,
) -> Outcome:
    """Judge a tree.

    Args:
        workspace: What is settled for the run.
        tree: What is judged.
        request: Which of its files.
        environment: The process's variables.
        only: Paths that changed; None when that does not matter.
        base: What the change replaces.
        about: The run whose units are rendered, where all files are judged only to compare with it.
    """
    settings = workspace.settings
    is_stdin = STDIN in request.paths
    policies = look_at(workspace, tree, base)
    workspace = within_tree(workspace, tree, policies.is_example)
    selection = select(
        tree,
        paths=_paths(request, workspace),
        only=only,
        scopes=Scopes(workspace.config, settings.kubernetes_versions),
        renderers=workspace.extensions.renderers,
        everything=is_stdin,
        is_example=policies.is_example,
    )
    references = References(workspace, tree, selection, paths=_paths(request, workspace), staged=request.staged)
    with Progress(sys.stderr, "checking") as progress:
        criteria = criteria_of(workspace, tree, policies.rules, custom_rules_of(workspace, base))
        cache = cache_of(
            workspace, environment, enabled=not request.no_cache, policies=policies.stamp, files=policies.files
        )
        outcome = check_tree(
            tree,
            selection.chosen,
            selection.candidates,
            criteria,
            cache,
            jobs=settings.jobs or processors(),
            progress=progress,
            outlines=references.outlines,
        )
    if request.render and not is_stdin:
        asked = _rendering(workspace, about or request, environment)
        is_example = policies.is_example
        outcome = with_rendered(workspace, tree, selection, outcome, criteria, cache, asked, is_example, references)
    elif not is_stdin:
        outcome = without_rendered(workspace, tree, outcome, cache, environment)
    outcome = references.follow(outcome, cache)
    return _with_removals(outcome, policies, selection, settings.kubernetes_versions)


def _with_removals(outcome: Outcome, policies: PolicyRun, selection: Selection, versions: tuple[str, ...]) -> Outcome:
    """Add what policies say of objects that go, and what was not judged at all."""
    removals, unsure = policies.judge_removals(versions)
    skipped = (*outcome.coverage.skipped, *selection.skipped, *unsure)
    return replace(
        outcome,
        findings=(*outcome.findings, *removals),
        errors=(*outcome.errors, *policies.errors),
        coverage=replace(outcome.coverage, skipped=tuple(sorted(skipped))),
    )


def _rendering(workspace: Workspace, request: CheckRequest, environment: Mapping[str, str]) -> ToRender:
    paths = _paths(request, workspace)
    is_files = bool(paths) and all(workspace.tree.exists(path) for path in paths)
    touched = touched_paths(
        workspace, paths=paths, staged=request.staged, from_rev=request.from_rev, to_rev=request.to_rev
    )
    return ToRender(
        environment=environment,
        allow_network=request.allow_network,
        no_cache=request.no_cache,
        staged=request.staged,
        named=tuple(paths) if is_files else None,
        touched=touched,
    )


def _paths(request: CheckRequest, workspace: Workspace) -> list[str]:
    if STDIN in request.paths:
        return []
    if workspace.repo is not None and workspace.repo.is_bare:
        return [path.strip("/") for path in request.paths]
    return repository_paths(request.paths, workspace.root)


def _report(
    workspace: Workspace,
    outcome: Outcome,
    request: CheckRequest,
    environment: Mapping[str, str],
    today: date,
    only: frozenset[str] | None,
) -> Report:
    accepted = sort_out(workspace, workspace.tree, outcome, today, whole=not request.paths and only is None)
    kept = list(accepted.reported)
    if request.new_from is not None:
        base = _base_findings(workspace, request, environment, today)
        kept = list(baseline.new_findings(kept, base, looked_at=_looked_at(workspace, request, only)))
    kept.sort(key=lambda finding: finding.sort_key)
    plugin_errors = [CheckError(path="", line=0, column=0, message=text) for text in workspace.extensions.problems]
    if workspace.waivers is not None:
        plugin_errors += workspace.waivers.errors
    return Report(
        findings=tuple(kept),
        errors=tuple(sorted((*plugin_errors, *outcome.errors), key=lambda error: error.sort_key)),
        coverage=outcome.coverage,
        suppressed=accepted.silenced,
        waivers=accepted.waivers,
        sources=_source_lines(workspace.tree, {finding.location.path for finding in kept}),
    )


def _base_findings(
    workspace: Workspace, request: CheckRequest, environment: Mapping[str, str], today: date
) -> Sequence[Finding]:
    """Check the commit that the branch left from, by the same configuration."""
    if workspace.repo is None or request.new_from is None:
        raise UsageError("--new-from needs a Git repository")
    head = request.to_rev or request.rev or "HEAD"
    tree = workspace.repo.commit_tree(workspace.repo.merge_base(request.new_from, head))
    whole = replace(request, paths=())
    outcome = check_side(workspace, tree, whole, environment, None, base=BaseReader(), about=request)
    return sort_out(workspace, tree, outcome, today, whole=True).reported


def _looked_at(workspace: Workspace, request: CheckRequest, only: frozenset[str] | None) -> Callable[[str], bool]:
    """Tell of a path whether this run would show its findings: it is among what is checked, or gone from the tree."""
    wanted = Wanted(_paths(request, workspace))
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)

    def looked_at(path: str) -> bool:
        chosen = wanted.covers(path) and (only is None or path in only) and scopes.selected(path)
        return chosen or not workspace.tree.exists(path)

    return looked_at


def _source_lines(tree: Tree, paths: set[str]) -> dict[str, tuple[str, ...]]:
    lines: dict[str, tuple[str, ...]] = {}
    for path in sorted(paths):
        try:
            lines[path] = tuple(tree.read(path).decode("utf-8", "replace").split("\n"))
        except RepoError:
            continue  # a finding about the configuration itself may have no file in this tree
    return lines


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from error


def _write_baseline(report: Report, path: str) -> int:
    try:
        write_whole(path, baseline.write(report))
    except OSError as error:
        raise BaselineError(f"{path}: cannot be written: {error.strerror}") from error
    FORMATS["text"](replace(report, findings=()), sys.stderr, FormatOptions())  # what is in no baseline
    sys.stderr.write(f"gitops-guard: {count(len(report.findings), 'finding')} written to {path}\n")
    return 2 if report.errors else 0


def _write(report: Report, workspace: Workspace, request: CheckRequest) -> None:
    settings = workspace.settings
    terminal = sys.stdout.isatty()
    summaries = {info.id: info.summary for info in ENGINE_RULES.values()}
    summaries.update({rule.id: rule.summary for _, rule in workspace.extensions.rules})
    options = FormatOptions(
        terminal=terminal,
        colour=settings.colour == "always" or (settings.colour == "auto" and terminal),
        verbose=request.verbose,
        width=terminal_width() if terminal else 100,
        summaries=summaries,
    )
    formatter: Callable[..., None] = workspace.extensions.formats[settings.format]
    try:
        formatter(report, sys.stdout, options)
    except (GuardError, OSError):
        raise
    except Exception as error:
        if settings.format in FORMATS:
            raise
        raise PluginError(f"format {settings.format} failed: {type(error).__name__}; tell its author") from error


def terminal_width() -> int:
    """Return the columns of the terminal that standard output is."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 100
    except OSError:
        return 100


def _exit_code(report: Report, workspace: Workspace) -> int:
    if report.errors:
        return 2
    worst = workspace.settings.fail_on.rank
    return 1 if any(finding.severity.rank <= worst for finding in report.findings) else 0

"""`gitops-guard sync`: make the cluster what was merged, prune safely, say what drifted."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from gitops_guard.commands.ending import INTERRUPTED, Ending, listening
from gitops_guard.commands.sync_clusters import ClusterRun, Connected, Work, on_each, on_one
from gitops_guard.commands.sync_events import tell_events
from gitops_guard.commands.sync_loop import Board, repeat
from gitops_guard.commands.sync_narration import Narration
from gitops_guard.commands.sync_source import Source, SourceFlags, at_hand
from gitops_guard.commands.sync_target import Target, conflict_rules, health_checks, ignore_rules, windows
from gitops_guard.errors import GuardError
from gitops_guard.model import Finding, Report, Severity
from gitops_guard.model.sync import SyncReport, SyncVerdict
from gitops_guard.report import FORMATS, FormatOptions
from gitops_guard.report.sync import CLUSTER_FORMATS, SYNC_FORMATS, ToldCluster
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.guard import Caps
from gitops_guard.sync.request import Progress, Request
from gitops_guard.wording import count

CLEAN, DIFFERENT, COULD_NOT = 0, 1, 2
_MOST_SHOWN: Final = 50
"""Findings that a rejected revision shows in a log that is written every few minutes."""

_EXIT_CODES: Final = {
    SyncVerdict.SYNCED: CLEAN,
    SyncVerdict.SUSPENDED: CLEAN,
    SyncVerdict.LOCKED: COULD_NOT,
    SyncVerdict.UNAVAILABLE: COULD_NOT,
    SyncVerdict.INTERRUPTED: INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFlags:
    """The command line of `sync`."""

    target: Target = field(default_factory=Target)
    source: SourceFlags = field(default_factory=SourceFlags)
    dry_run: bool = False
    prune: bool = False
    wait: bool = False
    adopt: bool = False
    rollback_on_failure: bool = False
    verify: bool = False
    foreign: bool = False
    unmanaged: bool = False
    remediate: tuple[str, ...] | None = None
    """Kinds; None: all."""

    max_prune: int | None = None
    max_prune_percent: int | None = None
    approved: tuple[str, ...] = ()
    allow_rewind: bool = False
    prune_kinds: tuple[str, ...] = ()
    timeout_s: float = 300.0
    lease_s: int = 60
    contexts: tuple[str, ...] = ()
    """Contexts, when more than one may be named; `target` has the first."""

    events: bool = True
    metrics_file: str | None = None
    interval_s: float | None = None
    """Run again and again with so much time between; None: once."""

    listen: str | None = None
    """`ADDRESS:PORT` of health and metrics, between runs and during them."""

    format: str = "text"
    colour: str = "auto"
    verbose: bool = False


def run(flags: SyncFlags, environment: Mapping[str, str]) -> int:
    """Render, check, sync, write the report to standard output, and return the exit code.

    Args:
        flags: The command line.
        environment: The process's variables.

    Raises:
        GuardError: Nothing could be done.
    """
    # As the first process of a container we would not even be told of SIGTERM until there is a handler.
    with listening() as ending:

        def once(board: Board) -> int:
            runs = on_all(flags, environment, board, _Work(flags, environment), ending=ending)
            return finish_all(runs, flags, is_interrupted=ending.is_asked)

        if flags.interval_s is not None:
            return repeat(flags, once, ending)
        return once(Board(flags.metrics_file))


def on_all(
    flags: SyncFlags, environment: Mapping[str, str], board: Board, work: Work, *, ending: Ending
) -> tuple[ClusterRun, ...]:
    """Do some work on the cluster or the clusters that are named, and note on the board what came of it.

    Raises:
        GuardError: The source cannot be had, or the only cluster cannot be worked on.
        KeyboardInterrupt: It was told to end before there was anything to report.
    """
    contexts = flags.contexts or (flags.target.context,)
    targets = [replace(flags.target, context=context) for context in contexts]
    try:
        origin = at_hand(flags.source, environment)
        if len(targets) > 1:
            runs = on_each(targets, origin, environment, work, ending=ending)
        else:
            runs = (on_one(targets[0], origin, environment, work, ending=ending),)
    except GuardError as error:
        if ending.is_asked:
            raise KeyboardInterrupt from error
        board.failed(contexts, flags.target.name)
        raise
    board.ran(runs, flags.target.name)
    return runs


class _Work:
    """What is done with each cluster."""

    def __init__(self, flags: SyncFlags, environment: Mapping[str, str]) -> None:
        self._flags = flags
        self._environment = environment
        self._lock = Lock()
        self._is_rejected: bool | None = None

    def __call__(self, place: Connected) -> SyncReport:
        report = self._synced(place)
        if self._flags.dry_run or not self._flags.events:
            return report
        problem = tell_events(place.client, place.name, report)
        return replace(report, notes=(*report.notes, problem)) if problem else report

    def _synced(self, place: Connected) -> SyncReport:
        with self._lock:  # the manifests are the same for all clusters
            if self._is_rejected is None:
                self._is_rejected = is_rejected(place.source, self._environment)
        if self._is_rejected:
            revision = place.source.rendered.revision
            return SyncReport(set_name=place.name.name, revision=revision, verdict=SyncVerdict.REJECTED)
        from gitops_guard.sync.running import sync  # which `drift` has no use for

        request = request_of(self._flags, place.source, place.name, place.narration)
        return sync(place.client, request, place.stop)


def request_of(flags: SyncFlags, source: Source, name: SetName, narration: Narration) -> Request:
    """Return what the stage is asked for: flags, configuration and Git together.

    Raises:
        SyncError: Something in the section `sync:` cannot be used.
    """
    config = source.workspace.config.sync
    caps = Caps()
    if flags.max_prune is not None:
        caps = replace(caps, count=flags.max_prune, free=min(caps.free, flags.max_prune))
    if flags.max_prune_percent is not None:
        caps = replace(
            caps, percent=flags.max_prune_percent, shrink_percent=max(caps.shrink_percent, flags.max_prune_percent)
        )
    return Request(
        name=name,
        rendered=source.rendered,
        history=source.history,
        default_namespace=name.namespace,
        dry_run=flags.dry_run,
        prune=flags.prune,
        wait=flags.wait,
        adopt=flags.adopt,
        rollback_on_failure=flags.rollback_on_failure,
        verify_all=flags.verify,
        foreign=flags.foreign,
        unmanaged=flags.unmanaged,
        remediate=None if flags.remediate is None else frozenset(flags.remediate),
        caps=caps,
        approved=flags.approved,
        allow_rewind=flags.allow_rewind,
        prune_kinds=flags.prune_kinds,
        conflict_rules=conflict_rules(config),
        ignore_rules=ignore_rules(config),
        checks=health_checks(config),
        windows=windows(config),
        suspended=config.suspend,
        timeout_s=flags.timeout_s,
        lease_s=flags.lease_s,
        progress=Progress(object_done=narration.object_done, health=narration.health, planned=narration.planned),
    )


def is_rejected(source: Source, environment: Mapping[str, str]) -> bool:
    """Check the manifests at the revision and what was rendered, and write what is wrong to standard error.

    Raises:
        GuardError: They could not be checked.
    """
    from gitops_guard.commands.check import CheckRequest, judge  # costs 150 ms, which `drift` need not pay

    flags = source.flags
    asked = CheckRequest(
        directory=flags.source,
        paths=_paths(flags, source),
        rev=source.rendered.revision or None,
        config=flags.config,
        allow_network=flags.allow_network,
        flags=flags.flags,
    )
    today = datetime.now(UTC).date()
    _, report, _ = judge(asked, environment, today=today)
    errors = _errors(report)
    if not errors and not report.errors:
        return False
    shown = replace(report, findings=tuple(errors[:_MOST_SHOWN]), errors=report.errors[:_MOST_SHOWN])
    FORMATS["text"](shown, sys.stderr, FormatOptions())
    wrong = len(errors) + len(report.errors)
    left = wrong - len(shown.findings) - len(shown.errors)
    more = f" ({left} more than are shown: gitops-guard check shows all)" if left else ""
    sys.stderr.write(
        f"gitops-guard: {count(wrong, 'error')} in the manifests{more}; nothing is written to the cluster\n"
    )
    return True


def _paths(flags: SourceFlags, source: Source) -> tuple[str, ...]:
    """Return what is checked: the source's directory or what is below --path in it; a bare repository has no files."""
    repo = source.workspace.repo
    if repo is not None and repo.is_bare:
        return (flags.path,) if flags.path is not None else ()
    return (flags.source if flags.path is None else f"{flags.source}/{flags.path}",)


def _errors(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity is Severity.ERROR]


def finish_all(runs: Sequence[ClusterRun], flags: SyncFlags, *, is_interrupted: bool = False) -> int:
    """Write the report on one cluster, or on all of them, and return the exit code: the worst.

    Args:
        runs: What came of each cluster.
        flags: The command line.
        is_interrupted: We were told to end, which is why there may be no report on a cluster.
    """
    if len(flags.contexts) < 2 and runs[0].report is not None:
        return finish(runs[0].report, flags)
    told = [ToldCluster(context=run.context, report=run.report, error=run.error) for run in runs]
    CLUSTER_FORMATS[flags.format](told, sys.stdout, _options(flags))
    without = INTERRUPTED if is_interrupted else COULD_NOT
    codes = [without if run.report is None else exit_code(run.report) for run in runs]
    return max(codes)  # in this order: clean, different, could not, interrupted


def finish(report: SyncReport, flags: SyncFlags) -> int:
    """Write a report, and return its exit code."""
    SYNC_FORMATS[flags.format](report, sys.stdout, _options(flags))
    return exit_code(report)


def exit_code(report: SyncReport) -> int:
    """Return what a verdict means for whoever started us."""
    return _EXIT_CODES.get(report.verdict, DIFFERENT)


def _options(flags: SyncFlags) -> FormatOptions:
    terminal = sys.stdout.isatty()
    width = 100
    if terminal:
        from gitops_guard.commands.check import terminal_width

        width = terminal_width()
    return FormatOptions(
        terminal=terminal,
        colour=flags.colour == "always" or (flags.colour == "auto" and terminal),
        verbose=flags.verbose,
        width=width,
    )

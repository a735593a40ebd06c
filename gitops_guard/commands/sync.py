"""`gitops-guard sync`: make the cluster what was merged, prune safely, say what drifted."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from gitops_guard.commands.check import CheckRequest, judge, terminal_width
from gitops_guard.commands.sync_narration import Narration
from gitops_guard.commands.sync_source import Place, Source, SourceFlags, open_source
from gitops_guard.commands.sync_target import (
    Target,
    conflict_rules,
    connected,
    health_checks,
    ignore_rules,
    stoppable,
    windows,
)
from gitops_guard.model import Finding, Report, Severity
from gitops_guard.model.sync import SyncReport, SyncVerdict
from gitops_guard.report import FORMATS, FormatOptions
from gitops_guard.report.sync import SYNC_FORMATS
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.guard import Caps
from gitops_guard.sync.locking import Stop
from gitops_guard.sync.request import Progress, Request
from gitops_guard.sync.running import sync
from gitops_guard.wording import count

CLEAN, DIFFERENT, COULD_NOT, INTERRUPTED = 0, 1, 2, 130
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
    with connected(flags.target, environment) as (client, access, name):
        source = open_source(flags.source, Place(context=access.name, server=access.server), environment)
        if is_rejected(source, environment):
            rejected = SyncReport(set_name=name.name, revision=source.rendered.revision, verdict=SyncVerdict.REJECTED)
            return finish(rejected, flags)
        stop = Stop()
        with Narration(sys.stderr) as narration, stoppable(client, stop):
            report = sync(client, request_of(flags, source, name, narration), stop)
    return finish(report, flags)


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
        progress=Progress(object_done=narration.object_done, health=narration.health),
    )


def is_rejected(source: Source, environment: Mapping[str, str]) -> bool:
    """Check the manifests at the revision and what was rendered, and write what is wrong to standard error.

    Raises:
        GuardError: They could not be checked.
    """
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
    FORMATS["text"](replace(report, findings=tuple(errors)), sys.stderr, FormatOptions())
    wrong = count(len(errors) + len(report.errors), "error")
    sys.stderr.write(f"gitops-guard: {wrong} in the manifests; nothing is written to the cluster\n")
    return True


def _paths(flags: SourceFlags, source: Source) -> tuple[str, ...]:
    """Return what is checked: the source's directory or what is below --path in it; a bare repository has no files."""
    repo = source.workspace.repo
    if repo is not None and repo.is_bare:
        return (flags.path,) if flags.path is not None else ()
    return (flags.source if flags.path is None else f"{flags.source}/{flags.path}",)


def _errors(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity is Severity.ERROR]


def finish(report: SyncReport, flags: SyncFlags) -> int:
    """Write a report, and return its exit code."""
    terminal = sys.stdout.isatty()
    options = FormatOptions(
        terminal=terminal,
        colour=flags.colour == "always" or (flags.colour == "auto" and terminal),
        verbose=flags.verbose,
        width=terminal_width() if terminal else 100,
    )
    SYNC_FORMATS[flags.format](report, sys.stdout, options)
    return _EXIT_CODES.get(report.verdict, DIFFERENT)

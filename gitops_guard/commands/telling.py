"""Telling a plan: what `pr` and `report` do with it once it is whole."""

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gitops_guard.commands.whole_file import write_whole
from gitops_guard.errors import UsageError
from gitops_guard.forge.surroundings import Surroundings
from gitops_guard.model import Coverage, Report, Severity
from gitops_guard.model.judgement import Judgement, judge
from gitops_guard.model.pull import Gate, PullPlan, RolloutGate
from gitops_guard.report import FORMATS, FormatOptions
from gitops_guard.report.pull.budget import Budget, size_of
from gitops_guard.report.pull.comment import comment, full_report
from gitops_guard.report.pull.escape import Links

_SUMMARY_BYTES = 1_000_000
"""GitHub drops a summary of more than 1,024 KiB as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Where a plan is told."""

    post: str | None = None
    """`github`, `gitlab`, `gitea`, `auto`, `local:DIR`; None: nowhere."""

    summary: str | None = None
    """File that the short report is added to; None: the one that CI names, if any."""

    markdown: str | None = None
    """File for the full report."""

    html: str | None = None
    sarif: str | None = None
    code_quality: str | None = None
    report_url: str = ""
    """Where the full report will lie."""

    name: str = "gitops-guard"
    """Of the status and the check, and the comment's key."""

    parts: int = 1
    """Most comments."""

    quiet_comment: bool = True
    """Whether a comment is made where there is nothing to say."""

    verify: bool = False
    """Whether the plan comes from elsewhere, and is compared with what the forge says."""

    @property
    def is_anything(self) -> bool:
        """Tell whether anything is asked for beside the exit code."""
        return any((self.post, self.summary, self.markdown, self.html, self.sarif, self.code_quality))


def gate_of(fail_on: Severity, rollout: str, *, unseen_passes: bool) -> Gate:
    """Return the gate that settings and flags make."""
    return Gate(fail_on=fail_on, rollout=RolloutGate(rollout), unseen_passes=unseen_passes)


def tell(
    plan: PullPlan,
    telling: Telling,
    environment: Mapping[str, str],
    around: Surroundings,
    *,
    gate: Gate | None = None,
) -> int:
    """Tell a plan wherever it is asked for, and return the gate's exit code.

    Args:
        plan: All shards together.
        telling: Where.
        environment: The process's variables: tokens, and what CI says.
        around: Where we are.
        gate: The one in force; the plan's own by default.

    Raises:
        GuardError: It could not be told.
    """
    judgement = judge(plan, gate or plan.gate)
    links = Links(report=telling.report_url, run=around.run_url)
    if telling.post is not None:
        from gitops_guard.commands.posting import post  # the network's part is paid for by who posts

        post(plan, judgement, telling, environment, around)
    _write_files(plan, judgement, telling, links)
    _add_summary(plan, judgement, telling.summary or around.summary, links)
    if not telling.is_anything:
        sys.stdout.write(full_report(plan, judgement, links=links))
    return judgement.exit_code


def _write_files(plan: PullPlan, judgement: Judgement, telling: Telling, links: Links) -> None:
    if telling.markdown is not None:
        _write(telling.markdown, full_report(plan, judgement, links=links))
    if telling.html is not None:
        from gitops_guard.report.pull.html import page

        _write(telling.html, page(plan, judgement, links=links))
    if telling.sarif is not None:
        _write(telling.sarif, _formatted("sarif", plan, judgement))
    if telling.code_quality is not None:
        _write(telling.code_quality, _formatted("gitlab", plan, judgement))


def _write(path: str, text: str) -> None:
    try:
        write_whole(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _formatted(name: str, plan: PullPlan, judgement: Judgement) -> str:
    """Write the new findings in a format of `check`."""
    found = sorted((*judgement.blocking, *judgement.warnings), key=lambda finding: finding.sort_key)
    coverage = Coverage(versions=plan.versions, skipped=judgement.unseen)
    report = Report(findings=tuple(found), errors=judgement.errors, coverage=coverage, suppressed=plan.silenced)
    out = io.StringIO()
    FORMATS[name](report, out, FormatOptions())
    return out.getvalue()


def _add_summary(plan: PullPlan, judgement: Judgement, path: str, links: Links) -> None:
    """Add the report to the job's page: the full one while it fits, else the comment."""
    if not path:
        return
    text = full_report(plan, judgement, links=links)
    if size_of(text).octets > _SUMMARY_BYTES:
        text = comment(plan, judgement, budget=Budget(_SUMMARY_BYTES, _SUMMARY_BYTES), links=links)[0].text
    directory = os.path.dirname(path)
    if directory and not os.path.isdir(directory):
        raise UsageError(f"{path}: its directory does not exist")
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)

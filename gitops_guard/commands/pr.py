"""`gitops-guard pr`: what merging a pull request does, and whether it may be merged."""

import json
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gitops_guard import __version__
from gitops_guard.commands.check import CheckRequest
from gitops_guard.commands.new_findings import NewFindings, new_findings
from gitops_guard.commands.preview import Preview, Suppositions, preview
from gitops_guard.commands.simulate import check_version, read_assumptions
from gitops_guard.commands.telling import Telling, gate_of, tell
from gitops_guard.commands.whole_file import write_whole
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import DEFAULT_PATH
from gitops_guard.errors import UsageError
from gitops_guard.forge.surroundings import Surroundings, surroundings
from gitops_guard.model import CheckError
from gitops_guard.model.judgement import judge
from gitops_guard.model.pull import PullPlan, Shard, UnitChanges
from gitops_guard.repo.repository import Repo
from gitops_guard.report.pull.plan_json import plan_object
from gitops_guard.wording import count


@dataclass(frozen=True, slots=True, kw_only=True)
class PrRequest:
    """The command line of `pr`."""

    from_rev: str | None = None
    to_rev: str = "HEAD"
    head: str | None = None
    """Commit that the result is about, where it is not the one looked at."""

    number: int | None = None
    repository: str | None = None
    plan: str | None = None
    """File that the plan is written to."""

    shard: str | None = None
    assume: str | None = None
    kubernetes_version: str = ""
    """That rollouts are simulated for; empty: each cluster's own."""

    fail_on_rollout: str = "downtime"
    unseen_passes: bool = False
    check: CheckRequest = field(default_factory=CheckRequest)
    contexts: tuple[str, ...] = ()
    """Contexts of clusters to ask; empty, and not `live`: no cluster is asked."""

    live: bool = False
    """Ask the clusters of the configuration."""

    kubeconfig: str = ""
    telling: Telling = field(default_factory=Telling)


def run(request: PrRequest, environment: Mapping[str, str], *, today: date) -> int:
    """Work the plan out, write and tell it, and return the gate's exit code.

    Args:
        request: The command line.
        environment: The process's variables.
        today: Decides which suppressions have expired.

    Raises:
        GuardError: Nothing could be worked out, or told.
    """
    started_s = time.monotonic()
    around = surroundings(environment)
    target = request.from_rev or around.base
    if not target:
        raise UsageError("name the target branch: --from origin/main; only in CI of a pull request is it known")
    workspace, base, head = _open(request, target, environment)
    plan = _plan(request, workspace, around, base, head, environment, today)
    plan = replace(plan, is_merged=_is_merged(workspace.repo, target, base), duration_s=time.monotonic() - started_s)
    if request.plan is not None:
        write_whole(request.plan, f"{json.dumps(plan_object(plan), separators=(',', ':'))}\n".encode())
    if plan.shard is not None and not request.telling.is_anything:
        sys.stderr.write(
            f"gitops-guard: shard {plan.shard}: {count(len(plan.units), 'unit')}; report joins the shards\n"
        )
        return judge(plan, plan.gate).exit_code
    return tell(plan, request.telling, environment, around)


def _open(request: PrRequest, target: str, environment: Mapping[str, str]) -> tuple[Workspace, str, str]:
    """Open the head, and find the commit that it left the target branch from."""
    check = request.check
    asked = Asked(
        rev=request.to_rev,
        config=check.config,
        plugins=check.plugins,
        policies=check.policies,
        trusted_rev=check.trusted_rev or target,
        flags=check.flags,
    )
    workspace = open_workspace(asked, environment)
    if workspace.repo is None:
        raise UsageError("pr compares two revisions, and this is no Git repository")
    repo = workspace.repo
    return workspace, repo.merge_base(target, request.to_rev), repo.resolve(request.to_rev)


def _is_merged(repo: Repo | None, target: str, base: str) -> bool:
    """Tell whether the head holds all of the target branch, so that its tree is what a merge gives."""
    return repo is not None and repo.resolve(target) == base


def _plan(
    request: PrRequest,
    workspace: Workspace,
    around: Surroundings,
    base: str,
    head: str,
    environment: Mapping[str, str],
    today: date,
) -> PullPlan:
    assert workspace.repo is not None
    before = workspace.repo.commit_tree(base)
    assumptions = read_assumptions(request.assume, workspace.config)
    suppositions = Suppositions(assumptions=assumptions, version=request.kubernetes_version)
    if suppositions.version:
        check_version(suppositions.version, suppositions.assumptions)
    found = new_findings(workspace, before, request.check, environment, base=base, head=head, today=today)
    seen = preview(
        workspace,
        before,
        suppositions,
        environment,
        allow_network=request.check.allow_network,
        no_cache=request.check.no_cache,
        today=today,
    )
    shard = _shard(request.shard, environment)
    plan = PullPlan(
        repository=request.repository or around.repository,
        number=around.number if request.number is None else request.number,
        head=workspace.repo.resolve(request.head) if request.head else _known(around.head) or head,
        base=base,
        target=around.target or request.from_rev or "",
        is_fork=around.is_fork,
        run=around.run,
        tool=__version__,
        gate=gate_of(workspace.settings.fail_on, request.fail_on_rollout, unseen_passes=request.unseen_passes),
        shard=shard,
        notes=(*_notes(workspace, base, head), *seen.notes),
    )
    filled = _filled(plan, found, seen, _share(shard))
    if not (request.contexts or request.live):
        return filled
    from gitops_guard.commands.live_diff import LiveRequest
    from gitops_guard.commands.live_preview import with_clusters  # asking clusters is paid for by who asks

    live = LiveRequest(
        contexts=request.contexts,
        configured=request.live,
        kubeconfig=request.kubeconfig,
        allow_network=request.check.allow_network,
        no_cache=request.check.no_cache,
    )
    return with_clusters(filled, live, workspace, before, environment)


def _known(head: str) -> str:
    """Return the event's commit; the checkout may lack it, since it is of the merge."""
    return head if len(head) in (40, 64) else ""


def _notes(workspace: Workspace, base: str, head: str) -> tuple[str, ...]:
    assert workspace.repo is not None
    changed = {change.path for change in workspace.repo.changed_paths(base, head)}
    if DEFAULT_PATH not in changed:
        return ()
    return (f"{DEFAULT_PATH} changes: this change is judged by its own settings",)


def _filled(plan: PullPlan, found: NewFindings, seen: Preview, is_ours: Callable[[str], bool]) -> PullPlan:
    """Put in what was found, as far as it is this shard's part; what could not be checked is said once."""
    unreadable = {error.path for error in found.errors if error.path}
    return replace(
        plan,
        units=tuple(_without(unit, unreadable) for unit in seen.units if is_ours(f"{unit.cluster}/{unit.name}")),
        findings=tuple(finding for finding in found.findings if is_ours(finding.location.path)),
        known=found.known if is_ours("known") else 0,
        silenced=found.silenced + seen.silenced if is_ours("silenced") else 0,
        accepted=tuple(one for one in found.accepted if is_ours(one.path)),
        errors=tuple(_of_shard((*found.errors, *(e for e in seen.errors if e.path not in unreadable)), is_ours)),
        known_errors=found.known_errors if is_ours("known errors") else 0,
        unseen=tuple(entry for entry in seen.unseen if is_ours(entry.path)),
        versions=found.versions,
    )


def _of_shard(errors: tuple[CheckError, ...], is_ours: Callable[[str], bool]) -> list[CheckError]:
    return [error for error in errors if is_ours(error.path)]


def _without(unit: UnitChanges, paths: set[str]) -> UnitChanges:
    return replace(unit, errors=tuple(error for error in unit.errors if error.path not in paths))


def _share(shard: Shard | None) -> Callable[[str], bool]:
    """Return which names are this shard's: each name is exactly one's, on every machine."""
    if shard is None:
        return lambda _name: True
    return lambda name: zlib.crc32(name.encode("utf-8", "surrogatepass")) % shard.total == shard.index


def _shard(text: str | None, environment: Mapping[str, str]) -> Shard | None:
    """Read `I/N`, where I counts from 0; `auto` reads what CI says."""
    if text is None:
        return None
    if text == "auto":
        return _shard_of_ci(environment)
    index, _, total = text.partition("/")
    return _checked_shard(index, total)


def _shard_of_ci(environment: Mapping[str, str]) -> Shard | None:
    if "JOB_COMPLETION_INDEX" in environment:
        total = environment.get("GITOPS_GUARD_SHARDS")
        if total is None:
            raise UsageError("--shard auto in an indexed Job needs the number of shards: GITOPS_GUARD_SHARDS")
        return _checked_shard(environment["JOB_COMPLETION_INDEX"], total)
    if "CI_NODE_INDEX" in environment:  # GitLab's `parallel`, from 1
        return _checked_shard(environment["CI_NODE_INDEX"], environment.get("CI_NODE_TOTAL", "1"), first=1)
    if "STRATEGY_JOB_INDEX" in environment:  # set from `strategy.job-index` of GitHub's matrix, from 0
        return _checked_shard(environment["STRATEGY_JOB_INDEX"], environment.get("STRATEGY_JOB_TOTAL", "1"))
    raise UsageError(
        "--shard auto finds no JOB_COMPLETION_INDEX, CI_NODE_INDEX or STRATEGY_JOB_INDEX; name it: --shard 0/4"
    )


def _checked_shard(index: str, total: str, *, first: int = 0) -> Shard:
    if not (
        index.isdecimal() and total.isdecimal() and first <= int(index) < int(total) + first and int(total) <= 1000
    ):
        raise UsageError(f"--shard: {index}/{total} is none; 0/4 is the first of four")
    return Shard(index=int(index) - first, total=int(total))

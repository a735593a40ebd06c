"""Posting a plan: comment, status and check, to the host that the run or the command line names."""

import sys
from collections.abc import Mapping

from gitops_guard.commands.telling import Telling
from gitops_guard.errors import ForgeError, PlanError, UsageError
from gitops_guard.forge.gitea import Gitea
from gitops_guard.forge.github import API, GitHub
from gitops_guard.forge.gitlab import GitLab
from gitops_guard.forge.host import Annotation, Check, Forge, Level, Pull, State, Status
from gitops_guard.forge.local import Local
from gitops_guard.forge.sticky import Sticky, Text, Written
from gitops_guard.forge.surroundings import Surroundings
from gitops_guard.model import CheckError, Finding, Severity
from gitops_guard.model.judgement import Judgement, Outcome
from gitops_guard.model.pull import PullPlan
from gitops_guard.report.pull.budget import Budget
from gitops_guard.report.pull.comment import comment
from gitops_guard.report.pull.escape import Links
from gitops_guard.report.pull.words import is_quiet, status, verdict
from gitops_guard.report.visible import visible

_STATES = {
    Outcome.PASSED: State.SUCCESS,
    Outcome.BLOCKED: State.FAILURE,
    Outcome.UNCHECKED: State.ERROR,
    Outcome.UNSEEN: State.NEUTRAL,
}
_LEVELS = {Severity.ERROR: Level.FAILURE, Severity.WARNING: Level.WARNING, Severity.NOTE: Level.NOTICE}
_MARKER = 500
"""Room for the marker's line."""

_OUTPUT = 60_000
"""Characters of a check's summary and of its text."""

_MOST_ANNOTATIONS = 1000


def post(
    plan: PullPlan, judgement: Judgement, telling: Telling, environment: Mapping[str, str], around: Surroundings
) -> None:
    """Write comment, status and check.

    Args:
        plan: All shards together.
        judgement: Of it.
        telling: Where.
        environment: The process's variables: tokens.
        around: Where we are.

    Raises:
        ForgeError: The host refuses.
        PlanError: The plan is of another pull request, commit or repository than the host knows.
    """
    forge = _forge(telling.post or "", plan, environment, around)
    if telling.verify:
        _verify(plan, around, forge)
    links = Links(file=forge.file_link(plan.head), report=telling.report_url, run=around.run_url)
    if plan.number and not around.is_queue:
        outcome = _comment(forge, plan, judgement, telling, links)
        sys.stderr.write(f"gitops-guard: comment {outcome}\n")
        if outcome is Written.STALE:
            return
    _status(forge, plan, judgement, telling, links)


def _verify(plan: PullPlan, around: Surroundings, forge: Forge) -> None:
    """Refuse a plan that does not belong to the pull request as the host knows it, or to the event's commit."""
    if around.repository and plan.repository and plan.repository.casefold() != around.repository.casefold():
        raise PlanError("the plan is of another repository")
    if around.head and plan.head != around.head:
        raise PlanError("the plan is of another commit than the event")
    if around.number and plan.number != around.number:
        raise PlanError("the plan is of another pull request than the event")
    if not plan.number:
        if around.is_queue:
            return
        raise PlanError(
            "the plan names no pull request: make it with gitops-guard pr --number N --repository OWNER/NAME"
        )
    pull = forge.pull(plan.number)
    if pull.head != plan.head:
        raise PlanError("the plan is of another commit than the pull request's newest; wait for the newer run's plan")
    if not pull.is_open:
        raise PlanError("the pull request is closed")


def _comment(forge: Forge, plan: PullPlan, judgement: Judgement, telling: Telling, links: Links) -> Written:
    limits = forge.limits
    budget = Budget(limits.comment_characters - _MARKER, limits.comment_octets - _MARKER)
    parts = comment(plan, judgement, budget=budget, parts=telling.parts, links=links)
    sticky = Sticky(forge, plan.number, key=telling.name, head=plan.head, generation=plan.run)
    create = telling.quiet_comment or not is_quiet(plan, judgement)
    return sticky.write([Text(body=part.text, digest=part.digest) for part in parts], create=create)


def _status(forge: Forge, plan: PullPlan, judgement: Judgement, telling: Telling, links: Links) -> None:
    state = _STATES[judgement.outcome]
    said = status(plan, judgement, longest=forge.limits.status_description)
    url = links.report or links.run
    short = comment(plan, judgement, budget=Budget(_OUTPUT, _OUTPUT), links=links)[0].text
    found = (*judgement.blocking, *judgement.warnings)
    check = Check(
        name=telling.name,
        state=state,
        title=verdict(plan, judgement),
        summary=short,
        text="",
        annotations=[_error_note(error) for error in judgement.errors if error.path][:_MOST_ANNOTATIONS]
        + [_annotation(finding) for finding in found[:_MOST_ANNOTATIONS]],
        url=url,
    )
    if not forge.publish_check(plan.head, check):
        forge.set_status(plan.head, Status(state=state, context=telling.name, description=said, url=url))


def _annotation(finding: Finding) -> Annotation:
    at = finding.location
    text = ": ".join(part for part in (str(finding.resource or ""), finding.field, finding.message) if part)
    return Annotation(
        path=at.path,
        line=at.line,
        end_line=at.end_line,
        level=_LEVELS[finding.severity],
        title=visible(finding.rule),
        message="\n".join(visible(part) for part in (text, finding.hint) if part),
    )


def _error_note(error: CheckError) -> Annotation:
    return Annotation(
        path=error.path,
        line=error.line,
        end_line=error.line,
        level=Level.FAILURE,
        title="could not check",
        message=visible(error.message),
    )


def _forge(name: str, plan: PullPlan, environment: Mapping[str, str], around: Surroundings) -> Forge:
    kind, _, rest = name.partition(":")
    if kind == "local":
        return Local(rest or "gitops-guard-report", known=_pull_of(plan))
    if kind == "auto":
        kind = around.forge
    repository = around.repository or plan.repository
    if kind == "github":
        return _github(repository, environment, around)
    if not repository:
        raise UsageError("--post needs the repository: --repository owner/name")
    me = environment.get("GITOPS_GUARD_FORGE_USER", "")
    if kind == "gitlab":
        token = _token(environment, "GITLAB_TOKEN")
        api = environment.get("GITOPS_GUARD_FORGE_URL") or around.api or "https://gitlab.com/api/v4"
        return GitLab(repository, token, api=api, web=around.server, pipeline=around.pipeline, me=me)
    if kind == "gitea":
        server = environment.get("GITOPS_GUARD_FORGE_URL") or around.server
        if not server:
            raise UsageError("--post gitea needs the server's address: GITOPS_GUARD_FORGE_URL")
        return Gitea(repository, _token(environment, "GITEA_TOKEN", "FORGEJO_TOKEN"), server=server, me=me)
    raise UsageError("--post takes github, gitlab, gitea, local or local:DIR, and auto in CI of one of the first three")


def _github(repository: str, environment: Mapping[str, str], around: Surroundings) -> Forge:
    if not repository:
        raise UsageError("--post needs the repository: --repository owner/name")
    api = environment.get("GITOPS_GUARD_FORGE_URL") or around.api or API
    web = around.server or ("https://github.com" if api == API else "")
    me = environment.get("GITOPS_GUARD_FORGE_USER", "")
    app, key = environment.get("GITHUB_APP_CLIENT_ID"), environment.get("GITHUB_APP_PRIVATE_KEY")
    if app and key:
        from gitops_guard.forge.github_app import installation_token

        token, me = installation_token(repository, client_id=app, private_key=key, api=api)
    else:
        token = _token(environment, "GITHUB_TOKEN", "GH_TOKEN")
    return GitHub(repository, token, api=api, web=web, me=me)


def _token(environment: Mapping[str, str], *names: str) -> str:
    for name in ("GITOPS_GUARD_FORGE_TOKEN", *names):
        if token := environment.get(name, "").strip():
            return token
    raise ForgeError(f"there is no token: set {names[0]} or GITOPS_GUARD_FORGE_TOKEN")


def _pull_of(plan: PullPlan) -> Pull:
    return Pull(number=plan.number, head=plan.head, target=plan.target, is_open=True, is_fork=plan.is_fork)

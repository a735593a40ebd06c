"""Where a run takes place: which CI of which host, for which pull request, as the environment and the event say."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitops_guard.errors import ForgeError

_MOST_BYTES: Final = 32 << 20
_NUMBER: Final = re.compile(r"\d{1,12}")
_QUEUE: Final = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-(\d{1,12})-[0-9a-f]+")
_ATTEMPTS: Final = 1000
"""More runs of one commit than anybody starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a CI job knows of itself; everything is empty where nothing says."""

    forge: str = ""
    """`github`, `gitlab`, `gitea`."""

    api: str = ""
    server: str = ""
    """Address of the pages."""

    repository: str = ""
    """`owner/name`; a project's path on GitLab."""

    number: int = 0
    """Of the pull or merge request."""

    head: str = ""
    """Its newest commit; in a merge queue the commit that is to become the branch's."""

    base: str = ""
    """Revision to compare with: the target branch, or the commit that the queue puts it on."""

    target: str = ""
    """Name of the target branch."""

    is_fork: bool = False
    is_queue: bool = False
    """In a merge queue or train: a status is wanted, a comment is not."""

    run: int = 0
    run_url: str = ""
    pipeline: int = 0
    """GitLab's number of the pipeline."""

    summary: str = ""
    """File that the job's page shows."""


def surroundings(environment: Mapping[str, str]) -> Surroundings:
    """Find out where we are.

    Raises:
        ForgeError: The event's file cannot be read.
    """
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    if environment.get("GITHUB_ACTIONS") == "true" or environment.get("GITEA_ACTIONS") == "true":
        return _actions(environment)
    return Surroundings()


def _actions(environment: Mapping[str, str]) -> Surroundings:
    """Read what GitHub Actions say; those of Gitea and Forgejo say it in the same variables."""
    is_gitea = environment.get("GITEA_ACTIONS") == "true" or environment.get("FORGEJO_ACTIONS") == "true"
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    run_id = environment.get("GITHUB_RUN_NUMBER" if is_gitea else "GITHUB_RUN_ID", "")
    return Surroundings(
        forge="gitea" if is_gitea else "github",
        api=environment.get("GITHUB_API_URL", ""),
        server=server,
        repository=repository,
        run=_number(environment.get("GITHUB_RUN_NUMBER")) * _ATTEMPTS + _number(environment.get("GITHUB_RUN_ATTEMPT")),
        run_url=f"{server}/{repository}/actions/runs/{run_id}" if server and run_id else "",
        summary=environment.get("GITHUB_STEP_SUMMARY", ""),
        **_of_event(event),
    )


def _of_event(event: dict[str, Any]) -> dict[str, Any]:
    queue, pull = event.get("merge_group"), event.get("pull_request")
    if isinstance(queue, dict):
        found = _QUEUE.fullmatch(_text(queue, "head_ref"))
        return {
            "number": int(found[1]) if found else 0,
            "head": _text(queue, "head_sha"),
            "base": _text(queue, "base_sha"),
            "target": _text(queue, "base_ref").removeprefix("refs/heads/"),
            "is_queue": True,
        }
    if isinstance(pull, dict):
        head, base = _inner(pull, "head"), _inner(pull, "base")
        target = _text(base, "ref")
        return {
            "number": _whole(pull.get("number")),
            "head": _text(head, "sha"),
            "base": f"origin/{target}" if target else "",
            "target": target,
            "is_fork": _inner(head, "repo").get("id") != _inner(base, "repo").get("id"),
        }
    return _of_finished_run(event.get("workflow_run"))


def _of_finished_run(run: Any) -> dict[str, Any]:
    """Read which commit another workflow looked at; its list of pull requests is empty for forks."""
    if not isinstance(run, dict):
        return {}
    pulls = run.get("pull_requests")
    first = pulls[0] if isinstance(pulls, list) and pulls and isinstance(pulls[0], dict) else {}
    return {
        "number": _whole(first.get("number")),
        "head": _text(run, "head_sha"),
        "is_fork": _inner(run, "head_repository").get("id") != _inner(run, "repository").get("id"),
    }


def _gitlab(environment: Mapping[str, str]) -> Surroundings:
    get = environment.get
    is_train = get("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train"
    source, project = get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), get("CI_MERGE_REQUEST_PROJECT_ID")
    target = get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
    return Surroundings(
        forge="gitlab",
        api=get("CI_API_V4_URL", ""),
        server=get("CI_PROJECT_URL", ""),
        repository=get("CI_PROJECT_PATH", ""),
        number=_number(get("CI_MERGE_REQUEST_IID")),
        # A pipeline of merged results runs on a commit of its own; the request's is the source branch's.
        head=get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or get("CI_COMMIT_SHA", ""),
        base=get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "") or (f"origin/{target}" if target else ""),
        target=target,
        is_fork=bool(source and project) and source != project,
        is_queue=is_train,
        run=_number(get("CI_PIPELINE_IID")) * _ATTEMPTS,
        run_url=get("CI_JOB_URL", ""),
        pipeline=_number(get("CI_PIPELINE_ID")),
    )


def _event(path: str) -> dict[str, Any]:
    if not path or not os.path.exists(path):
        return {}
    try:
        with open(path, "rb") as stream:
            found = json.loads(stream.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ForgeError(f"{path}: the event cannot be read") from error
    return found if isinstance(found, dict) else {}


def _inner(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _number(text: str | None) -> int:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else 0

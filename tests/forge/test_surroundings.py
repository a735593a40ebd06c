"""Where a run takes place, as the CI of each host says it."""

import json

import pytest

from gitops_guard.errors import ForgeError
from gitops_guard.forge.surroundings import surroundings

HEAD, MERGED, BASE = "a" * 40, "b" * 40, "c" * 40
ACTIONS = {
    "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com", "GITHUB_RUN_ID": "99", "GITHUB_RUN_NUMBER": "12", "GITHUB_RUN_ATTEMPT": "2",
}  # fmt: skip


def pull(head_repo=1):
    head = {"sha": HEAD, "ref": "feature", "repo": None if head_repo is None else {"id": head_repo}}
    return {"pull_request": {"number": 7, "head": head, "base": {"ref": "main", "sha": BASE, "repo": {"id": 1}}}}


QUEUE = {"merge_group": {
    "head_sha": MERGED, "base_sha": BASE, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}", "base_ref": "refs/heads/main",
}}  # fmt: skip
RUN = {"workflow_run": {"head_sha": HEAD, "pull_requests": [], "head_repository": {"id": 2}, "repository": {"id": 1}}}


@pytest.fixture
def of_event(tmp_path):
    def of(event, **more):
        (tmp_path / "event.json").write_text(event if isinstance(event, str) else json.dumps(event))
        return surroundings({**ACTIONS, "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), **more})

    return of


def test_actions_when_a_pull_request_then_its_own_commit_is_judged_and_not_the_merge(of_event):
    found = of_event(pull())
    assert ("github", 7, HEAD, "origin/main", "main", False, False) == (
        found.forge, found.number, found.head, found.base, found.target, found.is_fork, found.is_queue,
    )  # fmt: skip
    assert (12_002, "https://github.com/acme/shop/actions/runs/99") == (found.run, found.run_url)


@pytest.mark.parametrize("repo", [2, None])
def test_actions_when_the_branch_is_elsewhere_or_gone_then_it_is_a_fork(of_event, repo):
    assert of_event(pull(repo)).is_fork


def test_actions_when_in_a_merge_queue_then_the_queues_commit_gets_the_status(of_event):
    found = of_event(QUEUE)
    assert (7, MERGED, BASE, "main", True) == (found.number, found.head, found.base, found.target, found.is_queue)


def test_actions_when_another_run_has_ended_then_its_commit_is_known_and_that_it_is_a_forks(of_event):
    found = of_event(RUN)
    assert (0, HEAD, True) == (found.number, found.head, found.is_fork)


def test_actions_when_on_gitea_then_it_is_gitea(of_event):
    found = of_event(pull(), GITEA_ACTIONS="true", GITHUB_SERVER_URL="https://git.example")
    assert ("gitea", "https://git.example/acme/shop/actions/runs/12") == (found.forge, found.run_url)


@pytest.mark.parametrize("event", ["{", "[" * 100_000, "\x00"], ids=["cut", "deep", "none"])
def test_actions_when_the_event_is_no_json_then_it_is_an_error(of_event, event):
    with pytest.raises(ForgeError):
        of_event(event)


@pytest.mark.parametrize(
    "event",
    [
        [],
        {},
        {"pull_request": 1},
        {"pull_request": {"number": "7", "head": [], "base": 3}},
        {"merge_group": {"head_ref": 1}},
    ],
)
def test_actions_when_the_event_is_not_what_it_should_be_then_nothing_is_claimed(of_event, event):
    found = of_event(event)
    assert (0, "") == (found.number, found.head)


def test_gitlab_when_a_merge_request_then_the_source_branchs_commit_is_judged():
    found = surroundings({
        "GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_PROJECT_PATH": "acme/shop", "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": MERGED, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD, "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE, "CI_PIPELINE_ID": "55",
        "CI_PIPELINE_IID": "3", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2",
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
    })  # fmt: skip
    assert ("gitlab", 7, HEAD, BASE, 55, 3000, True, False) == (
        found.forge, found.number, found.head, found.base, found.pipeline, found.run, found.is_fork, found.is_queue,
    )  # fmt: skip


def test_gitlab_when_in_a_merge_train_then_no_comment_is_wanted():
    assert surroundings(
        {"GITLAB_CI": "true", "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_COMMIT_SHA": MERGED}
    ).is_queue


def test_surroundings_when_nowhere_then_nothing_is_known():
    assert "" == surroundings({}).forge

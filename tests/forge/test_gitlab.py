"""GitLab: statuses of a pipeline, notes in pages, what it refuses."""

import pytest
from forge.double import Fault

from gitops_guard.errors import ForgeError
from gitops_guard.forge.host import State, Status

HEAD = "a" * 40


def status(state=State.SUCCESS, **more):
    return Status(state=state, context="guard", description="d", **more)


def test_status_when_set_then_it_belongs_to_the_pipeline(on_gitlab, gitlab):
    on_gitlab.set_status(HEAD, status(State.FAILURE, url="https://ci.example/1"))
    (found,) = gitlab.host.statuses
    assert ("failed", 55, "https://ci.example/1") == (found["state"], found["pipeline_id"], found["target_url"])


def test_status_when_it_says_the_same_already_then_it_is_no_error(on_gitlab, gitlab):
    for _ in range(2):
        on_gitlab.set_status(HEAD, status())
    assert 1 == len(gitlab.host.statuses)


def test_status_when_it_is_refused_for_another_reason_then_it_is_an_error(on_gitlab, gitlab):
    gitlab.host.faults = [Fault(status=400, only="POST")]
    with pytest.raises(ForgeError):
        on_gitlab.set_status(HEAD, status())


def test_status_when_the_address_is_too_long_then_it_is_left_out(on_gitlab, gitlab):
    on_gitlab.set_status(HEAD, status(url="https://ci.example/" + "x" * 300))
    assert "target_url" not in gitlab.host.statuses[0]


def test_comments_when_the_system_writes_some_then_they_do_not_count(on_gitlab, gitlab):
    gitlab.host.add_comment(7, "added 1 commit", gitlab.host.me)["system"] = True
    assert () == on_gitlab.comments(7)


def test_comments_when_there_are_many_then_all_pages_are_read(on_gitlab, gitlab):
    for number in range(250):
        gitlab.host.add_comment(7, str(number), {"id": 9, "login": "x"})
    assert 250 == len(on_gitlab.comments(7))
    assert 3 == sum(1 for call in gitlab.host.calls if call[0] == "GET")


def test_project_when_it_lies_in_groups_then_its_path_is_one_segment(on_gitlab, gitlab):
    assert HEAD == on_gitlab.pull(7).head


def test_pull_when_from_a_fork_then_it_says_so(on_gitlab, gitlab):
    gitlab.host.pulls[7]["fork"] = True
    assert on_gitlab.pull(7).is_fork

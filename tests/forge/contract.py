"""The contract of `Forge`, one function a case: each takes a bench with pull request 7, open, and nothing written yet."""

import pytest

from gitops_guard.errors import ForgeError
from gitops_guard.forge.host import Annotation, Check, Level, State, Status
from gitops_guard.forge.marker import marker_of
from gitops_guard.forge.sticky import Sticky, Text, Written


def texts(*bodies):
    return [Text(body=body, digest=f"{abs(hash(body)):032x}"[:32]) for body in bodies]


def sticky(bench, *, key="guard", generation=1, head=None):
    head = head or bench.forge.pull(7).head
    return Sticky(bench.forge, 7, key=key, head=head, generation=generation, settle=lambda: None)


def ours(bench):
    me = bench.forge.me()
    return [comment for comment in bench.forge.comments(7) if comment.author == me and marker_of(comment.body)]


def pull_is_told_as_it_is(bench):
    pull = bench.forge.pull(7)
    assert (7, "main", True, False) == (pull.number, pull.target, pull.is_open, pull.is_fork)
    assert 40 == len(pull.head)


def pull_that_is_not_there_is_an_error(bench):
    with pytest.raises(ForgeError) as refused:
        bench.forge.pull(4711)
    assert 404 == refused.value.status


def pull_that_is_closed_is_told(bench):
    bench.close()
    assert not bench.forge.pull(7).is_open


def comments_come_in_order_and_whole(bench):
    bodies = ["first", "second\nwith lines", "third 💥 `` | <b>"]
    for body in bodies:
        bench.forge.create_comment(7, body)
    assert bodies == [comment.body for comment in bench.forge.comments(7)]
    assert {bench.forge.me()} == {comment.author for comment in bench.forge.comments(7)}


def comment_is_updated_and_deleted(bench):
    bench.forge.create_comment(7, "one")
    (comment,) = bench.forge.comments(7)
    bench.forge.update_comment(7, comment.id, "two")
    assert ["two"] == [one.body for one in bench.forge.comments(7)]
    bench.forge.delete_comment(7, comment.id)
    bench.forge.delete_comment(7, comment.id)
    assert () == bench.forge.comments(7)


def comment_that_is_gone_cannot_be_updated(bench):
    with pytest.raises(ForgeError) as refused:
        bench.forge.update_comment(7, 987654, "x")
    assert 404 == refused.value.status


def comment_of_the_longest_kind_is_taken(bench):
    limits = bench.forge.limits
    body = "x" * min(limits.comment_characters, limits.comment_octets)
    bench.forge.create_comment(7, body)
    assert [len(body)] == [len(comment.body) for comment in bench.forge.comments(7)]


def status_is_set_again_and_again(bench):
    head = bench.forge.pull(7).head
    for state in (State.PENDING, *State, State.SUCCESS, State.SUCCESS):
        description = "x" * bench.forge.limits.status_description
        bench.forge.set_status(
            head, Status(state=state, context="guard", description=description, url="https://ci.example/1")
        )


def check_is_published_or_said_to_be_none(bench):
    head = bench.forge.pull(7).head
    notes = [
        Annotation(path="a.yaml", line=0, end_line=0, level=Level.WARNING, title="t" * 300, message="m" * 20_000)
    ] * 120
    check = Check(name="guard", state=State.NEUTRAL, title="v" * 300, summary="s", text="t", annotations=notes)
    assert bench.forge.publish_check(head, check) in (True, False)


def sticky_is_created_updated_and_left_alone(bench):
    assert Written.CREATED is sticky(bench).write(texts("one"))
    assert Written.UNCHANGED is sticky(bench, generation=2).write(texts("one"))
    assert Written.UPDATED is sticky(bench, generation=3).write(texts("two"))
    (comment,) = ours(bench)
    assert comment.body.endswith("\ntwo")


def sticky_with_parts_leaves_no_surplus(bench):
    sticky(bench).write(texts("one", "two", "three"))
    assert 3 == len(ours(bench))
    sticky(bench, generation=2).write(texts("one"))
    assert ["guard"] == [marker_of(comment.body).key for comment in ours(bench)]


def sticky_of_two_keys_are_two(bench):
    sticky(bench, key="eu").write(texts("one"))
    sticky(bench, key="us").write(texts("two"))
    sticky(bench, key="eu", generation=2).write(texts("three"))
    assert {"eu", "us"} == {marker_of(comment.body).key for comment in ours(bench)}


def sticky_with_nothing_to_say_makes_none(bench):
    assert Written.OMITTED is sticky(bench).write(texts("one"), create=False)
    assert [] == ours(bench)


def sticky_of_an_older_commit_gives_way(bench):
    old = bench.forge.pull(7).head
    bench.move_head("c" * 40)
    assert Written.STALE is sticky(bench, head=old).write(texts("old"))
    assert [] == ours(bench)


def sticky_of_an_older_run_gives_way(bench):
    sticky(bench, generation=5).write(texts("new"))
    assert Written.STALE is sticky(bench, generation=4).write(texts("old"))
    assert ours(bench)[0].body.endswith("\nnew")


def sticky_of_a_closed_pull_is_not_written(bench):
    bench.close()
    assert Written.STALE is sticky(bench).write(texts("late"))


def sticky_finds_duplicates_and_keeps_the_oldest(bench):
    sticky(bench).write(texts("one"))
    (first,) = ours(bench)
    for _ in range(2):
        bench.forge.create_comment(7, first.body)
    sticky(bench, generation=2).write(texts("two"))
    assert [first.id] == [comment.id for comment in ours(bench)]


def sticky_never_touches_what_somebody_else_wrote(bench):
    sticky(bench).write(texts("one"))
    copied = ours(bench)[0].body
    bench.forge.delete_comment(7, ours(bench)[0].id)
    theirs = bench.stranger_writes(copied)
    assert Written.CREATED is sticky(bench, generation=2).write(texts("two"))
    assert copied in [comment.body for comment in bench.forge.comments(7) if comment.id == theirs]
    assert 1 == len(ours(bench))


def sticky_finds_itself_among_many(bench):
    sticky(bench).write(texts("one"))
    for number in range(120):
        bench.stranger_writes(f"noise {number}")
    assert Written.UPDATED is sticky(bench, generation=2).write(texts("two"))
    assert 1 == len(ours(bench))


CASES = [
    pull_is_told_as_it_is, pull_that_is_not_there_is_an_error, pull_that_is_closed_is_told, comments_come_in_order_and_whole,
    comment_is_updated_and_deleted, comment_that_is_gone_cannot_be_updated, comment_of_the_longest_kind_is_taken,
    status_is_set_again_and_again, check_is_published_or_said_to_be_none, sticky_is_created_updated_and_left_alone,
    sticky_with_parts_leaves_no_surplus, sticky_of_two_keys_are_two, sticky_with_nothing_to_say_makes_none,
    sticky_of_an_older_commit_gives_way, sticky_of_an_older_run_gives_way, sticky_of_a_closed_pull_is_not_written,
    sticky_finds_duplicates_and_keeps_the_oldest, sticky_never_touches_what_somebody_else_wrote, sticky_finds_itself_among_many,
]  # fmt: skip

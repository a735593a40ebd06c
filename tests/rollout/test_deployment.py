"""Single syncs of the Deployment controller against the tables of kubernetes v1.36.3, pkg/controller/deployment."""

import pytest

from gitops_guard.rollout.deployment import (
    NO_DEADLINE,
    AnnotateSet,
    CreateSet,
    DeleteSet,
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    OwnedSet,
    Progress,
    ScaleSet,
    sync,
)


def owned(name, created, spec, **fields):
    """A ReplicaSet at rest: all its pods available, unless said otherwise."""
    defaults = {"replicas": spec, "ready": spec, "available": spec, "existing": spec, "revision": created}
    return OwnedSet(name, created, name, spec, **(defaults | fields))


UPDATED = DeploymentStatus(progress=Progress.UPDATED)


def written(spec, *sets, status=UPDATED, now_ms=0):
    return sync(Deployment(spec, status, sets), now_ms)


def sizes(writes):
    """Sizes by name of ReplicaSet, of those that were changed or created."""
    scaled = {write.name: write.replicas for write in writes if isinstance(write, ScaleSet)}
    created = {write.template: write.replicas for write in writes if isinstance(write, CreateSet)}
    return scaled | created


def progress(writes):
    statuses = [write for write in writes if isinstance(write, DeploymentStatus)]
    return (statuses[-1].progress, statuses[-1].progress_since_ms) if statuses else None


# rolling_test.go: TestDeploymentController_reconcileNewReplicaSet. There old pods are not looked at; here none are
# available, so that none can be retired.
@pytest.mark.parametrize(
    ("surge", "old", "new", "expected"),
    [
        pytest.param(0, 10, 0, {}, id="no room"),
        pytest.param(2, 10, 0, {"new": 2}, id="the surge"),
        pytest.param(2, 5, 0, {"new": 7}, id="the surge and what is missing"),
        pytest.param(2, 10, 2, {}, id="surge used up"),
        pytest.param(2, 2, 11, {"new": 10}, id="too large"),
    ],
)
def test_sync_when_new_set_is_not_full_then_grows_as_upstream(surge, old, new, expected):
    spec = DeploymentSpec(10, max_surge=surge, max_unavailable=0, template="new")
    sets = (owned("old", 1, old, available=old), owned("new", 2, new, available=0))
    grown = {name: size for name, size in sizes(written(spec, *sets)).items() if name == "new"}
    assert expected == grown


# From rolling_test.go: TestDeploymentController_reconcileOldReplicaSets, and the same for
# _scaleDownOldReplicaSetsForRollingUpdate. Upstream calls the function alone, with maxSurge 0, and for maxUnavailable 0 the fenceposts make it 1.
@pytest.mark.parametrize(
    ("unavailable", "old", "old_available", "new", "expected"),
    [
        pytest.param(0, 10, 10, 0, {"old": 9}, id="fenceposts let one go"),
        pytest.param(2, 10, 10, 0, {"old": 8}, id="two may go"),
        pytest.param(2, 10, 8, 0, {"old": 8}, id="the broken ones go"),
        pytest.param(2, 10, 9, 0, {"old": 8}, id="one broken and one healthy go"),
        pytest.param(2, 8, 8, 2, {}, id="unavailable new pods hold the old ones"),
        pytest.param(2, 10, 1, 0, {"old": 8}, id="nearly all broken: no more than there is room for"),
    ],
)
def test_sync_when_old_pods_may_go_then_as_upstream(unavailable, old, old_available, new, expected):
    spec = DeploymentSpec(10, max_surge=0, max_unavailable=unavailable, template="new")
    sets = (owned("old", 1, old, available=old_available), owned("new", 2, new, available=0))
    assert expected == sizes(written(spec, *sets))


# rolling_test.go: TestDeploymentController_cleanupUnhealthyReplicas, with the room made by availability: room is
# total - (10 - 2) here.
@pytest.mark.parametrize(
    ("available", "new", "expected"),
    [
        pytest.param(8, 0, 8, id="room for both broken ones"),
        pytest.param(9, 1, 7, id="room for three: one broken, two healthy"),
        pytest.param(10, 0, 8, id="none broken"),
    ],
)
def test_sync_when_old_pods_are_broken_then_cleaned_up_first(available, new, expected):
    spec = DeploymentSpec(10, max_surge=0, max_unavailable=2, template="new")
    writes = written(spec, owned("old", 1, 10, available=available), owned("new", 2, new, available=new))
    assert expected == sizes(writes)["old"]


def test_sync_when_old_status_is_stale_then_nothing_is_retired():
    # rolling.go:cleanupUnhealthyReplicas fails on a set with more available pods than it may have.
    spec = DeploymentSpec(10, max_surge=0, max_unavailable=5, template="new")
    writes = written(spec, owned("old", 1, 5, available=10), owned("new", 2, 5, available=5))
    assert sizes(writes) == {}


def test_sync_when_new_set_is_missing_then_created_at_size_with_the_clock_started():
    spec = DeploymentSpec(10, template="new", min_ready_s=7)
    status = DeploymentStatus(replicas=10, updated=10, ready=10, available=10, progress=Progress.AVAILABLE)
    writes = written(spec, owned("old", 4, 10, desired=10, revision=8), status=status, now_ms=5000)
    assert CreateSet("new", 3, 10, 13, 9, 7) == writes[0]
    assert (writes[1].progress, writes[1].progress_since_ms) == (Progress.NEW_SET, 5000)
    assert ScaleSet("old", 8, 10, 13) == writes[2]


def test_sync_when_template_is_that_of_an_old_set_then_the_set_is_reused_with_a_higher_revision():
    spec = DeploymentSpec(2, template="v1", max_surge=1, max_unavailable=0)
    writes = written(spec, owned("v1", 1, 0), owned("v2", 2, 2))
    assert [AnnotateSet("v1", 3, 0), ScaleSet("v1", 1, 2, 3)] == list(writes[:2])


def test_sync_when_several_sets_have_the_template_then_the_oldest_is_new():
    spec = DeploymentSpec(2, template="v1", max_surge=1, max_unavailable=0)
    twin = OwnedSet("twin", 2, "v1", 0)
    assert sizes(written(spec, owned("v1", 1, 0), twin, owned("v2", 3, 2))) == {"v1": 1}


# sync_test.go: TestScale. Upstream calls scale() alone; a changed number of replicas makes sync() call it.
# Sizes are in order of age; the youngest set is the new one. Surges are those before and after.
@pytest.mark.parametrize(
    ("before", "after", "surges", "sets", "expected"),
    [
        pytest.param(10, 12, (0, 0), [10], [12], id="10 to 12"),
        pytest.param(10, 5, (0, 0), [10], [5], id="10 to 5"),
        pytest.param(5, 10, (0, 0), [3, 2], [6, 4], id="proportional 5 to 10"),
        pytest.param(5, 3, (0, 0), [3, 2], [2, 1], id="proportional 5 to 3"),
        pytest.param(9, 4, (0, 0), [1, 8], [0, 4], id="proportional 9 to 4"),
        pytest.param(7, 10, (0, 0), [2, 3, 2], [3, 4, 3], id="proportional 7 to 10"),
        pytest.param(13, 8, (0, 0), [3, 8, 2], [2, 5, 1], id="proportional 13 to 8"),
        pytest.param(3, 4, (0, 0), [1, 1, 1], [1, 1, 2], id="leftover 3 to 4"),
        pytest.param(3, 2, (0, 0), [1, 1, 1], [0, 1, 1], id="leftover 3 to 2"),
        pytest.param(6, 0, (0, 0), [1, 2, 3], [0, 0, 0], id="6 to 0"),
        pytest.param(10, 20, (2, 2), [6, 6], [11, 11], id="with surge pods"),
        pytest.param(10, 50, (3, 6), [8, 5], [34, 22], id="surge and size change"),
    ],
)
def test_sync_when_replicas_change_then_sets_are_resized_as_upstream(before, after, surges, sets, expected):
    names = [f"v{number}" for number in range(1, len(sets) + 1)]
    spec = DeploymentSpec(after, template=names[-1], max_surge=surges[1], max_unavailable=1)
    objects = [
        owned(name, rank, size, desired=before, maximum=before + surges[0])
        for rank, (name, size) in enumerate(zip(names, sets, strict=True), 1)
    ]
    assert expected == [sizes(written(spec, *objects)).get(name, size) for name, size in zip(names, sets, strict=True)]


@pytest.mark.parametrize(
    ("before", "after", "sets", "expected"),
    [
        pytest.param(4, 5, [2, 2], [2, 3], id="4 to 5"),
        pytest.param(10, 14, [3, 7], [4, 10], id="10 to 14"),
    ],
)
def test_sync_when_replicas_and_template_change_then_old_sets_are_resized_first(before, after, sets, expected):
    spec = DeploymentSpec(after, template="v3", max_surge=0, max_unavailable=1)
    objects = [owned(f"v{rank}", rank, size, desired=before, maximum=before) for rank, size in enumerate(sets, 1)]
    writes = written(spec, *objects)
    assert {"v1": expected[0], "v2": expected[1]} == {"v1": sets[0], "v2": sets[1]} | sizes(writes)


def test_sync_when_one_set_missed_the_resize_then_only_it_follows():
    # TestScale "failed rs update": v2 still carries the annotation of the time before.
    spec = DeploymentSpec(5, template="v3", max_surge=0, max_unavailable=1)
    current = {"desired": 5, "maximum": 5}
    sets = (owned("v1", 1, 1, **current), owned("v2", 2, 1, desired=3, maximum=3), owned("v3", 3, 2, **current))
    assert {name: size for name, size in sizes(written(spec, *sets)).items() if name == "v2"} == {"v2": 2}


def test_sync_when_new_set_is_full_but_broken_then_a_resize_keeps_old_pods():
    spec = DeploymentSpec(2, template="v2", max_surge=1, max_unavailable=1)
    sets = (owned("v1", 1, 1, desired=1, maximum=3), owned("v2", 2, 2, desired=2, maximum=3, available=0))
    assert {"v1": 1, "v2": 2} | sizes(written(spec, *sets)) == {"v1": 1, "v2": 2}


def test_sync_when_only_the_annotation_is_missing_then_no_resize():
    spec = DeploymentSpec(4, template="v1")
    assert sizes(written(spec, owned("v1", 1, 4, desired=None))) == {}


def test_sync_when_recreate_has_two_active_sets_then_a_resize_does_nothing():
    spec = DeploymentSpec(4, template="v2", recreate=True)
    assert sizes(written(spec, owned("v1", 1, 1, desired=3), owned("v2", 2, 2, desired=3))) == {}


# sync_test.go: TestDeploymentController_cleanupDeployment; (spec, status) of the old sets
@pytest.mark.parametrize(
    ("old", "limit", "expected"),
    [
        pytest.param([(0, 0), (0, 0), (0, 0)], 1, ["v1", "v2"], id="all but one"),
        pytest.param([(0, 0), (0, 1), (1, 0), (1, 1)], 0, ["v1"], id="only empty ones"),
        pytest.param([(0, 0), (0, 0)], 0, ["v1", "v2"], id="no history"),
        pytest.param([(1, 1), (1, 1)], 0, [], id="none empty"),
        pytest.param([(0, 0), (0, 0), (0, 0)], NO_DEADLINE, [], id="unlimited"),
    ],
)
def test_sync_when_paused_then_history_is_trimmed_as_upstream(old, limit, expected):
    spec = DeploymentSpec(1, template="new", paused=True, history_limit=limit)
    status = DeploymentStatus(progress=Progress.PAUSED)
    sets = [owned(f"v{rank}", rank, spec, replicas=actual) for rank, (spec, actual) in enumerate(old, 1)]
    writes = written(spec, *sets, owned("new", 9, 1, revision=9), status=status)
    assert expected == [write.name for write in writes if isinstance(write, DeleteSet)]


# util/deployment_util_test.go: TestNewRSNewReplicas (the other sets hold 5 pods)
@pytest.mark.parametrize(
    ("recreate", "replicas", "new", "surge", "expected"),
    [
        pytest.param(False, 1, 0, 1, {}, id="no room"),
        pytest.param(False, 6, 2, 10, {"new": 6}, id="up to the wanted number"),
    ],
)
def test_sync_when_others_hold_five_then_new_grows_as_upstream(recreate, replicas, new, surge, expected):
    spec = DeploymentSpec(replicas, template="new", max_surge=surge, max_unavailable=1, recreate=recreate)
    writes = written(spec, owned("old", 1, 5, available=0), owned("new", 2, new, available=0))
    assert expected == {name: size for name, size in sizes(writes).items() if name == "new"}


# recreate_test.go: TestOldPodsRunning; existing pods are those of any phase but Failed and Succeeded
@pytest.mark.parametrize(
    ("old", "expected"),
    [
        pytest.param([], {"new": 3}, id="no old sets"),
        pytest.param([owned("a", 1, 0, existing=1)], {}, id="a running, pending or terminating pod"),
        pytest.param([owned("a", 1, 0, replicas=1)], {}, id="no pods but a status that says so"),
        pytest.param([owned("a", 1, 0)], {"new": 3}, id="only pods that have ended"),
        pytest.param([owned("a", 1, 0), owned("b", 2, 0, existing=1)], {}, id="a pod of another old set"),
        pytest.param([owned("a", 1, 3)], {"a": 0}, id="scaled down first"),
    ],
)
def test_sync_when_recreate_then_new_pods_wait_for_old_ones(old, expected):
    assert expected == sizes(written(DeploymentSpec(3, template="new", recreate=True), *old))


# util/deployment_util_test.go: TestDeploymentComplete; (wanted, replicas, updated, available)
@pytest.mark.parametrize(
    ("wanted", "replicas", "updated", "available", "expected"),
    [
        pytest.param(5, 5, 5, 4, False, id="one not available"),
        pytest.param(5, 5, 5, 3, False, id="too few available"),
        pytest.param(5, 5, 5, 5, True, id="complete"),
        pytest.param(5, 5, 4, 5, False, id="one not updated"),
        pytest.param(1, 2, 1, 1, False, id="an old pod still runs"),
        pytest.param(1, 1, 1, 0, False, id="never comes up"),
    ],
)
def test_sync_when_counted_then_complete_as_upstream(wanted, replicas, updated, available, expected):
    spec = DeploymentSpec(wanted, template="new", max_surge=1, max_unavailable=1)
    new = owned("new", 2, wanted, replicas=updated, ready=available, available=available)
    old = owned("old", 1, 0, replicas=replicas - updated, ready=0, available=0)
    found = progress(written(spec, old, new, status=DeploymentStatus(progress=Progress.UPDATED), now_ms=1))
    assert expected == (found is not None and found[0] is Progress.AVAILABLE)


# util/deployment_util_test.go: TestDeploymentProgressing; (replicas, updated, ready, available) before and after
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((10, 4, 4, 4), (10, 6, 4, 4), True, id="more updated"),
        pytest.param((10, 4, 4, 4), (10, 4, 4, 4), False, id="nothing moved"),
        pytest.param((10, 4, 6, 6), (8, 4, 6, 6), True, id="old ones went"),
        pytest.param((10, 7, 3, 3), (10, 6, 3, 3), False, id="fewer new"),
        pytest.param((10, 4, 7, 7), (8, 8, 5, 5), True, id="fewer in all, more new"),
        pytest.param((10, 10, 9, 8), (10, 10, 10, 8), True, id="more ready"),
        pytest.param((10, 10, 10, 9), (10, 10, 10, 10), True, id="more available"),
    ],
)
def test_sync_when_counts_change_then_progressed_as_upstream(before, after, expected):
    replicas, updated, ready, available = after
    spec = DeploymentSpec(20, template="new", max_surge=0, max_unavailable=0)
    old = owned("old", 1, 0, replicas=replicas - updated, ready=0, available=0)
    new = owned("new", 2, 20, replicas=updated, ready=ready, available=available)
    status = DeploymentStatus(True, *before, Progress.NEW_SET, 100)
    found = progress(written(spec, old, new, status=status, now_ms=200))
    assert expected == (found == (Progress.UPDATED, 200))


# util/deployment_util_test.go: TestDeploymentTimedOut, and progress_test.go: TestSyncRolloutStatus
@pytest.mark.parametrize(
    ("deadline_s", "reason", "since_s", "expected"),
    [
        pytest.param(NO_DEADLINE, Progress.UPDATED, 69, None, id="no deadline: the condition goes"),
        pytest.param(10, Progress.UPDATED, 69, Progress.TIMED_OUT, id="11 s ago"),
        pytest.param(10, Progress.UPDATED, 71, Progress.UPDATED, id="9 s ago"),
        pytest.param(10, Progress.UPDATED, 70, Progress.UPDATED, id="10 s ago is not over yet"),
        pytest.param(10, Progress.AVAILABLE, 0, Progress.AVAILABLE, id="a rollout that was complete"),
        pytest.param(10, Progress.TIMED_OUT, 79, Progress.TIMED_OUT, id="stays timed out"),
    ],
)
def test_sync_when_nothing_moves_then_timed_out_as_upstream(deadline_s, reason, since_s, expected):
    spec = DeploymentSpec(3, template="new", max_surge=0, max_unavailable=0, deadline_s=deadline_s)
    status = DeploymentStatus(True, 2, 2, 2, 2, reason, since_s * 1000)
    writes = written(spec, owned("new", 2, 3, replicas=2, ready=2, available=2), status=status, now_ms=80_000)
    found = progress(writes)
    assert expected == ((found[0] or None) if found else reason)


@pytest.mark.parametrize("reason", [Progress.UPDATED, Progress.TIMED_OUT, Progress.NEW_SET])
def test_sync_when_complete_then_available_from_any_reason(reason):
    status = DeploymentStatus(True, 3, 3, 3, 3, reason, 1)
    writes = written(DeploymentSpec(3, template="new"), owned("new", 2, 3), status=status, now_ms=9)
    assert progress(writes) == (Progress.AVAILABLE, 9)


def test_sync_when_set_found_without_condition_then_clock_starts():
    status = DeploymentStatus(True, 3, 3, 3, 3, Progress.NONE, 0)
    writes = written(DeploymentSpec(4, template="new"), owned("new", 2, 3), status=status, now_ms=9)
    assert (writes[0].progress, writes[0].progress_since_ms) == (Progress.FOUND_SET, 9)


@pytest.mark.parametrize(
    ("paused", "reason", "expected"),
    [
        pytest.param(True, Progress.UPDATED, Progress.PAUSED, id="paused"),
        pytest.param(True, Progress.TIMED_OUT, None, id="a failure is not hidden"),
        pytest.param(True, Progress.PAUSED, None, id="paused already"),
    ],
)
def test_sync_when_paused_then_condition_and_no_new_set(paused, reason, expected):
    spec = DeploymentSpec(3, template="new", paused=paused)
    status = DeploymentStatus(True, 3, 0, 3, 3, reason, 1)
    writes = written(spec, owned("old", 1, 3), status=status, now_ms=9)
    assert (expected, {}) == (progress(writes)[0] if progress(writes) else None, sizes(writes))


def test_sync_when_resumed_then_unknown_first_and_the_rollout_starts():
    status = DeploymentStatus(True, 3, 0, 3, 3, Progress.PAUSED, 1)
    writes = written(DeploymentSpec(3, template="new"), owned("old", 1, 3), status=status, now_ms=9)
    assert Progress.RESUMED is writes[0].progress
    assert sizes(writes) == {"new": 1}


def test_budget_when_recreate_then_none():
    assert DeploymentSpec(10, recreate=True).budget == (0, 0)

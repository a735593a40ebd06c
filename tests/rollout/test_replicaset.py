import pytest

from gitops_guard.rollout.replicaset import Cohort, PodWrites, ReplicaSetPods, retry_delay_ms, slow_start, sync

HOUR = 3_600_000
UNSCHEDULED = Cohort(1, running=False, ready_since_ms=None, assigned=False)
PENDING = Cohort(1, running=False, ready_since_ms=None)
NOT_READY = Cohort(1, running=True, ready_since_ms=None)
READY = Cohort(1, running=True, ready_since_ms=0)


def victims(pods, delete, *, now_ms=10 * HOUR, unlucky=False):
    state = ReplicaSetPods(sum(pod.size for pod in pods) - delete, pods, now_ms, admitted=0, unlucky=unlucky)
    return [pods[index] for index, number in sync(state).delete for _ in range(number)]


# kubernetes v1.36.3 pkg/controller/replicaset/replica_set_test.go: TestSlowStartBatch
@pytest.mark.parametrize(
    ("wanted", "admitted", "expected"),
    [
        pytest.param(10, 0, 0, id="all fail"),
        pytest.param(10, 10, 10, id="all succeed"),
        pytest.param(10, 5, 5, id="some succeed"),
        pytest.param(0, 5, 0, id="nothing wanted"),
    ],
)
def test_slow_start_when_creates_fail_then_as_upstream(wanted, admitted, expected):
    assert expected == slow_start(wanted, admitted)


# TestGetPodsToDelete of the same file; where all pods go, the order is of no consequence
@pytest.mark.parametrize(
    ("pods", "delete", "expected"),
    [
        pytest.param([], 0, [], id="no pods"),
        pytest.param([READY, NOT_READY], 1, [NOT_READY], id="not ready before ready"),
        pytest.param([PENDING, UNSCHEDULED], 1, [UNSCHEDULED], id="unscheduled before scheduled"),
        pytest.param([READY, NOT_READY, NOT_READY], 2, [NOT_READY, NOT_READY], id="both not ready"),
        pytest.param(
            [READY._replace(neighbours=1), READY._replace(neighbours=2)],
            1,
            [READY._replace(neighbours=2)],
            id="with more neighbours first",
        ),
        pytest.param([PENDING, NOT_READY], 1, [PENDING], id="pending before running"),
        pytest.param(
            [READY, READY, NOT_READY, PENDING, UNSCHEDULED], 3, [UNSCHEDULED, PENDING, NOT_READY], id="all phases"
        ),
        pytest.param(
            [READY._replace(deletion_cost=5), READY._replace(deletion_cost=-1)],
            1,
            [READY._replace(deletion_cost=-1)],
            id="cheaper first",
        ),
        pytest.param(
            [NOT_READY, NOT_READY._replace(restarts=3)], 1, [NOT_READY._replace(restarts=3)], id="more restarts first"
        ),
        pytest.param(
            [READY, READY._replace(ready_since_ms=9 * HOUR + HOUR // 2)],
            1,
            [READY._replace(ready_since_ms=9 * HOUR + HOUR // 2)],
            id="ready for less time first",
        ),
    ],
)
def test_sync_when_too_many_pods_then_victims_as_upstream(pods, delete, expected):
    assert expected == victims(pods, delete)


@pytest.mark.parametrize(("unlucky", "expected"), [(False, False), (True, True)])
def test_sync_when_ages_fall_in_one_power_of_two_then_chance_decides(unlucky, expected):
    # Ready for 40 s and 50 s: both 2^35 ns, so the controller asks the UID.
    older = Cohort(1, running=True, ready_since_ms=50_000, available=True)
    younger = Cohort(1, running=True, ready_since_ms=60_000)
    assert [expected] == [pod.available for pod in victims([older, younger], 1, now_ms=100_000, unlucky=unlucky)]


def test_sync_when_quota_admits_some_then_created_and_failed():
    assert PodWrites(3, (), failed=True) == sync(ReplicaSetPods(5, (), 0, admitted=3))


def test_sync_when_more_than_a_burst_is_wanted_then_a_burst():
    assert PodWrites(500, (), failed=False) == sync(ReplicaSetPods(1200, (), 0, admitted=9999))


def test_sync_when_as_many_as_wanted_then_nothing():
    assert PodWrites(0, (), failed=False) == sync(ReplicaSetPods(1, (READY,), 0, admitted=0))


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 5), (1, 10), (7, 640), (17, 655_360), (18, 1_000_000), (99, 1_000_000)]
)
def test_retry_delay_when_failures_pile_up_then_doubled_up_to_the_cap(failures, expected):
    assert expected == retry_delay_ms(failures)

"""Single syncs of the StatefulSet controller."""

import pytest

from gitops_guard.rollout.statefulset import (
    CreatePod,
    DeletePod,
    SetCurrent,
    StatefulPod,
    StatefulSet,
    StatefulSetSpec,
    UpdateStrategy,
    replacements,
    sync,
)
from gitops_guard.rollout.versions import kubernetes_model

OFF = kubernetes_model("1.36")
OLD_OFF = kubernetes_model("1.33")
REGRESSED = kubernetes_model("1.35.0")
FIXED = kubernetes_model("1.37")

UNREADY = {"ready": False, "available": False}
TERMINATING = {"terminating": True}
YOUNG = {"available": False}
"""Ready, but not for minReadySeconds."""


def pods(count, **changed):
    """Old pods by ordinal; `p3={...}` changes pod 3."""
    return tuple(StatefulPod(i, "old")._replace(**changed.get(f"p{i}", {})) for i in range(count))


def written(state_pods, model=OFF, *, phase=sync, **spec):
    return phase(StatefulSet(StatefulSetSpec(**spec), "old", state_pods), model)


def deleted(writes):
    return [write.ordinal for write in writes if isinstance(write, DeletePod)]


# kubernetes v1.37.0 pkg/controller/statefulset/stateful_set_control_test.go:
# TestStatefulSetControlRollingUpdateWithMaxUnavailableAndUnavailableStalePod, all 23 rows. Upstream calls the update phase
# alone; `remaining` are the ordinals that it leaves.
@pytest.mark.parametrize(
    ("parallel", "replicas", "partition", "max_unavailable", "changed", "remaining"),
    [
        pytest.param(True, 1, 0, 1, {"p0": UNREADY}, [], id="parallel single unready"),
        pytest.param(True, 3, 0, 1, {"p2": UNREADY}, [0, 1], id="parallel highest unready"),
        pytest.param(True, 5, 0, 2, {"p3": UNREADY, "p4": UNREADY}, [0, 1, 2], id="parallel two unready"),
        pytest.param(False, 1, 0, 1, {"p0": UNREADY}, [0], id="ordered single unready"),
        pytest.param(False, 3, 0, 1, {"p2": UNREADY}, [0, 1, 2], id="ordered highest unready"),
        pytest.param(False, 5, 0, 2, {"p4": UNREADY}, [0, 1, 2, 3], id="ordered one of two unready"),
        pytest.param(True, 3, 0, 1, {"p2": TERMINATING}, [0, 1, 2], id="parallel terminating uses the budget"),
        pytest.param(False, 3, 0, 1, {"p2": TERMINATING}, [0, 1, 2], id="ordered terminating"),
        pytest.param(
            True, 5, 0, 3, {"p3": UNREADY, "p4": TERMINATING}, [0, 1, 4], id="parallel crashing and terminating"
        ),
        pytest.param(True, 3, 0, 1, {"p2": YOUNG}, [0, 1], id="parallel within minReadySeconds"),
        pytest.param(False, 3, 0, 1, {"p2": YOUNG}, [0, 1, 2], id="ordered within minReadySeconds"),
        pytest.param(
            True, 5, 0, 3, {"p3": UNREADY, "p4": TERMINATING}, [0, 1, 4], id="parallel 3 unready 4 terminating"
        ),
        pytest.param(
            True, 5, 0, 3, {"p3": TERMINATING, "p4": UNREADY}, [0, 1, 3], id="parallel 3 terminating 4 unready"
        ),
        pytest.param(False, 5, 0, 3, {"p3": UNREADY, "p4": TERMINATING}, [0, 1, 2, 4], id="ordered 3 unready"),
        pytest.param(False, 5, 0, 3, {"p3": TERMINATING, "p4": UNREADY}, [0, 1, 2, 3], id="ordered 3 terminating"),
        pytest.param(True, 5, 2, 1, {"p4": UNREADY}, [0, 1, 2, 3], id="parallel partition, unready above"),
        pytest.param(True, 5, 2, 1, {"p2": UNREADY}, [0, 1, 3, 4], id="parallel partition, unready at it"),
        pytest.param(True, 5, 2, 1, {"p1": UNREADY}, [0, 1, 2, 3, 4], id="parallel partition, unready below"),
        pytest.param(False, 5, 2, 1, {"p4": UNREADY}, [0, 1, 2, 3, 4], id="ordered partition, unready above"),
        pytest.param(True, 5, 3, 2, {"p3": UNREADY, "p4": UNREADY}, [0, 1, 2], id="parallel partition, both unready"),
        pytest.param(True, 5, 3, 2, {"p1": UNREADY, "p4": UNREADY}, [0, 1, 2, 3], id="parallel below and above"),
        pytest.param(True, 4, 0, 2, {"p0": UNREADY, "p1": UNREADY}, [2, 3], id="parallel low ones unready"),
        pytest.param(
            True, 5, 0, 3, {"p0": UNREADY, "p1": UNREADY}, [2, 3], id="parallel low ones first, one from the top"
        ),
    ],
)
def test_replacements_when_old_pods_are_unavailable_then_as_upstream(
    parallel, replicas, partition, max_unavailable, changed, remaining
):
    spec = {"replicas": replicas, "parallel": parallel, "partition": partition, "max_unavailable": max_unavailable}
    # In upstream's table a terminated pod stays in the list.
    gone = deleted(written(pods(replicas, **changed), FIXED, phase=replacements, **spec))
    assert remaining == [ordinal for ordinal in range(replicas) if ordinal not in gone]


# The same file: ...InOrderedModeVerifyInvariant, all 10 rows; 6 pods, partition 3, maxUnavailable 2
@pytest.mark.parametrize("model", [pytest.param(REGRESSED, id="1.35.0"), pytest.param(FIXED, id="1.37")])
@pytest.mark.parametrize("terminating", [[], [5], [3], [4], [5, 4], [5, 3], [4, 3], [5, 4, 3], [2], [1]], ids=str)
def test_replacements_when_pods_terminate_then_no_more_than_the_budget(model, terminating):
    state = pods(6, **{f"p{ordinal}": TERMINATING for ordinal in terminating})
    writes = written(state, model, phase=replacements, replicas=6, partition=3, max_unavailable=2)
    assert max(0, 2 - len(terminating)) == len(deleted(writes))


@pytest.mark.parametrize(
    ("parallel", "model", "expected"),
    [
        pytest.param(True, OFF, [2], id="gate off, parallel replaces it"),
        pytest.param(False, OFF, [], id="gate off, ordered waits for it"),
        pytest.param(True, REGRESSED, [], id="1.35.0, parallel is deadlocked"),
        pytest.param(True, FIXED, [2], id="1.37, parallel replaces it"),
        pytest.param(False, FIXED, [], id="1.37, ordered waits for it"),
    ],
)
def test_sync_when_the_top_pod_is_broken_and_old_then_by_gate_and_policy(parallel, model, expected):
    assert expected == deleted(written(pods(3, p2=UNREADY), model, replicas=3, parallel=parallel))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(OLD_OFF, [1], id="1.33 goes on once it is ready"),
        pytest.param(OFF, [], id="1.36 waits for minReadySeconds"),
    ],
)
def test_sync_when_parallel_and_new_pod_is_young_then_by_version(model, expected):
    state = pods(3, p2={"revision": "new", **YOUNG})
    assert expected == deleted(written(state, model, replicas=3, parallel=True, min_ready_s=30))


@pytest.mark.parametrize("max_unavailable", [1, 3, "100%"])
def test_sync_when_gate_is_off_then_one_pod_whatever_max_unavailable(max_unavailable):
    assert deleted(written(pods(4), OFF, replicas=4, max_unavailable=max_unavailable)) == [3]


@pytest.mark.parametrize(
    ("max_unavailable", "expected"),
    [
        pytest.param(2, [9, 8], id="number"),
        pytest.param("30%", [9, 8, 7], id="percentage"),
        pytest.param("5%", [9], id="rounds down, but to one"),
    ],
)
def test_sync_when_gate_is_on_then_a_window_from_the_top(max_unavailable, expected):
    assert expected == deleted(written(pods(10), FIXED, replicas=10, max_unavailable=max_unavailable))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"partition": 2}, [2], id="above the partition"),
        pytest.param({"partition": 3}, [], id="partition at replicas"),
        pytest.param({"strategy": UpdateStrategy.ON_DELETE}, [], id="OnDelete"),
        pytest.param({"strategy": UpdateStrategy.RECREATE}, [], id="Recreate without its gate"),
    ],
)
def test_sync_when_part_of_the_pods_may_roll_then_only_these(spec, expected):
    assert expected == deleted(written(pods(3), replicas=3, **spec))


def test_sync_when_recreate_then_all_old_pods_go_before_any_comes():
    model = kubernetes_model("1.37", {"StatefulSetRecreateStrategy": True})
    spec = {"replicas": 3, "strategy": UpdateStrategy.RECREATE}
    assert deleted(written(pods(3), model, **spec)) == [0, 1, 2]
    assert written(pods(3, p0=TERMINATING, p1=TERMINATING, p2=TERMINATING)[:1], model, **spec) == ()
    assert (CreatePod(0, "new"),) == written((), model, **spec)


@pytest.mark.parametrize(
    ("parallel", "expected"),
    [
        pytest.param(False, [CreatePod(1, "old")], id="ordered: one, and none of the update"),
        pytest.param(True, [CreatePod(1, "old"), CreatePod(3, "new")], id="parallel: all"),
    ],
)
def test_sync_when_pods_are_missing_then_revision_by_partition(parallel, expected):
    present = tuple(pod for pod in pods(4) if pod.ordinal in (0, 2))
    writes = written(present, replicas=4, partition=2, parallel=parallel)
    assert expected == [write for write in writes if isinstance(write, CreatePod)]


def test_sync_when_on_delete_then_missing_pods_come_back_new():
    assert (CreatePod(1, "new"),) == written(pods(1), replicas=2, strategy=UpdateStrategy.ON_DELETE)


@pytest.mark.parametrize(
    ("parallel", "changed", "expected"),
    [
        pytest.param(False, {}, [4], id="ordered: the highest"),
        pytest.param(False, {"p4": TERMINATING}, [], id="ordered: waits for it to go"),
        pytest.param(False, {"p4": UNREADY}, [4], id="ordered: the first unhealthy one itself"),
        pytest.param(False, {"p3": UNREADY, "p4": UNREADY}, [], id="ordered: waits for a lower unhealthy one"),
        pytest.param(True, {"p3": UNREADY}, [4, 3], id="parallel: all"),
    ],
)
def test_sync_when_scaled_down_then_from_the_top(parallel, changed, expected):
    assert expected == deleted(written(pods(5, **changed), replicas=3, template="old", parallel=parallel))


def test_sync_when_start_ordinal_moves_then_pods_outside_are_condemned():
    assert deleted(written(pods(4), replicas=3, start=1, template="old")) == [0]


@pytest.mark.parametrize(
    ("strategy", "model", "expected"),
    [
        pytest.param(UpdateStrategy.ROLLING, OFF, (SetCurrent("new"),), id="rolling"),
        pytest.param(UpdateStrategy.ON_DELETE, OFF, (), id="OnDelete before 1.37"),
        pytest.param(UpdateStrategy.ON_DELETE, FIXED, (SetCurrent("new"),), id="OnDelete since 1.37"),
    ],
)
def test_sync_when_all_pods_are_new_and_ready_then_revision_becomes_current(strategy, model, expected):
    state = tuple(pod._replace(revision="new") for pod in pods(2))
    assert expected == written(state, model, replicas=2, strategy=strategy)


@pytest.mark.parametrize("changed", [{"p0": UNREADY}, {"p1": {"ended": True, **UNREADY}}], ids=["unready", "failed"])
def test_sync_when_a_new_pod_is_not_ready_then_revision_stays(changed):
    state = tuple(pod._replace(revision="new") for pod in pods(2, **changed))
    assert SetCurrent("new") not in written(state, replicas=2)


def test_sync_when_a_pod_has_failed_then_it_is_replaced_first():
    assert deleted(written(pods(3, p1={"ended": True, "running": False, **UNREADY}), replicas=3)) == [1]

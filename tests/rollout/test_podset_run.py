"""Whole rollouts of StatefulSets and DaemonSets in virtual time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.rollout.daemonset import DaemonSetSpec
from gitops_guard.rollout.daemonset_run import DaemonSetRun
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.pods import UNLIMITED, PodTiming
from gitops_guard.rollout.statefulset import StatefulSetSpec, UpdateStrategy
from gitops_guard.rollout.statefulset_run import StatefulSetRun
from gitops_guard.rollout.versions import kubernetes_model

OFF, REGRESSED, FIXED = kubernetes_model("1.36"), kubernetes_model("1.35.0"), kubernetes_model("1.37")
READY_MS, GONE_MS = 10_000, 3_000
TIMING = {name: PodTiming(READY_MS, GONE_MS) for name in ("v1", "v2", "v3")}
BROKEN = TIMING | {"v2": PodTiming(NEVER, GONE_MS)}


def stateful(replicas, model=OFF, timing=TIMING, **fields):
    before = StatefulSetSpec(replicas, "v1", **fields)
    run = StatefulSetRun(before, timing, model)
    run.edit(before._replace(template="v2"))
    return run, run.run()


def daemons(nodes, timing=TIMING, *, shares_node=True, **fields):
    before = DaemonSetSpec("v1", **fields)
    run = DaemonSetRun(before, [f"n{number}" for number in range(nodes)], timing, shares_node=shares_node)
    run.edit(before._replace(template="v2"))
    return run, run.run()


def revisions(run):
    return [run.pods[name].revision for name in sorted(run.pods)]


def test_statefulset_when_ordered_then_one_after_the_other_with_terminations():
    run, timeline = stateful(3)
    assert timeline.completed_ms == 3 * (READY_MS + GONE_MS)
    assert (timeline.least_available, timeline.peak_pods, timeline.peak_existing) == (2, 3, 3)
    assert run.current == "v2"


def test_statefulset_when_single_then_down_while_it_is_replaced():
    assert stateful(1)[1].downtime_s == 13.0


def test_statefulset_when_min_ready_seconds_then_each_pod_takes_longer():
    assert stateful(3, min_ready_s=5)[1].completed_ms == 3 * (READY_MS + GONE_MS + 5000)
    assert stateful(3, min_ready_s=5, parallel=True)[1].completed_ms == 3 * (READY_MS + GONE_MS + 5000)


def test_statefulset_when_partition_then_only_the_pods_above():
    run, timeline = stateful(4, partition=2)
    assert timeline.completed_ms == 2 * (READY_MS + GONE_MS)
    assert (revisions(run), run.current) == (["v1", "v1", "v2", "v2"], "v1")


def test_statefulset_when_ordered_window_then_deleted_together_and_created_one_by_one():
    _, timeline = stateful(4, FIXED, max_unavailable=2)
    # Two go in 3 s; the first of them comes up in 10 s, and only then the second is created. The budget left by the first
    # is spent as soon as it is ready, so phases overlap: what matters is that it is slower than Parallel.
    assert timeline.least_available == 2
    assert timeline.completed_ms > stateful(4, FIXED, max_unavailable=2, parallel=True)[1].completed_ms


def test_statefulset_when_parallel_window_then_pods_at_a_time():
    _, timeline = stateful(4, FIXED, max_unavailable=2, parallel=True)
    assert (timeline.completed_ms, timeline.least_available) == (2 * (READY_MS + GONE_MS), 2)


def test_statefulset_when_nothing_may_roll_then_complete_at_once():
    for fields in ({"partition": 3}, {"strategy": UpdateStrategy.ON_DELETE}):
        run, timeline = stateful(3, **fields)
        assert (timeline.completed_ms, revisions(run)) == (0, ["v1"] * 3)


def test_statefulset_when_new_pod_never_becomes_ready_then_stuck_there():
    run, timeline = stateful(3, timing=BROKEN)
    assert (timeline.completed_ms, revisions(run), run.blocking) == (None, ["v1", "v1", "v2"], 2)


def test_statefulset_when_reverted_while_stuck_then_ordered_stays_stuck_and_parallel_heals():
    for parallel, model, heals in (
        (False, OFF, False),
        (True, OFF, True),
        (True, REGRESSED, False),
        (True, FIXED, True),
    ):
        run, _ = stateful(3, model, BROKEN, parallel=parallel)
        run.edit(run.spec._replace(template="v1"))
        assert heals == (run.run().completed_ms is not None)
        assert heals == (revisions(run) == ["v1"] * 3)


def test_statefulset_when_created_then_pods_come_one_by_one():
    run = StatefulSetRun(None, TIMING, OFF)
    run.edit(StatefulSetSpec(3, "v1"))
    assert run.run().completed_ms == 3 * READY_MS


def test_statefulset_when_scaled_and_rolled_then_new_ordinals_first():
    run = StatefulSetRun(StatefulSetSpec(2, "v1"), TIMING, OFF)
    run.edit(StatefulSetSpec(3, "v2"))
    timeline = run.run()
    assert timeline.completed_ms == READY_MS + 2 * (READY_MS + GONE_MS)
    assert timeline.least_available == 2


def test_daemonset_when_one_at_a_time_then_node_after_node():
    _, timeline = daemons(4)
    assert (timeline.completed_ms, timeline.least_available) == (4 * (READY_MS + GONE_MS), 3)


def test_daemonset_when_a_share_may_be_unavailable_then_rounded_up():
    _, timeline = daemons(5, max_unavailable="30%")
    assert (timeline.completed_ms, timeline.least_available) == (3 * (READY_MS + GONE_MS), 3)


def test_daemonset_when_surging_then_never_fewer_and_terminations_overlap():
    _, timeline = daemons(4, max_unavailable=0, max_surge=2)
    assert (timeline.completed_ms, timeline.least_available, timeline.peak_pods) == (2 * READY_MS, 4, 6)


def test_daemonset_when_surging_with_a_host_port_then_stuck_with_pending_pods():
    _, timeline = daemons(4, max_unavailable=0, max_surge=2, shares_node=False)
    last = timeline.moments[-1].step
    assert (timeline.completed_ms, last.old, last.new, last.available) == (None, 4, 2, 4)


def test_daemonset_when_on_delete_then_nothing_rolls():
    run, timeline = daemons(3, on_delete=True)
    assert (timeline.completed_ms, revisions(run)) == (0, ["v1"] * 3)


def test_daemonset_when_new_pods_never_become_ready_then_stops_at_the_budget():
    _, timeline = daemons(5, BROKEN, max_unavailable=2)
    assert (timeline.completed_ms, timeline.least_available) == (None, 3)


def test_daemonset_when_created_then_all_nodes_at_once():
    run = DaemonSetRun(None, ["a", "b", "c"], TIMING)
    run.edit(DaemonSetSpec("v1"))
    assert run.run().completed_ms == READY_MS


timings = st.builds(
    PodTiming, st.integers(0, 30_000), st.integers(0, 30_000), st.just(True), st.just(0), st.just(UNLIMITED)
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([OFF, FIXED, REGRESSED]),
    st.integers(0, 3),
    timings,
    timings,
)
def test_statefulset_when_pods_become_ready_then_bounds_hold_and_it_ends(
    replicas, parallel, window, model, partition, old, new
):
    before = StatefulSetSpec(replicas, "v1", parallel=parallel, max_unavailable=window, partition=partition)
    run = StatefulSetRun(before, {"v1": old, "v2": new}, model)
    run.edit(before._replace(template="v2"))
    timeline = run.run()
    least = replicas - (window if model.statefulset_max_unavailable else 1)
    assert timeline.least_available >= max(0, least)
    assert timeline.peak_existing <= replicas
    assert timeline.completed_ms is not None
    kept = min(partition, replicas)
    assert ["v1"] * kept + ["v2"] * (replicas - kept) == revisions(run)
    if not model.statefulset_max_unavailable or window == 1:
        assert (replicas - kept) * (new.ready_ms + old.gone_ms) == timeline.completed_ms


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.booleans(), timings, timings)
def test_daemonset_when_pods_become_ready_then_bounds_hold_and_it_ends(nodes, budget, surge, old, new):
    limits = {"max_unavailable": 0, "max_surge": budget} if surge else {"max_unavailable": budget}
    run, timeline = daemons(nodes, {"v1": old, "v2": new}, **limits)
    assert timeline.least_available >= (nodes if surge else max(0, nodes - budget))
    assert timeline.peak_pods <= (nodes + budget if surge else nodes)
    assert ["v2"] * nodes == revisions(run)
    waves = -(-nodes // budget)
    assert waves * (new.ready_ms + (0 if surge else old.gone_ms)) == timeline.completed_ms
    times = [moment.step.t_s for moment in timeline.moments]
    assert sorted(times) == times

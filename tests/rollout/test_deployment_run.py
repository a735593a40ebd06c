"""Whole rollouts of Deployments in virtual time."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops_guard.rollout.budget import quiescent_counts
from gitops_guard.rollout.choices import Choices, Search
from gitops_guard.rollout.deployment import DeploymentSpec
from gitops_guard.rollout.deployment_fast import rolling_timeline
from gitops_guard.rollout.deployment_run import DeploymentRun
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.pods import UNLIMITED, PodTiming

TIMING = {name: PodTiming(10_000, 3_000) for name in ("v1", "v2", "v3")}
BROKEN = TIMING | {"v2": PodTiming(NEVER, 3_000)}
BY_HAND = {name: PodTiming(NEVER, 0) for name in ("v1", "v2", "v3")}
"""Pods become ready only when told."""


def rollout(replicas, timing=TIMING, *, after=None, quota_pods=None, choices=None, **fields):
    before = DeploymentSpec(replicas, "v1", **fields)
    run = DeploymentRun(before, timing, quota_pods=quota_pods, choices=choices)
    run.edit(before._replace(template="v2", **(after or {})))
    run.run()
    return run


def shown(run):
    """(seconds, old, new, available, terminating) of every moment at which one of the counts changed."""
    rows = [(m.step.t_s, m.step.old, m.step.new, m.step.available, m.step.terminating) for m in run.moments]
    return [row for before, row in zip([None, *rows], rows, strict=False) if before is None or before[1:] != row[1:]]


def test_rolling_update_when_defaults_then_two_waves():
    run = rollout(10)
    assert shown(run) == [
        (0.0, 8, 5, 8, 2),
        (3.0, 8, 5, 8, 0),
        (10.0, 3, 10, 8, 5),
        (13.0, 3, 10, 8, 0),
        (20.0, 0, 10, 10, 3),
        (23.0, 0, 10, 10, 0),
    ]
    assert run.completed_ms == 20_000


def test_rolling_update_when_min_ready_seconds_then_each_wave_is_longer():
    assert rollout(10, min_ready_s=30).completed_ms == 2 * (10_000 + 30_000)


def test_recreate_then_down_until_old_pods_are_gone_and_new_ones_ready():
    run = rollout(4, recreate=True)
    assert shown(run) == [(0.0, 0, 0, 0, 4), (3.0, 0, 4, 0, 0), (10.0 + 3.0, 0, 4, 4, 0)]
    assert run.completed_ms == 13_000


def test_rolling_update_when_new_pods_never_become_ready_then_halts_at_the_first_wave_and_times_out():
    run = rollout(10, BROKEN)
    assert shown(run)[-1][1:] == (8, 5, 8, 0)
    assert (run.completed_ms, run.timed_out_ms) == (None, 601_000)


def test_rolling_update_when_first_pod_is_slower_than_the_deadline_then_times_out_and_still_completes():
    run = rollout(2, TIMING | {"v2": PodTiming(100_000, 0)}, deadline_s=60)
    assert (run.timed_out_ms, run.completed_ms) == (61_000, 200_000)


def test_rolling_update_when_many_slow_waves_then_never_times_out():
    run = rollout(30, TIMING | {"v2": PodTiming(50_000, 0)}, deadline_s=60, max_surge=1, max_unavailable=0)
    assert (run.timed_out_ms, run.completed_ms) == (None, 30 * 50_000)


def test_paused_when_template_changes_then_nothing_rolls_until_resumed():
    run = rollout(3, paused=True)
    assert shown(run) == [(0.0, 3, 0, 3, 0)]
    run.edit(run.spec._replace(paused=False))
    run.run()
    assert run.completed_ms == 30_000


def test_paused_when_replicas_change_then_the_old_set_follows():
    run = rollout(3, paused=True, after={"replicas": 5})
    assert shown(run)[-1][1:] == (5, 0, 5, 0)


def test_roll_over_when_third_version_arrives_then_broken_second_is_cleaned_up_first():
    run = DeploymentRun(DeploymentSpec(10, "v1", max_surge=2, max_unavailable=2), BROKEN)
    run.edit(run.spec._replace(template="v2"))
    run.edit(run.spec._replace(template="v3"))
    assert run.moments[-1].sizes == (("v1", 8), ("v2", 0), ("v3", 4))
    run.run()
    assert run.moments[-1].sizes == (("v1", 0), ("v2", 0), ("v3", 10))


def test_revert_when_half_done_then_ends_at_the_old_template_with_a_new_revision():
    run = DeploymentRun(DeploymentSpec(6, "v1"), BROKEN)
    run.edit(run.spec._replace(template="v2"))
    run.edit(run.spec._replace(template="v1"))
    run.run()
    assert run.moments[-1].sizes == (("v1", 6), ("v2", 0))
    assert run.revisions == (("v2", 2), ("v1", 3))


def test_replicas_and_template_when_changed_together_then_old_pods_are_resized_first():
    run = rollout(4, after={"replicas": 8})
    first = run.moments[0].step
    assert (first.old, first.new) == (8 - 2, 4)
    assert first.available == 4


def test_history_when_rollout_completes_then_trimmed_to_the_limit():
    run = DeploymentRun(DeploymentSpec(2, "v1", history_limit=1), TIMING)
    for name in ("v2", "v3"):
        run.edit(run.spec._replace(template=name))
        run.run()
    assert run.revisions == (("v2", 2), ("v3", 3))


def test_quota_when_no_surge_pod_fits_then_stuck_at_the_start():
    run = rollout(4, quota_pods=4, max_surge=1, max_unavailable=0)
    assert shown(run) == [(0.0, 4, 0, 4, 0)]
    assert run.status.failing
    assert run.completed_ms is None


def test_quota_when_old_pods_leave_then_retries_by_backoff_not_by_the_freed_room():
    # One surge pod fits. The next is refused while the retired old pod terminates for 3 s; the quota it frees wakes
    # nobody: the retry after 5 ms * (2^10 - 1) does.
    run = rollout(2, quota_pods=3, max_surge=1, max_unavailable=0)
    created = [row[0] for row in shown(run) if row[2] == 2]
    assert created[0] == 10.0 + 5.115


def test_stale_status_when_replicas_are_cut_in_flight_then_worst_way_has_no_pod_left():
    # maxUnavailable is 0, yet both old pods go: the new set was just cut to 0, and its status still shows an available pod.
    def make(choices):
        run = DeploymentRun(DeploymentSpec(10, "v1", max_surge=1, max_unavailable=0), BY_HAND, choices=choices)
        run.edit(run.spec._replace(template="v2"))
        run.make_ready(1)
        run.edit(run.spec._replace(replicas=1))
        run.run()
        return min(moment.step.available for moment in run.moments)

    assert make(Choices()) == 1
    assert 0 in set(Search(make).runs(unlucky=True))


def test_search_when_nothing_is_asked_then_one_run():
    assert list(Search(lambda choices: "run").runs()) == ["run"]


def test_search_when_questions_are_asked_then_every_answer_once():
    def make(choices):
        return choices.take(), choices.take()

    assert {(False, False), (True, False), (False, True), (True, True)} == set(Search(make).runs())
    assert len(list(Search(make).runs())) == 4


def test_search_when_questions_never_end_then_capped():
    search = Search(lambda choices: [choices.take() for _ in range(50)])
    assert len(list(search.runs())) == 64
    assert search.capped


budgets = st.tuples(st.integers(0, 6), st.integers(0, 6)) | st.tuples(
    st.sampled_from(["0%", "10%", "25%", "50%", "100%", "130%"]), st.sampled_from(["0%", "10%", "25%", "60%", "100%"])
)


@st.composite
def specs(draw, max_replicas=20):
    surge, unavailable = draw(budgets)
    return DeploymentSpec(
        draw(st.integers(1, max_replicas)),
        "v1",
        max_surge=surge,
        max_unavailable=unavailable,
        min_ready_s=draw(st.sampled_from([0, 0, 5])),
    )


@st.composite
def plain_changes(draw):
    replicas, unavailable = draw(st.integers(1, 30)), draw(st.sampled_from([0, 1, 3, "25%", "60%", "100%"]))
    surge = draw(st.sampled_from([0, 1, 2, 7, "25%", "100%", "200%"]))
    spec = DeploymentSpec(
        replicas, "v1", max_surge=surge, max_unavailable=unavailable, min_ready_s=draw(st.integers(0, 30))
    )
    old, new = (draw(st.tuples(st.integers(1, 40_000), st.integers(1, 60_000))) for _ in "ab")
    early = draw(st.sampled_from([0, 500, 999]))
    return spec, {"v1": PodTiming(*old, early_ms=early), "v2": PodTiming(*new, early_ms=early)}


def told(timeline):
    return (timeline.steps, timeline.completed_ms, timeline.timed_out_ms, timeline.moments[-1].sizes, timeline.peak_existing,
            [moment.ready_new for moment in timeline.moments][-1])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(plain_changes())
@example(
    (DeploymentSpec(100, "v1", max_surge=1, max_unavailable=0), {"v1": PodTiming(5, 3000), "v2": PodTiming(16_000, 5)})
)
def test_closed_form_when_it_holds_then_it_is_the_simulation_of_the_controllers(change):
    before, timing = change
    after = before._replace(template="v2")
    run = DeploymentRun(before, timing)
    run.edit(after)
    run.run()
    fast = rolling_timeline(before, after, timing)
    assert fast is not None
    assert told(run.timeline) == told(fast)


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        pytest.param({}, {"recreate": True}, {}, id="recreate"),
        pytest.param({}, {"replicas": 5}, {}, id="scaled"),
        pytest.param({}, {"paused": True}, {}, id="paused"),
        pytest.param({}, {"template": "v1"}, {}, id="same template"),
        pytest.param({}, {"deadline_s": 5}, {}, id="deadline passes"),
        pytest.param({}, {}, {"ready_ms": NEVER}, id="never ready"),
        pytest.param({}, {}, {"places": 2}, id="no place"),
    ],
)
def test_closed_form_when_something_else_decides_then_the_controllers_are_asked(before, after, new):
    spec = DeploymentSpec(3, "v1")._replace(**before)
    timing = {"v1": PodTiming(10_000, 3_000), "v2": PodTiming(10_000, 3_000)._replace(**new)}
    assert rolling_timeline(spec, spec._replace(template="v2")._replace(**after), timing) is None


timings = st.builds(
    PodTiming, st.integers(0, 40_000), st.integers(0, 60_000), st.just(True), st.just(0), st.just(UNLIMITED)
)


@settings(max_examples=120, deadline=None)
@given(specs(), timings, timings)
def test_rolling_update_when_old_pods_are_healthy_then_bounds_hold_and_it_ends(spec, old, new):
    run = DeploymentRun(spec, {"v1": old, "v2": new})
    run.edit(spec._replace(template="v2"))
    run.run()
    least, most = spec.replicas - spec.budget.unavailable, spec.replicas + spec.budget.surge
    for moment in run.moments:
        assert moment.step.available >= least
        assert sum(size for _, size in moment.sizes) <= most
        assert moment.step.old + moment.step.new <= most
    last = run.moments[-1].step
    assert (0, spec.replicas, spec.replicas, 0) == (last.old, last.new, last.available, last.terminating)
    waves = -(-spec.replicas // (spec.budget.surge + spec.budget.unavailable))
    assert waves * (new.ready_ms + spec.min_ready_s * 1000) == run.completed_ms


@settings(max_examples=60, deadline=None)
@given(specs(), st.lists(st.integers(1, 4), max_size=25))
def test_rolling_update_when_pods_become_ready_in_any_order_then_equals_the_closed_form(spec, arrivals):
    spec = spec._replace(min_ready_s=0)
    run = DeploymentRun(spec, BY_HAND)
    run.edit(spec._replace(template="v2"))
    available = 0
    for arrival in arrivals:
        sizes = dict(run.moments[-1].sizes)
        assert quiescent_counts(spec.replicas, spec.budget, available) == (sizes["v1"], sizes["v2"])
        available += run.make_ready(arrival)


@settings(max_examples=60, deadline=None)
@given(specs(8), st.data())
def test_any_events_when_settled_then_a_fixed_point_and_no_step_in_the_past(spec, data):
    run = DeploymentRun(spec, TIMING, choices=Choices(tuple(data.draw(st.lists(st.booleans(), max_size=6)))))
    run.settle()
    for _ in range(data.draw(st.integers(1, 6))):
        match data.draw(st.sampled_from(["template", "replicas", "pause", "break", "wait"])):
            case "template":
                run.edit(run.spec._replace(template=data.draw(st.sampled_from(["v1", "v2", "v3"]))))
            case "replicas":
                run.edit(run.spec._replace(replicas=data.draw(st.integers(0, 10))))
            case "pause":
                run.edit(run.spec._replace(paused=not run.spec.paused))
            case "break":
                run.break_pods(run.moments[-1].sizes[0][0], 1)
            case "wait":
                run.advance()
        before = run.moments[-1]
        run.settle()
        assert before.sizes == run.moments[-1].sizes
        assert before.step.available == run.moments[-1].step.available
    times = [moment.step.t_s for moment in run.moments]
    assert sorted(times) == times


@settings(max_examples=40, deadline=None)
@given(specs(12), st.integers(0, 3))
def test_revert_when_some_pods_are_ready_then_ends_at_the_old_template(spec, ready):
    run = DeploymentRun(spec, TIMING | {"v2": PodTiming(NEVER, 1000)})
    run.edit(spec._replace(template="v2"))
    run.make_ready(ready)
    run.edit(spec)
    run.run()
    assert {"v1": spec.replicas} == {name: size for name, size in run.moments[-1].sizes if size}
    assert run.completed_ms is not None


@settings(max_examples=30, deadline=None)
@given(specs(), timings, st.integers(1, 60))
def test_min_ready_seconds_when_longer_then_never_faster(spec, timing, more):
    def duration(min_ready_s):
        changed = spec._replace(min_ready_s=min_ready_s)
        run = DeploymentRun(changed, {"v1": timing, "v2": timing})
        run.edit(changed._replace(template="v2"))
        run.run()
        return run.completed_ms

    assert duration(spec.min_ready_s) <= duration(spec.min_ready_s + more)


@pytest.mark.parametrize("fields", [{}, {"recreate": True}, {"max_surge": "100%", "max_unavailable": 0}], ids=str)
def test_run_when_replicas_grow_then_no_more_moments(fields):
    assert len(rollout(10_000, **fields).moments) == len(rollout(100, **fields).moments)


def test_run_when_pods_go_one_by_one_then_moments_grow_with_them():
    one_by_one = {"max_surge": 1, "max_unavailable": 0}
    moments = [len(rollout(replicas, **one_by_one).moments) for replicas in (100, 200)]
    assert moments[1] <= 2 * moments[0]


def test_run_when_repeated_then_the_same():
    assert rollout(17).moments == rollout(17).moments

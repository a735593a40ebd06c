"""Argo Rollouts: the arithmetic against upstream's tables, whole rollouts in virtual time, verdicts."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.rollout.argo_case import duration_ms
from gitops_guard.rollout.argo_counts import CountedSet, basic_counts, weighted_counts
from gitops_guard.rollout.argo_rollout import CanaryStep, RolloutSpec, StepKind
from gitops_guard.rollout.argo_run import ArgoRun, Outside
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.budget import rolling_budget
from gitops_guard.rollout.events import NEVER
from gitops_guard.rollout.pods import UNLIMITED, PodTiming
from gitops_guard.rollout.simulate import simulate

TABLES = json.loads((Path(__file__).parent / "upstream" / "argo_canary.json").read_text())
TIMING = {name: PodTiming(10_000, 3_000) for name in ("v1", "v2", "v3")}
BROKEN = TIMING | {"v2": PodTiming(NEVER, 3_000)}
NOBODY = Outside(60_000)
PAUSE = CanaryStep(StepKind.PAUSE)
ANALYSIS = CanaryStep(StepKind.ANALYSIS)


def weight(value):
    return CanaryStep(StepKind.SET_WEIGHT, weight=value)


def pause(seconds):
    return CanaryStep(StepKind.PAUSE, duration_ms=seconds * 1000)


def rollout(spec, timing=TIMING, outside=NOBODY):
    run = ArgoRun(spec._replace(template="v1"), timing, outside)
    run.edit(spec._replace(template="v2"))
    return run, run.run()


def shown(timeline):
    """(seconds, old, new, available, traffic of the new version); waits end a millisecond late."""
    return [(int(step.t_s), step.old, step.new, step.available, step.traffic) for step in timeline.steps]


@pytest.mark.parametrize("row", TABLES["weighted_counts"], ids=str)
def test_weighted_counts_then_as_upstream(row):
    *arguments, canary, stable = row
    assert weighted_counts(*arguments) == (canary, stable)


@pytest.mark.parametrize("row", [pytest.param(row[1:], id=row[0]) for row in TABLES["basic_counts"]])
def test_basic_counts_then_as_upstream(row):
    replicas, percent, surge, unavailable, *sizes, stable_count, canary_count = row
    stable, canary = CountedSet(*sizes[:2]), CountedSet(*sizes[2:])
    budget = rolling_budget(surge, unavailable, replicas)
    wanted = weighted_counts(replicas, percent, 100, budget.surge)
    assert basic_counts(replicas, budget, wanted, canary, stable, []) == (canary_count, stable_count)


# The two rows of TestCalculateReplicaCountsForCanary with an older ReplicaSet
@pytest.mark.parametrize(
    ("stable", "canary", "older", "expected"),
    [
        pytest.param(CountedSet(8, 8), CountedSet(0, 0), CountedSet(3, 3), (0, 8), id="no room beside older ones"),
        pytest.param(CountedSet(9, 8), CountedSet(1, 1), CountedSet(0, 0), (1, 9), id="older ones are gone"),
    ],
)
def test_basic_counts_when_older_versions_run_then_they_go_first(stable, canary, older, expected):
    wanted = weighted_counts(10, 10, 100, 1)
    assert basic_counts(10, rolling_budget(1, 0, 10), wanted, canary, stable, [older]) == expected


def test_basic_canary_when_steps_pass_then_pods_shift_within_the_budget():
    _, timeline = rollout(RolloutSpec(10, steps=(weight(20), pause(60), weight(50), pause(60))))
    assert shown(timeline)[-1][1:] == (0, 10, 10, 1.0)
    assert timeline.completed_ms == 10_000 + 60_001 + 10_000 + 60_001 + 10_000
    assert (timeline.least_available, timeline.peak_pods) == (8, 13)


def test_routed_canary_when_steps_pass_then_stable_stays_and_weight_follows_pods():
    _, timeline = rollout(RolloutSpec(10, routed=True, steps=(weight(20), pause(60))))
    assert shown(timeline) == [
        (0, 10, 2, 10, 0.0),
        (10, 10, 2, 12, 0.2),
        (70, 10, 10, 12, 0.2),
        (80, 10, 10, 20, 1.0),
        (110, 0, 10, 10, 1.0),
        (113, 0, 10, 10, 1.0),
    ]


def test_routed_canary_when_stable_scale_is_dynamic_then_total_stays_small():
    _, timeline = rollout(RolloutSpec(10, routed=True, dynamic_stable=True, steps=(weight(20), pause(60))))
    assert (timeline.least_available, timeline.completed_ms) == (10, 80_001)
    assert timeline.peak_pods == 18


def test_canary_when_paused_without_duration_then_waits_for_a_person():
    spec = RolloutSpec(4, steps=(weight(25), PAUSE))
    assert rollout(spec)[1].waits_for_person
    assert rollout(spec, outside=Outside(0, promotes_after_ms=30_000))[1].completed_ms is not None


@pytest.mark.parametrize("routed", [False, True])
def test_canary_when_analysis_fails_then_aborted_and_stable_serves(routed):
    run, timeline = rollout(RolloutSpec(4, routed=routed, steps=(weight(25), ANALYSIS)), outside=Outside(60_000, False))
    last = timeline.moments[-1].step
    assert (last.old, last.new, last.available, last.traffic) == (4, 0, 4, 0.0)
    assert run.status.aborted
    assert timeline.ending.startswith("aborted")


def test_canary_when_background_analysis_fails_then_aborted():
    spec = RolloutSpec(4, routed=True, steps=(weight(25), pause(600)), background_analysis_from=0)
    assert rollout(spec, outside=Outside(60_000, False))[1].ending.startswith("aborted")


def test_canary_when_new_version_never_becomes_ready_then_halts_at_the_first_step():
    _, timeline = rollout(RolloutSpec(4, steps=(weight(25),)), BROKEN)
    assert (timeline.completed_ms, timeline.waits_for_person, timeline.least_available) == (None, False, 3)


def test_canary_when_third_version_arrives_then_it_is_measured_against_the_stable_one():
    run = ArgoRun(RolloutSpec(4, "v1", routed=True, steps=(weight(50), PAUSE)), TIMING, NOBODY)
    run.edit(run.spec._replace(template="v2"))
    run.run()
    run.edit(run.spec._replace(template="v3"))
    run.run()
    assert dict(run.moments[-1].sizes) == {"v1": 4, "v2": 0, "v3": 2}


def test_canary_when_reverted_then_steps_are_skipped():
    run = ArgoRun(RolloutSpec(4, "v1", steps=(weight(50), PAUSE)), TIMING, NOBODY)
    run.edit(run.spec._replace(template="v2"))
    run.run()
    run.edit(run.spec._replace(template="v1"))
    timeline = run.run()
    assert dict(run.moments[-1].sizes) == {"v1": 4, "v2": 0}
    assert timeline.completed_ms is not None


def test_canary_when_initial_then_no_steps():
    run = ArgoRun(None, TIMING, NOBODY)
    run.edit(RolloutSpec(3, "v1", steps=(weight(10), PAUSE)))
    assert run.run().completed_ms == 10_000


def test_blue_green_when_promoted_then_switches_at_full_size_and_keeps_the_old_for_a_while():
    _, timeline = rollout(RolloutSpec(4, blue_green=True))
    assert shown(timeline) == [(0, 4, 4, 4, 0.0), (10, 4, 4, 4, 1.0), (40, 0, 4, 4, 1.0), (43, 0, 4, 4, 1.0)]


def test_blue_green_when_not_promoted_automatically_then_waits():
    _, timeline = rollout(RolloutSpec(4, blue_green=True, auto_promotion=False))
    assert (timeline.completed_ms, timeline.ending) == (None, "waits for somebody to promote the preview")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"auto_promotion_ms": 30_000}, 40_001, id="after a while"),
        pytest.param({"auto_promotion_ms": 30_000, "preview_replicas": 1}, 50_001, id="small preview first"),
        pytest.param({"pre_promotion_analysis": True}, 70_000, id="after an analysis"),
        pytest.param({"post_promotion_analysis": True}, 70_000, id="stable after an analysis"),
    ],
)
def test_blue_green_when_it_has_conditions_then_later(fields, expected):
    assert rollout(RolloutSpec(4, blue_green=True, **fields))[1].completed_ms == expected


def test_blue_green_when_analysis_after_promotion_fails_then_switches_back():
    _, timeline = rollout(RolloutSpec(4, blue_green=True, post_promotion_analysis=True), outside=Outside(20_000, False))
    assert [step.traffic for step in timeline.steps][:3] == [0.0, 1.0, 0.0]
    assert timeline.least_available == 4


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.lists(st.integers(0, 100), max_size=4),
    st.booleans(),
    st.builds(PodTiming, st.integers(0, 30_000), st.integers(0, 30_000), st.just(True), st.just(0), st.just(UNLIMITED)),
)
def test_canary_when_pods_become_ready_then_bounds_hold_and_it_ends(replicas, budget, weights, routed, timing):
    steps = tuple(step for value in sorted(weights) for step in (weight(value), pause(5)))
    spec = RolloutSpec(replicas, steps=steps, routed=routed, max_surge=budget[0], max_unavailable=budget[1])
    run, timeline = rollout(spec, {"v1": timing, "v2": timing})
    least = replicas if routed else replicas - spec.budget.unavailable
    most = 2 * replicas if routed else replicas + spec.budget.surge
    assert timeline.least_available >= least
    assert timeline.peak_pods <= most
    assert timeline.completed_ms is not None
    assert {name: size for name, size in run.moments[-1].sizes if size} == {"v2": replicas}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), (30, 30_000), ("45", 45_000), ("1h30m", 5_400_000), ("1.5m", 90_000), ("500ms", 500)],
)
def test_duration_when_well_formed_then_milliseconds(value, expected):
    assert duration_ms(value) == expected


@pytest.mark.parametrize("value", ["soon", "", "1d", "10 s", True, []])
def test_duration_when_malformed_then_refused(value):
    with pytest.raises(ValueError, match="no duration of a pause"):
        duration_ms(value)


@pytest.fixture
def argo(workload):
    def make(image, strategy, **spec):
        body = workload(image=image, **spec)
        return body | {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "spec": body["spec"] | {"strategy": strategy},
        }

    return make


STEPS = [{"setWeight": 25}, {"pause": {"duration": "1m"}}]
FAILS = Assumptions(analysis_succeeds=False)


@pytest.mark.parametrize(
    ("strategy", "assumptions", "verdict", "reason"),
    [
        pytest.param({"canary": {"steps": STEPS}}, None, "ok", "", id="canary"),
        pytest.param({"canary": {}}, None, "ok", "", id="canary without steps"),
        pytest.param(
            {"canary": {"steps": [{"setWeight": 25}, {"pause": {}}]}},
            None,
            "ok",
            "waits at step 2 of 2 for somebody to promote it, with 25 % of the traffic",
            id="pause",
        ),
        pytest.param(
            {"canary": {"trafficRouting": {}, "steps": [{"setWeight": 50}, {"analysis": {}}]}},
            FAILS,
            "stuck",
            "aborted: the stable version serves",
            id="failed analysis",
        ),
        pytest.param(
            {"canary": {"steps": STEPS}}, Assumptions(new_version_ready=False), "stuck", "halts with", id="broken"
        ),
        pytest.param(
            {"canary": {"steps": [{"setCanaryScale": {"replicas": 1}}]}},
            None,
            "ok",
            "setCanaryScale is ignored",
            id="scale without a router",
        ),
        pytest.param({"blueGreen": {"activeService": "web"}}, None, "ok", "", id="blue-green"),
        pytest.param(
            {"blueGreen": {"activeService": "web", "autoPromotionEnabled": False}},
            None,
            "ok",
            "waits for somebody to promote the preview",
            id="manual promotion",
        ),
    ],
)
def test_simulate_when_a_rollout_changes_then_verdict_and_reason(argo, strategy, assumptions, verdict, reason):
    found = simulate(argo("app:1", strategy), argo("app:2", strategy), assumptions=assumptions)
    assert found.verdict.value == verdict
    assert reason in " / ".join(found.reasons)


def test_simulate_when_a_rollout_has_its_template_elsewhere_then_refused(argo):
    body = argo("app:1", {"canary": {}})
    body["spec"]["workloadRef"] = {"name": "web"}
    with pytest.raises(ValueError, match="workloadRef"):
        simulate(None, body)


def test_simulate_when_a_person_promotes_then_that_is_an_assumption(argo):
    strategy = {"canary": {"steps": [{"setWeight": 25}, {"pause": {}}]}}
    given = Assumptions.from_mapping({"promotes_after": 600, "app_start": 1})
    found = simulate(argo("app:1", strategy), argo("app:2", strategy), assumptions=given)
    assert 600 < found.duration_s.likely < 700

"""Flagger: tables of its own tests (pkg/controller/scheduler_deployment_test.go, 1.44.0) restated, and whole rollouts."""

import pytest

from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.flagger import Act, FlaggerSpec, FlaggerStatus, Phase, Readiness, Seen, tick
from gitops_guard.rollout.flagger_case import flagger_spec, interval_s
from gitops_guard.rollout.simulate import simulate_flagger

PODINFO = FlaggerSpec(threshold=10, step_weight=10, max_weight=50, has_checks=True, autoscaled=True)
CHANGED, STUCK = Seen(changed=True), Readiness.STUCK
WAIT = Readiness.WAITING


def follow(spec, *seen, status):
    """What each tick leaves: (phase, weight), and what it does."""
    states, acts = [], []
    for one in seen:
        found = tick(spec, status, one)
        status = found.status
        states.append((status.phase.value, status.weight))
        acts.extend(found.acts)
    return states, acts


CHECKS_FAIL = Seen(checks_pass=False)
UPSTREAM = [
    pytest.param(
        PODINFO._replace(step_weight=100, max_weight=100, step_weight_promotion=50, threshold=1), [CHANGED] + [Seen()] * 5, FlaggerStatus(),
        [("Progressing", 0), ("Progressing", 100), ("Promoting", 100), ("Promoting", 50), ("Finalising", 0), ("Succeeded", 0)],
        [Act.SCALE_UP, Act.PROMOTE, Act.SCALE_TO_ZERO], id="DeploymentAnalysisPhases",
    ),
    pytest.param(
        FlaggerSpec(iterations=1), [CHANGED] + [Seen()] * 5, FlaggerStatus(),
        [("Progressing", 0), ("Progressing", 0), ("Progressing", 100), ("Promoting", 100), ("Finalising", 0), ("Succeeded", 0)],
        [Act.SCALE_UP, Act.PROMOTE, Act.SCALE_TO_ZERO], id="DeploymentBlueGreenAnalysisPhases",
    ),
    pytest.param(
        PODINFO, [CHANGED, Seen(), CHANGED], FlaggerStatus(), [("Progressing", 0), ("Progressing", 10), ("Progressing", 0)],
        [Act.SCALE_UP], id="DeploymentNewRevisionReset",
    ),
    pytest.param(
        PODINFO, [Seen()] * 4, FlaggerStatus(Phase.PROGRESSING, 40),
        [("Progressing", 50), ("Promoting", 50), ("Finalising", 0), ("Succeeded", 0)], [Act.PROMOTE, Act.SCALE_TO_ZERO], id="DeploymentPromotion",
    ),
    pytest.param(
        PODINFO._replace(mirror=True), [CHANGED, Seen(), Seen()], FlaggerStatus(),
        [("Progressing", 0), ("Progressing", 0), ("Progressing", 10)], [Act.SCALE_UP], id="DeploymentMirroring",
    ),
    pytest.param(
        PODINFO._replace(iterations=10, matches=True), [CHANGED, Seen()], FlaggerStatus(),
        [("Progressing", 0), ("Progressing", 100)], [Act.SCALE_UP], id="DeploymentABTesting first iteration",
    ),
    pytest.param(
        PODINFO._replace(iterations=10, matches=True), [Seen()] * 3, FlaggerStatus(Phase.PROGRESSING, 100, iterations=10),
        [("Promoting", 100), ("Finalising", 0), ("Succeeded", 0)], [Act.PROMOTE, Act.SCALE_TO_ZERO], id="DeploymentABTesting last iteration",
    ),
    pytest.param(
        PODINFO, [CHECKS_FAIL], FlaggerStatus(Phase.PROGRESSING, failed_checks=10), [("Failed", 0)], [Act.SCALE_TO_ZERO], id="DeploymentRollback",
    ),
    pytest.param(
        PODINFO._replace(skip_analysis=True), [CHANGED, Seen()], FlaggerStatus(), [("Progressing", 0), ("Succeeded", 0)],
        [Act.SCALE_UP, Act.PROMOTE, Act.SCALE_TO_ZERO], id="DeploymentSkipAnalysis",
    ),
    pytest.param(
        PODINFO, [Seen(primary=STUCK)], FlaggerStatus(Phase.PROMOTING, 50), [("Failed", 100)], [], id="DeploymentPromotionPrimaryNotReady",
    ),
    pytest.param(
        PODINFO, [Seen(primary=STUCK)], FlaggerStatus(Phase.FINALISING), [("Failed", 100)], [], id="DeploymentPromotionFailedAfterTrafficShift",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "seen", "status", "states", "acts"), UPSTREAM)
def test_tick_when_repeated_then_phases_weights_and_acts_are_those_of_flaggers_tests(spec, seen, status, states, acts):
    assert (states, acts) == follow(spec, *seen, status=status)


@pytest.mark.parametrize(
    ("spec", "seen", "status", "expected"),
    [
        pytest.param(PODINFO, Seen(), FlaggerStatus(), FlaggerStatus(), id="nothing-changed"),
        pytest.param(PODINFO._replace(suspended=True), CHANGED, FlaggerStatus(), FlaggerStatus(), id="suspended"),
        pytest.param(PODINFO, Seen(changed=True, primary=WAIT), FlaggerStatus(), FlaggerStatus(), id="primary-waits"),
        pytest.param(PODINFO, Seen(canary=WAIT), FlaggerStatus(Phase.PROGRESSING), FlaggerStatus(Phase.PROGRESSING), id="canary-waits"),
        pytest.param(PODINFO, Seen(canary=STUCK), FlaggerStatus(Phase.PROGRESSING), FlaggerStatus(Phase.FAILED), id="canary-stuck"),
        pytest.param(PODINFO, Seen(primary=STUCK), FlaggerStatus(Phase.PROGRESSING, 20), FlaggerStatus(Phase.FAILED), id="primary-stuck"),
        pytest.param(PODINFO, CHECKS_FAIL, FlaggerStatus(Phase.PROGRESSING, 20), FlaggerStatus(Phase.PROGRESSING, 20, failed_checks=1), id="check-fails"),
        pytest.param(PODINFO, CHECKS_FAIL, FlaggerStatus(Phase.PROGRESSING), FlaggerStatus(Phase.PROGRESSING, 10), id="no-check-before-traffic"),
        pytest.param(PODINFO, Seen(hooks_pass=False), FlaggerStatus(Phase.PROGRESSING), FlaggerStatus(Phase.PROGRESSING, failed_checks=1), id="hook-fails"),
        pytest.param(PODINFO._replace(confirms_rollout=True), Seen(changed=True, confirmed=False), FlaggerStatus(), FlaggerStatus(Phase.WAITING), id="rollout-gate"),
        pytest.param(PODINFO._replace(confirms_increase=True), Seen(confirmed=False), FlaggerStatus(Phase.PROGRESSING, 10), FlaggerStatus(Phase.PROGRESSING, 10), id="increase-gate"),
        pytest.param(PODINFO._replace(confirms_promotion=True), Seen(confirmed=False), FlaggerStatus(Phase.PROGRESSING, 50), FlaggerStatus(Phase.WAITING_PROMOTION, 50), id="promotion-gate"),
        pytest.param(FlaggerSpec(plain=True, matches=True), Seen(), FlaggerStatus(Phase.PROGRESSING, iterations=9), FlaggerStatus(Phase.PROGRESSING, iterations=10), id="kubernetes-has-ten-iterations"),
        pytest.param(FlaggerSpec(plain=True), Seen(), FlaggerStatus(Phase.PROMOTING), FlaggerStatus(Phase.FINALISING), id="kubernetes-shifts-nothing"),
        pytest.param(FlaggerSpec(), Seen(), FlaggerStatus(Phase.PROGRESSING), FlaggerStatus(Phase.PROGRESSING), id="no-step-no-advance"),
    ],
)  # fmt: skip
def test_tick_when_something_is_special_then_the_status_is(spec, seen, status, expected):
    assert expected == tick(spec, status, seen).status


@pytest.mark.parametrize(
    ("weight", "expected"),
    [pytest.param(0, 5, id="first"), pytest.param(5, 15, id="second"), pytest.param(20, 60, id="last"), pytest.param(80, 20, id="beyond"), pytest.param(100, 1, id="all")],
)  # fmt: skip
def test_next_step_when_weights_are_listed_then_it_is_the_way_to_the_next(weight, expected):
    spec = FlaggerSpec(step_weights=(5, 20, 80))
    assert (expected, 80) == (spec.next_step(weight), spec.top_weight)


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param("1m30s", 90, id="go"), pytest.param("5s", 10, id="too-short"), pytest.param("often", 60, id="none"), pytest.param(None, 60, id="absent")],
)  # fmt: skip
def test_interval_when_read_then_flaggers_bounds_hold(text, expected):
    assert expected == interval_s(text)


def canary(**analysis):
    top = analysis.pop("top", {})
    spec = {"targetRef": {"kind": "Deployment", "name": "web"}, "analysis": analysis, **top}
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def web(tag, **spec):
    container = {
        "name": "web",
        "image": f"web:{tag}",
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }  # fmt: skip


def predicted(manifest, **given):
    assumptions = Assumptions.from_mapping({"replicas": 4, **given})
    return simulate_flagger(manifest, web("1.0"), web("1.1"), assumptions=assumptions)


def test_rollout_when_all_goes_well_then_ticks_and_rollouts_add_up():
    """Detect, three steps, promote, the primary's rollout within one tick, finalise, succeed, and the pods' end."""
    found = predicted(canary(interval="30s", stepWeight=20, maxWeight=60))
    ticks_s = 15 + 30 * 6
    assert ("ok", ticks_s + 2.3) == (found.verdict, found.duration_s.likely)
    assert (4, 3, 9) == (found.min_available, found.wanted_available, found.peak_pods)
    weights = [step.traffic for step in found.trajectories[1].steps if "weight" in step.cause]
    assert [0.2, 0.4, 0.6] == weights


@pytest.mark.parametrize(
    ("manifest", "given", "reason"),
    [
        pytest.param(canary(stepWeight=20, metrics=[{"name": "errors"}]), {"analysis_succeeds": False}, "Flagger rolls back", id="checks-fail"),
        pytest.param(canary(stepWeight=20), {"new_version_ready": False}, "Flagger rolls back", id="never-ready"),
        pytest.param(canary(metrics=[{"name": "errors"}]), {}, "stays in phase Progressing", id="no-step"),
    ],
)  # fmt: skip
def test_rollout_when_it_does_not_end_well_then_it_is_stuck_and_the_primary_serves(manifest, given, reason):
    found = predicted(manifest, **given)
    assert "stuck" == found.verdict
    assert found.reasons[0].startswith(reason)
    assert found.min_available >= found.wanted_available
    assert 0.0 == found.trajectories[1].steps[-1].traffic


@pytest.mark.parametrize("hook", ["confirm-rollout", "confirm-traffic-increase", "confirm-promotion"])
def test_rollout_when_a_gate_is_closed_then_it_waits_for_a_person_and_goes_on_when_it_opens(hook):
    manifest = canary(stepWeight=50, maxWeight=50, webhooks=[{"type": hook}])
    closed, opened = predicted(manifest), predicted(manifest, promotes_after=600)
    assert ("ok", False) == (closed.verdict, closed.trajectories[1].complete)
    assert ("ok", True) == (opened.verdict, opened.trajectories[1].complete)
    assert 600 < opened.duration_s.low


def test_flagger_spec_when_nothing_is_given_then_flaggers_defaults_hold():
    assert FlaggerSpec() == flagger_spec(canary())
    assert flagger_spec({"spec": {}}).skip_analysis


def test_simulate_when_a_canary_is_beside_the_deployment_then_flagger_rolls_it_out(repo):
    import yaml

    sides = [yaml.safe_dump_all([canary(stepWeight=50), web(tag)]) for tag in ("1.0", "1.1")]
    outcome = repo({"a.yaml": sides[0], "b.yaml": sides[1]}).run("simulate", "a.yaml", "b.yaml", "--format", "json")
    assert [("flagger", "ok")] == [(one["strategy"], one["verdict"]) for one in outcome.json()["rollouts"]]

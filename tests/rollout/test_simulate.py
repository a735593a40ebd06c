"""Verdicts: what a merge does, told from two manifests."""

import json

import pytest

from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.simulate import can_simulate, simulate

NEVER_READY = Assumptions(new_version_ready=False)
RIGID = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
PORT = {"ports": [{"containerPort": 80, "hostPort": 80}]}
SURGE = {"updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}


def change(workload, kind="Deployment", *, after=None, assumptions=None, version="1.36", **both):
    return simulate(
        workload(kind, **both),
        workload(kind, **({"image": "app:2"} | both | (after or {}))),
        assumptions=assumptions,
        version=version,
    )


@pytest.mark.parametrize(
    ("kind", "both", "after", "assumptions", "verdict", "reason"),
    [
        pytest.param("Deployment", {}, {}, None, "ok", "", id="defaults"),
        pytest.param(
            "Deployment", {"replicas": 1}, {}, None, "ok", "moves only while 1 extra pod", id="single, default"
        ),
        pytest.param(
            "Deployment",
            {"strategy": {"type": "Recreate"}},
            {},
            None,
            "downtime",
            "no pod is available for",
            id="recreate",
        ),
        pytest.param(
            "Deployment",
            {"replicas": 1, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}},
            {},
            None,
            "downtime",
            "no pod is available for",
            id="single without surge",
        ),
        pytest.param(
            "Deployment",
            {"replicas": 1, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}},
            {},
            None,
            "downtime",
            "no pod is available for",
            id="a percentage that rounds to none, without surge",
        ),
        pytest.param("Deployment", RIGID, {}, None, "ok", "no pod may be missing", id="rigid"),
        pytest.param("Deployment", {}, {"paused": True}, None, "no-op", "spec.paused is true", id="paused"),
        pytest.param(
            "Deployment", {}, {"image": "app:1"}, None, "no-op", "the pod template is unchanged", id="unchanged"
        ),
        pytest.param(
            "Deployment", {}, {"image": "app:1", "minReadySeconds": 9}, None, "no-op", "unchanged", id="minReadySeconds"
        ),
        pytest.param("Deployment", {}, {"image": "app:1", "replicas": 9}, None, "ok", "", id="scaled up"),
        pytest.param("Deployment", {}, {"replicas": 0}, None, "ok", "replicas is 0", id="switched off"),
        pytest.param("Deployment", {"replicas": 0}, {}, None, "ok", "", id="switched off before and after"),
        pytest.param(
            "Deployment", {}, {}, NEVER_READY, "stuck", "halts with 3 old and 2 new pods", id="broken version"
        ),
        pytest.param(
            "Deployment",
            RIGID,
            {},
            Assumptions(quota_pods=4),
            "stuck",
            "quota refuses pods beyond 4",
            id="no room for the surge pod",
        ),
        pytest.param("Deployment", {}, {}, Assumptions(quota_pods=4), "ok", "", id="no room, but one may be missing"),
        pytest.param(
            "Deployment",
            {},
            {"container": {"livenessProbe": {"periodSeconds": 5}}},
            Assumptions.from_mapping({"app_start": 40}),
            "stuck",
            "livenessProbe kills it after 15 s",
            id="slow start against liveness",
        ),
        pytest.param(
            "Deployment",
            {},
            {"pod": {"readinessGates": [{"conditionType": "example.com/done"}]}},
            None,
            "stuck",
            "readiness gate example.com/done",
            id="gate nobody sets",
        ),
        pytest.param(
            "Deployment",
            {"progressDeadlineSeconds": 30},
            {},
            Assumptions.from_mapping({"app_start": 90}),
            "ok",
            "progressDeadlineSeconds pass without progress after 31 s: reported as failed, although it completes",
            id="deadline too short",
        ),
        pytest.param("StatefulSet", {"replicas": 3}, {}, None, "ok", "", id="ordered"),
        pytest.param(
            "StatefulSet", {"replicas": 1}, {}, None, "downtime", "no pod is available for", id="single stateful"
        ),
        pytest.param("StatefulSet", {}, ON_DELETE, None, "no-op", "OnDelete", id="stateful OnDelete"),
        pytest.param(
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": 4}}},
            {},
            None,
            "no-op",
            "partition 4 covers all 4 pods",
            id="partition covers all",
        ),
        pytest.param(
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": 3}}},
            {},
            None,
            "ok",
            "only pods from ordinal 3 on",
            id="partition leaves one",
        ),
        pytest.param(
            "StatefulSet", {"replicas": 3}, {}, NEVER_READY, "stuck", "Reverting does not help", id="stateful trap"
        ),
        pytest.param("DaemonSet", {}, {}, None, "ok", "no pod serves while it is replaced", id="daemons"),
        pytest.param("DaemonSet", SURGE, {}, None, "ok", "", id="surging daemons"),
        pytest.param("DaemonSet", {}, ON_DELETE, None, "no-op", "OnDelete", id="daemons OnDelete"),
        pytest.param(
            "DaemonSet",
            SURGE | {"container": PORT},
            {},
            None,
            "stuck",
            "both need host port 80",
            id="surge and host port",
        ),
        pytest.param("DaemonSet", {"container": PORT}, {}, None, "ok", "", id="host port without surge"),
        pytest.param("DaemonSet", {}, {}, NEVER_READY, "stuck", "halts with 2 old and 1 new pods", id="broken daemons"),
        pytest.param("DaemonSet", {}, {}, Assumptions(nodes=1), "downtime", "no pod is available", id="one node"),
    ],
)
def test_simulate_when_changed_then_verdict_and_reason(workload, kind, both, after, assumptions, verdict, reason):
    found = change(workload, kind, after=after, assumptions=assumptions, **both)
    assert found.verdict.value == verdict
    assert reason in " / ".join(found.reasons)


def test_simulate_when_replicas_are_cut_in_flight_then_worst_case_is_told(workload):
    given = Assumptions.from_mapping({"scalings": [{"after_s": 14.5, "replicas": 1}], "app_start": 5})
    found = change(workload, replicas=10, assumptions=given, **RIGID)
    assert (found.verdict.value, found.min_available, found.worst_available) == ("ok", 1, 0)
    assert "in the worst case: no pod is available for" in " / ".join(found.reasons)


def test_simulate_when_defaults_then_numbers_of_the_closed_form(workload):
    container = {"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
    found = change(workload, replicas=10, container=container, assumptions=Assumptions.from_mapping({"app_stop": 600}))
    assert (found.min_available, found.wanted_available, found.peak_pods) == (8, 8, 13)
    # Nothing has ended before the second wave starts: all of the old, all of the new.
    assert found.peak_existing_pods == 20
    assert (found.extra_cpu_milli, found.extra_memory_bytes) == (1000, 10 * 64 * 2**20)
    assert found.triggers == ("spec.template.spec.containers[0].image",)
    assert found.rollback_to == "the version before the merge"


def test_simulate_when_times_are_given_then_durations_follow(workload):
    exact = {"scheduling": 0, "image_pull": 1, "container_start": 1, "app_start": 3, "app_stop": 2, "status_latency": 0}
    found = change(workload, replicas=10, assumptions=Assumptions.from_mapping(exact))
    # Two waves; a readiness tick comes within 5 s.
    assert found.duration_s.to_json() == {"low": 10.0, "likely": 15.0, "high": 20.0}
    assert [trajectory.name for trajectory in found.trajectories] == ["best", "likely", "worst"]
    assert all(trajectory.complete for trajectory in found.trajectories)


def test_simulate_when_min_ready_seconds_then_up_to_a_second_early(workload):
    exact = {"scheduling": 0, "image_pull": 1, "container_start": 1, "app_start": 3, "app_stop": 2, "status_latency": 0}
    bare = {"container": {"readinessProbe": None}}
    found = change(workload, minReadySeconds=10, assumptions=Assumptions.from_mapping(exact), **bare)
    assert found.duration_s.to_json() == {"low": 2 * (2 + 9.001), "likely": 2 * (2 + 9.5), "high": 2 * (2 + 10)}


def test_simulate_when_an_assumption_matters_then_its_effect_is_told(workload):
    found = {assumption.name: assumption for assumption in change(workload).assumptions}
    assert found["image pull"].source == "default"
    assert found["image pull"].effect == "the rollout takes 18.0 s at the lower end, takes 138.0 s at the upper"
    assert "app stop" not in found
    assert "init container" not in found


def test_simulate_when_replicas_are_left_out_then_that_is_an_assumption(workload):
    found = change(workload, replicas=None, assumptions=Assumptions(replicas=6))
    assert found.peak_pods == 8
    assert ("replicas", "6") in [(assumption.name, assumption.value) for assumption in found.assumptions]


@pytest.mark.parametrize(
    ("version", "parallel", "seconds"),
    [
        pytest.param("1.36", False, 4 * 7, id="gate off"),
        pytest.param("1.36", True, 4 * 7, id="gate off, parallel"),
        pytest.param("1.37", True, 2 * 7, id="gate on, parallel"),
        pytest.param("1.35.1", True, 2 * 7, id="gate on for a while"),
        pytest.param("1.35", True, 4 * 7, id="newest patch of 1.35"),
    ],
)
def test_simulate_when_max_unavailable_then_by_version(workload, version, parallel, seconds):
    exact = {"scheduling": 0, "image_pull": 1, "container_start": 1, "app_start": 0, "app_stop": 5, "status_latency": 0}
    update = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}
    policy = {"podManagementPolicy": "Parallel"} if parallel else {}
    given = Assumptions.from_mapping(exact)
    bare = {"container": {"readinessProbe": None}}
    found = change(workload, "StatefulSet", assumptions=given, version=version, **update, **policy, **bare)
    assert found.duration_s.likely == seconds
    told = any("ignores maxUnavailable" in reason for reason in found.reasons)
    assert told == (seconds == 28)


def test_simulate_when_created_then_no_downtime(workload):
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        found = simulate(None, workload(kind))
        assert (found.verdict.value, found.downtime_s.likely, found.rollback_to) == ("ok", 0, "")
        assert found.trajectories[1].steps[-1].available == (3 if kind == "DaemonSet" else 4)


def test_simulate_when_written_as_json_then_the_contract(workload):
    document = json.loads(json.dumps(change(workload).to_json()))
    contract = {
        "resource", "strategy", "verdict", "reasons", "min_available", "peak_pods", "duration_s", "trajectories", "assumptions",
    }  # fmt: skip
    assert contract <= document.keys()
    assert document["resource"] == {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
    step = document["trajectories"][1]["steps"][0]
    assert {"t_s", "old", "new", "ready", "available", "terminating"} <= step.keys()


def test_simulate_when_repeated_then_the_same_bytes(workload):
    assert json.dumps(change(workload).to_json()) == json.dumps(change(workload).to_json())


def test_simulate_when_not_the_same_workload_then_refused(workload):
    other = workload()
    other["metadata"]["name"] = "api"
    with pytest.raises(ValueError, match="not the same workload"):
        simulate(other, workload())
    with pytest.raises(ValueError, match="no simulator for v1 ConfigMap"):
        simulate(None, {"apiVersion": "v1", "kind": "ConfigMap"})
    assert not can_simulate({"apiVersion": "v1", "kind": "ConfigMap"})
    assert can_simulate(workload("DaemonSet"))


@pytest.mark.parametrize(
    ("kind", "assumptions"),
    [
        pytest.param("StatefulSet", None, id="pods"),
        pytest.param("DaemonSet", Assumptions(nodes=1_000_000), id="nodes"),
    ],
)
def test_simulate_when_too_many_pods_then_refused(workload, kind, assumptions):
    with pytest.raises(ValueError, match="the limit is 1000"):
        change(workload, kind, replicas=2_147_483_647, assumptions=assumptions)


def test_simulate_when_a_deployment_is_huge_then_fast(workload):
    for replicas in (1_000_000, 2_000_000_000):
        found = change(workload, replicas=replicas)
        assert found.min_available == replicas * 3 // 4
        assert len(found.trajectories[1].steps) < 10


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(None, id="none"),
        pytest.param([], id="list"),
        pytest.param({"replicas": 10**30, "strategy": {"rollingUpdate": {"maxSurge": "9" * 5000 + "%"}}}, id="huge"),
        pytest.param({"template": "x", "replicas": "3", "strategy": []}, id="mistyped"),
        pytest.param(
            {"replicas": -4, "strategy": {"rollingUpdate": {"maxSurge": "many", "maxUnavailable": None}}}, id="bad"
        ),
    ],
)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_simulate_when_malformed_then_defaults_and_no_error(workload, kind, spec):
    found = simulate(
        workload(kind), {"apiVersion": "apps/v1", "kind": kind, "metadata": workload()["metadata"], "spec": spec}
    )
    assert found.resource.name == "web"

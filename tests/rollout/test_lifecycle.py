import pytest

from gitops_guard.rollout.assumptions import Assumptions, Interval, Scenario
from gitops_guard.rollout.lifecycle import estimate_pod, hook_sleep_s

EXACT = {
    "scheduling": 0,
    "image_pull": 2,
    "container_start": 1,
    "init_container": 10,
    "app_start": 4,
    "app_stop": 3,
    "readiness_gate": 20,
    "status_latency": 0,
}
KNOWN = Assumptions.from_mapping(EXACT)


def pod(*containers, init=(), **spec):
    return {"spec": {"containers": list(containers), "initContainers": list(init), **spec}}


def ready(template, scenario=Scenario.LOW, assumptions=KNOWN):
    return estimate_pod(template, assumptions, scenario).ready_s


PROBED = {"name": "app", "readinessProbe": {"periodSeconds": 10}}
BARE = {"name": "app"}


@pytest.mark.parametrize(
    ("template", "low", "high"),
    [
        pytest.param(pod(BARE), 3, 3, id="no probe: ready when it runs"),
        pytest.param(pod(PROBED), 7, 17, id="a tick within a period after the application is up"),
        pytest.param(pod({"readinessProbe": {"initialDelaySeconds": 30}}), 33, 43, id="initial delay"),
        pytest.param(
            pod({"readinessProbe": {"initialDelaySeconds": 2, "periodSeconds": 5, "successThreshold": 3}}),
            3 + 4 + 10,
            3 + 4 + 15,
            id="several successes",
        ),
        pytest.param(pod({"startupProbe": {"periodSeconds": 2}}), 3 + 4, 3 + 6, id="startup probe alone"),
        pytest.param(
            pod({"startupProbe": {"periodSeconds": 2}, "readinessProbe": {"periodSeconds": 1}}),
            3 + 4,
            3 + 6 + 1,
            id="readiness only after startup",
        ),
        pytest.param(pod(BARE, BARE), 6, 6, id="containers pull and start one after the other"),
        pytest.param(pod(BARE, PROBED), 3 + 7, 3 + 17, id="the last to be ready counts"),
        pytest.param(pod(BARE, init=[BARE, BARE]), 2 * 13 + 3, 2 * 13 + 3, id="init containers one after the other"),
        pytest.param(pod(BARE, init=[{"restartPolicy": "Always"}]), 6, 6, id="a sidecar only has to start"),
        pytest.param(
            pod(BARE, init=[{"restartPolicy": "Always", "startupProbe": {"periodSeconds": 1, "failureThreshold": 9}}]),
            3 + 4 + 3,
            3 + 5 + 3,
            id="a sidecar's startup probe is awaited",
        ),
        pytest.param(pod({"imagePullPolicy": "Never"}), 1, 1, id="no pull"),
        pytest.param(pod({"lifecycle": {"postStart": {"sleep": {"seconds": 5}}}}), 8, 8, id="postStart hook"),
        pytest.param(
            pod(BARE, readinessGates=[{"conditionType": "target-health.elbv2.k8s.aws/x"}]), 23, 23, id="a known gate"
        ),
    ],
)
def test_estimate_when_probes_then_an_interval_of_a_period(template, low, high):
    assert (ready(template), ready(template, Scenario.HIGH)) == (low, high)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        pytest.param(
            pod(BARE, readinessGates=[{"conditionType": "example.com/done"}]),
            "no known controller sets readiness gate example.com/done",
            id="unknown gate",
        ),
        pytest.param(
            pod({"name": "app", "livenessProbe": {"periodSeconds": 1}}),
            "container app needs 4 s to start, but its livenessProbe kills it after 3 s",
            id="liveness too eager",
        ),
        pytest.param(
            pod({"name": "app", "startupProbe": {"periodSeconds": 1, "failureThreshold": 2}}),
            "container app needs 4 s to start, but its startupProbe kills it after 2 s",
            id="startup too eager",
        ),
        pytest.param(
            pod(BARE, init=[{"name": "side", "restartPolicy": "Always", "startupProbe": {"periodSeconds": 1}}]),
            "container side needs",
            id="a sidecar",
        ),
    ],
)
def test_estimate_when_it_cannot_become_ready_then_says_why(template, message):
    found = estimate_pod(template, KNOWN, Scenario.LIKELY)
    assert found.ready_s is None
    assert message in found.never


@pytest.mark.parametrize(
    "container",
    [
        pytest.param(
            {"livenessProbe": {"periodSeconds": 1}, "startupProbe": {"periodSeconds": 5}}, id="startup guards it"
        ),
        pytest.param({"livenessProbe": {"periodSeconds": 2, "failureThreshold": 2}}, id="just enough"),
        pytest.param({"livenessProbe": {"periodSeconds": 1, "initialDelaySeconds": 9}}, id="initial delay"),
    ],
)
def test_estimate_when_liveness_leaves_time_then_ready(container):
    assert ready(pod(container)) is not None


def test_estimate_when_app_start_is_only_supposed_then_it_survives_its_own_probes():
    eager = pod({"livenessProbe": {"periodSeconds": 1}})
    assert ready(eager, Scenario.HIGH, Assumptions()) is not None


def test_estimate_when_unknown_gate_is_known_to_be_met_then_ready():
    template = pod(BARE, readinessGates=[{"conditionType": "example.com/done"}])
    assert ready(template, assumptions=Assumptions.from_mapping(EXACT | {"unknown_gates_met": True})) == 23


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param(pod(BARE), 3, id="stops by itself"),
        pytest.param(pod(BARE, terminationGracePeriodSeconds=1), 2, id="killed, but never before 2 s"),
        pytest.param(pod({"lifecycle": {"preStop": {"sleep": {"seconds": 10}}}}), 13, id="hook, then the signal"),
        pytest.param(
            pod({"lifecycle": {"preStop": {"sleep": {"seconds": 29}}}}), 31, id="what is left of the grace period"
        ),
        pytest.param(
            pod({"lifecycle": {"preStop": {"sleep": {"seconds": 60}}}}), 32, id="hook uses up the grace period"
        ),
        pytest.param(pod(BARE, {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}), 8, id="the slowest container"),
        pytest.param(pod({"lifecycle": {"preStop": {"httpGet": {"port": 80}}}}), 6, id="a hook of unknown length"),
    ],
)
def test_estimate_when_deleted_then_hook_and_stop_within_the_grace_period(template, expected):
    assert estimate_pod(template, KNOWN, Scenario.LIKELY).gone_s == expected


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        pytest.param({"sleep": {"seconds": 7}}, 7, id="sleep action"),
        pytest.param({"exec": {"command": ["sleep", "5"]}}, 5, id="sleep"),
        pytest.param({"exec": {"command": ["/bin/sh", "-c", "sleep 15"]}}, 15, id="shell"),
        pytest.param({"exec": {"command": ["sh", "-c", "nginx -s quit; sleep 3s"]}}, 3, id="last of a list"),
        pytest.param({"exec": {"command": ["sh", "-c", "sleep 3; drain"]}}, None, id="something after it"),
        pytest.param({"exec": {"command": ["drain"]}}, None, id="something else"),
        pytest.param({"exec": {"command": "sleep 5"}}, None, id="malformed"),
        pytest.param({}, None, id="empty"),
    ],
)
def test_hook_sleep_when_it_only_sleeps_then_for_how_long(hook, expected):
    assert hook_sleep_s(hook) == expected


@pytest.mark.parametrize("spec", [None, [], "x", {"containers": [None, 3, {"readinessProbe": "x", "image": 7}]}])
def test_estimate_when_malformed_then_no_error(spec):
    assert estimate_pod({"spec": spec}, KNOWN, Scenario.LIKELY).ready_s is not None


def test_interval_when_printed_then_short_if_exact():
    assert (str(Interval(1, 2, 3)), str(Interval(2, 2, 2))) == ("1 s to 3 s, likely 2 s", "2 s")

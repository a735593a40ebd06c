"""Hand-made blue-green and canary."""

import pytest

from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.simulate import simulate_service

EXACT = {"scheduling": 0, "image_pull": 2, "container_start": 1, "app_start": 5, "app_stop": 1, "status_latency": 0}
KNOWN = Assumptions.from_mapping(EXACT)
READY_S = 3.0


@pytest.fixture
def color(workload):
    """A Deployment with a label of its own, ready 3 s after its creation."""

    def make(name, *, image="app:1", replicas=2, label=None):
        body = workload(image=image, replicas=replicas, container={"readinessProbe": None})
        body["metadata"]["name"] = name
        labels = {"app": "web", "color": label or name}
        body["spec"]["template"]["metadata"]["labels"] = labels
        body["spec"]["selector"]["matchLabels"] = dict(labels)
        return body

    return make


def service(**selector):
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    return body | {"spec": {"selector": selector}}


def predict(before, after, *workloads):
    return simulate_service(before, after, workloads, assumptions=KNOWN)


def test_blue_green_when_green_runs_already_then_no_outage(color):
    blue, green = color("blue"), color("green", image="app:2")
    found = predict(service(color="blue"), service(color="green"), (blue, blue), (green, green))
    assert (found.verdict.value, found.downtime_s.likely, found.min_available) == ("ok", 0, 2)
    assert found.trajectories[1].steps[0].traffic == 1.0


def test_blue_green_when_green_is_created_by_the_same_merge_then_down_until_it_is_ready(color):
    blue = color("blue")
    found = predict(service(color="blue"), service(color="green"), (blue, blue), (None, color("green", image="app:2")))
    assert (found.verdict.value, found.downtime_s.likely) == ("downtime", READY_S)
    assert "the selector switches to pods that are not ready yet" in found.reasons[0]


def test_blue_green_when_green_is_scaled_up_by_the_same_merge_then_down_until_it_is_ready(color):
    blue = color("blue")
    green = (color("green", replicas=0), color("green"))
    found = predict(service(color="blue"), service(color="green"), (blue, blue), green)
    assert (found.verdict.value, found.downtime_s.likely) == ("downtime", READY_S)


def test_service_when_selector_matches_nothing_then_down_for_ever(color):
    blue = color("blue")
    found = predict(service(color="blue"), service(color="gren"), (blue, blue))
    assert (found.verdict.value, found.downtime_s.likely) == ("downtime", None)
    assert "the selector matches no workload" in found.reasons[0]


def test_service_when_template_loses_the_label_then_endpoints_fall_as_it_rolls(color):
    before, after = color("blue"), color("blue", image="app:2", label="navy")
    found = predict(service(color="blue"), service(color="blue"), (before, after))
    assert (found.verdict.value, found.downtime_s.likely) == ("downtime", None)
    assert found.trajectories[1].steps[0].ready > 0


def test_canary_when_two_deployments_share_a_service_then_traffic_by_pods(color):
    stable = color("stable", replicas=3)
    found = predict(
        service(app="web"), service(app="web"), (stable, stable), (None, color("canary", image="app:2", replicas=1))
    )
    assert [(step.t_s, step.ready, step.traffic) for step in found.trajectories[1].steps] == [
        (0, 3, 0),
        (READY_S, 4, 0.25),
    ]
    assert found.verdict.value == "ok"


def test_canary_when_the_stable_deployment_rolls_then_share_of_the_new_version(color):
    found = predict(
        service(app="web"), service(app="web"), (color("web", replicas=2), color("web", replicas=2, image="app:2"))
    )
    assert found.trajectories[1].steps[-1].traffic == 1.0
    assert found.min_available == 2


def test_service_when_created_then_no_outage(color):
    found = predict(None, service(color="blue"), (None, color("blue")))
    assert (found.verdict.value, found.downtime_s.likely, found.wanted_available) == ("ok", 0, 0)


def test_service_when_selector_is_empty_then_it_selects_nothing(color):
    blue = color("blue")
    assert predict(service(color="blue"), service(), (blue, blue)).verdict.value == "downtime"

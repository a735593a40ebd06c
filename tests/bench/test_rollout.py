"""How long predictions take. Figures are printed; only how they grow is asserted, so that a slow machine fails nothing.

Wanted on one core: at most 20 ms a Deployment of 100 replicas, 10 s for 500 workloads of one merge.
"""

import time
from collections.abc import Callable

import pytest

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.all import find_hazards
from gitops_guard.rollout.predict_change import predict_change
from gitops_guard.rollout.simulate import simulate

pytestmark = pytest.mark.bench

ONE_BY_ONE = {"maxSurge": 1, "maxUnavailable": 0}
DEFAULT = {"maxSurge": "25%", "maxUnavailable": "25%"}


def web(replicas: int, tag: str, rolling: dict[str, object], name: str = "web") -> dict[str, object]:
    container = {
        "name": "web",
        "image": f"registry.example.com/{name}:{tag}",
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "envFrom": [{"configMapRef": {"name": name}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "strategy": {"rollingUpdate": rolling},
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def cpu_s(work: Callable[[], object], times: int = 3) -> float:
    """The least time of the processor that some tries needed: the others had company."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def prediction_s(replicas: int, rolling: dict[str, object], times: int = 3) -> float:
    return cpu_s(lambda: simulate(web(replicas, "1.0", rolling), web(replicas, "1.1", rolling)), times)


def test_deployment_when_it_has_100_times_the_replicas_then_proportional_waves_take_no_longer():
    small, large = prediction_s(100, DEFAULT), prediction_s(10_000, DEFAULT)
    print(f"\n25%: 100 replicas {small * 1000:.1f} ms, 10,000 replicas {large * 1000:.1f} ms")
    assert large < 3 * small


def test_deployment_when_pods_go_one_by_one_then_the_time_grows_with_their_number_and_not_with_its_square():
    tens, thousand = prediction_s(100, ONE_BY_ONE), prediction_s(1_000, ONE_BY_ONE, times=2)
    print(f"\none by one: 100 replicas {tens * 1000:.1f} ms, 1,000 replicas {thousand * 1000:.1f} ms")
    assert thousand < 10 * tens * 1.6


def merge(workloads: int) -> tuple[list[Resource], list[Resource]]:
    """Workloads of 3 to 12 replicas, each with a Service and a ConfigMap in one namespace."""
    sides: tuple[list[Resource], list[Resource]] = ([], [])
    for number in range(workloads):
        name = f"web-{number}"
        for side, tag in zip(sides, ("1.0", "1.1"), strict=True):
            for body in (
                web(3 + number % 10, tag, DEFAULT, name),
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
                 "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"a": "b"}},
            ):  # fmt: skip
                side.append(Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=0, line=1)))
    return sides


def change_s(workloads: int) -> float:
    before, after = merge(workloads)

    def work() -> None:
        change = Change.between(before, after, Assumptions())
        assert workloads == len(predict_change(change, Assumptions(), "1.36").rollouts)
        find_hazards(change)

    return cpu_s(work, times=1)


def test_change_when_it_has_500_workloads_then_the_time_grows_with_their_number_and_not_with_its_square():
    change_s(10)  # modules are loaded and functions warm
    hundred, many = change_s(100), change_s(500)
    print(f"\n100 workloads {hundred:.2f} s, 500 workloads {many:.2f} s")
    assert many < 5 * hundred * 2

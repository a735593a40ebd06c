"""How long predictions take. Figures are printed; only how they grow is asserted, so that a slow machine fails nothing.

Wanted on one core: at most 20 ms a Deployment of 100 replicas, 10 s for 500 workloads of one merge.
"""

import time
from collections.abc import Callable

import pytest

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
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


def test_deployment_when_it_has_100_times_the_replicas_then_proportional_waves_take_no_longer(slack):
    small, large = prediction_s(100, DEFAULT), prediction_s(10_000, DEFAULT)
    print(f"\n25%: 100 replicas {small * 1000:.1f} ms, 10,000 replicas {large * 1000:.1f} ms")
    assert large < 3 * slack * small


def test_deployment_when_pods_go_one_by_one_then_the_time_grows_with_their_number_and_not_with_its_square(slack):
    tens, thousand = prediction_s(100, ONE_BY_ONE), prediction_s(1_000, ONE_BY_ONE, times=2)
    print(f"\none by one: 100 replicas {tens * 1000:.1f} ms, 1,000 replicas {thousand * 1000:.1f} ms")
    assert thousand < 10 * tens * 1.6 * slack


@pytest.mark.parametrize(
    "rolling",
    [
        pytest.param({"maxSurge": surge, "maxUnavailable": unavailable}, id=f"{surge}/{unavailable}")
        for surge, unavailable in ((1, 0), (0, 1), (1, 1), ("25%", 0), (0, "25%"), ("100%", 0))
    ],
)
def test_deployment_when_budgets_differ_then_none_takes_many_times_as_long_as_the_default(
    rolling: dict[str, object],
) -> None:
    default, found = prediction_s(100, DEFAULT), prediction_s(100, rolling)
    print(f"\n100 replicas, {rolling}: {found * 1000:.1f} ms (wanted: 20 ms); by default {default * 1000:.1f} ms")
    assert found < 10 * default


def cluster(nodes: int, pods: int, workloads: int) -> Snapshot:
    room = {"cpu": "16", "memory": "64Gi", "pods": "110"}
    container = {"name": "web", "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}
    return Snapshot(
        kubernetes="v1.36.3",
        nodes=tuple(
            Node(name=f"n{number}", labels={"kubernetes.io/hostname": f"n{number}"}, allocatable=room)
            for number in range(nodes)
        ),
        pods=tuple(
            RunningPod(
                namespace="shop",
                name=f"p{number}",
                node=f"n{number % nodes}",
                workload=f"Deployment/web-{number % workloads}",
                labels={"app": f"web-{number % workloads}"},
                spec={"containers": [container]},
            )
            for number in range(pods)
        ),
    )


def test_change_when_it_is_judged_by_a_snapshot_then_it_takes_little_longer(slack):
    def work(snapshot: Snapshot | None) -> float:
        before, after = merge(500)

        def run() -> None:
            found = Change.between(before, after, Assumptions(), snapshot)
            predict_change(found, Assumptions(), "1.36")
            find_hazards(found)

        return cpu_s(run, times=1)

    work(None)  # modules are loaded and functions warm
    without, judged = work(None), work(cluster(200, 8_000, 500))
    print(f"\n500 workloads {without:.2f} s, with 200 nodes and 8,000 pods {judged:.2f} s (wanted: 10 s)")
    assert judged < 6 * slack * without


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


def test_change_when_it_has_500_workloads_then_the_time_grows_with_their_number_and_not_with_its_square(slack):
    change_s(10)  # modules are loaded and functions warm
    hundred, many = change_s(100), change_s(500)
    print(f"\n100 workloads {hundred:.2f} s, 500 workloads {many:.2f} s")
    assert many < 5 * hundred * 2 * slack

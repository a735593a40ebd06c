"""Syncs of the DaemonSet controller, against the scenarios of kubernetes v1.36.3, pkg/controller/daemon/update_test.go."""

import pytest

from gitops_guard.rollout.daemonset import DaemonNode, DaemonPod, DaemonSet, DaemonSetSpec, DaemonWrites, sync


class Cluster:
    """Upstream's fake: deleted pods are gone at once, created ones are not ready until told."""

    def __init__(self, nodes, spec):
        self.spec = spec
        self.pods = {f"n{number}": [DaemonPod(number, "v1")] for number in range(nodes)}
        self.next = nodes

    def sync(self):
        """One sync; returns (created, deleted)."""
        nodes = tuple(DaemonNode(name, tuple(pods)) for name, pods in self.pods.items())
        writes = sync(DaemonSet(self.spec, nodes))
        for pods in self.pods.values():
            pods[:] = [pod for pod in pods if pod.name not in writes.delete]
        for name in writes.create:
            self.pods[name].append(DaemonPod(self.next, self.spec.template, ready=False, available=False))
            self.next += 1
        return len(writes.create), len(writes.delete)

    def ready(self, *, of=None, value=True):
        for pods in self.pods.values():
            pods[:] = [
                pod._replace(ready=value, available=value) if of in (None, pod.revision) else pod for pod in pods
            ]

    def revise(self, **changes):
        self.spec = self.spec._replace(**changes)

    def revisions(self):
        return sorted(pod.revision for pods in self.pods.values() for pod in pods)


def test_update_when_two_may_be_unavailable_then_two_at_a_time():
    # TestDaemonSetUpdatesPods
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=2))
    seen = []
    for _ in range(3):
        seen += [cluster.sync(), cluster.sync()]
        cluster.ready()
    assert seen == [(0, 2), (2, 0), (0, 2), (2, 0), (0, 1), (1, 0)]
    assert cluster.sync() == (0, 0)


def test_update_when_two_may_surge_then_two_at_a_time():
    # TestDaemonSetUpdatesPodsWithMaxSurge. Upstream counts a delete of manage() and the creates of the update in one sync,
    # since its expectations are cleared by hand; a real controller, like this one, needs two.
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=0, max_surge=2))
    seen = []
    for _ in range(4):
        seen += [cluster.sync(), cluster.sync()]
        cluster.ready()
    assert seen == [(2, 0), (0, 0), (0, 2), (2, 0), (0, 2), (1, 0), (0, 1), (0, 0)]


def test_update_when_new_pods_are_not_ready_then_no_more_are_replaced():
    # TestDaemonSetUpdatesWhenNewPodIsNotReady
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=3))
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 3), (3, 0), (0, 0)]


def test_update_when_a_second_update_comes_then_unready_pods_are_replaced_and_good_ones_kept():
    # TestDaemonSetUpdatesSomeOldPodsNotReady
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=2))
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 2), (2, 0), (0, 0)]
    cluster.revise(template="v3")
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 2), (2, 0), (0, 0)]
    assert cluster.revisions() == ["v1", "v1", "v1", "v3", "v3"]


@pytest.mark.parametrize("max_unavailable", [1, 4, 9])
def test_update_when_broken_updates_repeat_then_healthy_old_pods_are_never_touched(max_unavailable):
    # TestDaemonSetUpdatesSaveOldHealthyPods
    cluster = Cluster(20, DaemonSetSpec("v2", max_unavailable=10))
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 10), (10, 0), (0, 0)]
    for number in range(3, 8):
        cluster.revise(template=f"v{number}", max_unavailable=max_unavailable)
        assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 10), (10, 0), (0, 0)]
    assert cluster.revisions().count("v1") == 10


def test_update_when_no_old_pod_is_ready_then_all_are_replaced_at_once():
    # TestDaemonSetUpdatesAllOldPodsNotReady
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=3))
    cluster.ready(value=False)
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(0, 5), (5, 0), (0, 0)]


def test_update_when_no_old_pod_is_ready_and_surging_then_all_get_a_new_one_and_the_old_go():
    # TestDaemonSetUpdatesAllOldPodsNotReadyMaxSurge
    cluster = Cluster(5, DaemonSetSpec("v2", max_unavailable=0, max_surge=3))
    cluster.ready(value=False)
    assert [cluster.sync(), cluster.sync(), cluster.sync()] == [(5, 0), (0, 5), (0, 0)]


def test_update_when_the_template_is_the_same_then_nothing():
    # TestDaemonSetUpdatesNoTemplateChanged
    assert Cluster(5, DaemonSetSpec("v1", max_unavailable=3)).sync() == (0, 0)


# TestGetUnavailableNumbers: only the limits; (max_surge, max_unavailable, nodes) to (surge, unavailable)
@pytest.mark.parametrize(
    ("surge", "unavailable", "nodes", "expected"),
    [
        pytest.param(0, 0, 0, (0, 0), id="no nodes"),
        pytest.param(0, 1, 2, (0, 1), id="one of two"),
        pytest.param(0, 0, 2, (0, 1), id="neither, so one"),
        pytest.param(0, "50%", 2, (0, 1), id="half of two"),
        pytest.param(0, "50%", 3, (0, 2), id="rounds up"),
        pytest.param("50%", 0, 2, (1, 0), id="half of two surge"),
        pytest.param("1%", 0, 7, (1, 0), id="surge rounds up"),
    ],
)
def test_limits_when_percentages_then_both_round_up(surge, unavailable, nodes, expected):
    assert expected == DaemonSetSpec(max_surge=surge, max_unavailable=unavailable).limits(nodes)


OLD = DaemonPod(1, "v1")
NEW = DaemonPod(2, "v2")
UNREADY = {"ready": False, "available": False}
ROLLING = DaemonSetSpec("v2")
SURGING = DaemonSetSpec("v2", max_unavailable=0, max_surge=1)


@pytest.mark.parametrize(
    ("spec", "node", "expected"),
    [
        pytest.param(ROLLING, DaemonNode("n"), DaemonWrites(("n",)), id="empty node"),
        pytest.param(
            ROLLING, DaemonNode("n", (OLD._replace(terminating=True),)), DaemonWrites(), id="waits for the end"
        ),
        pytest.param(
            SURGING, DaemonNode("n", (OLD._replace(terminating=True),)), DaemonWrites(("n",)), id="surge does not wait"
        ),
        pytest.param(ROLLING, DaemonNode("n", (NEW, OLD)), DaemonWrites((), (2,)), id="keeps the oldest"),
        pytest.param(SURGING, DaemonNode("n", (OLD, NEW)), DaemonWrites((), (1,)), id="new is available: old goes"),
        pytest.param(
            SURGING,
            DaemonNode("n", (OLD._replace(**UNREADY), NEW._replace(**UNREADY))),
            DaemonWrites((), (1,)),
            id="neither is ready: old goes",
        ),
        pytest.param(SURGING, DaemonNode("n", (OLD, NEW._replace(**UNREADY))), DaemonWrites(), id="old serves on"),
        pytest.param(
            ROLLING, DaemonNode("n", (OLD,), should_run=False, should_continue=False), DaemonWrites((), (1,)), id="left"
        ),
        pytest.param(
            SURGING,
            DaemonNode("n", (OLD,), should_run=False),
            DaemonWrites((), (1,)),
            id="sunset node goes while others are enough",
        ),
        pytest.param(ROLLING, DaemonNode("n", (OLD._replace(failed=True),)), DaemonWrites((), (1,)), id="failed pod"),
        pytest.param(
            ROLLING._replace(on_delete=True), DaemonNode("n", (OLD,)), DaemonWrites(), id="OnDelete keeps old pods"
        ),
        pytest.param(
            ROLLING._replace(on_delete=True), DaemonNode("n"), DaemonWrites(("n",)), id="OnDelete fills new nodes"
        ),
    ],
)
def test_sync_when_one_node_then(spec, node, expected):
    assert expected == sync(DaemonSet(spec, (node,)))


def test_sync_when_many_pods_are_due_then_a_burst():
    nodes = tuple(DaemonNode(f"n{number}") for number in range(300))
    assert len(sync(DaemonSet(ROLLING, nodes)).create) == 250

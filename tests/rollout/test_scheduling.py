"""Filters one by one, on small clusters; `test_scheduling_live.py` holds all of them to the real scheduler."""

import pytest

from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
from gitops_guard.rollout.scheduling.fit import fit, place
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.state import ClusterState

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BLUE = {"key": "team", "value": "blue", "effect": "NoSchedule"}
WEB = {"matchLabels": {"app": "web"}}


def node(name="one", *, zone="a", cpu="2", pods="5", **more):
    room = {"cpu": cpu, "memory": "4Gi", "pods": pods, "example.com/gpu": "1"}
    return Node(name=name, labels={HOST: name, ZONE: zone, "size": "4"}, allocatable=room, **more)


def spec(cpu="1", **more):
    return {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}], **more}


def running(on, body, *, app="web", name="old", **more):
    return RunningPod(
        namespace="shop", name=name, node=on, workload="Deployment/web", labels={"app": app}, spec=body, **more
    )


def cluster(nodes, pods=(), **objects):
    return ClusterState(Snapshot(kubernetes="v1.36.3", nodes=tuple(nodes), pods=tuple(pods), objects=objects))


def pod(body, *, app="web"):
    return PodView("shop", {"app": app}, body)


def ports(number, **more):
    return spec(containers=[{"name": "main", "ports": [{"containerPort": 80, "hostPort": number, **more}]}])


def anti(key, selector=WEB, **more):
    return {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": key, "labelSelector": selector, **more}]}}}


def near(key):
    return {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": key, "labelSelector": WEB}]}}}


def on_nodes(**term):
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}}


def spread(key=HOST, **more):
    one = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": WEB, **more}
    return {"topologySpreadConstraints": [one]}


FULL = running("one", spec("2"))
REFUSALS = [
    pytest.param(spec(), [node(unschedulable=True)], [], "node(s) were unschedulable", id="cordoned"),
    pytest.param(spec(), [node(taints=(BLUE,))], [], "node(s) had untolerated taint(s)", id="taint"),
    pytest.param(spec(nodeSelector={"disk": "ssd"}), [node()], [], "node(s) didn't match Pod's node affinity/selector", id="selector"),
    pytest.param(spec(**on_nodes(matchExpressions=[{"key": "size", "operator": "Gt", "values": ["4"]}])), [node()], [], "node(s) didn't match Pod's node affinity/selector", id="gt"),
    pytest.param(spec(**on_nodes()), [node()], [], "node(s) didn't match Pod's node affinity/selector", id="empty-term"),
    pytest.param(spec("1500m"), [node()], [running("one", spec())], "Insufficient cpu", id="cpu"),
    pytest.param(spec(overhead={"cpu": "1500m"}), [node()], [], "Insufficient cpu", id="overhead"),
    pytest.param(spec(resources={"requests": {"cpu": "3"}}), [node()], [], "Insufficient cpu", id="pod-level"),
    pytest.param(spec(initContainers=[{"name": "i", "resources": {"limits": {"cpu": "3"}}}]), [node()], [], "Insufficient cpu", id="init-container"),
    pytest.param({"containers": [{"name": "m", "resources": {"requests": {"example.com/gpu": 2}}}]}, [node()], [], "Insufficient example.com/gpu", id="extended"),
    pytest.param(spec("0"), [node(pods="1")], [FULL], "Too many pods", id="pods"),
    pytest.param(ports(80), [node()], [running("one", ports(80, hostIP="10.0.0.1"))], "node(s) didn't have free ports for the requested pod ports", id="port"),
    pytest.param(spec("0", **anti(HOST)), [node()], [running("one", spec("0"))], "node(s) didn't match pod anti-affinity rules", id="anti-affinity"),
    pytest.param(spec("0"), [node("two")], [running("two", spec("0", **anti(HOST)), app="other")], "node(s) didn't satisfy existing pods anti-affinity rules", id="avoided"),
    pytest.param(spec("0", **near(ZONE)), [node()], [running("one", spec("0"), app="other")], None, id="first-of-its-kind"),
    pytest.param(spec("0", **spread(minDomains=2)), [node()], [running("one", spec("0"))], "node(s) didn't match pod topology spread constraints", id="min-domains"),
    pytest.param(spec("0", **spread("rack")), [node()], [], "node(s) didn't match pod topology spread constraints (missing required label)", id="no-label"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "nodes", "pods", "expected"), REFUSALS)
def test_fit_when_a_filter_refuses_then_it_says_what_the_scheduler_says(body, nodes, pods, expected):
    found = fit(pod(body), cluster(nodes, pods))
    assert found.lacking == ({expected: 1} if expected else {})
    assert bool(found.nodes) is (expected is None)


TAKEN = [
    pytest.param(spec(tolerations=[{"key": "team", "operator": "Exists"}]), [node(taints=(BLUE,))], [], id="tolerated"),
    pytest.param(spec(), [node(taints=({**BLUE, "effect": "PreferNoSchedule"},))], [], id="only-preferred"),
    pytest.param(spec(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]), [node(unschedulable=True)], [], id="cordon-tolerated"),
    pytest.param(spec(initContainers=[{"name": "i", "resources": {"requests": {"cpu": "2"}}}]), [node()], [], id="init-alone"),
    pytest.param(ports(80, protocol="UDP"), [node()], [running("one", ports(80))], id="other-protocol"),
    pytest.param(ports(80, hostIP="10.0.0.2"), [node()], [running("one", ports(80, hostIP="10.0.0.1"))], id="other-address"),
    pytest.param(spec("0", **anti(HOST, matchLabelKeys=["app"])), [node()], [running("one", spec("0"), app="x")], id="other-label-value"),
    pytest.param(spec("0", **anti(HOST, namespaces=["other"])), [node()], [running("one", spec("0"))], id="other-namespace"),
    pytest.param(spec("0", **spread()), [node()], [running("one", spec("0"), terminating=True)], id="terminating-is-not-spread"),
    pytest.param(spec("0", **spread(nodeTaintsPolicy="Honor")), [node(), node("two", taints=(BLUE,))], [running("one", spec("0"))], id="tainted-is-no-domain"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "nodes", "pods"), TAKEN)
def test_fit_when_all_filters_pass_then_the_node_can_take_it(body, nodes, pods):
    assert "one" in fit(pod(body), cluster(nodes, pods)).nodes


def claim(**more):
    return {
        "metadata": {"namespace": "shop", "name": "data"},
        "spec": {"volumeName": "v", "accessModes": ["ReadWriteOnce"], **more},
    }


def volume(**more):
    return {
        "metadata": {"name": "v", **more.pop("metadata", {})},
        "spec": {"csi": {"driver": "disk", "volumeHandle": "v"}, **more},
    }


DATA = spec("0", volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])
B_ONLY = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["b"]}]}]}}


@pytest.mark.parametrize(
    ("objects", "pods", "expected"),
    [
        pytest.param({"PersistentVolumeClaim": (claim(),), "PersistentVolume": (volume(nodeAffinity=B_ONLY),)}, [], "node(s) didn't match PersistentVolume's node affinity", id="node-affinity"),
        pytest.param({"PersistentVolumeClaim": (claim(),), "PersistentVolume": (volume(metadata={"labels": {ZONE: "b__c"}}),)}, [], "node(s) had no available volume zone", id="zone"),
        pytest.param({"PersistentVolumeClaim": (claim(accessModes=["ReadWriteOncePod"]),)}, [running("one", DATA)], "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod", id="one-pod"),
        pytest.param({"PersistentVolumeClaim": (claim(volumeName=""),), "StorageClass": ()}, [], "pod has unbound immediate PersistentVolumeClaims", id="unbound"),
        pytest.param({"PersistentVolumeClaim": (claim(),), "PersistentVolume": (volume(),)}, [], None, id="bound"),
    ],
)  # fmt: skip
def test_fit_when_volumes_hold_a_pod_then_it_says_why(objects, pods, expected):
    found = fit(pod(DATA), cluster([node()], pods, **objects))
    assert found.lacking == ({expected: 1} if expected else {})


def test_fit_when_a_driver_has_its_volumes_then_the_node_is_full():
    held = {"metadata": {"namespace": "shop", "name": "held"}, "spec": {"volumeName": "w"}}
    other = {"metadata": {"name": "w"}, "spec": {"csi": {"driver": "disk", "volumeHandle": "w"}}}
    there = running("one", spec("0", volumes=[{"name": "h", "persistentVolumeClaim": {"claimName": "held"}}]))
    objects = {"PersistentVolumeClaim": (claim(), held), "PersistentVolume": (volume(), other)}
    full, free = (fit(pod(DATA), cluster([node(attachable={"disk": most})], [there], **objects)) for most in (1, 2))
    assert (full.lacking, free.nodes) == ({"node(s) exceed max volume count": 1}, ("one",))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(spec("1"), 4, id="by-cpu"),
        pytest.param(spec("0", **anti(HOST)), 2, id="one-a-node"),
        pytest.param(spec("0", **anti(ZONE)), 1, id="one-a-zone"),
        pytest.param(spec("1", **spread(HOST)), 4, id="spread"),
    ],
)
def test_place_when_pods_are_alike_then_as_many_as_fit_and_nothing_stays(body, expected):
    state = cluster([node("one"), node("two")])
    placed = place(pod(body), 9, state)
    assert len(placed) == expected
    for one in placed:
        state.remove(one)
    assert (list(state.pods()), list(state.avoiding)) == ([], [])


def test_fit_when_asked_why_then_what_is_lacking_most_comes_first():
    found = fit(pod(spec("9")), cluster([node("one"), node("two"), node("three", unschedulable=True)]))
    assert found.why == "3 nodes: 2 Insufficient cpu, 1 node(s) were unschedulable"

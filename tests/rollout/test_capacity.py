"""Whether the nodes hold what a rollout needs: it fits, it does not, it fits only if."""

import copy

import pytest

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.model.snapshot import Node, RunningPod, Snapshot
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.capacity import place_of
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.predict_change import predict_change

HOST = "kubernetes.io/hostname"


def body(kind="Deployment", name="web", *, cpu="1", image="web:1", replicas=2, group="apps/v1", pod=None, **spec):
    container = {"name": "main", "image": image, "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **(pod or {})}}
    fixed = {"selector": {"matchLabels": {"app": name}}, "template": template, "replicas": replicas}
    if kind == "DaemonSet":
        del fixed["replicas"]
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": fixed | spec}


def new(one, **resources):
    one = copy.deepcopy(one)
    container = one["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "web:2"
    if resources:
        container["resources"] = {"requests": resources}
    return one


def node(name, cpu="2"):
    return Node(name=name, labels={HOST: name}, allocatable={"cpu": cpu, "memory": "4Gi", "pods": "9"})


def pods(kind, name, *nodes, cpu="1"):
    spec = {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}]}
    return [
        RunningPod(namespace="shop", name=f"{name}-{number}", node=on, workload=f"{kind}/{name}", labels={"app": name}, spec=spec)
        for number, on in enumerate(nodes)
    ]  # fmt: skip


def change(pairs, nodes, running, **objects):
    sides = [
        [Resource(id=resource_id(one), body=one, origin=Origin(path="a.yaml", document=0, line=1)) for one in side]
        for side in zip(*pairs, strict=True)
    ]
    snapshot = Snapshot(kubernetes="v1.36.3", nodes=tuple(nodes), pods=tuple(running), objects=objects)
    return Change.between(*sides, Assumptions(), snapshot)


def places(found):
    return {pair.id.name: place_of(pair, found) for pair in found.workloads}


def rolling(surge, unavailable):
    return {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def test_place_when_another_rollout_makes_room_then_it_fits_only_if_that_goes_first():
    web, api = body(strategy=rolling(1, 0)), body(name="api", strategy=rolling(0, 1))
    found = change(
        [(web, new(web)), (api, new(api))],
        [node("a"), node("b")],
        pods("Deployment", "web", "a", "b") + pods("Deployment", "api", "a", "b"),
    )
    place = places(found)["web"]
    assert (place.why, place.note[:60]) == ("", "fits only if pods of other workloads of the change go first ")
    assert place.note in predict_change(found, Assumptions(), "1.36").rollouts[1].reasons


def test_place_when_fewer_extra_pods_fit_than_may_be_then_a_note_says_how_many():
    web = body(replicas=3, strategy=rolling(3, 0))
    place = places(change([(web, new(web))], [node("a"), node("b")], pods("Deployment", "web", "a", "a", "b")))["web"]
    assert place == (0, "", "only 1 of 3 extra pods fit at first: the others wait until old pods are gone")


def test_place_when_not_all_new_pods_fit_then_it_is_known_how_many_do():
    web = body(strategy=rolling(1, 1))
    found = change([(web, new(web, cpu="2"))], [node("a"), node("b", "1")], pods("Deployment", "web", "a", "b"))
    assert places(found)["web"][:2] == (1, "the nodes hold 1 of 2 pods of the new version")
    (rollout,) = predict_change(found, Assumptions(), "1.36").rollouts
    assert (rollout.verdict, rollout.min_available) == ("stuck", 1)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        pytest.param({"canary": {"maxSurge": 1, "maxUnavailable": 0}}, "no node can take", id="canary"),
        pytest.param({"canary": {"maxSurge": 0, "maxUnavailable": 1}}, "", id="canary-one-may-go"),
        pytest.param({"blueGreen": {"activeService": "web"}}, "no node can take", id="blue-green"),
    ],
)
def test_place_when_argo_rolls_out_then_its_strategy_says_what_runs_beside(strategy, expected):
    web = body("Rollout", group="argoproj.io/v1alpha1", strategy=strategy)
    place = places(change([(web, new(web))], [node("a", "1"), node("b", "1")], pods("Rollout", "web", "a", "b")))["web"]
    assert place.why.startswith(expected)
    assert bool(place.why) is bool(expected)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        pytest.param({"maxUnavailable": 1}, "", id="in-its-place"),
        pytest.param({"maxSurge": 1, "maxUnavailable": 0}, "node a cannot take a pod of the new version (Insufficient cpu), nor can 1 more", id="beside-it"),
    ],
)  # fmt: skip
def test_place_when_a_daemon_set_rolls_then_each_node_is_asked(update, expected):
    agent = body("DaemonSet", "agent", updateStrategy={"rollingUpdate": update})
    found = change([(agent, new(agent))], [node("a", "1"), node("b", "1")], pods("DaemonSet", "agent", "a", "b"))
    assert places(found)["agent"].why == expected


def test_place_when_a_stateful_pod_is_held_by_its_volume_then_that_pod_is_named():
    claims = [{"metadata": {"name": "data"}, "spec": {}}]
    db = body("StatefulSet", "db", serviceName="db", volumeClaimTemplates=claims)
    held = {
        "required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": HOST, "operator": "In", "values": ["a"]}]}]}
    }
    objects = {
        "PersistentVolumeClaim": tuple(
            {"metadata": {"namespace": "shop", "name": f"data-db-{number}"}, "spec": {"volumeName": f"v{number}"}} for number in (0, 1)
        ),
        "PersistentVolume": tuple({"metadata": {"name": f"v{number}"}, "spec": {"nodeAffinity": held}} for number in (0, 1)),
    }  # fmt: skip
    found = change(
        [(db, new(db, cpu="1500m"))], [node("a"), node("b", "9")], pods("StatefulSet", "db", "a", "a"), **objects
    )
    assert places(found)["db"].why.startswith("no node can take pod db-1 of the new version (2 nodes: ")


def test_place_when_nobody_could_list_nodes_then_nothing_is_said():
    web = body(strategy=rolling(1, 0))
    sides = [
        [Resource(id=resource_id(one), body=one, origin=Origin(path="a.yaml", document=0, line=1))]
        for one in (web, new(web))
    ]
    found = Change.between(*sides, Assumptions(), Snapshot(kubernetes="v1.36.3", unread=("Node",)))
    assert places(found)["web"] == (0, "", "")

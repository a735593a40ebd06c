"""Rollouts that are predicted to be stuck stand still on the real controllers, and their look-alikes end."""

import copy
import json

import pytest
from controlplane.api import wait_for
from controlplane.server import ADMIN

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.collect import snapshot_of
from gitops_guard.rollout.predict_change import predict_change

LISTS = {
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/pods",
    "Namespace": "/api/v1/namespaces",
    "ResourceQuota": "/api/v1/resourcequotas",
    "LimitRange": "/api/v1/limitranges",
}
WEB = {"matchLabels": {"app": "web"}}
HOST = "kubernetes.io/hostname"
ANTI = {
    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOST, "labelSelector": WEB}]}
}
SPREAD = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": WEB}
PORT = {"ports": [{"containerPort": 80, "hostPort": 8099}]}
QUOTA = {"kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "3"}}}
RIGID, FREE = {"maxSurge": 1, "maxUnavailable": 0}, {"maxSurge": 0, "maxUnavailable": 1}


def web(namespace, rolling, *, pod=None, container=None):
    """Three pods on three nodes."""
    spec = {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "web:1", **(container or {})}],
        **(pod or {}),
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"replicas": 3, "selector": WEB, "strategy": {"rollingUpdate": rolling}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": body,
    }


def changed(body, **pod):
    body = copy.deepcopy(body)
    spec = body["spec"]["template"]["spec"]
    spec["containers"][0]["image"] = "web:2"
    spec |= pod
    return body


CASES = [
    pytest.param(RIGID, {}, {}, [QUOTA], True, id="quota-full"),
    pytest.param(FREE, {}, {}, [QUOTA], False, id="quota-full-one-may-go"),
    pytest.param(RIGID, {"pod": {"affinity": ANTI}}, {}, [], True, id="anti-affinity"),
    pytest.param(FREE, {"pod": {"affinity": ANTI}}, {}, [], False, id="anti-affinity-one-may-go"),
    pytest.param(RIGID, {"container": PORT}, {}, [], True, id="host-port"),
    pytest.param(FREE, {"container": PORT}, {}, [], False, id="host-port-one-may-go"),
    pytest.param(RIGID, {}, {"nodeSelector": {"disk": "none"}}, [], True, id="no-such-node"),
    pytest.param(FREE, {}, {"nodeSelector": {"disk": "none"}}, [], True, id="no-such-node-one-may-go"),
    pytest.param(RIGID, {"pod": {"topologySpreadConstraints": [SPREAD]}}, {}, [], False, id="spread-alone-blocks-nothing"),
    pytest.param(RIGID, {"pod": {"topologySpreadConstraints": [{**SPREAD, "minDomains": 5}]}}, {}, [], True, id="spread-min-domains"),
]  # fmt: skip


@pytest.mark.parametrize(("rolling", "more", "new", "objects", "stuck"), CASES)
def test_rollout_when_predicted_by_a_snapshot_then_the_real_controllers_agree(
    controllers, controlled_namespace, rolling, more, new, objects, stuck
):
    api = controllers.control_plane.api(ADMIN)
    before = web(controlled_namespace, rolling, **more)
    path = api.path_of(before)
    api.expect("POST", path.rpartition("/")[0], before)
    controllers.wait_for_rollout(before)
    for body in objects:
        api.expect("POST", f"/api/v1/namespaces/{controlled_namespace}/resourcequotas", body)
        wait_for(lambda: quota_used(api, controlled_namespace) == "3", what="the quota")
    after = changed(before, **new)
    assert predicted(api, before, after) == ("stuck" if stuck else "ok")
    assert api.apply(after, force=True).status == 200
    if stuck:
        why = wait_for(lambda: obstacle(api, path, controlled_namespace), what="what it is stuck at", timeout_s=60)
        live = api.expect("GET", path)["status"]
        assert live.get("availableReplicas", 0) >= 3 - rolling["maxUnavailable"], why
        ready = [
            pod
            for pod in pods(api, controlled_namespace)
            if "web:2" in json.dumps(pod["spec"]) and is_true(pod, "Ready")
        ]
        assert ready == []
    else:
        controllers.wait_for_rollout(after)


def quota_used(api, namespace):
    quota = api.expect("GET", f"/api/v1/namespaces/{namespace}/resourcequotas/team")
    return quota.get("status", {}).get("used", {}).get("pods")


def predicted(api, before, after):
    lists = {kind: api.expect("GET", path)["items"] for kind, path in LISTS.items()}
    snapshot = snapshot_of("v1.36.3", lists)
    sides = [
        [Resource(id=resource_id(one), body=one, origin=Origin(path="a.yaml", document=0, line=1))]
        for one in (before, after)
    ]
    change = Change.between(*sides, Assumptions(), snapshot)
    (rollout,) = predict_change(change, Assumptions(), "1.36").rollouts
    return rollout.verdict.value


def pods(api, namespace):
    return api.expect("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]


def is_true(body, name):
    conditions = body.get("status", {}).get("conditions") or []
    return any(one["type"] == name and one["status"] == "True" for one in conditions)


def obstacle(api, path, namespace):
    """A new pod that no node takes, or one that nobody may create."""
    if is_true(api.expect("GET", path), "ReplicaFailure"):
        return "ReplicaFailure"
    conditions = [
        one
        for pod in pods(api, namespace)
        if pod["status"]["phase"] == "Pending"
        for one in pod["status"].get("conditions") or []
    ]
    found = [one["message"] for one in conditions if one["type"] == "PodScheduled" and one["status"] == "False"]
    return found[0] if found else ""

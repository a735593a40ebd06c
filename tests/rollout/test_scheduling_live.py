"""The filters against the real kube-scheduler: seeded clusters, one pod each, verdict and reasons compared."""

import random
import re
from collections import Counter

import pytest
from controlplane import binaries, tools
from controlplane.api import wait_for
from controlplane.server import ADMIN

from gitops_guard.rollout.collect import KINDS, snapshot_of
from gitops_guard.rollout.scheduling.fit import fit
from gitops_guard.rollout.scheduling.pod import PodView
from gitops_guard.rollout.scheduling.state import ClusterState

CASES = 90
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
BARRIER = {"key": "barrier", "effect": "NoSchedule"}
LISTS = {"Node": "/api/v1/nodes", "Pod": "/api/v1/pods", "PersistentVolumeClaim": "/api/v1/persistentvolumeclaims",
         "PersistentVolume": "/api/v1/persistentvolumes", "Namespace": "/api/v1/namespaces"}  # fmt: skip


class Lab:
    """A server with a scheduler and no controller beside it: nothing changes but what the test changes."""

    def __init__(self, plane):
        self.plane, self.api = plane, plane.api(ADMIN)
        program = binaries.obtain(tools.CONTROLLERS[1])
        common = [f"--kubeconfig={plane.kubeconfig(ADMIN)}", "--leader-elect=false", "--secure-port=0"]
        plane.spawn(program, [*common, "--kube-api-qps=1000", "--kube-api-burst=2000"])
        plane.create_namespace("lab")

    def node(self, name, labels, taints, allocatable, unschedulable=False):
        body = {
            "metadata": {"name": name, "labels": labels},
            "spec": {"unschedulable": unschedulable},
            "status": {"capacity": allocatable, "allocatable": allocatable},
        }
        self.api.expect("POST", "/api/v1/nodes", body)
        patch = {"spec": {"taints": taints}}  # without those that the server gives a node that is not ready
        answer = self.api.request(
            "PATCH", f"/api/v1/nodes/{name}", patch, headers={"Content-Type": "application/merge-patch+json"}
        )
        assert answer.status == 200, answer

    def pod(self, name, labels, spec):
        container = {"name": "main", "image": "app:1", **spec.pop("container", {})}
        body = {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container], **spec}}
        return self.api.expect("POST", "/api/v1/namespaces/lab/pods", body)

    def volume(self, name, labels, affinity, modes):
        claim = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "lab", "name": name}
        spec = {"capacity": {"storage": "1Gi"}, "accessModes": modes, "claimRef": claim, "storageClassName": ""}
        spec |= {"csi": {"driver": "disk.example.com", "volumeHandle": name}}
        if affinity:
            spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [affinity]}}
        self.api.expect(
            "POST", "/api/v1/persistentvolumes", {"metadata": {"name": name, "labels": labels}, "spec": spec}
        )
        wanted = {
            "accessModes": modes,
            "resources": {"requests": {"storage": "1Gi"}},
            "volumeName": name,
            "storageClassName": "",
        }
        bound = {"pv.kubernetes.io/bind-completed": "yes"}
        body = {"metadata": {"name": name, "annotations": bound}, "spec": wanted}
        self.api.expect("POST", "/api/v1/namespaces/lab/persistentvolumeclaims", body)

    def barrier(self):
        """Wait until the scheduler has seen everything: a pod that comes last goes to a node that comes last."""
        self.node("barrier", {"role": "barrier"}, [BARRIER], {"cpu": "1", "memory": "1Gi", "pods": "9"})
        toleration = {"key": "barrier", "operator": "Exists"}
        self.pod("barrier", {"app": "barrier"}, {"nodeSelector": {"role": "barrier"}, "tolerations": [toleration]})
        wait_for(lambda: self.live("barrier")["spec"].get("nodeName"), what="the barrier", timeout_s=60)

    def live(self, name):
        self.plane.check()
        return self.api.expect("GET", f"/api/v1/namespaces/lab/pods/{name}")

    def snapshot(self, without):
        lists = {kind: self.api.expect("GET", path)["items"] for kind, path in LISTS.items()}
        lists["Pod"] = [pod for pod in lists["Pod"] if pod["metadata"]["name"] != without]
        assert KINDS.keys() >= lists.keys()
        return snapshot_of("v1", lists)

    def outcome(self, name):
        """The node, or what the scheduler says is lacking."""

        def ask():
            pod = self.live(name)
            found = [one for one in pod.get("status", {}).get("conditions", []) if one["type"] == "PodScheduled"]
            return pod["spec"].get("nodeName") or (found and found[0]["status"] == "False" and found[0]["message"])

        return wait_for(ask, what=f"a decision about {name}", timeout_s=60)

    def clear(self):
        for path in ("namespaces/lab/pods", "namespaces/lab/persistentvolumeclaims", "persistentvolumes", "nodes"):
            for body in self.api.expect("GET", f"/api/v1/{path}")["items"]:
                name = f"/api/v1/{path}/{body['metadata']['name']}"
                if body["metadata"].get("finalizers"):
                    self.api.request(
                        "PATCH",
                        name,
                        {"metadata": {"finalizers": None}},
                        headers={"Content-Type": "application/merge-patch+json"},
                    )
                self.api.request("DELETE", name, {"gracePeriodSeconds": 0})
            wait_for(lambda path=path: not self.api.expect("GET", f"/api/v1/{path}")["items"], what=f"no {path}")


def maybe(chance, share, value):
    return value() if chance.random() < share else None


def requests(chance):
    return {
        "resources": {
            "requests": {
                "cpu": f"{chance.choice([0, 100, 500, 900, 1500])}m",
                "memory": f"{chance.choice([0, 256, 900, 2000])}Mi",
            }
        }
    }


def term(chance):
    selector = chance.choice([
        {"matchLabels": {"app": "x"}}, {"matchLabels": {"app": "y"}}, {},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]}])  # fmt: skip
    return {"topologyKey": chance.choice([ZONE, HOST]), "labelSelector": selector}


def spread(chance):
    body = {"maxSkew": chance.choice([1, 1, 2]), "whenUnsatisfiable": "DoNotSchedule", **term(chance)}
    if chance.random() < 0.3:
        body["minDomains"] = chance.choice([2, 3, 5])
    if chance.random() < 0.3:
        body["nodeTaintsPolicy"] = "Honor"
    if chance.random() < 0.2:
        body["nodeAffinityPolicy"] = "Ignore"
    return body


def node_affinity(chance):
    expression = chance.choice([
        {"key": "disk", "operator": "In", "values": ["ssd"]}, {"key": "disk", "operator": "NotIn", "values": ["ssd"]},
        {"key": "disk", "operator": "Exists"}, {"key": "disk", "operator": "DoesNotExist"},
        {"key": "size", "operator": "Gt", "values": ["4"]}, {"key": ZONE, "operator": "In", "values": ["a", "b"]}])  # fmt: skip
    terms = [{"matchExpressions": [expression]}]
    if chance.random() < 0.2:
        terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n0"]}]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def affinity(chance):
    found = {
        "nodeAffinity": maybe(chance, 0.25, lambda: node_affinity(chance)),
        "podAffinity": maybe(chance, 0.15, lambda: {"requiredDuringSchedulingIgnoredDuringExecution": [term(chance)]}),
        "podAntiAffinity": maybe(
            chance, 0.25, lambda: {"requiredDuringSchedulingIgnoredDuringExecution": [term(chance)]}
        ),
    }
    return {key: value for key, value in found.items() if value}


def spec_of(chance):
    container = requests(chance)
    if chance.random() < 0.25:
        container["ports"] = [
            {
                "containerPort": 80,
                "hostPort": chance.choice([80, 81]),
                **({"hostIP": "10.0.0.1"} if chance.random() < 0.3 else {}),
            }
        ]
    spec = {"container": container, "affinity": affinity(chance)}
    if chance.random() < 0.25:
        spec["nodeSelector"] = {"disk": chance.choice(["ssd", "hdd"])}
    if chance.random() < 0.4:
        spec["tolerations"] = [chance.choice([
            {"operator": "Exists"}, {"key": "team", "operator": "Equal", "value": "blue", "effect": "NoSchedule"}, {"key": "team", "operator": "Exists"},
            {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])]  # fmt: skip
    if chance.random() < 0.4:
        spec["topologySpreadConstraints"] = [spread(chance) for _ in range(chance.choice([1, 1, 2]))]
        keys = [(one["topologyKey"], one["whenUnsatisfiable"]) for one in spec["topologySpreadConstraints"]]
        if len(set(keys)) < len(keys):
            del spec["topologySpreadConstraints"][1]
    if chance.random() < 0.2:
        spec["initContainers"] = [
            {"name": "side", "image": "a:1", "restartPolicy": "Always", **requests(chance)},
            {"name": "init", "image": "a:1", **requests(chance)},
        ]
    return spec


def build(lab, chance):
    """A small cluster with pods; returns the labels and the spec of the pod that is asked about."""
    for number in range(chance.randint(2, 5)):
        labels = {HOST: f"n{number}", "size": str(chance.choice([2, 4, 8]))}
        labels |= maybe(chance, 0.85, lambda: {ZONE: chance.choice("abc")}) or {}
        labels |= maybe(chance, 0.7, lambda: {"disk": chance.choice(["ssd", "hdd"])}) or {}
        effect = chance.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])
        taints = maybe(
            chance,
            0.3,
            lambda effect=effect: [{"key": "team", "value": chance.choice(["blue", "red"]), "effect": effect}],
        )
        room = {
            "cpu": chance.choice(["1", "2", "4"]),
            "memory": chance.choice(["1Gi", "4Gi"]),
            "pods": chance.choice(["2", "4", "10"]),
        }
        lab.node(f"n{number}", labels, taints or [], room, unschedulable=chance.random() < 0.15)
        for index in range(chance.choice([0, 1, 1, 2, 3])):
            spec = spec_of(chance)
            for field in ("nodeSelector", "tolerations", "initContainers"):
                spec.pop(field, None)
            lab.pod(f"old-{number}-{index}", {"app": chance.choice("xy")}, {**spec, "nodeName": f"n{number}"})
    spec = spec_of(chance)
    if chance.random() < 0.3:
        labels = maybe(chance, 0.5, lambda: {ZONE: chance.choice(["a", "b", "a__b"])}) or {}
        held = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["a", "c"]}]}
        lab.volume(
            "data", labels, maybe(chance, 0.5, lambda: held), [chance.choice(["ReadWriteOnce", "ReadWriteOncePod"])]
        )
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        if chance.random() < 0.4:
            lab.pod("holder", {"app": "x"}, {"nodeName": "n0", "volumes": spec["volumes"]})
    return {"app": chance.choice("xy")}, spec


def reasons(message):
    """What the scheduler counts: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: ..`."""
    _, _, told = message.partition("available: ")
    found = re.findall(r"(\d+) ((?:Insufficient |Too many |node\(s\) )[^,.]*)", told.partition(". ")[0])
    return Counter({reason.strip(): int(number) for number, reason in found})


@pytest.fixture
def lab(start_control_plane):
    return Lab(start_control_plane())


@pytest.mark.timeout(600)
def test_filters_when_the_real_scheduler_decides_then_verdict_and_reasons_are_the_same(lab):
    bound = refused = 0
    for number in range(CASES):
        labels, spec = build(lab, random.Random(f"scheduling {number}"))
        lab.barrier()
        body = lab.pod("asked", labels, spec)
        outcome = lab.outcome("asked")
        snapshot = lab.snapshot(without="asked")
        found = fit(PodView("lab", labels, body["spec"]), ClusterState(snapshot))
        if found.nodes:
            assert outcome in found.nodes, (number, outcome, found)
            bound += 1
        else:
            # where a pod names its nodes, the real scheduler does not even ask the others what they lack
            assert outcome.startswith("0/"), (number, outcome)
            assert found.lacking in (reasons(outcome), found.lacking if "matchFields" in str(spec) else None), (
                number,
                outcome,
            )
            refused += 1
        lab.clear()
    print(f"\n{CASES} pods: {bound} bound to a node that passes the filters, {refused} refused for the same reasons")
    assert min(bound, refused) >= CASES // 5

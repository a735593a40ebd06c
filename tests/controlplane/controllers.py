"""kube-controller-manager, kube-scheduler and KWOK beside a control plane: workloads roll, without a container runtime.

KWOK plays the kubelets of a few nodes; `stages.yaml` says how pods become ready, fail and end.
"""

from __future__ import annotations

from pathlib import Path

from controlplane.api import Body, wait_for
from controlplane.processes import Process
from controlplane.server import ADMIN, ControlPlane

_STAGES = Path(__file__).with_name("stages.yaml")
_START_S = 30.0

NODES = 3
"""How many nodes there are, "node-0" and so on."""


class Controllers:
    """A control plane whose controllers run."""

    def __init__(
        self, control_plane: ControlPlane, *, kube_controller_manager: Path, kube_scheduler: Path, kwok: Path
    ) -> None:
        self.control_plane = control_plane
        """The server; the controllers end when it is stopped."""
        self._kube_controller_manager = kube_controller_manager
        self._kube_scheduler = kube_scheduler
        self._kwok = kwok

    def start(self) -> None:
        """Start them all and wait until the nodes are ready and service accounts are made.

        Raises:
            ProcessFailedError: One of them ended; carries its log.
            TimeoutError: They run, but do not do their work.
        """
        for number in range(NODES):
            self._create_node(f"node-{number}")
        manager = self._start_controller_manager()
        scheduler = self.control_plane.spawn(
            self._kube_scheduler, [*self._common(), "--kube-api-qps=1000", "--kube-api-burst=2000"]
        )
        kwok = self._start_kwok()
        for process, is_at_work, what in (
            (kwok, self._nodes_are_ready, "ready with its nodes"),
            (manager, self._service_accounts_are_made, "ready with service accounts"),
            (scheduler, lambda: True, "started"),
        ):
            process.wait_until(is_at_work, timeout_s=_START_S, what=what)

    def create_namespace(self, name: str) -> None:
        """Create a namespace and wait until pods can be made in it."""
        self.control_plane.create_namespace(name)

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it, without waiting for the end."""
        api = self.control_plane.api(ADMIN)
        api.expect("DELETE", f"/api/v1/namespaces/{name}")
        api.close()

    def wait_for_rollout(self, body: Body, *, timeout_s: float = 60.0) -> Body:
        """Wait until a Deployment, StatefulSet or DaemonSet is observed and all its pods are ready; return it."""
        api = self.control_plane.api(ADMIN)
        path = api.path_of(body)

        def ask() -> Body | None:
            self.control_plane.check()
            live: Body = api.expect("GET", path)
            return live if _has_settled(live) else None

        settled: Body = wait_for(
            ask, what=f"the rollout of {body['kind']} {body['metadata']['name']}", timeout_s=timeout_s
        )
        api.close()
        return settled

    def _common(self) -> list[str]:
        return [f"--kubeconfig={self.control_plane.kubeconfig(ADMIN)}", "--leader-elect=false", "--secure-port=0"]

    def _start_controller_manager(self) -> Process:
        arguments = [
            *self._common(),
            f"--service-account-private-key-file={self.control_plane.service_account_key}",
            f"--root-ca-file={self.control_plane.authority.certificate}",
            "--kube-api-qps=5000",  # client-side limits would decide the order of what happens
            "--kube-api-burst=10000",
            "--concurrent-deployment-syncs=1",  # fewer interleavings: traces can be compared
            "--concurrent-replicaset-syncs=1",
        ]
        return self.control_plane.spawn(self._kube_controller_manager, arguments)

    def _start_kwok(self) -> Process:
        arguments = [
            f"--kubeconfig={self.control_plane.kubeconfig(ADMIN)}",
            f"--config={_STAGES}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
        ]
        return self.control_plane.spawn(self._kwok, arguments)

    def _create_node(self, name: str) -> None:
        capacity = {"cpu": "64", "memory": "256Gi", "pods": "500"}
        body: Body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {"capacity": capacity, "allocatable": capacity},
        }
        api = self.control_plane.api(ADMIN)
        api.expect("POST", "/api/v1/nodes", body)
        api.close()

    def _nodes_are_ready(self) -> bool:
        api = self.control_plane.api(ADMIN)
        nodes = api.expect("GET", "/api/v1/nodes")["items"]
        api.close()
        # the taint goes only when the controller manager has seen the condition
        return all(_is_true(node, "Ready") and not node["spec"].get("taints") for node in nodes)

    def _service_accounts_are_made(self) -> bool:
        api = self.control_plane.api(ADMIN)
        answer = api.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")
        api.close()
        return answer.status == 200


def _is_true(body: Body, condition: str) -> bool:
    conditions: list[Body] = body["status"].get("conditions") or []
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def _has_settled(live: Body) -> bool:
    status = live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return False
    if live["kind"] == "DaemonSet":
        wanted = status["desiredNumberScheduled"]
        return bool(wanted == status.get("updatedNumberScheduled", 0) == status.get("numberAvailable", 0))
    wanted = live["spec"]["replicas"]
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in counts)

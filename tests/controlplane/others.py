"""Controllers of other projects that roll workloads out: flagger and Argo Rollouts, on a control plane with controllers.

Their CRDs are files of the same Go modules that the binaries were built from. Both serve metrics on all interfaces and have no flag
against it; everything else stays on loopback.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
from pathlib import Path

import yaml
from controlplane import tools
from controlplane.api import Api, Body, wait_for
from controlplane.controllers import Controllers
from controlplane.processes import Process, free_ports
from controlplane.server import ADMIN

_START_S = 60.0


class Flagger:
    """flagger with its `kubernetes` provider: blue/green by Services alone, no mesh and no metrics server."""

    def __init__(self, controllers: Controllers, program: Path) -> None:
        self.controllers = controllers
        """Where it runs."""
        self._program = program

    def start(self) -> None:
        """Create the CRDs, start it and wait until it serves."""
        plane = self.controllers.control_plane
        _create_crds(plane.api(ADMIN), self._program.parent, tools.FLAGGER)
        (port,) = free_ports(1)
        arguments = [
            f"--kubeconfig={plane.kubeconfig(ADMIN)}",
            "--mesh-provider=kubernetes",
            "--control-loop-interval=1s",  # the floor of a canary's own interval
            f"--port={port}",
            "--log-level=info",
        ]
        _wait_until_healthy(plane.spawn(self._program, arguments), port, "/healthz")


class ArgoRollouts:
    """The controller of Argo Rollouts, without traffic routing."""

    def __init__(self, controllers: Controllers, program: Path) -> None:
        self.controllers = controllers
        """Where it runs."""
        self._program = program

    def start(self) -> None:
        """Create the CRDs, start it and wait until it serves."""
        plane = self.controllers.control_plane
        _create_crds(plane.api(ADMIN), self._program.parent, tools.ARGO_ROLLOUTS)
        metrics_port, port = free_ports(2)
        arguments = [
            f"--kubeconfig={plane.kubeconfig(ADMIN)}",
            "--leader-elect=false",
            f"--metricsPort={metrics_port}",
            f"--healthzPort={port}",
            "--qps=1000",
            "--burst=2000",
        ]
        _wait_until_healthy(plane.spawn(self._program, arguments), port, "/healthz")


def _create_crds(api: Api, directory: Path, tool: tools.Tool) -> None:
    for path in tool.files:
        text = (directory / Path(path).name).read_text(encoding="utf-8")
        for body in yaml.safe_load_all(text):
            api.expect("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
            name = body["metadata"]["name"]
            wait_for(functools.partial(_is_established, api, name), what=f"{name} to be established")
    api.close()


def _is_established(api: Api, name: str) -> bool:
    live: Body = api.expect("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    conditions = live.get("status", {}).get("conditions") or []  # null at first
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _wait_until_healthy(process: Process, port: int, path: str) -> None:
    def ask() -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    process.wait_until(ask, timeout_s=_START_S, what="healthy")

"""What the tests of the client share: clients of the real server, as one of its users, directly or through the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from controlplane.proxy import FaultProxy
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.cluster import Client, Limits, load_access

QUICK = Limits(connect_s=10, read_s=30, attempts=4)


@pytest.fixture
def connect(control_plane: ControlPlane) -> Iterator[Callable[..., Client]]:
    """Return a function that gives a client of the real server."""
    opened: list[Client] = []

    def make(user: str = ADMIN, *, by: str = "token", port: int = 0, limits: Limits = QUICK) -> Client:
        path = control_plane.kubeconfig(user, by=by, port=port)
        opened.append(Client(load_access({}, kubeconfig=str(path)), limits=limits))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """Return a client of the real server, as admin."""
    return connect()


@pytest.fixture
def through_proxy(connect: Callable[..., Client], fault_proxy: FaultProxy) -> Client:
    """Return a client that goes through the fault proxy, as admin."""
    return connect(port=fault_proxy.port)


@pytest.fixture
def config_map() -> Callable[..., dict[str, Any]]:
    def make(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    return make

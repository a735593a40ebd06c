"""What the tests of previews share: clients of a real server, manifests, and the shortest way to a preview."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.cluster import Client, Limits, load_access
from gitops_guard.live import LiveOptions, preview
from gitops_guard.model import Origin, Resource
from gitops_guard.model.live import ClusterPreview
from gitops_guard.model.resource import resource_id

Body = dict[str, Any]


@pytest.fixture
def connect(control_plane: ControlPlane) -> Iterator[Callable[..., Client]]:
    """Return a function that gives a client of the real server."""
    opened: list[Client] = []

    def make(user: str = ADMIN, *, port: int = 0) -> Client:
        path = control_plane.kubeconfig(user, port=port)
        opened.append(Client(load_access({}, kubeconfig=str(path)), limits=Limits(read_s=30, attempts=3)))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


def to_resource(body: Body) -> Resource:
    path = f"{body.get('kind')}-{body['metadata'].get('name')}.yaml".lower()
    return Resource(id=resource_id(body), body=copy.deepcopy(body), origin=Origin(path=path, document=0, line=1))


@pytest.fixture
def ask(client: Client) -> Callable[..., ClusterPreview]:
    """Return a function that previews: bodies of the base, bodies of the head."""

    def previewed(base: list[Body], head: list[Body], *, by: Client | None = None, **options: Any) -> ClusterPreview:
        sides = [[to_resource(body) for body in bodies] for bodies in (base, head)]
        return preview(by or client, *sides, LiveOptions(**options))

    return previewed


@pytest.fixture
def config_map() -> Callable[..., Body]:
    def make(namespace: str, name: str = "settings", **data: str) -> Body:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    return make


@pytest.fixture
def deployment() -> Callable[..., Body]:
    def make(namespace: str, name: str = "web", *, image: str = "web:1", **spec: Any) -> Body:
        container = {"name": "web", "image": image, "ports": [{"containerPort": 80}]}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **spec},
        }

    return make

"""What the tests of previews share: clients of a real server, manifests, and the shortest way to a preview."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from controlplane import webhooks
from controlplane.api import wait_for
from controlplane.processes import free_ports
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
def resource_of() -> Callable[[Body], Resource]:
    return to_resource


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


@pytest.fixture
def webhook(control_plane: ControlPlane, client: Client, namespace: str) -> Iterator[Callable[..., list[Body]]]:
    """Return a function that puts a webhook in front of the test's ConfigMaps; it gives the requests that come there."""
    admin = control_plane.api()
    with contextlib.ExitStack() as running:

        def start(kind: str, review: webhooks.Review | None) -> list[Body]:
            asked: list[Body] = []
            url = f"https://127.0.0.1:{free_ports(1)[0]}/"  # where nobody answers
            if review is not None:
                url, asked = running.enter_context(webhooks.serving(control_plane, review))
            body = webhooks.configuration(control_plane, namespace, url, kind=kind)
            plural = f"{kind.lower()}s"
            path = f"/apis/admissionregistration.k8s.io/v1/{plural}"
            admin.expect("POST", path, body)
            running.callback(admin.request, "DELETE", f"{path}/{namespace}")
            probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": namespace}}

            def is_called() -> bool:
                answer = admin.apply(probe, dry_run=True)
                return bool(asked) or answer.status >= 400

            wait_for(is_called, what="the webhook to be called")
            asked.clear()
            return asked

        yield start
    admin.close()

"""What the tests of the sync stage share: objects, and one set in a namespace of the real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from controlplane.controllers import Controllers
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.cluster import Client, Limits, load_access
from gitops_guard.model import Origin
from gitops_guard.model.resource import resource_id
from gitops_guard.model.sync import SyncAction, SyncReport
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.locking import Stop
from gitops_guard.sync.looking import look
from gitops_guard.sync.request import Rendered, Request
from gitops_guard.sync.running import sync
from gitops_guard.sync.settling import Wanted
from gitops_guard.sync.store import Store, Stored

Body = dict[str, Any]
QUICK = Limits(connect_s=10, read_s=30, attempts=4)


def wanted(body: Body, *, unit: str = "", line: int = 1) -> Wanted:
    return Wanted(
        id=resource_id(body), body=body, origin=Origin(path="apps/all.yaml", document=0, line=line), unit=unit
    )


def config_map(namespace: str, name: str = "settings", **data: str) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data or {"a": "1"},
    }


def deployment(namespace: str, name: str = "web", *, replicas: int = 1, image: str = "web:1") -> Body:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


class Fleet:
    """One set on a real server, as tests use it."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.name = SetName(name="shop", namespace=namespace)
        self.bodies: dict[tuple[str, str, str], Body] = {}
        self.revision = "1" * 40

    def want(self, *bodies: Body) -> None:
        """Put objects into Git."""
        for body in bodies:
            metadata = body["metadata"]
            self.bodies[body["kind"], metadata.get("namespace", ""), metadata["name"]] = body

    def drop(self, kind: str, name: str) -> None:
        """Take an object out of Git."""
        self.bodies = {key: body for key, body in self.bodies.items() if (key[0], key[2]) != (kind, name)}

    def request(self, **options: Any) -> Request:
        rendered = Rendered(revision=self.revision, wanted=tuple(wanted(body) for body in self.bodies.values()))
        given = {"rendered": rendered, "timeout_s": 60.0, "lease_s": 30, **options}
        return Request(name=self.name, default_namespace=self.namespace, **given)

    def sync(self, *, client: Client | None = None, stop: Stop | None = None, **options: Any) -> SyncReport:
        return sync(client or self.client, self.request(**options), stop)

    def drift(self, *, client: Client | None = None, **options: Any) -> SyncReport:
        return look(client or self.client, self.request(**options))

    def stored(self) -> Stored:
        return Store(self.client, self.name).read()


def actions(report: SyncReport) -> dict[str, str]:
    """Return the actions by kind and name."""
    return {f"{one.id.kind} {one.id.name}": str(one.action) for one in report.changes}


def reasons(report: SyncReport, action: SyncAction) -> dict[str, str]:
    """Return the reasons of one action by kind and name."""
    return {f"{one.id.kind} {one.id.name}": one.reason for one in report.changes if one.action is action}


@pytest.fixture
def connect(control_plane: ControlPlane) -> Iterator[Callable[..., Client]]:
    """Return a function that gives a client of the real server."""
    opened: list[Client] = []

    def make(user: str = ADMIN, *, port: int = 0, limits: Limits = QUICK) -> Client:
        path = control_plane.kubeconfig(user, port=port)
        opened.append(Client(load_access({}, kubeconfig=str(path)), limits=limits))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def fleet(connect: Callable[..., Client], namespace: str) -> Fleet:
    """Return an empty set in a namespace of the test's own."""
    return Fleet(connect(), namespace)


class Words:
    """The functions of this file, for tests, which cannot import a conftest."""

    config_map = staticmethod(config_map)
    deployment = staticmethod(deployment)
    actions = staticmethod(actions)
    reasons = staticmethod(reasons)
    wanted = staticmethod(wanted)
    fleet = Fleet


@pytest.fixture(scope="session")
def words() -> type[Words]:
    return Words


@pytest.fixture
def rolling(controllers: Controllers, controlled_namespace: str) -> Iterator[Fleet]:
    """Return an empty set in a namespace whose workloads roll and whose jobs run."""
    path = controllers.control_plane.kubeconfig(ADMIN)
    with Client(load_access({}, kubeconfig=str(path))) as client:
        yield Fleet(client, controlled_namespace)

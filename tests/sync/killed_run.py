"""One sync in a process of its own, to be killed: `killed_run.py KUBECONFIG NAMESPACE PRUNE VALUE NAME...`."""

import sys

from gitops_guard.cluster import Client, load_access
from gitops_guard.model import Origin
from gitops_guard.model.resource import resource_id
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.request import Rendered, Request
from gitops_guard.sync.running import sync
from gitops_guard.sync.settling import Wanted


def main(kubeconfig: str, namespace: str, prune: str, value: str, *names: str) -> None:
    bodies = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": {"a": value},
        }
        for name in names
    ]
    origin = Origin(path="a.yaml", document=0, line=1)
    wanted = tuple(Wanted(id=resource_id(body), body=body, origin=origin) for body in bodies)
    request = Request(
        name=SetName(name="shop", namespace=namespace),
        rendered=Rendered(revision="1" * 40, wanted=wanted),
        default_namespace=namespace,
        prune=prune == "prune",
        lease_s=1,
    )
    with Client(load_access({}, kubeconfig=kubeconfig)) as client:
        sync(client, request)


main(*sys.argv[1:])

"""`gitops-guard snapshot`: what a cluster holds, as far as rollouts depend on it. Reads only, and no Secret."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gitops_guard.cluster.client import Client
from gitops_guard.cluster.discovery import ApiResource, Resources
from gitops_guard.cluster.errors import ApiError, ErrorClass
from gitops_guard.cluster.kubeconfig import load_access
from gitops_guard.model import Json
from gitops_guard.model.snapshot import Snapshot
from gitops_guard.rollout.collect import KINDS, NAMES_ONLY, snapshot_of
from gitops_guard.rollout.snapshot_file import snapshot_text

_NOT_THERE = (ErrorClass.FORBIDDEN, ErrorClass.NOT_SERVED, ErrorClass.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """The command line of `snapshot`."""

    context: str = ""
    """Of the kubeconfig; empty: its current one."""

    kubeconfig: str = ""


def run(request: SnapshotRequest, environment: Mapping[str, str]) -> int:
    """Write a snapshot to standard output and say on standard error what could not be read; return the exit code.

    Raises:
        ClusterError: The cluster cannot be reached, or an answer is none that a snapshot can do without.
    """
    snapshot = take_snapshot(request.context, request.kubeconfig, environment)
    sys.stdout.write(snapshot_text(snapshot))
    for kind in snapshot.unread:
        sys.stderr.write(f"gitops-guard: no right to list {kind}: nothing will be concluded from it\n")
    return 0


def take_snapshot(context: str, kubeconfig: str, environment: Mapping[str, str]) -> Snapshot:
    """Read a cluster.

    Args:
        context: Of the kubeconfig; empty: its current one.
        kubeconfig: Its path; empty: where the environment says.
        environment: The process's variables.

    Raises:
        ClusterError: As of `run`.
    """
    with Client(load_access(environment, context=context, kubeconfig=kubeconfig)) as client:
        resources = client.resources()
        lists: dict[str, tuple[dict[str, Json], ...]] = {}
        unread: list[str] = []
        for kind, (version, _) in KINDS.items():
            found = _listed(client, _resource(resources, version, kind), metadata_only=kind in NAMES_ONLY)
            if found is None:
                unread.append(kind)
            else:
                lists[kind] = found
        served = [f"{one.api_version}/{one.kind}" for one in resources.all]
        return snapshot_of(client.version(), lists, served=[] if resources.stale else served, unread=unread)


def _resource(resources: Resources, version: str, kind: str) -> ApiResource | None:
    group, _, number = version.rpartition("/")
    return resources.find(group, number, kind)


def _listed(client: Client, resource: ApiResource | None, *, metadata_only: bool) -> tuple[dict[str, Json], ...] | None:
    """Return all objects of a kind; None where the account may not see them."""
    if resource is None:
        return None
    try:
        return client.list(resource, metadata_only=metadata_only).items
    except ApiError as error:
        if error.error_class in _NOT_THERE:
            return None
        raise

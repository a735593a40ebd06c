"""One at a time: a Lease that a run takes, keeps and gives back.

All times are the server's own (the `Date` of its answers), so the clocks of two holders need not agree. Each write
carries the resourceVersion that was read: of two who try at once, one gets a 409.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from gitops_guard.cluster.answer import Call
from gitops_guard.cluster.client import Client
from gitops_guard.cluster.errors import ApiError, ErrorClass, LeaseHeldError
from gitops_guard.model import Json, ResourceId

_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_MANAGER: Final = "gitops-guard-lease"
_FASTER: Final = "another run, which was faster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that we hold."""

    namespace: str
    name: str
    holder: str
    duration_s: int
    """How long it holds without being renewed."""

    resource_version: str
    """Of our last write."""


def take_lease(client: Client, *, namespace: str, name: str, holder: str, duration_s: int = 60) -> Lease:
    """Take a lease that nobody holds, that is ours already, or whose holder has not renewed it in time.

    Args:
        client: Of the cluster.
        namespace: Of the Lease object.
        name: Of the Lease object.
        holder: Who takes it; another run must have another name.
        duration_s: How long it holds without being renewed.

    Raises:
        LeaseHeldError: Another holder has it, or was faster.
        ClusterError: The cluster could not be asked.
    """
    try:
        found = _read(client, namespace, name)
    except ApiError as error:
        if error.error_class is not ErrorClass.NOT_FOUND:
            raise
        return _create(client, namespace, name, holder, duration_s)
    if found.holder not in ("", holder) and not found.has_ended:
        raise LeaseHeldError(client.name, f"{namespace}/{name}", found.holder)
    lease = Lease(namespace=namespace, name=name, holder=holder, duration_s=duration_s, resource_version=found.version)
    if found.holder == holder:
        return _write(client, lease, {"renewTime": found.now})
    return _write(
        client,
        lease,
        {"renewTime": found.now, "acquireTime": found.now, "leaseTransitions": found.transitions + 1},
    )


def renew_lease(client: Client, lease: Lease) -> Lease:
    """Renew a lease that we hold, and return it anew.

    Raises:
        LeaseHeldError: It is not ours any more.
        ClusterError: The cluster could not be asked.
    """
    found = _read(client, lease.namespace, lease.name)
    if found.holder != lease.holder:
        raise LeaseHeldError(client.name, f"{lease.namespace}/{lease.name}", found.holder or "nobody")
    return _write(client, replace(lease, resource_version=found.version), {"renewTime": found.now})


def give_back_lease(client: Client, lease: Lease) -> None:
    """Let the next one take it at once; a lease that is not ours any more is left alone.

    Raises:
        ClusterError: The cluster could not be asked.
    """
    patch: Json = {
        "metadata": {"resourceVersion": lease.resource_version},
        "spec": {"holderIdentity": None, "renewTime": None, "acquireTime": None},
    }
    try:
        client.patch(_id(lease.namespace, lease.name), patch, manager=_MANAGER)
    except ApiError as error:
        if error.error_class not in (ErrorClass.CHANGED, ErrorClass.NOT_FOUND):
            raise


def _create(client: Client, namespace: str, name: str, holder: str, duration_s: int) -> Lease:
    now = _now(client.send(Call(method="GET", path="/version", repeatable=True)).date)
    body: dict[str, Json] = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": duration_s,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        },
    }
    try:
        written = client.create(body, manager=_MANAGER)
    except ApiError as error:
        if error.error_class is ErrorClass.ALREADY_EXISTS:
            raise LeaseHeldError(client.name, f"{namespace}/{name}", _FASTER) from error
        raise
    return Lease(
        namespace=namespace,
        name=name,
        holder=holder,
        duration_s=duration_s,
        resource_version=_version(written.body),
    )


def _write(client: Client, lease: Lease, spec: dict[str, Json]) -> Lease:
    patch: Json = {
        "metadata": {"resourceVersion": lease.resource_version},
        "spec": {"holderIdentity": lease.holder, "leaseDurationSeconds": lease.duration_s, **spec},
    }
    try:
        written = client.patch(_id(lease.namespace, lease.name), patch, manager=_MANAGER)
    except ApiError as error:
        if error.error_class is ErrorClass.CHANGED:
            raise LeaseHeldError(client.name, f"{lease.namespace}/{lease.name}", _FASTER) from error
        raise
    return replace(lease, resource_version=_version(written.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    holder: str
    version: str
    transitions: int
    has_ended: bool
    now: str


def _read(client: Client, namespace: str, name: str) -> _Found:
    answer = client.send(Call(method="GET", path=client.path_of(_id(namespace, name)), repeatable=True))
    spec = _struct(answer.body.get("spec"))
    transitions = spec.get("leaseTransitions")
    return _Found(
        holder=str(spec.get("holderIdentity") or ""),
        version=_version(answer.body),
        transitions=transitions if isinstance(transitions, int) else 0,
        has_ended=_has_ended(spec, _clock(answer.date)),
        now=_now(answer.date),
    )


def _has_ended(spec: dict[str, Json], now: datetime) -> bool:
    renewed, duration_s = spec.get("renewTime"), spec.get("leaseDurationSeconds")
    if not isinstance(renewed, str) or not isinstance(duration_s, int):
        return True
    try:
        return datetime.fromisoformat(renewed) + timedelta(seconds=duration_s) < now
    except ValueError:
        return True


def _clock(date: str) -> datetime:
    """Return the time of the server; ours when it does not say."""
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return datetime.now(UTC)


def _now(date: str) -> str:
    return _clock(date).astimezone(UTC).strftime(_TIME)


def _id(namespace: str, name: str) -> ResourceId:
    return ResourceId(group="coordination.k8s.io", version="v1", kind="Lease", namespace=namespace, name=name)


def _version(body: dict[str, Json]) -> str:
    return str(_struct(body.get("metadata")).get("resourceVersion") or "")


def _struct(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}

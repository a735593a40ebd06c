"""One run at a time: the lease is taken, kept while the run lasts, and given back; one that is lost stops the run."""

import contextlib
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster import (
    ApiError,
    Client,
    ErrorClass,
    Lease,
    LeaseHeldError,
    UnreachableError,
    give_back_lease,
    renew_lease,
    take_lease,
)
from gitops_guard.errors import ClusterError, SyncError
from gitops_guard.sync.applyset import SetName

_ATTEMPTS: Final = 3


@dataclass(slots=True)
class Stop:
    """Tells all parts of a run that it is to end, and why."""

    event: threading.Event = field(default_factory=threading.Event)
    reason: str = ""

    def now(self, reason: str) -> None:
        """Let the run end: what has begun is finished, nothing new begins."""
        if not self.event.is_set():
            self.reason = reason
            self.event.set()

    def __bool__(self) -> bool:
        return self.event.is_set()


def run_id() -> str:
    """Return a name for one run that no other run has: `worker-1-3f9c2a`."""
    return f"{platform.node()[:40] or 'run'}-{secrets.token_hex(3)}"


@contextmanager
def locked(client: Client, name: SetName, holder: str, stop: Stop, *, duration_s: int) -> Iterator[None]:
    """Hold the set's lease while the context lasts.

    Args:
        client: Of the cluster.
        name: Of the set.
        holder: Name of this run.
        stop: Set when the lease is lost.
        duration_s: How long the lease holds without being renewed.

    Raises:
        LeaseHeldError: Another run has it.
        ClusterError: The cluster could not be asked.
    """
    lease = _taken(client, name, holder, duration_s)
    keeper = _Keeper(client, lease, stop)
    thread = threading.Thread(target=keeper.keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.ended.set()
        thread.join(timeout=2.0)
        with contextlib.suppress(ClusterError):  # it ends by itself when nobody renews it
            give_back_lease(client, keeper.lease)


def _taken(client: Client, name: SetName, holder: str, duration_s: int) -> Lease:
    """Take the lease; once more when nobody knows whether it was taken, which for the same holder is no harm."""
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            return take_lease(client, namespace=name.namespace, name=name.parent, holder=holder, duration_s=duration_s)
        except UnreachableError:
            if not attempts_left:
                raise
        except ApiError as error:
            if error.error_class is not ErrorClass.NO_NAMESPACE:
                raise
            raise SyncError(
                f"namespace {name.namespace} is not there, and the set's lock and inventory lie in it; create it, or"
                " name another one with --namespace"
            ) from error
    raise AssertionError("the last attempt returns or raises")


class _Keeper:
    def __init__(self, client: Client, lease: Lease, stop: Stop) -> None:
        self._client = client
        self._stop = stop
        self.lease = lease
        self.ended = threading.Event()

    def keep(self) -> None:
        """Renew the lease three times as often as needed, until it is lost or the run ends."""
        failures = 0
        while not self.ended.wait(self.lease.duration_s / 3):
            try:
                self.lease = renew_lease(self._client, self.lease)
                failures = 0
            except LeaseHeldError as error:
                self._stop.now(f"the lock was lost: {error}")
                return
            except ClusterError as error:
                failures += 1
                if failures >= 2:  # a third failure would come after its end
                    self._stop.now(f"the lock could not be renewed: {error}")
                    return

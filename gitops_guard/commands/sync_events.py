"""What a sync leaves for `kubectl describe` and `kubectl get events`: one Event a run, and one for each drifted object.

Names follow from what is said, so that the same thing said again raises a count instead of adding an Event.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gitops_guard.cluster import ApiError, Client, ErrorClass, PatchType
from gitops_guard.errors import ClusterError
from gitops_guard.model import Json, ResourceId
from gitops_guard.model.sync import SyncReport, SyncVerdict
from gitops_guard.report.sync import words
from gitops_guard.report.visible import visible
from gitops_guard.sync.applyset import PARENT_KIND, SetName
from gitops_guard.sync.objects import Key, key_of
from gitops_guard.sync.store import Store

COMPONENT: Final = "gitops-guard"
_MOST: Final = 50
"""Events for drifted objects in one run; the run's own Event says how many there were."""

_LONGEST: Final = 1000
"""Characters of a message; the API server takes 1,024."""

_NORMAL: Final = frozenset((SyncVerdict.SYNCED, SyncVerdict.SUSPENDED, SyncVerdict.LOCKED))
_SILENT: Final = frozenset((SyncVerdict.LOCKED, SyncVerdict.UNAVAILABLE))
"""Verdicts without an Event: nothing was done, or nobody would take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What one Event says."""

    about: ResourceId
    uid: str
    is_normal: bool
    reason: str
    """One word: `Synced`, `DriftCorrected`."""

    message: str

    @property
    def namespace(self) -> str:
        """Return where the Event goes: `default` for what lies in no namespace, as everywhere in Kubernetes."""
        return self.about.namespace or "default"

    @property
    def name(self) -> str:
        """Return the Event's name, the same for the same words about the same object."""
        said = "\0".join((str(self.about), self.uid, self.reason, self.message))
        return f"{self.about.name[:200].rstrip('.')}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def tell_events(client: Client, name: SetName, report: SyncReport) -> str:
    """Write a run's Events.

    Args:
        client: Of the cluster.
        name: Of the set.
        report: What the run came to; values in it are masked.

    Returns:
        Why one could not be written, in one line; empty when all were. A run does not fail for that.
    """
    if report.verdict in _SILENT or report.dry_run or report.read_only:
        return ""
    try:
        for one in happenings(name, report, _uids(client, name, members=bool(report.drift))):
            _write(client, one, datetime.now(UTC))
    except ClusterError as error:
        return f"no Events were written: {error}"
    return ""


def happenings(name: SetName, report: SyncReport, uids: Mapping[Key, str]) -> Iterator[Happening]:
    """Yield what is to be said, the run first."""
    parent = _parent(name)
    # Without the numbers of requests and seconds, which would make each run another one.
    tally = words.tally(report).rpartition(" (")[0]
    yield Happening(
        about=parent,
        uid=uids.get(key_of(parent), ""),
        is_normal=report.verdict in _NORMAL,
        reason="".join(part.capitalize() for part in str(report.verdict).split("-")),
        message=_cut(f"{words.headline(report)}; {tally}"),
    )
    told: set[ResourceId] = set()
    for drift in report.drift:
        if drift.id in told:
            continue
        if len(told) == _MOST:
            return
        told.add(drift.id)
        parts = (str(drift.drift_class), words.difference(drift), words.blame(drift), drift.message)
        yield Happening(
            about=drift.id,
            uid=uids.get(key_of(drift.id), ""),
            is_normal=drift.is_corrected,
            reason="DriftCorrected" if drift.is_corrected else "Drifted",
            message=_cut("; ".join(part for part in parts if part)),
        )


def _cut(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _uids(client: Client, name: SetName, *, members: bool) -> dict[Key, str]:
    """Return the uids of the parent and, if needed, of the members: `kubectl describe` finds Events by them."""
    found: dict[Key, str] = {}
    if members:
        entries = Store(client, name).read_leniently().inventory.entries
        found = {key: entry.uid for key, entry in entries.items()}
    parent = _parent(name)
    body = client.find(parent, metadata_only=True)
    metadata = body.get("metadata") if body is not None else None
    if isinstance(metadata, dict):
        found[key_of(parent)] = str(metadata.get("uid", ""))
    return found


def _parent(name: SetName) -> ResourceId:
    return ResourceId(group="", version="v1", kind=PARENT_KIND, namespace=name.namespace, name=name.parent)


def _write(client: Client, one: Happening, now: datetime) -> None:
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = ResourceId(group="", version="v1", kind="Event", namespace=one.namespace, name=one.name)
    try:
        client.create(_body(one, at), manager=COMPONENT)
    except ApiError as error:
        if error.error_class is not ErrorClass.ALREADY_EXISTS:
            raise
        known = client.find(identity)
        if known is None:
            return  # it has just reached its age
        count = known.get("count")
        again: Json = {"count": count + 1 if isinstance(count, int) else 2, "lastTimestamp": at}
        client.patch(identity, again, manager=COMPONENT, patch_type=PatchType.MERGE)


def _body(one: Happening, at: str) -> dict[str, Any]:
    about = {
        "apiVersion": one.about.api_version,
        "kind": one.about.kind,
        "name": one.about.name,
        **({"namespace": one.about.namespace} if one.about.namespace else {}),
        **({"uid": one.uid} if one.uid else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": one.name, "namespace": one.namespace},
        "involvedObject": about,
        "reason": one.reason,
        "message": one.message,
        "type": "Normal" if one.is_normal else "Warning",
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
    }

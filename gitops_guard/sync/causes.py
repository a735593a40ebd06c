"""Why a workload does not become well: what its newest pods wait for, and what events say about it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gitops_guard.cluster import ApiResource, Client, Listing
from gitops_guard.errors import ClusterError
from gitops_guard.model.sync import HealthStatus
from gitops_guard.sync.health.verdict import Verdict, at, number, text
from gitops_guard.sync.objects import Key, metadata_of, strings_of

_FATAL: Final = frozenset(
    ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError")
)
"""What a container waits for that does not come by itself."""

_CRASHES: Final = 3
"""A container that crashed so often is not waiting for a neighbour to start."""

_LONGEST: Final = 300


class Causes:
    """Asks for pods and events; what may not be asked is not known, which is no error here."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def fatal(self, key: Key, body: Mapping[str, Any]) -> Verdict | None:
        """Return why a workload will not become well by itself; None when nothing says so.

        Only pods of the newest version count: those that are being replaced may be as broken as they like.
        """
        selector = self._newest_pods(key, body)
        if not selector:
            return None
        listing = self._listed("", "v1", "Pod", key.namespace, labels=selector)
        for pod in listing.items if listing is not None else ():
            for container in _containers(pod):
                if found := _why(pod, container):
                    return found
        return None

    def event(self, key: Key, body: Mapping[str, Any]) -> str:
        """Return the newest warning about an object; empty when there is none."""
        uid = metadata_of(body).get("uid")
        if not uid:
            return ""
        fields = f"involvedObject.uid={uid},type=Warning"
        listing = self._listed("", "v1", "Event", key.namespace or "default", fields=fields)
        events = sorted(listing.items if listing is not None else (), key=_when)
        message = text(events[-1], "message") if events else ""
        return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."

    def _newest_pods(self, key: Key, body: Mapping[str, Any]) -> str:
        labels = strings_of(at(body, "spec", "selector", "matchLabels"))
        if not labels:
            return ""
        if key[:2] == ("apps", "Deployment"):
            newest = self._newest_hash(key, body, labels)
            return _selector({**labels, "pod-template-hash": newest}) if newest else ""
        if key[:2] == ("batch", "Job"):
            return _selector(labels)  # the server's own: no two jobs have the same
        if key[:2] == ("apps", "StatefulSet"):
            newest = text(at(body, "status"), "updateRevision")
            return _selector({**labels, "controller-revision-hash": newest}) if newest else ""
        return ""

    def _newest_hash(self, key: Key, body: Mapping[str, Any], labels: Mapping[str, str]) -> str:
        """Return the hash of the ReplicaSet that the Deployment is rolling to."""
        revision = "deployment.kubernetes.io/revision"
        wanted = strings_of(metadata_of(body).get("annotations")).get(revision)
        listing = self._listed("apps", "v1", "ReplicaSet", key.namespace, labels=_selector(labels))
        for one in listing.items if listing is not None else ():
            metadata = metadata_of(one)
            if wanted and strings_of(metadata.get("annotations")).get(revision) == wanted:
                return strings_of(metadata.get("labels")).get("pod-template-hash", "")
        return ""

    def _listed(
        self, group: str, version: str, kind: str, namespace: str, *, labels: str = "", fields: str = ""
    ) -> Listing | None:
        resource: ApiResource | None = self._client.resources().find(group, version, kind)
        if resource is None:
            return None
        try:
            return self._client.list(resource, namespace=namespace, labels=labels, fields=fields)
        except ClusterError:
            return None  # only a better word for a failure is lost; the failure itself is told all the same


def _selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for field in ("initContainerStatuses", "containerStatuses"):
        found = at(pod, "status").get(field)
        yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))


def _why(pod: Mapping[str, Any], container: Mapping[str, Any]) -> Verdict | None:
    waiting = at(container, "state", "waiting")
    reason, name = text(waiting, "reason"), text(container, "name")
    crashes = reason == "CrashLoopBackOff" and number(container, "restartCount") >= _CRASHES
    if reason not in _FATAL and not crashes:
        return None
    place = f"container {name} of pod {metadata_of(pod).get('name', '')}"
    return Verdict(HealthStatus.FAILED, reason, f"{place}: {text(waiting, 'message') or reason}")


def _when(event: Mapping[str, Any]) -> str:
    return text(event, "lastTimestamp") or text(event, "eventTime") or text(metadata_of(event), "creationTimestamp")

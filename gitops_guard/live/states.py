"""One object in several states, and what of a state belongs to the server alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gitops_guard.model import Body, Json, Resource, ResourceId

_SERVERS_METADATA: Final = frozenset(
    ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink")
)
_SERVERS_ANNOTATIONS: Final = frozenset(
    ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One object as Git wants it, without and with the merge; at least one of the two."""

    id: ResourceId
    """With the namespace that it goes to; of the head where there is one."""

    base: Resource | None
    head: Resource | None

    @property
    def is_same(self) -> bool:
        """Tell whether the merge leaves the object as it is."""
        return self.base is not None and self.head is not None and self.base.body == self.head.body

    @property
    def base_is_comparable(self) -> bool:
        """Tell whether the base is in the version of the API in which the live object is read."""
        return self.base is not None and self.base.id.version == self.id.version

    @property
    def resource(self) -> Resource:
        """Return the object as it is in the head, else in the base."""
        resource = self.head or self.base
        assert resource is not None
        return resource


def key_of(one: ResourceId) -> tuple[str, str, str, str]:
    """Return what names an object in whatever version of its API."""
    return (one.group, one.kind, one.namespace, one.name)


def placed(body: Body, namespace: str) -> Body:
    """Return an object with the namespace that it goes to."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not namespace or metadata.get("namespace"):
        return body
    return {**body, "metadata": {**metadata, "namespace": namespace}}


def as_state(state: Body, like: Resource) -> Resource:
    """Return a state of an object as a resource at the object's place, without what is the server's alone."""
    metadata = state.get("metadata")
    kept = {key: value for key, value in state.items() if key != "status"}
    if isinstance(metadata, dict):
        kept["metadata"] = _tidied(metadata)
    return Resource(id=like.id, body=kept, origin=like.origin)


def _tidied(metadata: Mapping[str, Json]) -> dict[str, Json]:
    kept = {key: value for key, value in metadata.items() if key not in _SERVERS_METADATA}
    annotations = kept.get("annotations")
    if isinstance(annotations, dict):
        left = {key: value for key, value in annotations.items() if key not in _SERVERS_ANNOTATIONS}
        kept["annotations"] = left
        if not left:
            del kept["annotations"]
    return kept


def without_allocated(state: Body, sent: Body) -> Body:
    """Return what a Service would be created as, without addresses and ports that another creation would not get."""
    spec = state.get("spec")
    if state.get("kind") != "Service" or state.get("apiVersion") != "v1" or not isinstance(spec, dict):
        return state
    wanted = sent.get("spec")
    asked = wanted if isinstance(wanted, dict) else {}
    kept = {key: value for key, value in spec.items() if key in asked or key not in _ALLOCATED}
    ports, asked_ports = kept.get("ports"), asked.get("ports")
    if isinstance(ports, list):
        kept["ports"] = list(_ports(ports, asked_ports if isinstance(asked_ports, list) else []))
    return {**state, "spec": kept}


_ALLOCATED: Final = frozenset(("clusterIP", "clusterIPs", "healthCheckNodePort"))


def _ports(ports: list[Json], asked: list[Json]) -> Iterator[Json]:
    fixed = {one.get("nodePort") for one in asked if isinstance(one, dict)}
    for port in ports:
        if isinstance(port, dict) and port.get("nodePort") not in fixed:
            yield {key: value for key, value in port.items() if key != "nodePort"}
        else:
            yield port

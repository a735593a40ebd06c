"""What names an object in a cluster whatever its version, and the object as it is sent."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from gitops_guard.model import Body, Origin, ResourceId
from gitops_guard.sync.instructions import Instructions, read_instructions

PART_OF: Final = "applyset.kubernetes.io/part-of"
"""Label of every member of a set; its value is the set's id."""

_SERVER_METADATA: Final = frozenset(
    ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "selfLink")
)


class Key(NamedTuple):
    """An object's identity: the same object under another version has the same key."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"

    @property
    def group_kind(self) -> str:
        """Return `Deployment.apps`, `ConfigMap`: how sets write kinds."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


def key_of(one: ResourceId) -> Key:
    """Return the identity behind a resource's name."""
    return Key(one.group, one.kind, one.namespace, one.name)


def short_hash(value: object) -> str:
    """Return 16 hex digits that are the same for equal JSON trees."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def desired_hash(body: Body, secret_key: bytes) -> str:
    """Return the hash under which the inventory remembers what was sent.

    Args:
        body: As it is sent.
        secret_key: Of the set. Who reads the inventory must not be able to try values of a Secret one by one, so its
            hash needs the key; without one it is empty, which equals nothing.
    """
    if body.get("kind") != "Secret":
        return short_hash(body)
    if not secret_key:
        return ""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(secret_key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def metadata_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object's metadata; an empty mapping where it has none."""
    found = body.get("metadata")
    return found if isinstance(found, dict) else {}


def strings_of(value: object) -> dict[str, str]:
    """Return a map of texts, such as labels, without what is no text."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)}


def meta_hash(metadata: Mapping[str, Any]) -> str:
    """Return the hash of what a change of the generation does not tell: labels, annotations, finalizers, owners."""
    names = ("labels", "annotations", "finalizers", "ownerReferences")
    return short_hash([metadata.get(name) or None for name in names])


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One object that Git wants."""

    id: ResourceId
    """With the namespace that it goes to."""

    body: Body = field(repr=False)
    """As it is sent."""

    hash: str
    """Of the body: `desiredHash` of the inventory."""

    origin: Origin
    unit: str = ""
    """What it is deployed with: `Kustomization apps/web`."""

    instructions: Instructions = field(default_factory=Instructions)
    key: Key = field(init=False)
    """Its identity."""

    def __post_init__(self) -> None:
        """Make the key once: it is asked for again and again."""
        object.__setattr__(self, "key", key_of(self.id))


def desired(
    one: ResourceId, body: Body, origin: Origin, *, set_id: str, unit: str = "", secret_key: bytes = b""
) -> Desired:
    """Make an object as it is sent: with the set's label, without what is the server's to write.

    Args:
        one: Its name, with the namespace that it goes to.
        body: As it is written or rendered; not changed.
        origin: Where it was written.
        set_id: Id of the set that it becomes a member of; empty for a hook, which is none.
        unit: What it is deployed with.
        secret_key: See `desired_hash`.
    """
    sent = {key: value for key, value in body.items() if key != "status"}
    metadata = {key: value for key, value in metadata_of(body).items() if key not in _SERVER_METADATA}
    if one.namespace:
        metadata["namespace"] = one.namespace
    else:
        metadata.pop("namespace", None)
    labels = metadata.get("labels")
    if set_id:
        metadata["labels"] = {**(labels if isinstance(labels, dict) else {}), PART_OF: set_id}
    sent["metadata"] = metadata
    if (one.group, one.kind) == ("", "Secret"):
        sent = _with_encoded_data(sent)
    annotations = strings_of(metadata.get("annotations"))
    return Desired(
        id=one,
        body=sent,
        hash=desired_hash(sent, secret_key),
        origin=origin,
        unit=unit,
        instructions=read_instructions(annotations, strings_of(labels)),
    )


def _with_encoded_data(secret: dict[str, Any]) -> dict[str, Any]:
    """Return a Secret whose `stringData` is put into `data`, as the server would store it.

    The server never stores `stringData`, so whoever applies it owns no field of `data`: a key that Git gives up would
    stay for ever. What is no text is left for the server to refuse.
    """
    given, data = secret.get("stringData"), secret.get("data") or {}
    if not isinstance(given, dict) or not isinstance(data, dict):
        return secret
    if not all(isinstance(value, str) for value in given.values()):
        return secret
    encoded = {
        key: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii") for key, value in given.items()
    }
    return {**{key: value for key, value in secret.items() if key != "stringData"}, "data": {**data, **encoded}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a list of metadata tells of an object in the cluster."""

    key: Key
    version: str
    """API version that it was listed in: `apps/v1`."""

    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def uid(self) -> str:
        """Return its uid; another object of the same name has another one."""
        return str(self.metadata.get("uid", ""))

    @property
    def resource_version(self) -> str:
        """Return what changes with every write."""
        return str(self.metadata.get("resourceVersion", ""))

    @property
    def generation(self) -> int | None:
        """Return what changes with every write of the specification; None for kinds without one."""
        found = self.metadata.get("generation")
        return found if isinstance(found, int) else None

    @property
    def labels(self) -> dict[str, str]:
        """Return its labels."""
        return strings_of(self.metadata.get("labels"))

    @property
    def annotations(self) -> dict[str, str]:
        """Return its annotations."""
        return strings_of(self.metadata.get("annotations"))

    @property
    def part_of(self) -> str:
        """Return the id of the set that it is a member of; empty for none."""
        return self.labels.get(PART_OF, "")

    @property
    def is_terminating(self) -> bool:
        """Tell whether it is being deleted."""
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def managed_fields(self) -> list[Mapping[str, Any]]:
        """Return who owns which fields."""
        found = self.metadata.get("managedFields")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    @property
    def owners(self) -> list[Mapping[str, Any]]:
        """Return its owner references."""
        found = self.metadata.get("ownerReferences")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def live(api_version: str, kind: str, metadata: Mapping[str, Any]) -> Live:
    """Make what is known of an object from its metadata."""
    group = api_version.rpartition("/")[0]
    key = Key(group, kind, str(metadata.get("namespace", "")), str(metadata.get("name", "")))
    return Live(key=key, version=api_version, metadata=metadata)


def doubled(objects: Iterable[Desired]) -> list[tuple[Desired, Desired]]:
    """Return the pairs of objects that are one and the same in the cluster and do not say the same."""
    first: dict[Key, Desired] = {}
    found = []
    for one in objects:
        other = first.setdefault(one.key, one)
        if other is not one and other.hash != one.hash:
            found.append((other, one))
    return found

"""The set's parent in the cluster: read, checked, and written with fencing, so that of two runs only one goes on."""

import base64
import binascii
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from gitops_guard.cluster import ApiError, Client, ErrorClass
from gitops_guard.errors import SyncError
from gitops_guard.model import ResourceId
from gitops_guard.sync.applyset import PARENT_KIND, SetName, parent_metadata, parent_problem
from gitops_guard.sync.inventory import Inventory, decode, encode
from gitops_guard.sync.objects import Key, metadata_of, strings_of

MANAGER: Final = "gitops-guard-applyset"
SUSPEND: Final = "gitops-guard.io/suspend"
"""Annotation of the parent: until when nothing is written, `2026-12-24T00:00:00Z`."""

_KEY_BYTES: Final = 32


class FencedError(SyncError):
    """The parent was written by somebody else since it was read: the lock is not ours any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The parent as it was read or written."""

    exists: bool
    resource_version: str = ""
    inventory: Inventory = field(default_factory=Inventory, repr=False)
    suspend: str = ""
    """What the annotation says; empty for none."""


class Store:
    """One set's parent."""

    def __init__(self, client: Client, name: SetName) -> None:
        self._client = client
        self.name = name

    def read(self) -> Stored:
        """Return the parent; one that is not there is an empty set.

        Raises:
            SyncError: It is no parent of ours, or its inventory is damaged.
            ClusterError: The cluster could not be asked.
        """
        body = self._parent()
        return Stored(exists=False) if body is None else _stored(body, decode(_binary(body)))

    def read_leniently(self) -> Stored:
        """Return the parent; an inventory that is lost or damaged is an empty one.

        Raises:
            SyncError: It is no parent of ours.
            ClusterError: The cluster could not be asked.
        """
        body = self._parent()
        if body is None:
            return Stored(exists=False)
        try:
            return _stored(body, decode(_binary(body)))
        except SyncError:
            return _stored(body, Inventory())

    def _parent(self) -> dict[str, Any] | None:
        body = self._client.find(self._id(PARENT_KIND))
        if body is not None and (problem := parent_problem(self.name, body)):
            raise SyncError(problem)
        return body

    def write(self, before: Stored, inventory: Inventory, members: Iterable[Key]) -> Stored:
        """Write the parent, and return it as it is then.

        Args:
            before: As it was read or last written: it must not have changed since.
            inventory: What is remembered.
            members: What the annotations name, at least.

        Raises:
            FencedError: Somebody else wrote it meanwhile.
            SyncError: It does not fit into one object.
            ClusterError: It could not be written.
        """
        metadata = parent_metadata(self.name, members)
        if before.exists:
            metadata["resourceVersion"] = before.resource_version
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": PARENT_KIND,
            "metadata": metadata,
            "binaryData": {name: base64.b64encode(value).decode() for name, value in encode(inventory).items()},
        }
        try:
            written = self._client.apply(body, manager=MANAGER, force=True).body
        except ApiError as error:
            if error.error_class is ErrorClass.CHANGED:
                raise FencedError(
                    f"another run has written ConfigMap {self.name.namespace}/{self.name.parent} meanwhile"
                ) from error
            if error.error_class is ErrorClass.NO_NAMESPACE:
                raise SyncError(
                    f"namespace {self.name.namespace} is not there, and the set's inventory lies in it; create it, or"
                    " name another one with --namespace"
                ) from error
            raise
        version = str(metadata_of(written).get("resourceVersion", ""))
        return Stored(exists=True, resource_version=version, inventory=inventory, suspend=before.suspend)

    def secret_key(self, *, create: bool) -> bytes:
        """Return the key with which hashes of Secrets are made; empty when it cannot be had.

        Args:
            create: Make one where there is none.
        """
        try:
            body = self._client.find(self._id("Secret"))
            if body is None and create:
                body = self._client.create(self._new_key(), manager=MANAGER).body
        except ApiError:
            return b""  # without the key every Secret is a suspect, which costs two requests each and misses nothing
        data = body.get("data") if body is not None else None
        try:
            return base64.b64decode(str(data.get("key", "")), validate=True) if isinstance(data, dict) else b""
        except binascii.Error:
            return b""

    def _new_key(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "gitops-guard.io/hash-key",
            "metadata": {"name": self.name.parent, "namespace": self.name.namespace},
            "data": {"key": base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()},
        }

    def _id(self, kind: str) -> ResourceId:
        return ResourceId(group="", version="v1", kind=kind, namespace=self.name.namespace, name=self.name.parent)


def _stored(body: dict[str, Any], inventory: Inventory) -> Stored:
    return Stored(
        exists=True,
        resource_version=str(metadata_of(body).get("resourceVersion", "")),
        inventory=inventory,
        suspend=strings_of(metadata_of(body).get("annotations")).get(SUSPEND, ""),
    )


def _binary(body: dict[str, Any]) -> dict[str, bytes]:
    data = body.get("binaryData")
    found = {}
    for name, value in (data if isinstance(data, dict) else {}).items():
        try:
            found[name] = base64.b64decode(str(value), validate=True)
        except binascii.Error as error:
            raise SyncError("the set's inventory is damaged; rebuild it with `gitops-guard fsck`") from error
    return found

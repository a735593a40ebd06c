"""The admission request that a manifest would become, and the repository around it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitops_guard.cel import CelUnknown, LazyMap, Unknown
from gitops_guard.model import Body, FieldPath, Resource, ResourceId
from gitops_guard.model.resource import resource_id
from gitops_guard.policy.decoded import decoded
from gitops_guard.policy.kinds import ApiResource, ResourceTable, builtin_resources
from gitops_guard.policy.places import places_of

ObjectKey = tuple[str, str, str, str]
"""Group, kind, namespace and name: what stays the same when a file moves or its version changes."""

AUTHORIZER = Unknown("the authorizer answers only in the cluster")
_NO_USER = "who sends the request is known only in the cluster"
_NO_OPTIONS = "the options of the request are known only in the cluster"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def _as_decoded(identity: ResourceId, body: Body | None) -> Body | None:
    """Return a body as the API server hands it to policies; custom resources stay what they are."""
    is_typed = body is not None and (identity.group, identity.kind) in builtin_resources()
    return decoded(body) if body is not None and is_typed else body


def object_key(identity: ResourceId) -> ObjectKey:
    """Return what identifies an object across revisions."""
    return (identity.group, identity.kind, identity.namespace, identity.name)


class Request:
    """One object on its way to the API server. Shared by all policies that judge the object."""

    __slots__ = (
        "_activation",
        "_places",
        "group",
        "is_namespace",
        "kind",
        "name",
        "namespace",
        "namespace_body",
        "object",
        "old",
        "operation",
        "resource",
        "shared",
        "user",
        "version",
    )

    def __init__(
        self,
        identity: ResourceId,
        resource: ApiResource,
        *,
        new: Body | None,
        old: Body | None,
        namespace_body: Body | None,
        user: Mapping[str, Any] | None,
    ) -> None:
        """Put a request together.

        Args:
            identity: Of the object.
            resource: What discovery says about its kind.
            new: The object; None when it is removed.
            old: What it replaces; None when it is new.
            namespace_body: The Namespace that the object lies in, if it is known.
            user: `request.userInfo`; None when nobody has said who applies the repository.
        """
        self.group, self.version, self.kind = identity.group, identity.version, identity.kind
        self.resource = resource
        self.name = "" if identity.name.endswith("*") else identity.name
        self.namespace = identity.namespace if resource.namespaced else ""
        self.is_namespace = (identity.group, identity.kind) == ("", "Namespace")
        self.object, self.old = new, old
        self.operation = "DELETE" if new is None else "CREATE" if old is None else "UPDATE"
        self.namespace_body = namespace_body
        self.user = user
        self.shared: dict[object, tuple[object, int]] = {}
        """Values of variables that policies have in common, and the steps that each took."""

        self._activation: dict[str, object] | None = None
        self._places: dict[int, FieldPath] | None = None

    @property
    def places(self) -> dict[int, FieldPath]:
        """Return where the maps and lists of the object stand, by identity."""
        if self._places is None:
            body = self.object if self.object is not None else self.old
            self._places = {} if body is None else places_of(body)
        return self._places

    def in_version(self, version: str) -> "Request":
        """Return the same request with the objects in another version of one shape."""
        api_version = f"{self.group}/{version}" if self.group else version
        return Request(
            ResourceId(group=self.group, version=version, kind=self.kind, namespace=self.namespace, name=self.name),
            self.resource,
            new=None if self.object is None else {**self.object, "apiVersion": api_version},
            old=None if self.old is None else {**self.old, "apiVersion": api_version},
            namespace_body=self.namespace_body,
            user=self.user,
        )

    @property
    def is_secret(self) -> bool:
        """Tell whether its values must not be shown."""
        return (self.group, self.kind) == ("", "Secret")

    @property
    def activation(self) -> dict[str, object]:
        """Return what expressions know of it; not to be changed."""
        if self._activation is None:
            self._activation = {
                "object": self.object,
                "oldObject": self.old,
                "request": self._request_map(),
                "namespaceObject": self._namespace_object(),
                "authorizer": AUTHORIZER,
                "authorizer.requestResource": AUTHORIZER,
            }
        return self._activation

    def _request_map(self) -> LazyMap:
        kind = {"group": self.group, "version": self.version, "kind": self.kind}
        resource = {"group": self.group, "version": self.version, "resource": self.resource.plural}
        known: dict[str, object] = {
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "operation": self.operation,
            "dryRun": False,
        }
        # the API server leaves empty ones out, and takes a Namespace to lie in itself
        namespace = self.name if self.is_namespace else self.namespace
        known |= {key: text for key, text in (("name", self.name), ("namespace", namespace)) if text}
        if self.user is not None:
            known["userInfo"] = dict(self.user)
        thunks = {key: _constant(value) for key, value in known.items()}
        thunks.setdefault("userInfo", _unknown(_NO_USER))
        thunks["options"] = _unknown(_NO_OPTIONS)
        return LazyMap(thunks)

    def _namespace_object(self) -> object:
        if not self.resource.namespaced:
            return None
        if self.namespace_body is None:
            return Unknown(f"the repository has no Namespace {self.namespace or '(the manifest names none)'}")
        return {
            key: _namespace_metadata(self.namespace_body, self.namespace) if key == "metadata" else value
            for key, value in self.namespace_body.items()
            if key in ("metadata", "spec", "status")
        }


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _unknown(reason: str) -> Callable[[], object]:
    def fail() -> object:
        raise CelUnknown(reason)

    return fail


def _namespace_metadata(body: Body, name: str) -> dict[str, Any]:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kept = {key: value for key, value in metadata.items() if key not in ("managedFields", "ownerReferences")}
    labels = metadata.get("labels")
    return {**kept, "labels": {**(labels if isinstance(labels, dict) else {}), _NAMESPACE_LABEL: name}}


class World:
    """What a policy may know beside the object: all of it from the repository, none of it guessed."""

    def __init__(
        self,
        *,
        bodies: Iterable[Body] = (),
        base: Mapping[ObjectKey, Body] | None = None,
        user: Mapping[str, Any] | None = None,
    ) -> None:
        """Look through a repository.

        Args:
            bodies: Namespaces, objects that policies take as params, and CustomResourceDefinitions; others do no harm.
            base: Objects before the change, by key; None without a base: then everything is created.
            user: `request.userInfo` of who applies the repository.
        """
        self._base = base or {}
        self._user = user
        self._namespaces: dict[str, Body] = {}
        self._params: dict[tuple[str, str], list[tuple[ResourceId, Body]]] = {}
        definitions: list[Body] = []
        for written in bodies:
            identity = resource_id(written)
            body = _as_decoded(identity, written) or written
            if identity.kind == "CustomResourceDefinition":
                definitions.append(body)
            elif (identity.group, identity.kind) == ("", "Namespace"):
                self._namespaces.setdefault(identity.name, body)
            self._params.setdefault((identity.api_version, identity.kind), []).append((identity, body))
        self.resources = ResourceTable.from_crds(definitions)
        self._last: tuple[Resource, Request] | None = None

    def objects(self, api_version: str, kind: str) -> list[tuple[ResourceId, Body]]:
        """Return the repository's objects of a kind, in its order."""
        return self._params.get((api_version, kind), [])

    def request_of(self, resource: Resource) -> Request:
        """Return the request that creates or changes a resource; the same one for the same resource in a row."""
        if self._last is None or self._last[0] is not resource:
            self._last = resource, self.request(resource.id, new=resource.body, old=self.before(resource.id))
        return self._last[1]

    def before(self, identity: ResourceId) -> Body | None:
        """Return what an object was before the change."""
        return None if identity.name.endswith("*") else self._base.get(object_key(identity))

    def request(self, identity: ResourceId, *, new: Body | None, old: Body | None) -> Request:
        """Return the request for an object, of which at least one state is given."""
        found = self.resources.find(identity.group, identity.kind, has_namespace=bool(identity.namespace))
        return Request(
            identity,
            found,
            new=_as_decoded(identity, new),
            old=_as_decoded(identity, old),
            namespace_body=self._namespaces.get(identity.namespace) if found.namespaced else None,
            user=self._user,
        )

"""What can be asked of one cluster: get, list, watch, apply, create, patch, delete, rights. For many threads."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlencode

from gitops_guard.cluster.access import DEFAULT_NAMESPACE, Access
from gitops_guard.cluster.answer import JSON, Answer, Call, Limits
from gitops_guard.cluster.discovery import ApiResource, Resources, discover
from gitops_guard.cluster.errors import ApiError, ErrorClass
from gitops_guard.cluster.hidden import without_values
from gitops_guard.cluster.limiter import Limiter
from gitops_guard.cluster.rights import Rules, read_rules
from gitops_guard.cluster.transport import Transport
from gitops_guard.cluster.watch import Watch
from gitops_guard.model import Body, Json, ResourceId
from gitops_guard.model.resource import resource_id

_APPLY: Final = "application/apply-patch+yaml"
_METADATA: Final = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{JSON}"
_METADATA_LIST: Final = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_PAGE: Final = 500
_RESTARTS: Final = 3
_LIST_WEIGHT: Final = 2
_READ_AFTER_END_S: Final = 15.0
_REVIEWS: Final = "/apis/authorization.k8s.io/v1"


class PatchType(StrEnum):
    """How a patch is written."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"


class Propagation(StrEnum):
    """What happens to the objects that a deleted one owns."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All objects of a list."""

    items: tuple[dict[str, Json], ...] = field(repr=False)
    """Each with its apiVersion and kind, in the server's order."""

    resource_version: str
    """Where a watch goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the server made of an object that was sent, in earnest or as a dry-run."""

    body: dict[str, Json] = field(repr=False)
    created: bool
    """It did not exist before."""

    warnings: tuple[str, ...] = ()


class Client:
    """The way to one cluster; a context manager."""

    def __init__(
        self,
        access: Access,
        *,
        limits: Limits | None = None,
        user_agent: str = "gitops-guard",
        limiter: Limiter | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            access: Where the cluster is, and as whom we speak.
            limits: What requests may cost.
            user_agent: For the server's logs.
            limiter: Shared with another client of the same server; by default its own.

        Raises:
            AccessError: The impersonation cannot be put into headers.
        """
        self.access = access
        self._limits = limits or Limits()
        self._transport = Transport(access, limits=self._limits, user_agent=user_agent, limiter=limiter or Limiter())
        self._lock = threading.Lock()
        self._resources: Resources | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def cancel(self) -> None:
        """Let nothing be sent any more: whoever waits for its turn gets a `CancelledError`."""
        self._transport.limiter.cancel()

    def hurry(self, within_s: float) -> None:
        """Break off what waits and what is under way; later requests get one attempt and so many seconds each."""
        self._transport.hurry(within_s)

    @property
    def name(self) -> str:
        """Return the cluster's name: that of its context."""
        return self.access.name

    @property
    def limiter(self) -> Limiter:
        """Return what decides how many requests run at a time."""
        return self._transport.limiter

    @property
    def counts(self) -> Mapping[tuple[str, int], int]:
        """Return how many answers came, by method and status: `{("GET", 200): 12}`; status 0 stands for none."""
        return self._transport.counts

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the server warned of, each once."""
        return self._transport.warnings

    # Every method below raises ClusterError: ApiError, UnreachableError, AccessError or CancelledError.

    def send(self, call: Call) -> Answer:
        """Send any request; the other methods are made of this one."""
        return self._transport.send(call)

    def version(self) -> str:
        """Return the server's version: `v1.36.3`."""
        version = self.send(Call(method="GET", path="/version", repeatable=True)).body.get("gitVersion")
        return version if isinstance(version, str) else ""

    def is_ready(self) -> bool:
        """Tell whether the server calls itself ready."""
        try:
            self.send(Call(method="GET", path="/readyz", accept="*/*", repeatable=True))
        except ApiError:
            return False
        return True

    def resources(self, *, refresh: bool = False) -> Resources:
        """Return what the server serves; asked once.

        Args:
            refresh: Ask again, as after a CRD was applied.
        """
        with self._lock:
            if self._resources is None or refresh:
                self._resources = discover(self.send)
            return self._resources

    def resource_of(self, wanted: ResourceId) -> ApiResource:
        """Return the kind of an object as it is served.

        Raises:
            ApiError: It is not listed (NOT_SERVED), or its API cannot be asked now (OVERLOADED); status is 0.
        """
        resources = self.resources()
        found = resources.find(wanted.group, wanted.version, wanted.kind)
        if found is not None:
            return found
        call = Call(method="GET", path=f"/apis/{wanted.api_version}")
        if wanted.api_version in resources.stale:
            raise self._transport.refuse(call, ErrorClass.OVERLOADED, f"{wanted.api_version} is not available now")
        raise self._transport.refuse(
            call, ErrorClass.NOT_SERVED, f"the server does not serve {wanted.kind} of {wanted.api_version}"
        )

    def path_of(self, wanted: ResourceId, *, subresource: str = "") -> str:
        """Return the path of an object; one that names no namespace is in that of the access.

        Raises:
            ApiError: Its kind is not served, or its name can be no part of a path; status is 0.
        """
        path = f"{self._collection(wanted)}/{self._segment(wanted.name)}"
        return f"{path}/{subresource}" if subresource else path

    def namespace_of(self, wanted: ResourceId) -> str:
        """Return the namespace that an object is in; empty for cluster-scoped ones."""
        if not self.resource_of(wanted).namespaced:
            return ""
        return wanted.namespace or self.access.namespace or DEFAULT_NAMESPACE

    def get(self, wanted: ResourceId, *, metadata_only: bool = False) -> dict[str, Json]:
        """Return an object.

        Args:
            wanted: Its identity.
            metadata_only: Only apiVersion, kind and metadata; not for all APIs.
        """
        accept = _METADATA if metadata_only else JSON
        return self.send(Call(method="GET", path=self.path_of(wanted), accept=accept, repeatable=True)).body

    def find(self, wanted: ResourceId, *, metadata_only: bool = False) -> dict[str, Json] | None:
        """Return an object, or None when the server says that there is none (a missing right says nothing)."""
        try:
            return self.get(wanted, metadata_only=metadata_only)
        except ApiError as error:
            if error.error_class in (ErrorClass.NOT_FOUND, ErrorClass.NO_NAMESPACE):
                return None
            raise

    def list(
        self,
        resource: ApiResource,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
        page: int = _PAGE,
    ) -> Listing:
        """Return all objects of a kind, as they are now (never from a stale cache).

        Args:
            resource: The kind.
            namespace: Of the objects; empty: all.
            labels: Label selector: `app=web,tier in (a,b)`.
            fields: Field selector.
            metadata_only: Only apiVersion, kind and metadata.
            page: Objects a request; a list that expires between two pages is begun anew.
        """
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(page)}
        accept = _METADATA_LIST if metadata_only else JSON
        path = self._path_in(resource, namespace)
        for restarts_left in reversed(range(_RESTARTS)):
            try:
                return self._all_pages(resource, path, query, accept)
            except ApiError as error:
                if error.error_class is not ErrorClass.EXPIRED or not restarts_left:
                    raise
        raise AssertionError("the last restart returns or raises")

    def apply(
        self,
        body: Body,
        *,
        manager: str,
        force: bool = False,
        dry_run: bool = False,
        validation: str = "Strict",
        subresource: str = "",
    ) -> Written:
        """Apply an object server-side.

        Args:
            body: The object; a resourceVersion or uid in it must be that of the live object.
            manager: Name that owns the fields.
            force: Take fields from other managers; otherwise they are a CONFLICT whose causes name them.
            dry_run: Let the server do everything but store it.
            validation: `Strict`, `Warn` or `Ignore`, for unknown and duplicate fields.
            subresource: `status`, `scale`.
        """
        path = self.path_of(resource_id(body), subresource=subresource)
        query = {
            "fieldManager": manager,
            "force": "true" if force else "false",
            "fieldValidation": validation,
            **_dry(dry_run=dry_run),
        }
        return self._write("PATCH", path, query, body, content_type=_APPLY, dry_run=dry_run, repeatable=True)

    def create(self, body: Body, *, manager: str, dry_run: bool = False, validation: str = "Strict") -> Written:
        """Create an object; one of the same name is an ALREADY_EXISTS.

        In earnest it is not sent again after a lost connection, since it may have been created.
        """
        path = self._collection(resource_id(body))
        query = {"fieldManager": manager, "fieldValidation": validation, **_dry(dry_run=dry_run)}
        return self._write("POST", path, query, body, dry_run=dry_run, repeatable=dry_run)

    def patch(
        self,
        wanted: ResourceId,
        patch: Json,
        *,
        manager: str,
        patch_type: PatchType = PatchType.MERGE,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Written:
        """Patch an object; a `metadata.resourceVersion` in a merge patch must be that of the live object."""
        path = self.path_of(wanted, subresource=subresource)
        query = {"fieldManager": manager, **_dry(dry_run=dry_run)}
        return self._write("PATCH", path, query, patch, content_type=patch_type, dry_run=dry_run, repeatable=dry_run)

    def delete(
        self,
        wanted: ResourceId,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> dict[str, Json]:
        """Delete an object, and return what the server answered: the object while finalizers hold it, or a Status.

        Args:
            wanted: Its identity.
            uid: The object must be this one; otherwise CHANGED. Without it a lost connection is not tried again.
            resource_version: The object must be unchanged since; otherwise CHANGED.
            propagation: What happens to what it owns.
            dry_run: Let the server do everything but delete it.
        """
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options: dict[str, Json] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation.value}
        if given := {key: value for key, value in preconditions.items() if value}:
            options["preconditions"] = dict(given)
        if dry_run:
            # in the body: with DeleteOptions in the body the server does not look at the query, and deletes
            options["dryRun"] = ["All"]
        call = Call(
            method="DELETE",
            path=_with_query(self.path_of(wanted), _dry(dry_run=dry_run)),
            body=_bytes(options),
            repeatable=dry_run or bool(uid),
            is_dry_run=dry_run,
        )
        return self.send(call).body

    def watch(
        self,
        resource: ApiResource,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        timeout_s: int = 300,
        bookmarks: bool = True,
        metadata_only: bool = False,
    ) -> Watch:
        """Begin a watch, on a connection of its own: `with client.watch(...) as events: for event in events`.

        Args:
            resource: The kind.
            namespace: Of the objects; empty: all.
            labels: Label selector.
            fields: Field selector.
            resource_version: Of the list it goes on from; empty: begin with what exists.
            timeout_s: When the server ends it.
            bookmarks: Be told now and then how far everything was told.
            metadata_only: Only apiVersion, kind and metadata of the objects.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true" if bookmarks else "",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_s),
            "labelSelector": labels,
            "fieldSelector": fields,
        }
        call = Call(
            method="GET",
            path=_with_query(self._path_in(resource, namespace), query),
            accept=_METADATA if metadata_only else JSON,
        )
        connection, response = self._transport.open_stream(call, read_s=timeout_s + _READ_AFTER_END_S)
        return Watch(self.name, call, connection, response, resource_version)

    def may(
        self, verb: str, resource: ApiResource, *, namespace: str = "", name: str = "", subresource: str = ""
    ) -> bool:
        """Tell whether we have a right.

        Args:
            verb: `list`.
            resource: The kind.
            namespace: Empty: in all namespaces.
            name: Empty: for all names.
            subresource: `status`.
        """
        attributes = {
            "verb": verb,
            "group": resource.group,
            "resource": resource.plural,
            "subresource": subresource,
            "namespace": namespace,
            "name": name,
        }
        spec: Json = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        status = self._review("selfsubjectaccessreviews", "SelfSubjectAccessReview", spec)
        return status.get("allowed") is True

    def rules(self, namespace: str) -> Rules:
        """Return all rights that we have in a namespace, by one request; those in all namespaces included."""
        return read_rules(self._review("selfsubjectrulesreviews", "SelfSubjectRulesReview", {"namespace": namespace}))

    def _review(self, plural: str, kind: str, spec: Json) -> Mapping[str, Json]:
        body = _bytes({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec})
        status = self.send(Call(method="POST", path=f"{_REVIEWS}/{plural}", body=body, repeatable=True)).body.get(
            "status"
        )
        return status if isinstance(status, dict) else {}

    def _write(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: "Body | Json",
        *,
        dry_run: bool,
        repeatable: bool,
        content_type: str = JSON,
    ) -> Written:
        call = Call(
            method=method,
            path=_with_query(path, query),
            body=_bytes(body),
            content_type=content_type,
            repeatable=repeatable,
            is_dry_run=dry_run,
        )
        try:
            answer = self.send(call)
        except ApiError as error:
            # not chained: the server quotes values that it refuses, and those of a Secret must not be seen
            raise without_values(error, body) from None
        return Written(body=answer.body, created=answer.status == 201, warnings=answer.warnings)

    def _all_pages(self, resource: ApiResource, path: str, query: Mapping[str, str], accept: str) -> Listing:
        items: list[dict[str, Json]] = []
        more = ""
        while True:
            call = Call(
                method="GET",
                path=_with_query(path, {**query, "continue": more}),
                accept=accept,
                repeatable=True,
                weight=_LIST_WEIGHT,
                compressed=True,
            )
            body = self.send(call).body
            metadata = body.get("metadata")
            metadata = metadata if isinstance(metadata, dict) else {}
            listed = body.get("items")
            # lists leave these out; one of metadata calls its items PartialObjectMetadata
            named: dict[str, Json] = {"apiVersion": resource.api_version, "kind": resource.kind}
            found = listed if isinstance(listed, list) else []
            items.extend({**item, **named} for item in found if isinstance(item, dict))
            more = str(metadata.get("continue") or "")
            if not more:
                return Listing(items=tuple(items), resource_version=str(metadata.get("resourceVersion") or ""))

    def _collection(self, wanted: ResourceId) -> str:
        return self._path_in(self.resource_of(wanted), self.namespace_of(wanted))

    def _path_in(self, resource: ApiResource, namespace: str) -> str:
        inner = f"/namespaces/{self._segment(namespace)}" if resource.namespaced and namespace else ""
        return f"{resource.root}{inner}/{resource.plural}"

    def _segment(self, name: str) -> str:
        """Return a name as a part of a path; one that would lead elsewhere is no name in Kubernetes either."""
        if name in ("", ".", "..") or "/" in name or "%" in name:
            call = Call(method="GET", path="/")
            raise self._transport.refuse(call, ErrorClass.INVALID, f"{name!r} can be no name of an object")
        return quote(name, safe=":", errors="replace")


def _dry(*, dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _with_query(path: str, query: Mapping[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def _bytes(body: "Body | Json") -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()

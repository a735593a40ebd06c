"""Which kinds a server serves, under which names: two requests where it can aggregate them, one a version where not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster.answer import JSON, Answer, Call
from gitops_guard.cluster.errors import ApiError
from gitops_guard.model import Json

_AGGREGATED: Final = ",".join(
    f"{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
Send = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ApiResource:
    """One kind as the server serves it."""

    group: str
    """Empty for core."""

    version: str
    kind: str
    plural: str
    """`deployments`, as paths and rights name it."""

    namespaced: bool
    verbs: tuple[str, ...] = ()
    """Sorted: `("create", "delete", "get", ...)`."""

    subresources: tuple[str, ...] = ()
    """Sorted: `("scale", "status")`."""

    @property
    def api_version(self) -> str:
        """Return group and version as manifests write them: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Return where its paths begin: `/apis/apps/v1`, `/api/v1`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """All that a server serves."""

    all: tuple[ApiResource, ...]
    """Without subresources; the server's preferred version of a group comes first."""

    stale: tuple[str, ...] = ()
    """Group versions that the server could not ask its backends about (`metrics.k8s.io/v1beta1`): their kinds may be
    served although they are not listed."""

    _by_kind: Mapping[tuple[str, str, str], ApiResource] = field(default_factory=dict, repr=False)

    def find(self, group: str, version: str, kind: str) -> ApiResource | None:
        """Return a kind in a version; None when it is not listed, which alone never proves that it is gone."""
        return self._by_kind.get((group, version, kind))

    def preferred(self, group: str, kind: str) -> ApiResource | None:
        """Return a kind in the version that the server prefers; None when it is not listed."""
        return next((one for one in self.all if one.group == group and one.kind == kind), None)


def discover(send: Send) -> Resources:
    """Ask a server what it serves.

    Args:
        send: Sends a request.

    Raises:
        ClusterError: It could not be asked.
    """
    found: list[ApiResource] = []
    stale: list[str] = []
    for root in ("/api", "/apis"):
        answer = send(Call(method="GET", path=root, accept=f"{_AGGREGATED},{JSON}", repeatable=True))
        if "as=APIGroupDiscoveryList" in answer.content_type:
            _read_aggregated(answer.body, found, stale)
        else:
            _read_legacy(send, root, answer.body, found, stale)
    by_kind: dict[tuple[str, str, str], ApiResource] = {}
    for one in found:
        by_kind.setdefault((one.group, one.version, one.kind), one)
    return Resources(all=tuple(found), stale=tuple(sorted(stale)), _by_kind=by_kind)


def _read_aggregated(body: Mapping[str, Json], found: list[ApiResource], stale: list[str]) -> None:
    for group in _structs(body.get("items")):
        name = _text(_struct(group.get("metadata")).get("name"))
        for version in _structs(group.get("versions")):
            label = _text(version.get("version"))
            if version.get("freshness") == "Stale":
                stale.append(f"{name}/{label}" if name else label)
            found.extend(_aggregated(one, name, label) for one in _structs(version.get("resources")))


def _aggregated(one: Mapping[str, Json], group: str, version: str) -> ApiResource:
    return ApiResource(
        group=group,
        version=version,
        kind=_text(_struct(one.get("responseKind")).get("kind")),
        plural=_text(one.get("resource")),
        namespaced=one.get("scope") == "Namespaced",
        verbs=_texts(one.get("verbs")),
        subresources=tuple(sorted(_text(sub.get("subresource")) for sub in _structs(one.get("subresources")))),
    )


def _read_legacy(send: Send, root: str, body: Mapping[str, Json], found: list[ApiResource], stale: list[str]) -> None:
    for group, version in _legacy_versions(root, body):
        path = f"{root}/{group}/{version}" if group else f"{root}/{version}"
        try:
            answer = send(Call(method="GET", path=path, repeatable=True))
        except ApiError:
            # an aggregated API whose backend is down: its kinds are unknown, the others are not
            stale.append(f"{group}/{version}" if group else version)
            continue
        found.extend(_legacy_resources(answer.body, group, version))


def _legacy_versions(root: str, body: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    if root == "/api":
        yield from (("", version) for version in _texts(body.get("versions")))
        return
    for group in _structs(body.get("groups")):
        name = _text(group.get("name"))
        preferred = _text(_struct(group.get("preferredVersion")).get("version"))
        versions = [_text(one.get("version")) for one in _structs(group.get("versions"))]
        yield from ((name, version) for version in sorted(versions, key=lambda one: one != preferred))


def _legacy_resources(body: Mapping[str, Json], group: str, version: str) -> Iterator[ApiResource]:
    listed = _structs(body.get("resources"))
    subresources: dict[str, list[str]] = {}
    for one in listed:
        plural, slash, sub = _text(one.get("name")).partition("/")
        if slash:
            subresources.setdefault(plural, []).append(sub)
    for one in listed:
        plural = _text(one.get("name"))
        if "/" not in plural:
            yield ApiResource(
                group=group,
                version=version,
                kind=_text(one.get("kind")),
                plural=plural,
                namespaced=one.get("namespaced") is True,
                verbs=_texts(one.get("verbs")),
                subresources=tuple(sorted(subresources.get(plural, ()))),
            )


def _struct(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _structs(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(sorted(one for one in value if isinstance(one, str))) if isinstance(value, list) else ()

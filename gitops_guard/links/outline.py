"""What one object says about others, and what others may ask of it, as plain data: small, and quick to keep.

`outline` is called for every object of a repository, so that rules on references need not read the repository again.
"""

import marshal
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gitops_guard.links import pods
from gitops_guard.links.shapes import numbered, struct, structs, text
from gitops_guard.model.field_path import FieldPath
from gitops_guard.model.resource import Body, Json

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
_MOST_MENTIONS = 2_000
_MOST_NAME = 253
_SILENT = frozenset({
    "CustomResourceDefinition", "Event", "LimitRange", "ResourceQuota", "PrometheusRule", "ValidatingAdmissionPolicy",
})  # fmt: skip
"""Kinds that refer to nothing and that nothing refers to by name."""

_INERT_GROUPS = frozenset({
    "apiregistration.k8s.io", "autoscaling.k8s.io", "cert-manager.io", "cilium.io", "external-secrets.io",
    "gateway.networking.k8s.io", "image.toolkit.fluxcd.io", "keda.sh", "networking.istio.io",
    "notification.toolkit.fluxcd.io", "security.istio.io", "snapshot.storage.k8s.io", "source.toolkit.fluxcd.io",
    "traefik.io",
})  # fmt: skip
"""Groups of custom resources that make no pods, Services or accounts; the Secrets that some make are known by name."""

_INERT_KINDS = frozenset({
    "AnalysisTemplate", "AppProject", "ClusterAnalysisTemplate", "ClusterIssuer", "PodMonitor", "Probe", "Rollout",
    "SealedSecret", "ServiceMonitor",
})  # fmt: skip
_BUILT_IN_GROUPS = frozenset({
    "", "apps", "batch", "autoscaling", "policy", "extensions", "networking.k8s.io", "rbac.authorization.k8s.io",
    "storage.k8s.io", "scheduling.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io",
    "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "node.k8s.io", "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io", "kustomize.config.k8s.io",
})  # fmt: skip


_FILLED = re.compile(r"copier|inject|kubed|reflect|replicat|trust|vault")
"""In the key of an annotation or label: a controller fills the ConfigMap or Secret."""

_FILLED_TYPES = frozenset({"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"})


class Use(NamedTuple):
    """A reference by name."""

    kind: str
    group: str
    namespace: str
    """Empty for that of the object itself."""

    name: str
    keys: tuple[Any, ...] = ()
    """What is wanted of the target: keys of a ConfigMap, the port of a Service; empty for nothing in particular."""

    how: str = ""
    """Sorts the uses of one target: `environment`, `file`, `pull`; `stable` and so on for Services."""

    optional: bool = False
    path: FieldPath = ()


class Outline(NamedTuple):
    """What one object says about others."""

    kind: str
    group: str
    namespace: str
    """As written."""

    name: str
    document: int = 0
    item: FieldPath = ()
    labels: dict[str, Json] | None = None
    """Of the pods that it makes; None when it makes none."""

    ports: tuple[tuple[str, int], ...] = ()
    """Name and number of the ports that its pods declare."""

    uses: tuple[Use, ...] = ()
    selector: dict[str, Json] | None = None
    """A label selector for pods of its namespace; None when it has none."""

    offers: tuple[Any, ...] | None = None
    """What others can ask for: keys of a ConfigMap or Secret, (name, number) of a Service's ports. None: not known."""

    wants: tuple[tuple[int, int | str], ...] = ()
    """Target ports of a Service, with the indices at which they stand."""

    makes: tuple[tuple[str, str], ...] = ()
    """Kind and name of what its controller makes of it; a name may end in a star."""

    mentions: tuple[str, ...] = ()
    """What may be names in a custom resource whose controller may make anything."""

    opaque: bool = False
    """Its controller may make pods, Services, Secrets that stand nowhere."""

    reach: str = ""
    """Namespace in which an opaque one makes things, where it says so."""

    allows_all: bool = False
    """A NetworkPolicy with a rule without conditions in each of its directions."""


_Parts = dict[str, Any]
_Row = tuple[Any, ...]
"""An outline whose uses are plain tuples: what is kept, and made without a detour."""


def outline(body: Body, document: int = 0, item: FieldPath = ()) -> Outline | None:
    """Return what an object says about others; None where that is nothing.

    Args:
        body: The object.
        document: Its document in the file.
        item: Its place in the document.
    """
    row = _row(body, document, item)
    return None if row is None else _named(row)


def _named(row: _Row) -> Outline:
    return Outline._make((*row[:_USES], tuple(map(Use._make, row[_USES])), *row[_USES + 1 :]))


def _shared(row: _Row, paths: dict[FieldPath, FieldPath]) -> Outline:
    """Do the same with field paths that are kept once: thousands of objects refer from the same few places."""
    share = paths.setdefault
    uses = tuple([Use._make((*use[:-1], share(use[-1], use[-1]))) for use in row[_USES]])
    return Outline._make((*row[:_USES], uses, *row[_USES + 1 :]))


def _row(body: Body, document: int, item: FieldPath) -> _Row | None:
    kind = body.get("kind")
    metadata = body.get("metadata")
    if not isinstance(kind, str):
        return None
    if kind in _KUSTOMIZE:
        return _kustomization(body, kind, document)
    if not isinstance(metadata, dict) or kind in _SILENT:
        return None
    group = text(body.get("apiVersion")).rpartition("/")[0]
    name = text(metadata.get("name")) or text(metadata.get("generateName")) + "*"
    parts: _Parts = {}
    custom = group not in _BUILT_IN_GROUPS
    place = pods.template_place(body) if custom or kind in pods.WORKLOADS else None
    if place is not None:
        _pods(body, place, parts)
    reader = _READERS.get(kind)
    if reader is not None:
        reader(body, name, parts)
    if custom:
        _custom(body, kind, group, parts)
    get = parts.get
    return (
        kind, group, text(metadata.get("namespace")), name, document, item,
        get("labels"), get("ports", ()), get("uses", ()), get("selector"), get("offers"), get("wants", ()),
        get("makes", ()), get("mentions", ()), get("opaque", False), get("reach", ""), get("allows_all", False),
    )  # fmt: skip


_KUSTOMIZE = frozenset({"Kustomization", "Component"})


def _kustomization(body: Body, kind: str, document: int) -> _Row | None:
    """Return what kustomize's generators make; Flux's kind of the same name makes what stands in the tree anyway."""
    if not text(body.get("apiVersion")).startswith("kustomize.config.k8s.io/"):
        return None
    prefix, suffix = text(body.get("namePrefix")), text(body.get("nameSuffix"))
    found: set[tuple[str, str]] = set()
    for field, made in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for one in structs(body.get(field)):
            name = text(one.get("name"))
            found |= {(made, name), (made, f"{prefix}{name}{suffix}")}
    remote = any("://" in text(one) or "github.com" in text(one) for one in _texts(body.get("resources")))
    opaque = remote or bool(body.get("helmCharts"))
    namespace = text(body.get("namespace"))
    makes = tuple(sorted(found))
    return Outline(kind, "kustomize.config.k8s.io", namespace, "", document, makes=makes, opaque=opaque)


def _texts(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _pods(body: Body, place: FieldPath, parts: _Parts) -> None:
    template = pods.template_at(body, place)
    spec, where = struct(template.get("spec")), (*place, "spec")
    if not isinstance(spec.get("containers"), list):
        return  # an Argo Rollout with a workloadRef, or a part of a workload
    parts["labels"] = struct(struct(template.get("metadata")).get("labels"))
    parts["ports"] = tuple(pods.ports(spec))
    found = [*pods.configuration(spec, where), *pods.attachments(spec, where)]
    parts["uses"] = tuple(
        [(kind, "", "", name, keys, how, optional, path) for kind, name, keys, how, optional, path in found]
    )


def _service(body: Body, _name: str, parts: _Parts) -> None:
    spec = struct(body.get("spec"))
    selector = spec.get("selector")
    if isinstance(selector, dict) and selector and spec.get("type") != "ExternalName":
        parts["selector"] = {"matchLabels": selector}
    ports = numbered(spec.get("ports"))
    numbers = [(text(port.get("name")), port.get("port")) for _, port in ports]
    parts["offers"] = tuple((name, number) for name, number in numbers if isinstance(number, int)) or None
    wanted = [(index, port.get("targetPort", port.get("port"))) for index, port in ports]
    parts["wants"] = tuple((index, port) for index, port in wanted if isinstance(port, (int, str)))


def _configuration(body: Body, _name: str, parts: _Parts) -> None:
    metadata = struct(body.get("metadata"))
    marks = [*struct(metadata.get("annotations")), *struct(metadata.get("labels"))]
    if "sops" in body or text(body.get("type")) in _FILLED_TYPES or any(_FILLED.search(mark) for mark in marks):
        return
    parts["offers"] = tuple(pods.content(body)) or None


def _network_policy(body: Body, _name: str, parts: _Parts) -> None:
    spec = struct(body.get("spec"))
    parts["selector"] = dict(struct(spec.get("podSelector")))
    named = spec.get("policyTypes")
    types = named if isinstance(named, list) and named else ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    allowed = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}
    parts["allows_all"] = all(
        isinstance(one, str) and one in allowed and _allows_all(spec, *allowed[one]) for one in types
    )


def _allows_all(spec: Mapping[str, Json], field: str, peers: str) -> bool:
    rules = spec.get(field)
    return isinstance(rules, list) and any(
        isinstance(rule, dict) and not rule.get(peers) and not rule.get("ports") for rule in rules
    )


def _selector_of(*path: str) -> Callable[[Body, str, _Parts], None]:
    def read(body: Body, _name: str, parts: _Parts) -> None:
        found: Json = dict(body)
        for key in path:
            found = struct(found).get(key)
        if isinstance(found, dict):
            parts["selector"] = found

    return read


def _scaler(body: Body, _name: str, parts: _Parts) -> None:
    """Read what a HorizontalPodAutoscaler, a ScaledObject or a Canary works on."""
    for field in ("scaleTargetRef", "targetRef"):
        wanted = struct(struct(body.get("spec")).get(field))
        default = "Deployment" if body.get("kind") == "ScaledObject" else ""
        _add_uses(parts, _object_use(wanted, ("spec", field), default))


def _object_use(wanted: Mapping[str, Json], path: FieldPath, default: str = "") -> Iterator[Use]:
    kind, name = text(wanted.get("kind")) or default, text(wanted.get("name"))
    if kind and name:
        group = text(wanted.get("apiVersion")).rpartition("/")[0] or ("apps" if default else "")
        yield Use(kind, group, "", name, (), "workload", False, (*path, "name"))


def _ingress(body: Body, _name: str, parts: _Parts) -> None:
    spec = struct(body.get("spec"))
    backends: list[tuple[FieldPath, Json]] = [(("spec", "defaultBackend"), spec.get("defaultBackend"))]
    for number, rule in numbered(spec.get("rules")):
        for index, path in numbered(struct(rule.get("http")).get("paths")):
            backends.append((("spec", "rules", number, "http", "paths", index, "backend"), path.get("backend")))
    actions = struct(struct(body.get("metadata")).get("annotations"))
    for place, backend in backends:
        service = struct(struct(backend).get("service"))
        name, port = text(service.get("name")), struct(service.get("port"))
        # The controller of an AWS load balancer takes such a port for the name of an annotation.
        if name and port.get("name") != "use-annotation" and f"alb.ingress.kubernetes.io/actions.{name}" not in actions:
            wanted = tuple(port[key] for key in ("name", "number") if isinstance(port.get(key), (int, str)))
            _add_uses(parts, [Use("Service", "", "", name, wanted, "backend", False, (*place, "service"))])


def _route(body: Body, _name: str, parts: _Parts) -> None:
    for number, rule in numbered(struct(body.get("spec")).get("rules")):
        place: FieldPath = ("spec", "rules", number)
        _add_uses(parts, _backend_refs(rule.get("backendRefs"), (*place, "backendRefs")))
        for index, one in numbered(rule.get("filters")):
            mirror = struct(one.get("requestMirror")).get("backendRef")
            if isinstance(mirror, dict):
                where = (*place, "filters", index, "requestMirror", "backendRef")
                _add_uses(parts, _backend_ref(mirror, where))


def _backend_refs(value: Json, place: FieldPath) -> Iterator[Use]:
    for index, one in numbered(value):
        yield from _backend_ref(one, (*place, index))


def _backend_ref(wanted: Mapping[str, Json], path: FieldPath) -> Iterator[Use]:
    name = text(wanted.get("name"))
    if name and wanted.get("kind", "Service") == "Service" and not wanted.get("group"):
        port = wanted.get("port")
        ports = (port,) if isinstance(port, int) else ()
        yield Use("Service", "", text(wanted.get("namespace")), name, ports, "backend", False, path)


def _rollout(body: Body, _name: str, parts: _Parts) -> None:
    """Read the Services and the workload that an Argo Rollout names."""
    spec = struct(body.get("spec"))
    _add_uses(parts, _object_use(struct(spec.get("workloadRef")), ("spec", "workloadRef")))
    strategy = struct(spec.get("strategy"))
    for way, fields in (
        ("canary", ("canaryService", "stableService")),
        ("blueGreen", ("activeService", "previewService")),
    ):
        for field in fields:
            name = text(struct(strategy.get(way)).get(field))
            if name:
                path = ("spec", "strategy", way, field)
                _add_uses(parts, [Use("Service", "", "", name, (), field, False, path)])


def _stateful_set(body: Body, name: str, parts: _Parts) -> None:
    spec = struct(body.get("spec"))
    service = text(spec.get("serviceName"))
    if service:
        _add_uses(parts, [Use("Service", "", "", service, (), "serviceName", False, ("spec", "serviceName"))])
    claims = [text(struct(claim.get("metadata")).get("name")) for claim in structs(spec.get("volumeClaimTemplates"))]
    volumes = structs(struct(struct(spec.get("template")).get("spec")).get("volumes"))
    hidden = {struct(one.get("persistentVolumeClaim")).get("claimName") for one in volumes if one.get("name") in claims}
    # A template takes the place of a volume of its name.
    parts["uses"] = tuple(use for use in parts.get("uses", ()) if use[5] != "claim" or use[3] not in hidden)
    parts["makes"] = tuple(("PersistentVolumeClaim", f"{claim}-{name}-*") for claim in claims)
    for index, claim in numbered(spec.get("volumeClaimTemplates")):
        where = ("spec", "volumeClaimTemplates", index, "spec", "storageClassName")
        _add_uses(parts, _storage_class(struct(claim.get("spec")), where))


def _claim(body: Body, _name: str, parts: _Parts) -> None:
    spec = struct(body.get("spec"))
    if not spec.get("volumeName"):
        _add_uses(parts, _storage_class(spec, ("spec", "storageClassName")))


def _storage_class(spec: Mapping[str, Json], path: FieldPath) -> Iterator[Use]:
    name = text(spec.get("storageClassName"))
    if name:
        yield Use("StorageClass", "storage.k8s.io", "", name, (), "", False, path)


def _service_account(body: Body, _name: str, parts: _Parts) -> None:
    for index, secret in numbered(body.get("imagePullSecrets")):
        name = text(secret.get("name"))
        if name:
            _add_uses(parts, [Use("Secret", "", "", name, (), "pull", False, ("imagePullSecrets", index, "name"))])


def _binding(body: Body, _name: str, parts: _Parts) -> None:
    role = struct(body.get("roleRef"))
    kind, name = text(role.get("kind")), text(role.get("name"))
    if kind in {"Role", "ClusterRole"} and name:
        _add_uses(parts, [Use(kind, "rbac.authorization.k8s.io", "", name, (), "role", False, ("roleRef", "name"))])
    for index, subject in numbered(body.get("subjects")):
        name = text(subject.get("name"))
        if subject.get("kind") == "ServiceAccount" and name:
            where = ("subjects", index, "name")
            namespace = text(subject.get("namespace"))
            _add_uses(parts, [Use("ServiceAccount", "", namespace, name, (), "subject", False, where)])


def _add_uses(parts: _Parts, uses: Iterable[Use]) -> None:
    parts["uses"] = (*parts.get("uses", ()), *map(tuple, uses))


def _made(kind: str, *paths: str) -> Callable[[Body, str, _Parts], None]:
    """Return a reader of what a controller makes: called as a path says, else as the object itself."""

    def read(body: Body, name: str, parts: _Parts) -> None:
        for path in paths:
            found: Json = dict(body)
            for key in path.split("."):
                found = struct(found).get(key)
            if isinstance(found, str) and found:
                name = found
                break
        parts["makes"] = (*parts.get("makes", ()), (kind, name))

    return read


_READERS: Mapping[str, Callable[[Body, str, _Parts], None]] = {
    "Service": _service,
    "ConfigMap": _configuration,
    "Secret": _configuration,
    "PodDisruptionBudget": _selector_of("spec", "selector"),
    "NetworkPolicy": _network_policy,
    "HorizontalPodAutoscaler": _scaler,
    "VerticalPodAutoscaler": _scaler,
    "ScaledObject": _scaler,
    "Canary": _scaler,
    "Ingress": _ingress,
    "HTTPRoute": _route,
    "GRPCRoute": _route,
    "TLSRoute": _route,
    "TCPRoute": _route,
    "UDPRoute": _route,
    "Rollout": _rollout,
    "StatefulSet": _stateful_set,
    "PersistentVolumeClaim": _claim,
    "ServiceAccount": _service_account,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "ExternalSecret": _made("Secret", "spec.target.name"),
    "ClusterExternalSecret": _made("Secret", "spec.externalSecretName"),
    "SealedSecret": _made("Secret", "spec.template.metadata.name"),
    "Certificate": _made("Secret", "spec.secretName"),
    "Issuer": _made("Secret", "spec.acme.privateKeySecretRef.name"),
    "ClusterIssuer": _made("Secret", "spec.acme.privateKeySecretRef.name"),
    "OnePasswordItem": _made("Secret"),
    "VaultStaticSecret": _made("Secret", "spec.destination.name"),
    "VaultDynamicSecret": _made("Secret", "spec.destination.name"),
    "Bundle": _made("ConfigMap"),
}
"""What is read of each kind beside its pods."""


def _custom(body: Body, kind: str, group: str, parts: _Parts) -> None:
    """Note what a custom resource mentions, unless it is known to make nothing that others refer to."""
    if group in _INERT_GROUPS or (kind in _INERT_KINDS and group != "") or "labels" in parts:
        return
    spec = struct(body.get("spec"))
    parts["opaque"] = True
    parts["reach"] = text(spec.get("targetNamespace")) or text(struct(spec.get("destination")).get("namespace"))
    parts["mentions"] = tuple(sorted(set(_names(dict(spec)))))


def _names(spec: Json) -> Iterator[str]:
    """Yield the texts of a custom resource that may be names of something."""
    waiting: list[Json] = [spec]
    count = 0
    while waiting and count < _MOST_MENTIONS:
        value = waiting.pop()
        count += 1
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and len(value) <= _MOST_NAME and _NAME.match(value):
            yield value


_USES = Outline._fields.index("uses")


def packed(bodies: Iterable[tuple[int, FieldPath, Body]]) -> bytes:
    """Return the outlines of a file's objects as bytes that `unpacked` reads quickly."""
    rows = [row for document, item, body in bodies if (row := _row(body, document, item)) is not None]
    return marshal.dumps([tuple(row) for row in rows])


def unpacked(data: bytes, paths: dict[FieldPath, FieldPath] | None = None) -> list[Outline]:
    """Read what `packed` returned; its source must be trusted.

    Args:
        data: The outlines of a file.
        paths: Field paths of files that were read before; they are kept once.
    """
    rows: list[_Row] = marshal.loads(data)  # noqa: S302  # written by us and sealed
    known = {} if paths is None else paths
    return [_shared(row, known) if row[_USES] else Outline._make(row) for row in rows]

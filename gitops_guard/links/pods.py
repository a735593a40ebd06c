"""The pods that an object makes: where their template stands, their labels and ports, what they take from others."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitops_guard.links.shapes import numbered, struct, structs, text
from gitops_guard.model.field_path import FieldPath
from gitops_guard.model.resource import Body, Json

TEMPLATE: FieldPath = ("spec", "template")
_PLACES: Mapping[str, FieldPath] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where other kinds than most keep the template."""

WORKLOADS = frozenset({
    "Pod", "PodTemplate", "CronJob", "Job",
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController",
})  # fmt: skip
"""Built-in kinds that make pods."""


class Reference(NamedTuple):
    """One use of a named object by a pod template."""

    kind: str
    """`ConfigMap`, `Secret`, `PersistentVolumeClaim`, `ServiceAccount`."""

    name: str
    keys: tuple[str, ...]
    """The keys that are used; empty for all of them."""

    how: str
    """`environment`, `file`, `subPath`: only files are renewed in a running pod. `pull`, `claim`, `account`."""

    optional: bool
    path: FieldPath


def template_place(body: Body) -> FieldPath | None:
    """Return where the pod template stands; None for a kind that has none.

    A custom kind counts when containers stand where workloads have them (Argo Rollouts, CloneSets, Knative Services).
    """
    kind = body.get("kind")
    if kind in WORKLOADS:
        return _PLACES.get(text(kind), TEMPLATE)
    spec = body.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    pod = template.get("spec") if isinstance(template, dict) else None
    return TEMPLATE if isinstance(pod, dict) and isinstance(pod.get("containers"), list) else None


def template_at(body: Body, place: FieldPath) -> Body:
    """Return the pod template that stands at a place; a Pod is its own."""
    found: Body = body
    for key in place:
        found = struct(found.get(str(key)))
    return found


def references(body: Body) -> Iterator[Reference]:
    """Yield every use of a ConfigMap or Secret by a workload's pods: as environment, or as files."""
    place = template_place(body)
    if place is not None:
        yield from configuration(struct(template_at(body, place).get("spec")), (*place, "spec"))


def configuration(spec: Mapping[str, Json], place: FieldPath) -> Iterator[Reference]:
    """Yield every use of a ConfigMap or Secret by a pod.

    Args:
        spec: The pod's.
        place: Where it stands.
    """
    fixed: set[Json] | None = None
    for key in ("initContainers", "containers"):
        for index, container in numbered(spec.get(key)):
            yield from _of_container(container, (*place, key, index))
    for index, volume in numbered(spec.get("volumes")):
        if "configMap" in volume or "secret" in volume or "projected" in volume:
            fixed = _sub_path_volumes(spec) if fixed is None else fixed
            how = "subPath" if volume.get("name") in fixed else "file"
            path = (*place, "volumes", index)
            yield from _of_source(volume, path, how)
            for number, source in numbered(struct(volume.get("projected")).get("sources")):
                yield from _of_source(source, (*path, "projected", "sources", number), how)


def _sub_path_volumes(spec: Mapping[str, Json]) -> set[Json]:
    containers = [*structs(spec.get("initContainers")), *structs(spec.get("containers"))]
    mounts = [mount for container in containers for mount in structs(container.get("volumeMounts"))]
    return {text(mount.get("name")) for mount in mounts if mount.get("subPath") or mount.get("subPathExpr")}


def _of_container(container: Mapping[str, Json], path: FieldPath) -> Iterator[Reference]:
    for index, variable in numbered(container.get("env")):
        source = variable.get("valueFrom")
        if not isinstance(source, dict):
            continue
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            wanted = struct(source.get(field))
            if isinstance(name := wanted.get("name"), str) and isinstance(key := wanted.get("key"), str):
                where = (*path, "env", index, "valueFrom", field)
                yield Reference(kind, name, (key,), "environment", wanted.get("optional") is True, where)
    for index, whole in numbered(container.get("envFrom")):
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            wanted = struct(whole.get(field))
            if isinstance(name := wanted.get("name"), str):
                optional = wanted.get("optional") is True
                yield Reference(kind, name, (), "environment", optional, (*path, "envFrom", index, field))


def _of_source(source: Mapping[str, Json], path: FieldPath, how: str) -> Iterator[Reference]:
    for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
        wanted = struct(source.get(field))
        name = wanted.get("secretName") or wanted.get("name")
        if isinstance(name, str):
            keys = tuple(str(item.get("key")) for item in structs(wanted.get("items")))
            yield Reference(kind, name, keys, how, wanted.get("optional") is True, (*path, field))


def attachments(spec: Mapping[str, Json], place: FieldPath) -> Iterator[Reference]:
    """Yield what a pod names beside its configuration: claims, its account, Secrets to pull images with."""
    for index, volume in numbered(spec.get("volumes")):
        claim = struct(volume.get("persistentVolumeClaim")).get("claimName")
        if isinstance(claim, str):
            where = (*place, "volumes", index, "persistentVolumeClaim", "claimName")
            yield Reference("PersistentVolumeClaim", claim, (), "claim", False, where)
    account = spec.get("serviceAccountName")
    if isinstance(account, str) and account:
        yield Reference("ServiceAccount", account, (), "account", False, (*place, "serviceAccountName"))
    for index, secret in numbered(spec.get("imagePullSecrets")):
        if isinstance(name := secret.get("name"), str):
            yield Reference("Secret", name, (), "pull", False, (*place, "imagePullSecrets", index, "name"))


def ports(spec: Mapping[str, Json]) -> Iterator[tuple[str, int]]:
    """Yield name and number of the ports that a pod's containers declare; an unnamed one is called the empty text."""
    for container in (*structs(spec.get("containers")), *structs(spec.get("initContainers"))):
        for port in structs(container.get("ports")):
            number = port.get("containerPort")
            yield text(port.get("name")), number if isinstance(number, int) else 0


def content(body: Body) -> dict[str, Json]:
    """Return the values of a ConfigMap or Secret by key; only ever compared, never shown."""
    found: dict[str, Json] = {}
    for field in ("data", "binaryData", "stringData"):
        found.update({f"{key}": value for key, value in struct(body.get(field)).items()})
    return found

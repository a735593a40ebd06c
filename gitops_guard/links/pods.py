"""The pods that an object makes: where their template stands, their labels and ports, what they take from others."""

from collections.abc import Collection, Iterator, Mapping
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
    kind = text(body.get("kind"))
    if kind in WORKLOADS:
        return _PLACES.get(kind, TEMPLATE)
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
        spec = struct(template_at(body, place).get("spec"))
        yield from configuration(spec, (*place, "spec"), _sub_path_volumes(spec))


def configuration(
    spec: Mapping[str, Json], place: FieldPath, fixed: Collection[str] = frozenset()
) -> Iterator[Reference]:
    """Yield every use of a ConfigMap or Secret by a pod.

    Args:
        spec: The pod's.
        place: Where it stands.
        fixed: Volumes that are mounted by subPath.
    """
    for key in ("initContainers", "containers"):
        containers = spec.get(key)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            if isinstance(container, dict):
                yield from _of_environment(container.get("env"), place, key, index)
                if "envFrom" in container:
                    yield from _of_sources(container["envFrom"], (*place, key, index, "envFrom"))
    volumes = spec.get("volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, list) else ()):
        if isinstance(volume, dict) and ("configMap" in volume or "secret" in volume or "projected" in volume):
            how = "subPath" if volume.get("name") in fixed else "file"
            yield from _of_volume(volume, (*place, "volumes", index), how)


def _sub_path_volumes(spec: Mapping[str, Json]) -> set[str]:
    containers = [*structs(spec.get("initContainers")), *structs(spec.get("containers"))]
    mounts = [mount for container in containers for mount in structs(container.get("volumeMounts"))]
    return {text(mount.get("name")) for mount in mounts if mount.get("subPath") or mount.get("subPathExpr")}


def _of_environment(env: Json, place: FieldPath, key: str, index: int) -> Iterator[Reference]:
    for number, variable in enumerate(env if isinstance(env, list) else ()):
        if not isinstance(variable, dict) or "valueFrom" not in variable:
            continue  # nearly all of them
        source = variable["valueFrom"]
        if not isinstance(source, dict):
            continue
        for kind, field in _KEY_FIELDS:
            wanted = source.get(field)
            if isinstance(wanted, dict):
                name, entry = wanted.get("name"), wanted.get("key")
                if isinstance(name, str) and isinstance(entry, str):
                    where = (*place, key, index, "env", number, "valueFrom", field)
                    yield Reference(kind, name, (entry,), "environment", wanted.get("optional") is True, where)


_KEY_FIELDS = (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef"))


def _of_sources(value: Json, place: FieldPath) -> Iterator[Reference]:
    for index, whole in numbered(value):
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            wanted = struct(whole.get(field))
            if isinstance(name := wanted.get("name"), str):
                yield Reference(kind, name, (), "environment", wanted.get("optional") is True, (*place, index, field))


def _of_volume(volume: Mapping[str, Json], path: FieldPath, how: str) -> Iterator[Reference]:
    yield from _of_source(volume, path, how)
    for number, source in numbered(struct(volume.get("projected")).get("sources")):
        yield from _of_source(source, (*path, "projected", "sources", number), how)


def _of_source(source: Mapping[str, Json], path: FieldPath, how: str) -> Iterator[Reference]:
    for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
        wanted = source.get(field)
        name = (wanted.get("secretName") or wanted.get("name")) if isinstance(wanted, dict) else None
        if isinstance(wanted, dict) and isinstance(name, str):
            keys = tuple(str(item.get("key")) for item in structs(wanted.get("items")))
            yield Reference(kind, name, keys, how, wanted.get("optional") is True, (*path, field))


def attachments(spec: Mapping[str, Json], place: FieldPath) -> Iterator[Reference]:
    """Yield what a pod names beside its configuration: claims, its account, Secrets to pull images with."""
    volumes = spec.get("volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, list) else ()):
        wanted = volume.get("persistentVolumeClaim") if isinstance(volume, dict) else None
        claim = wanted.get("claimName") if isinstance(wanted, dict) else None
        if isinstance(claim, str):
            where = (*place, "volumes", index, "persistentVolumeClaim", "claimName")
            yield Reference("PersistentVolumeClaim", claim, (), "claim", False, where)
    account = spec.get("serviceAccountName")
    if isinstance(account, str) and account:
        yield Reference("ServiceAccount", account, (), "account", False, (*place, "serviceAccountName"))
    for index, secret in numbered(spec.get("imagePullSecrets")) if "imagePullSecrets" in spec else ():
        if isinstance(name := secret.get("name"), str):
            yield Reference("Secret", name, (), "pull", False, (*place, "imagePullSecrets", index, "name"))


def ports(spec: Mapping[str, Json]) -> Iterator[tuple[str, int]]:
    """Yield name and number of the ports that a pod's containers declare; an unnamed one is called the empty text."""
    for key in ("containers", "initContainers"):
        containers = spec.get(key)
        for container in containers if isinstance(containers, list) else ():
            declared = container.get("ports") if isinstance(container, dict) else None
            for port in declared if isinstance(declared, list) else ():
                if isinstance(port, dict):
                    number = port.get("containerPort")
                    yield text(port.get("name")), number if isinstance(number, int) else 0


def content(body: Body) -> dict[str, Json]:
    """Return the values of a ConfigMap or Secret by key; only ever compared, never shown."""
    found: dict[str, Json] = {}
    for field in ("data", "binaryData", "stringData"):
        found.update({f"{key}": value for key, value in struct(body.get(field)).items()})
    return found

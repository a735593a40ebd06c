"""Which other objects an object names: what must be there before it is of use."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gitops_guard.model import Body
from gitops_guard.sync.objects import Key, strings_of

RBAC: Final = "rbac.authorization.k8s.io"
_POD_SPEC: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout"),
        ("spec", "template", "spec"),
    ),
}
_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "configMapRef": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "configMap": ("ConfigMap", "name"),
    "secretRef": ("Secret", "name"),
    "secretKeyRef": ("Secret", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "serviceAccountName": ("", "ServiceAccount"),
    "priorityClassName": ("scheduling.k8s.io", "PriorityClass"),
    "runtimeClassName": ("node.k8s.io", "RuntimeClass"),
}
_CLUSTER_WIDE: Final = frozenset(("PriorityClass", "RuntimeClass"))


def pod_spec(kind: str, body: Body) -> Mapping[str, Any]:
    """Return the pod specification of a workload; empty for everything else."""
    node: Any = body
    for name in _POD_SPEC.get(kind, ("",)):
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def references(key: Key, body: Body) -> Iterator[Key]:
    """Yield what an object names, sorted by place; whether any of it exists is not known here."""
    if key.group == RBAC:
        yield from _of_binding(key, body)
    elif key.kind in _POD_SPEC:
        yield from _of_pods(pod_spec(key.kind, body), key.namespace)
    elif key.kind == "PersistentVolumeClaim":
        storage_class = _at(body, "spec").get("storageClassName")
        if isinstance(storage_class, str):
            yield Key("storage.k8s.io", "StorageClass", "", storage_class)


def webhook_services(body: Body) -> Iterator[Key]:
    """Yield the services that a webhook configuration's webhooks run behind."""
    hooks = body.get("webhooks")
    for hook in hooks if isinstance(hooks, list) else []:
        service = _at(_at(hook, "clientConfig"), "service")
        name, namespace = service.get("name"), service.get("namespace")
        if isinstance(name, str) and isinstance(namespace, str):
            yield Key("", "Service", namespace, name)


def selects(service: Body, workload: Body) -> bool:
    """Tell whether a service's selector takes a workload's pods."""
    selector = strings_of(_at(service, "spec").get("selector"))
    template = _at(_at(workload, "spec"), "template")
    labels = strings_of(_at(template, "metadata").get("labels"))
    return bool(selector) and selector.items() <= labels.items()


def defined_kind(body: Body) -> tuple[str, str]:
    """Return group and kind that a CustomResourceDefinition defines."""
    spec = _at(body, "spec")
    return str(spec.get("group", "")), str(_at(spec, "names").get("kind", ""))


def _at(node: object, name: str) -> Mapping[str, Any]:
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def _of_binding(key: Key, body: Body) -> Iterator[Key]:
    role = _at(body, "roleRef")
    kind, name = role.get("kind"), role.get("name")
    if isinstance(kind, str) and isinstance(name, str):
        yield Key(RBAC, kind, key.namespace if kind == "Role" else "", name)
    subjects = body.get("subjects")
    for subject in subjects if isinstance(subjects, list) else []:
        if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount":
            yield Key("", "ServiceAccount", str(subject.get("namespace", key.namespace)), str(subject.get("name", "")))


def _of_pods(node: object, namespace: str) -> Iterator[Key]:
    if isinstance(node, list):
        for item in node:
            yield from _of_pods(item, namespace)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _of_field(name, value, namespace)
            yield from _of_pods(value, namespace)


def _of_field(name: str, value: object, namespace: str) -> Iterator[Key]:
    if name in _TEXTS and isinstance(value, str):
        group, kind = _TEXTS[name]
        yield Key(group, kind, "" if kind in _CLUSTER_WIDE else namespace, value)
    elif name in _NAMED and isinstance(value, dict):
        kind, field = _NAMED[name]
        found = value.get(field, value.get("name"))  # a projected Secret is named by `name`
        if isinstance(found, str):
            yield Key("", kind, namespace, found)
    elif name == "imagePullSecrets" and isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                yield Key("", "Secret", namespace, item["name"])

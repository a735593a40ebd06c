"""missing-reference: pods refer to something that is neither in the cluster nor in the change."""

from collections.abc import Iterator, Mapping

from gitops_guard.links.pods import references
from gitops_guard.model import FieldPath, Json, Problem
from gitops_guard.rollout.case import structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.cluster_view import ClusterView, namespace_of
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.workload import POD_SPEC, pod_spec

_FIELDS = {"serviceAccountName": "ServiceAccount", "priorityClassName": "PriorityClass",
           "runtimeClassName": "RuntimeClass"}  # fmt: skip
_REFUSED = "every pod is refused (FailedCreate)"
_WAITS = "new pods wait for it"


def find(change: Change) -> Iterator[Hazard]:
    """Yield references of changed workloads to objects that the snapshot would show; it holds no Secrets."""
    if change.view is None:
        return
    for pair in change.workloads:
        if pair.after is None or not pair.changed:
            continue
        for kind, name, field in _references(pair):
            if _is_missing(kind, name, pair, change, change.view):
                effect = _REFUSED if kind in _FIELDS.values() else _WAITS
                message = f"{kind} {name} is neither in the cluster nor in the change: {effect}"
                yield Hazard(pair.after, Problem(rule="missing-reference", field=field, message=message))


def _references(pair: Pair) -> Iterator[tuple[str, str, FieldPath]]:
    body = pair.new or {}
    spec = pod_spec(body)
    for reference in references(body):
        if reference.kind == "ConfigMap" and not reference.optional:
            yield reference.kind, reference.name, reference.path
    for index, volume in enumerate(structs(spec.get("volumes"))):
        claim = volume.get("persistentVolumeClaim")
        if isinstance(claim, dict) and isinstance(name := claim.get("claimName"), str):
            yield "PersistentVolumeClaim", name, (*POD_SPEC, "volumes", index, "persistentVolumeClaim", "claimName")
    yield from _of_fields(spec)


def _of_fields(spec: Mapping[str, Json]) -> Iterator[tuple[str, str, FieldPath]]:
    for field, kind in _FIELDS.items():
        name = spec.get(field)
        if isinstance(name, str) and name and name != "default":
            yield kind, name, (*POD_SPEC, field)


def _is_missing(kind: str, name: str, pair: Pair, change: Change, view: ClusterView) -> bool:
    if not view.knows(kind) or kind not in view.snapshot.objects:
        return False
    cluster_wide = kind in ("PriorityClass", "RuntimeClass")
    known = change.find_any(kind, "" if cluster_wide else pair.scope, name)
    if known is not None:
        return False  # one that the change removes is removed-reference's
    return view.find(kind, "" if cluster_wide else namespace_of(pair.new or {}), name) is None

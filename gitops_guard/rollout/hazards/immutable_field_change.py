"""immutable-field-change: the API server refuses the change, and the sync stops at it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gitops_guard.links.pods import content
from gitops_guard.model import Body, FieldPath, Json, Problem
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.template import quantity

_FIELDS: Mapping[tuple[str, str], tuple[FieldPath, ...]] = MappingProxyType(
    {
        ("apps", "Deployment"): (("spec", "selector"),),
        ("apps", "DaemonSet"): (("spec", "selector"),),
        ("apps", "StatefulSet"): (
            ("spec", "selector"),
            ("spec", "serviceName"),
            ("spec", "podManagementPolicy"),
            ("spec", "volumeClaimTemplates"),
        ),
        ("batch", "Job"): (("spec", "selector"), ("spec", "template"), ("spec", "completionMode")),
        ("", "Service"): (("spec", "clusterIP"),),
        ("rbac.authorization.k8s.io", "RoleBinding"): (("roleRef",),),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("roleRef",),),
        ("storage.k8s.io", "StorageClass"): (("parameters",), ("provisioner",), ("reclaimPolicy",)),
        ("", "PersistentVolumeClaim"): (("spec", "accessModes"), ("spec", "volumeName"), ("spec", "selector")),
        ("", "Secret"): (("type",),),
    }
)
_DEFAULTS: Mapping[FieldPath, Json] = MappingProxyType(
    {
        ("spec", "podManagementPolicy"): "OrderedReady",
        ("spec", "completionMode"): "NonIndexed",
        ("reclaimPolicy",): "Delete",
        ("type",): "Opaque",
    }
)


def find(change: Change) -> Iterator[Hazard]:
    """Yield changed fields of objects that exist already and that the API server lets nobody change."""
    for pair in change.pairs:
        if pair.after is None or pair.old is None or not pair.changed:
            continue
        for field in _changed(pair):
            message = f"the API server lets nobody change it: the apply of {pair.id.kind} {pair.id.name} fails"
            hint = "delete and create it anew, knowing what that does to its pods and data"
            problem = Problem(rule="immutable-field-change", field=field, message=message, hint=hint)
            yield Hazard(pair.after, problem)


def _changed(pair: Pair) -> Iterator[FieldPath]:
    old, new = pair.old or {}, pair.new or {}
    is_live = "uid" in struct(old.get("metadata"))
    for field in _FIELDS.get((pair.id.group, pair.id.kind), ()):
        before, after = _value(old, field), _value(new, field)
        # A field that is left out is left as it is, or refused as missing, which is for `check` to say.
        if field == ("spec", "clusterIP") and before is None:
            continue  # the server chose one that no manifest names
        if after is not None and not (_holds(before, after) if is_live else before == after):
            yield field
    if (pair.id.group, pair.id.kind) == ("batch", "Job") and _fixes_completions(old, new):
        yield ("spec", "completions")
    if pair.id.kind in ("ConfigMap", "Secret") and old.get("immutable") is True and content(old) != content(new):
        yield ("data",)
    if pair.id.kind == "PersistentVolumeClaim" and not pair.id.group and _shrinks(old, new):
        yield ("spec", "resources", "requests", "storage")


def _holds(live: Json, wanted: Json) -> bool:
    """Tell whether an object in a cluster, defaults included, already is as a manifest wants it."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        return all(_holds(live.get(key), value) for key, value in wanted.items())
    if isinstance(live, list) and isinstance(wanted, list):
        return len(live) == len(wanted) and all(_holds(*pair) for pair in zip(live, wanted, strict=True))
    same = quantity(live)
    return live == wanted or (same is not None and same == quantity(wanted))


def _value(body: Body, field: FieldPath) -> Json:
    value: Json = dict(body)
    for key in field:
        value = struct(value).get(str(key))
    return _DEFAULTS.get(field) if value in (None, "") else value


def _fixes_completions(old: Body, new: Body) -> bool:
    """Tell whether the completions of a Job change; an indexed one may, together with its parallelism."""
    before, after = (_value(body, ("spec", "completions")) for body in (old, new))
    indexed = _value(new, ("spec", "completionMode")) == "Indexed"
    return after is not None and before != after and not indexed


def _shrinks(old: Body, new: Body) -> bool:
    sizes = [quantity(_value(body, ("spec", "resources", "requests", "storage"))) for body in (old, new)]
    before, after = sizes
    return before is not None and after is not None and after < before

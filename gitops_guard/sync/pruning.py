"""Which objects that left Git may be deleted. All rules must hold; the first that does not is the reason why not."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from gitops_guard.sync.instructions import read_instructions
from gitops_guard.sync.inventory import Entry
from gitops_guard.sync.managed_fields import owns_label
from gitops_guard.sync.objects import PART_OF, Live

PROTECTED: Final = {
    ("", "Namespace"): 10,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): 10,
    ("", "PersistentVolumeClaim"): 5,
    ("", "PersistentVolume"): 5,
}
"""Kinds that take more with them than themselves, by group and kind, and how much each weighs against the cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRules:
    """What the user allows."""

    set_id: str
    allowed_kinds: Collection[str] = ()
    """Protected kinds that may be pruned: `("PersistentVolumeClaim",)`."""


def weight(live: Live) -> int:
    """Return how much an object counts against the cap."""
    return PROTECTED.get((live.key.group, live.key.kind), 1)


def reason_to_keep(live: Live, entry: Entry | None, rules: PruneRules) -> str:
    """Return why an object may not be deleted; empty when it may.

    Args:
        live: The object as it is, with its managed fields.
        entry: What the inventory says of it; None when it says nothing.
        rules: What the user allows.
    """
    return _by_membership(live, entry, rules.set_id) or _by_word(live) or _by_kind(live, rules.allowed_kinds)


def _by_membership(live: Live, entry: Entry | None, set_id: str) -> str:
    if live.part_of != set_id:
        return (
            f"it belongs to the set {live.part_of} now"
            if live.part_of
            else "it does not carry the set's label any more"
        )
    if entry is None:
        return "the inventory does not know it; `gitops-guard fsck` takes it in"
    if not entry.uid:
        return "the inventory does not know its uid: a run was cut off when it was made; the next one settles it"
    if entry.uid != live.uid:
        return "it is another object of the same name than the one that was applied"
    if not owns_label(live.managed_fields, PART_OF):
        return "its label was copied by somebody else, it was not applied"
    return ""


def _by_word(live: Live) -> str:
    owner = next((one for one in live.owners if one.get("controller") is True), None)
    if owner is not None:
        return f"{owner.get('kind', 'a controller')} {owner.get('name', '')} owns it".rstrip()
    said = read_instructions(live.annotations, live.labels)
    if said.keep:
        return f"its annotation forbids it: {said.keep}"
    if said.ignore:
        return f"its annotation says not to touch it: {said.ignore}"
    if said.prune_confirm:
        return "it waits for the annotation argocd.argoproj.io/deletion-approved"
    if live.is_terminating:
        return "it is being deleted already"
    return ""


def _by_kind(live: Live, allowed: Collection[str]) -> str:
    kind = live.key.kind
    if (live.key.group, kind) in PROTECTED and kind not in allowed and live.key.group_kind not in allowed:
        return f"a {kind} takes data or other objects with it; allow it with --prune-kind {kind}"
    return ""


_LAST: Final = (
    ("", "Namespace"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "ServiceAccount"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "Role"),
    ("", "Secret"),
    ("", "ConfigMap"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""What is deleted last, the very last first: the reverse of the order in which things are applied."""

_FIRST: Final = frozenset(("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"))


def stage(live: Live) -> int:
    """Return when an object is deleted: the lower stages first, one after the other."""
    said = read_instructions(live.annotations, live.labels)
    kind = (live.key.group, live.key.kind)
    if live.key.kind in _FIRST:
        return 0
    place = 100 - _LAST.index(kind) if kind in _LAST else 10
    return place + (50 if said.prune_last and kind not in _LAST[:2] else 0)

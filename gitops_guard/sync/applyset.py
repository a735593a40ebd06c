"""The set as kubectl knows it: the parent's id, labels and annotations. kubectl's constants, not those of its KEP."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitops_guard import __version__
from gitops_guard.sync.objects import Key, metadata_of, strings_of

PREFIX: Final = "applyset.kubernetes.io/"
ID_LABEL: Final = f"{PREFIX}id"
TOOLING: Final = f"{PREFIX}tooling"
KINDS: Final = f"{PREFIX}contains-group-kinds"
NAMESPACES: Final = f"{PREFIX}additional-namespaces"
OUR_TOOL: Final = "gitops-guard"
PARENT_KIND: Final = "ConfigMap"
PARENT_PREFIX: Final = "gitops-guard-"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetName:
    """Which set is meant: a name, and the namespace of its parent."""

    name: str
    """`shop`; the parent is the ConfigMap `gitops-guard-shop`."""

    namespace: str

    @property
    def parent(self) -> str:
        """Return the parent's name."""
        return f"{PARENT_PREFIX}{self.name}"

    @property
    def id(self) -> str:
        """Return the set's id: what members carry as `applyset.kubernetes.io/part-of`."""
        return set_id(self.parent, self.namespace, PARENT_KIND, "")


def set_id(name: str, namespace: str, kind: str, group: str) -> str:
    """Return the id that kubectl gives to a set with such a parent."""
    digest = hashlib.sha256(f"{name}.{namespace}.{kind}.{group}".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def parent_metadata(one: SetName, members: Iterable[Key]) -> dict[str, Any]:
    """Return the parent's metadata for a set with such members.

    `additional-namespaces` is left out when there is none, `contains-group-kinds` is always there: that satisfies both
    kubectl and its KEP.
    """
    keys = list(members)
    kinds = sorted({key.group_kind for key in keys})
    namespaces = sorted({key.namespace for key in keys if key.namespace} - {one.namespace})
    annotations = {TOOLING: f"{OUR_TOOL}/v{__version__}", KINDS: ",".join(kinds)}
    if namespaces:
        annotations[NAMESPACES] = ",".join(namespaces)
    return {"name": one.parent, "namespace": one.namespace, "labels": {ID_LABEL: one.id}, "annotations": annotations}


def parent_problem(one: SetName, parent: Mapping[str, Any]) -> str:
    """Return why an object cannot be our set's parent; empty when it can.

    Checked before anything is written, in kubectl's order: the tool, then the id.
    """
    metadata = metadata_of(parent)
    tooling = strings_of(metadata.get("annotations")).get(TOOLING, "")
    place = f"ConfigMap {one.namespace}/{one.parent}"
    if not tooling:
        return f"{place} is there and is no set's parent: it has no annotation {TOOLING}; choose another --name"
    if tooling.rpartition("/")[0] != OUR_TOOL:
        return (
            f'{place} is managed by tooling "{tooling}" instead of "{OUR_TOOL}"; choose another --name, or hand the set'
            f" over by setting its annotation {TOOLING} to {OUR_TOOL}/v{__version__}"
        )
    found = strings_of(metadata.get("labels")).get(ID_LABEL, "")
    if found != one.id:
        return f"{place} has {ID_LABEL}={found or '(none)'}, which is not the id of its name; restore it to {one.id}"
    return ""

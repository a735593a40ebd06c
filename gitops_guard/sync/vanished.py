"""Kinds that are gone for good: their objects went with them, so the set need not remember those any more.

That a kind is not served says little: a server that starts lists no custom resources for a moment and calls that
complete. A kind is gone when the server is ready, lists everything, and no definition names it: twice, seconds apart.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster import ApiError, Client
from gitops_guard.model import ResourceId
from gitops_guard.sync.planning import Item
from gitops_guard.sync.references import defined_kind

GroupKind = tuple[str, str]

_APART_S: Final = 5.0
_DEFINITIONS: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(slots=True)
class Vanishing:
    """Members of kinds that are not served, looked at once when the run begins and once when it ends."""

    client: Client
    items: Collection[Item]
    """Members whose kind is not served, and that Git does not want."""

    apart_s: float = _APART_S
    """Between the two looks at least."""

    _first: frozenset[GroupKind] = field(init=False, default=frozenset())
    _since_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Look for the first time; without such members nothing is asked."""
        if self.items:
            self._first, self._since_s = self._gone(), time.monotonic()

    def gone(self, stopped: threading.Event) -> list[Item]:
        """Look for the second time, and return the members whose kind is gone for good."""
        if not self._first or stopped.wait(max(self._since_s + self.apart_s - time.monotonic(), 0.0)):
            return []
        gone = self._first & self._gone()
        return [item for item in self.items if _kind(item) in gone]

    def _gone(self) -> frozenset[GroupKind]:
        """Return the kinds that the server does not know; of what it does not tell, none."""
        asked = frozenset(_kind(item) for item in self.items)
        if not self.client.is_ready():
            return frozenset()
        try:
            served = self.client.resources(refresh=True)
            defined = self._defined({group for group, _ in asked})
        except ApiError:
            return frozenset()
        stale = {version.rpartition("/")[0] for version in served.stale}
        return frozenset(
            (group, kind)
            for group, kind in asked - defined
            if group not in stale and served.preferred(group, kind) is None
        )

    def _defined(self, groups: set[str]) -> frozenset[GroupKind]:
        """Return what definitions of some groups define; one that is not established yet, too."""
        resource = self.client.resources().preferred(*_DEFINITIONS)
        if resource is None:
            return frozenset()
        listing = self.client.list(resource, metadata_only=True)
        names = [
            str(metadata.get("name", ""))
            for item in listing.items
            if isinstance(metadata := item.get("metadata"), dict)
        ]
        found = set()
        for name in names:
            if name.partition(".")[2] in groups:
                one = ResourceId(
                    group=resource.group, version=resource.version, kind=resource.kind, namespace="", name=name
                )
                definition = self.client.find(one)
                if definition is not None:
                    found.add(defined_kind(definition))
        return frozenset(found)


def _kind(item: Item) -> GroupKind:
    return (item.key.group, item.key.kind)

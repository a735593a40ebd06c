"""When each built-in kind came, was deprecated and left, and what replaces it; also which groups are its own."""

import difflib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from gitops_guard.schema import bundle

Identity = tuple[str, str, str]
"""Group, version, kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The life of one kind in one API version. Minor versions: 16 is Kubernetes 1.16."""

    introduced: int | None
    """None when it is older than the oldest bundled version and the sources do not say."""

    deprecated: int | None
    """None when it is not deprecated."""

    removed: int | None
    """The first minor version that does not serve it; None when none is planned."""

    replacement: Identity | None
    """What to use instead: `("apps", "v1", "Deployment")`; None when there is nothing."""


def lifecycle(group: str, version: str, kind: str) -> Lifecycle | None:
    """Return the life of a kind, also of one that is long gone; None when Kubernetes never had it."""
    facts = _facts().get(_key(group, version, kind))
    if facts is None:
        return None
    replacement = facts.get("replacement")
    return Lifecycle(
        introduced=facts.get("introduced"),
        deprecated=facts.get("deprecated"),
        removed=facts.get("removed"),
        replacement=_identity(replacement) if replacement else None,
    )


class Standing(StrEnum):
    """What a Kubernetes version says to a kind, before anybody looks into the object."""

    SERVED = "served"
    """It has a schema, and nothing is to be said."""

    DEPRECATED = "deprecated"
    """It has a schema, and a successor or an end."""

    REMOVED = "removed"
    """An earlier version served it."""

    NOT_YET = "not yet"
    """A later version serves it."""

    UNKNOWN = "unknown"
    """The group is Kubernetes' own and has no such kind that can be created: misspelt, or a wrong version."""

    FOREIGN = "foreign"
    """The group is somebody else's: a custom resource."""


def standing(group: str, version: str, kind: str, *, kubernetes: str) -> Standing:
    """Tell how a Kubernetes version stands to a kind.

    Args:
        group: API group, empty for core.
        version: API version: `v1`.
        kind: `Deployment`.
        kubernetes: Minor version: `1.37`.

    Raises:
        SchemaError: There are no schemas for that Kubernetes version.
    """
    served = _key(group, version, kind) in _kinds(kubernetes)
    life, minor = lifecycle(group, version, kind), bundle.minor(kubernetes)
    if served:
        ending = life is not None and min(life.deprecated or minor + 1, life.removed or minor + 1) <= minor
        return Standing.DEPRECATED if ending else Standing.SERVED
    if not known_group(group):
        return Standing.FOREIGN
    if life is None:
        return Standing.UNKNOWN
    if life.removed is not None and life.removed <= minor:
        return Standing.REMOVED
    return Standing.NOT_YET if life.introduced is not None and life.introduced > minor else Standing.UNKNOWN


def known_group(group: str) -> bool:
    """Tell whether an API group is Kubernetes' own: an unknown kind in it is a mistake, not a custom resource."""
    return group in _groups()


def is_kind_name(kind: str) -> bool:
    """Tell whether Kubernetes has, or had, a kind of that name in any of its groups."""
    return kind in _kind_names()


def nearest_kinds(group: str, version: str, kind: str) -> tuple[Identity, ...]:
    """Return kinds that may have been meant, best first: the same kind elsewhere, else a similar one in the group.

    Only kinds of the newest bundled version are named.
    """
    current = [_identity(key) for key in sorted(_kinds(bundle.versions()[-1]))]
    same = [found for found in current if found[2].lower() == kind.lower() and found != (group, version, kind)]
    if same:
        return tuple(sorted(same, key=lambda found: (found[0] != group, len(found[1]), found)))
    names = {found[2] for found in current if found[0] == group} or {found[2] for found in current}
    near = difflib.get_close_matches(kind, sorted(names), n=1, cutoff=0.7)
    return tuple(
        found for found in current if near and found[2] == near[0] and (found[0] == group or group not in _groups())
    )


def _key(group: str, version: str, kind: str) -> str:
    return f"{group}/{version} {kind}" if group else f"{version} {kind}"


def _identity(key: str) -> Identity:
    api_version, _, kind = key.partition(" ")
    group, _, version = api_version.rpartition("/")
    return group, version, kind


@lru_cache(maxsize=1)
def _facts() -> dict[str, dict[str, Any]]:
    """Return lifecycles by `<apiVersion> <kind>`; what the sources do not record is filled in from the index."""
    facts: dict[str, dict[str, Any]] = dict(bundle.load_lifecycle()["kinds"])
    seen: dict[str, list[int]] = {}
    for version in bundle.versions():
        for key in _kinds(version):
            seen.setdefault(key, []).append(bundle.minor(version))
    oldest, newest = bundle.minor(bundle.versions()[0]), bundle.minor(bundle.versions()[-1])
    for key, minors in seen.items():
        known = facts.setdefault(key, {})
        if minors[0] > oldest:
            known.setdefault("introduced", minors[0])
        if minors[-1] < newest:
            known.setdefault("removed", minors[-1] + 1)
    return facts


@lru_cache(maxsize=32)
def _kinds(kubernetes: str) -> frozenset[str]:
    return frozenset(bundle.load_index("kinds", kubernetes)["kinds"])


@lru_cache(maxsize=1)
def _groups() -> frozenset[str]:
    return frozenset(_identity(key)[0] for key in _facts())


@lru_cache(maxsize=1)
def _kind_names() -> frozenset[str]:
    return frozenset(_identity(key)[2] for key in _facts())

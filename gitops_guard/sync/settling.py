"""Objects as they were rendered -> as they are sent: scope, namespace, the set's label, what is left to others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from gitops_guard.cluster import Resources
from gitops_guard.errors import SyncError
from gitops_guard.model import Body, Origin, ResourceId
from gitops_guard.sync.hooks import Hook, hook, phase_of
from gitops_guard.sync.ignoring import Ignoring
from gitops_guard.sync.instructions import read_instructions
from gitops_guard.sync.objects import PART_OF, Desired, Key, desired, doubled, key_of, metadata_of, strings_of
from gitops_guard.sync.references import defined_kind

_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One object as it was rendered."""

    id: ResourceId
    body: Body
    origin: Origin
    unit: str = ""
    """What it is deployed with."""

    namespace: str = ""
    """Where its unit goes, for objects that name no namespace."""

    hook: str = ""
    """The chart's word for it, where it is a hook or a test."""


class LeftOut(NamedTuple):
    """An object that no set can hold."""

    wanted: Wanted
    reason: str
    is_wrong: bool
    """It cannot be applied as it is written; otherwise it is only not for us to apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """All that Git wants, as it is sent."""

    objects: tuple[Desired, ...]
    planned_kinds: frozenset[tuple[str, str]]
    """Group and kind that definitions of the set bring."""

    left_out: tuple[LeftOut, ...] = ()
    hooks: tuple[Hook, ...] = ()
    """What runs before, with or after a unit; sorted by key."""


class Scopes:
    """Which kinds lie in namespaces: by discovery, and by the definitions of the set itself."""

    def __init__(self, resources: Resources, wanted: Sequence[Wanted]) -> None:
        self._resources = resources
        self._planned: dict[tuple[str, str], bool] = {}
        for one in wanted:
            if (one.id.group, one.id.kind) == _DEFINITION:
                spec = one.body.get("spec")
                scope = spec.get("scope") if isinstance(spec, dict) else None
                self._planned[defined_kind(one.body)] = scope == "Namespaced"

    @property
    def planned(self) -> frozenset[tuple[str, str]]:
        """Return the kinds that definitions of the set bring."""
        return frozenset(self._planned)

    def is_namespaced(self, one: ResourceId) -> bool:
        """Tell whether a kind lies in namespaces; one that nobody knows is taken at its word."""
        found = self._resources.find(one.group, one.version, one.kind) or self._resources.preferred(one.group, one.kind)
        if found is not None:
            return found.namespaced
        return self._planned.get((one.group, one.kind), bool(one.namespace))


def settle(
    wanted: Sequence[Wanted],
    resources: Resources,
    *,
    set_id: str,
    default_namespace: str,
    ignoring: Ignoring,
    secret_key: bytes = b"",
) -> Settled:
    """Make objects as they are sent, sorted by key.

    Args:
        wanted: As rendered.
        resources: What the server serves.
        set_id: Id of the set.
        default_namespace: For objects whose unit names no namespace either.
        ignoring: What is left to others.
        secret_key: See `objects.desired_hash`.

    Raises:
        SyncError: Two objects that do not say the same are one and the same in the cluster.
    """
    scopes = Scopes(resources, wanted)
    hooks, ordinary, left_out = list[Wanted](), list[Wanted](), list[LeftOut]()
    for one in wanted:
        words = _hook_of(one)
        out = _left_out(one, words)
        if out is not None:
            left_out.append(out)
        else:
            (hooks if words else ordinary).append(one)
    found = [_settled(one, scopes, set_id, default_namespace, ignoring, secret_key) for one in ordinary]
    if pairs := doubled(found):
        raise SyncError("; ".join(_told(*pair) for pair in pairs[:5]))
    unique = {one.key: one for one in reversed(found)}
    return Settled(
        objects=tuple(unique[key] for key in sorted(unique)),
        planned_kinds=scopes.planned,
        left_out=tuple(left_out),
        hooks=tuple(
            sorted(
                (_hook(one, scopes, default_namespace, secret_key) for one in hooks), key=lambda one: one.desired.key
            )
        ),
    )


def _told(first: Desired, second: Desired) -> str:
    return (
        f"{first.key} is in {_place(first.origin)} and, saying something else, in {_place(second.origin)};"
        " only one of them can be applied"
    )


def _place(origin: Origin) -> str:
    return f"{origin.path}:{origin.line}" if origin.line else origin.path


def _left_out(one: Wanted, words: str) -> LeftOut | None:
    """Return why an object is no member of the set; None for one that is."""
    metadata = metadata_of(one.body)
    if words and phase_of(words) is None:
        return LeftOut(one, f"it is a hook ({words}), which a sync does not run", is_wrong=False)
    is_unnamed = not one.id.name or (one.id.name.endswith("*") and not words)
    if not one.id.kind or not one.id.version or is_unnamed:
        return LeftOut(one, f"{_place(one.origin)}: without a kind, version or name of its own", is_wrong=True)
    if PART_OF in strings_of(metadata.get("labels")):
        return LeftOut(one, f"it carries the label {PART_OF}, which is ours to give", is_wrong=True)
    return None


def _hook_of(one: Wanted) -> str:
    """Return when an object is run, in the words of its annotation; empty for an ordinary one."""
    return one.hook or read_instructions(strings_of(metadata_of(one.body).get("annotations"))).hook


def _hook(one: Wanted, scopes: Scopes, default_namespace: str, secret_key: bytes) -> Hook:
    def make(named: ResourceId, body: Body, origin: Origin, unit: str) -> Desired:
        return desired(named, body, origin, set_id="", unit=unit, secret_key=secret_key)

    named = replace(one.id, namespace=_namespace_of(one, scopes, default_namespace))
    return hook(named, one.body, one.origin, words=_hook_of(one), unit=one.unit, make=make)


def _namespace_of(one: Wanted, scopes: Scopes, default_namespace: str) -> str:
    return (one.id.namespace or one.namespace or default_namespace) if scopes.is_namespaced(one.id) else ""


def _settled(
    one: Wanted, scopes: Scopes, set_id: str, default_namespace: str, ignoring: Ignoring, secret_key: bytes
) -> Desired:
    named = replace(one.id, namespace=_namespace_of(one, scopes, default_namespace))
    body = ignoring.stripped(key_of(named), one.body) if ignoring else one.body
    return desired(named, body, one.origin, set_id=set_id, unit=one.unit, secret_key=secret_key)


def planned_namespaces(objects: Mapping[Key, Desired]) -> set[str]:
    """Return the names of the namespaces that the set itself brings."""
    return {key.name for key in objects if (key.group, key.kind) == ("", "Namespace")}

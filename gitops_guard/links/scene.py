"""All objects that may have to do with one another, and who answers to a name, a selector or a port.

Built once for a tree, in time that grows with the number of objects; every question is answered from an index.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from gitops_guard.links.nearness import is_slip
from gitops_guard.links.outline import Outline
from gitops_guard.links.selectors import selects
from gitops_guard.links.shapes import struct
from gitops_guard.model.resource import Json

_UNKNOWN = re.compile(r"\*|\$\{[^}]*\}|\$\([^)]*\)|\{\{")
"""What stands for a part of a name that only somebody else knows: generated, substituted, templated."""

_CLUSTER_WIDE = frozenset({"ClusterRole", "StorageClass", "Namespace", "PersistentVolume", "PriorityClass"})
_MOST = 100
"""Answers to one question, and objects that are compared letter by letter: more prove nothing more."""


class Member(NamedTuple):
    """An object of the scene."""

    outline: Outline
    unit: str
    """What it is deployed with: a directory, or a rendered unit."""

    path: str
    """File that it is written in."""


class Absence(NamedTuple):
    """Nothing answers to a reference."""

    certain: bool
    """Whether the repository says enough to tell that it is nowhere else either."""

    hint: str = ""
    """What was probably meant."""


_Spaces = dict[str, list[Member]]
"""Members by the namespace that they name; those that name none under the empty text."""


class Scene:
    """Everything that one tree deploys."""

    def __init__(self, members: Iterable[Member]) -> None:
        """Index the objects."""
        self._named: dict[tuple[str, str], _Spaces] = {}
        self._named_in_unit: dict[tuple[str, str, str], list[Member]] = {}
        self._of_kind: dict[tuple[str, str], list[Member]] = {}
        self._patterns: dict[str, list[tuple[str, str, str]]] = {}
        self._pods: dict[tuple[str, Json], _Spaces] = {}
        self._all_pods: _Spaces = {}
        self._pods_in_unit: dict[str, list[Member]] = {}
        self._makers: dict[str, set[str]] = {}
        self._open: set[str] = set()
        self._spaces: set[str] = set()
        self.kinds: set[str] = set()
        """Kinds of which the scene has an object, or something that makes one."""
        for member in members:
            self._add(member)

    def _add(self, member: Member) -> None:
        one = member.outline
        self._name(member, one.kind, one.name)
        for kind, name in one.makes:
            self._name(member, kind, name)
        if one.kind == "Namespace":
            self._spaces.add(one.name)
        if one.labels is not None:
            _put(self._all_pods, member)
            self._pods_in_unit.setdefault(member.unit, []).append(member)
            for label in one.labels.items():
                if isinstance(label[1], str):
                    _put(self._pods.setdefault(label, {}), member)
        if one.opaque:
            reach = one.reach or one.namespace
            self._open.add(reach)
            for name in (one.name, *one.mentions):
                self._makers.setdefault(name, set()).add(reach)

    def _name(self, member: Member, kind: str, name: str) -> None:
        self.kinds.add(kind)
        if _UNKNOWN.search(name):
            parts = re.split(r"\*|\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}", name)
            self._patterns.setdefault(kind, []).append((parts[0], parts[-1], member.outline.namespace))
            return
        _put(self._named.setdefault((kind, name), {}), member)
        self._named_in_unit.setdefault((member.unit, kind, name), []).append(member)
        self._of_kind.setdefault((member.unit, kind), []).append(member)

    def holds(self, kind: str, name: str) -> bool:
        """Tell whether there is an object of that name in any namespace: the cheapest of all questions."""
        return (kind, name) in self._named

    def may_be_certain(self, kinds: Iterable[str], namespace: str, unit: str) -> bool:
        """Tell whether anything certain can be said of names of some kinds: without looking at the names."""
        if namespace in self._spaces:
            return True
        return any((unit, kind) in self._of_kind for kind in kinds)

    def may_be_sure_of_pods(self, namespace: str, unit: str) -> bool:
        """Tell whether anything certain can be said of selectors that match nothing."""
        return namespace in self._spaces or unit in self._pods_in_unit

    def find(self, kind: str, name: str, namespace: str, unit: str = "") -> Sequence[Member]:
        """Return the objects that a name may mean: those of the unit if there are any, else those of the tree.

        Args:
            kind: `ConfigMap`.
            name: Its name.
            namespace: Where it is looked for; an object that names none may be in any.
            unit: What the question comes from.
        """
        wanted = "" if kind in _CLUSTER_WIDE else namespace
        near = self._named_in_unit.get((unit, kind, name), ())
        found = [one for one in near if _together(one.outline.namespace, wanted)]
        if found:
            return found
        return list(islice(_within(self._named.get((kind, name), {}), wanted), _MOST))

    def _answers(self, kind: str, name: str, namespace: str) -> bool:
        """Tell whether there is an object of that name."""
        spaces = self._named.get((kind, name))
        if spaces is None:
            return False
        return not namespace or namespace in spaces or "" in spaces

    def selected(self, selector: Mapping[str, Json], namespace: str, unit: str = "") -> Sequence[Member]:
        """Return what makes pods that a label selector matches, as `find` does.

        Args:
            selector: With matchLabels and matchExpressions; an empty one matches every pod.
            namespace: Where pods are looked for.
            unit: What the question comes from.
        """
        found = list(islice(self._matching(selector, namespace), _MOST))
        return [one for one in found if one.unit == unit] or found

    def _matching(self, selector: Mapping[str, Json], namespace: str) -> Iterator[Member]:
        """Yield what makes pods that a selector matches, found by the label that the fewest of them have."""
        labels = struct(selector.get("matchLabels"))
        found = [self._pods.get(label, {}) for label in labels.items() if isinstance(label[1], str)]
        fewest = min(found, key=_size, default=self._all_pods) if len(found) != 1 else found[0]
        if len(labels) == 1 and len(selector) == 1 and found:
            return _within(fewest, namespace)
        return (one for one in _within(fewest, namespace) if selects(selector, one.outline.labels or {}))

    def absence(self, kind: str, name: str, namespace: str, unit: str, *, only_certain: bool = False) -> Absence | None:
        """Say how sure it is that a name leads nowhere; None when it leads somewhere, or may be made by somebody.

        Args:
            kind: As for `find`.
            name: As for `find`.
            namespace: As for `find`.
            unit: As for `find`.
            only_certain: Nobody wants to hear of what may be elsewhere.
        """
        wanted = "" if kind in _CLUSTER_WIDE else namespace
        if self._answers(kind, name, wanted):
            return None
        slip = self._slip(kind, name, wanted, unit)
        certain = bool(slip) or (kind in self.kinds and self.is_closed(namespace))
        if only_certain and not certain:
            return None  # the usual case in a large repository, told by looking a few names up
        if _UNKNOWN.search(name) or _UNKNOWN.search(namespace) or self._made_by_somebody(kind, name, namespace):
            return None
        return Absence(certain=certain, hint=f"did you mean {slip}?" if slip else "")

    def selects_nothing(
        self, selector: Mapping[str, Json], namespace: str, unit: str, name: str, *, only_certain: bool = False
    ) -> Absence | None:
        """Say how sure it is that a selector matches no pod; None when it matches some, or somebody may make them.

        Args:
            selector: As for `selected`.
            namespace: As for `selected`.
            unit: As for `selected`.
            name: Of the object that selects.
            only_certain: Nobody wants to hear of what may be elsewhere.
        """
        if next(self._matching(selector, namespace), None) is not None:
            return None
        meant = self._meant(selector, namespace, unit, name)
        certain = meant is not None or self.is_closed(namespace)
        if only_certain and not certain:
            return None
        if _UNKNOWN.search(namespace) or _is_unknown(selector):
            return None
        if meant is None and self._is_open(namespace):
            return None
        hint = f"{meant.kind} {meant.name}, deployed with it, has other labels" if meant else ""
        return Absence(certain=certain, hint=hint)

    def is_closed(self, namespace: str) -> bool:
        """Tell whether all that a namespace holds is in sight: it is declared here, and nothing makes more."""
        return namespace in self._spaces and not self._is_open(namespace)

    def _is_open(self, namespace: str) -> bool:
        """Tell whether some controller may make anything in a namespace."""
        return namespace in self._open or "" in self._open or (not namespace and bool(self._open))

    def _made_by_somebody(self, kind: str, name: str, namespace: str) -> bool:
        """Tell whether a name fits one that is known in part, or a custom resource speaks of it or is its beginning."""
        wanted = "" if kind in _CLUSTER_WIDE else namespace
        if any(
            name.startswith(first) and name.endswith(last) and _together(space, wanted)
            for first, last, space in self._patterns.get(kind, ())[:_MOST]
        ):
            return True
        cuts = [index for index, letter in enumerate(name) if letter == "-"]
        parts = chain((name,), (name[:cut] for cut in cuts), (name[cut + 1 :] for cut in cuts))
        spaces = chain.from_iterable(self._makers.get(part, ()) for part in parts)
        return any(_together(space, namespace) for space in spaces)

    def _slip(self, kind: str, name: str, namespace: str, unit: str) -> str:
        """Return the name of the unit that this one is a slip of the pen of."""
        for one in self._of_kind.get((unit, kind), ())[:_MOST]:
            if _together(one.outline.namespace, namespace) and is_slip(name, one.outline.name):
                return one.outline.name
        return ""

    def _meant(self, selector: Mapping[str, Json], namespace: str, unit: str, name: str) -> Outline | None:
        """Return the workload of the unit that a selector was meant for: by its name, or by nearly those labels."""
        wanted = struct(selector.get("matchLabels"))
        for one in self._pods_in_unit.get(unit, ())[:_MOST] if wanted else ():
            if _together(one.outline.namespace, namespace) and (
                one.outline.name == name or _nearly(wanted, one.outline.labels or {})
            ):
                return one.outline
        return None


def _put(spaces: _Spaces, member: Member) -> None:
    spaces.setdefault(member.outline.namespace, []).append(member)


def _size(spaces: _Spaces) -> int:
    return sum(map(len, spaces.values()))


def _within(spaces: _Spaces, namespace: str) -> Iterator[Member]:
    """Yield the members that may be in a namespace: in any, where it is not named."""
    if not namespace:
        return chain.from_iterable(spaces.values())
    return chain(spaces.get(namespace, ()), spaces.get("", ()))


def _nearly(wanted: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    return all(
        labels.get(key) == value or is_slip(str(value), str(labels.get(key, ""))) for key, value in wanted.items()
    )


def _together(one: str, other: str) -> bool:
    """Tell whether two namespaces may be one: what is written without one is deployed into any."""
    return one == other or not one or not other


def _is_unknown(selector: Mapping[str, Json]) -> bool:
    labels = struct(selector.get("matchLabels"))
    return any(_UNKNOWN.search(f"{key} {value}") for key, value in labels.items())

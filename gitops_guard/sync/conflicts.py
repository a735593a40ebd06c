"""Fields that another manager owns: take them, leave them to it, or say so and leave the object as it is.

Every cause of a conflict is settled by the first rule that fits manager, path and kind; without one, what people did
with kubectl is taken, and what a controller did is not fought over.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gitops_guard.model import Body
from gitops_guard.sync.objects import Key

_MANAGER: Final = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')
_STEP: Final = re.compile(r'\.([^.\[]+)|\[((?:"(?:[^"\\]|\\.)*"|[^"\]])*)\]')
_PAIR: Final = re.compile(r'([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)')


class Conflict(NamedTuple):
    """One field that another manager owns with another value."""

    field: str
    """As the server writes it: `.spec.template.spec.containers[name="web"].image`."""

    manager: str


class Settlement(StrEnum):
    """What is done about a conflict."""

    TAKE = "take"
    YIELD = "yield"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRule:
    """What is done about some conflicts; every selector must fit."""

    settlement: Settlement
    manager: str = "*"
    """Glob: `kubectl*`, `kube-controller-manager`."""

    field: str = "*"
    """Glob of the field as the server writes it: `.spec.replicas`."""

    kind: str = ""
    """`Deployment.apps`; empty: any."""

    def fits(self, key: Key, conflict: Conflict) -> bool:
        """Tell whether the rule is about a conflict."""
        of_kind = not self.kind or self.kind in (key.kind, key.group_kind)
        return of_kind and fnmatch.fnmatchcase(conflict.manager, self.manager) and self._fits_field(conflict.field)

    def _fits_field(self, field: str) -> bool:
        pattern = "".join(".*" if char == "*" else re.escape(char) for char in self.field)
        return re.fullmatch(pattern, field) is not None


DEFAULT_RULES: Final = (
    ConflictRule(settlement=Settlement.TAKE, manager="kubectl*"),
    ConflictRule(settlement=Settlement.TAKE, manager="before-first-apply"),
    ConflictRule(settlement=Settlement.FAIL),
)


class Resolution(NamedTuple):
    """What all conflicts of one object come to."""

    force: bool
    """Send it once more by force: everything is taken."""

    yielded: tuple[str, ...]
    """Fields that are left out, as the server writes them."""

    refused: tuple[Conflict, ...]
    """Conflicts for which the object is left as it is."""


def conflict(field: str, message: str) -> Conflict:
    """Read a cause of an answer: its field, and the manager that its message names."""
    match = _MANAGER.search(message)
    return Conflict(field, match[1].replace('\\"', '"') if match else "")


def resolve(key: Key, conflicts: Iterable[Conflict], rules: Sequence[ConflictRule] = ()) -> Resolution:
    """Settle the conflicts of one object.

    Args:
        key: The object.
        conflicts: All causes that the server gave.
        rules: The user's, before ours.
    """
    found: dict[Settlement, list[Conflict]] = {word: [] for word in Settlement}
    for one in conflicts:
        rule = next(rule for rule in (*rules, *DEFAULT_RULES) if rule.fits(key, one))
        found[rule.settlement].append(one)
    return Resolution(
        force=bool(found[Settlement.TAKE]) and not found[Settlement.FAIL],
        yielded=tuple(sorted({one.field for one in found[Settlement.YIELD]})),
        refused=tuple(sorted(found[Settlement.FAIL])),
    )


def without(body: Body, fields: Iterable[str]) -> Body:
    """Return an object without some fields, given as the server writes them; what is not there is left out already."""
    copy: Any = json.loads(json.dumps(body))
    for field in fields:
        _remove(copy, _steps(field))
    found: Body = copy
    return found


def _steps(field: str) -> list[tuple[str, str]]:
    """Split `.a[k="v"].b` into ("f", "a"), ("i", 'k="v"'), ("f", "b")."""
    return [("f", match[1]) if match[1] is not None else ("i", match[2]) for match in _STEP.finditer(field)]


def _remove(node: Any, steps: list[tuple[str, str]]) -> None:
    for index, (kind, text) in enumerate(steps):
        is_last = index == len(steps) - 1
        place: Any = text if kind == "f" else _index(node, text)
        if kind == "f" and isinstance(node, dict) and "." not in node and text not in node:
            place = next((key for key in node if _starts(steps[index:], key)), None)
            if place is not None:
                node.pop(place)
            return
        if place is None or not _has(node, place):
            return
        if is_last:
            del node[place]
            return
        node = node[place]


def _starts(steps: list[tuple[str, str]], key: str) -> bool:
    """Tell whether the rest of a path is one key with dots in it, such as a label's."""
    return "." in key and all(kind == "f" for kind, _ in steps) and ".".join(text for _, text in steps) == key


def _has(node: Any, place: Any) -> bool:
    if isinstance(node, dict):
        return place in node
    return isinstance(node, list) and isinstance(place, int) and 0 <= place < len(node)


def _index(node: Any, text: str) -> int | None:
    if not isinstance(node, list):
        return None
    if text.isdecimal():
        return int(text)
    keys = {match[1]: _scalar(match[2]) for match in _PAIR.finditer(text)}
    for index, item in enumerate(node):
        if keys.keys() == {""} and item == keys[""]:
            return index
        if isinstance(item, dict) and "" not in keys and all(_same(item, name, keys[name]) for name in keys):
            return index
    return None


def _same(item: dict[str, Any], name: str, value: Any) -> bool:
    return bool(item.get(name, "TCP" if name == "protocol" else None) == value)


def _scalar(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text

"""Fields that Git leaves to others: they count neither as drift nor are they written, until the rule expires."""

import fnmatch
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from gitops_guard.model import Body, FieldPath
from gitops_guard.sync.field_selector import Selector
from gitops_guard.sync.objects import Key


class Way(StrEnum):
    """How a field is left to others."""

    STRIP = "strip"
    """It is dropped from our object: we do not own it, and another owner's value stays."""

    ADOPT = "adopt"
    """It is sent with the value that it has: we keep owning it, so that it does not fall back to its default."""

    REPORT = "report"
    """As `adopt`, and that it differs is told as drift in every run, which is not corrected."""


_KEEPING: Final = (Way.ADOPT, Way.REPORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRule:
    """Some fields of some objects; every selector must fit."""

    fields: Selector | None = None
    """None: all fields of the manager."""

    manager: str = ""
    """Glob; empty: whoever wrote it."""

    kind: str = ""
    """`Deployment.apps`; empty: any."""

    namespace: str = ""
    """Glob; empty: any."""

    name: str = ""
    """Glob; empty: any."""

    way: Way = Way.ADOPT
    until: str = ""
    """Last day on which it holds, `YYYY-MM-DD`; empty: it does not expire."""

    reason: str = ""

    def fits(self, key: Key) -> bool:
        """Tell whether it is about an object."""
        return (
            (not self.kind or self.kind in (key.kind, key.group_kind))
            and fnmatch.fnmatchcase(key.namespace, self.namespace or "*")
            and fnmatch.fnmatchcase(key.name, self.name or "*")
        )

    def is_expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return bool(self.until) and self.until < today.isoformat()

    def __str__(self) -> str:
        about = self.fields.text if self.fields is not None else f"all fields of {self.manager}"
        return f"{about} of {self.kind or 'any kind'}"


class Ignoring:
    """The rules of one run; remembers which of them were of use."""

    def __init__(self, rules: Sequence[IgnoreRule], today: date) -> None:
        self._rules = [rule for rule in rules if not rule.is_expired(today)]
        self.expired = [rule for rule in rules if rule.is_expired(today)]
        self._used: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def unused(self) -> list[IgnoreRule]:
        """Return the rules that were of no use: nothing that they are about was met."""
        return [rule for index, rule in enumerate(self._rules) if index not in self._used]

    def stripped(self, key: Key, body: Body) -> Body:
        """Return an object without the fields that are not ours to send; the same one where there is none."""
        paths = [path for selector in self._selectors(key, Way.STRIP, body) for path in selector.paths(body)]
        return _without(body, paths) if paths else body

    def adopts(self, key: Key, body: Body) -> bool:
        """Tell whether something of an object is to be sent with the value that it has in the cluster."""
        return any(selector.paths(body) for way in _KEEPING for selector in self._selectors(key, way, body))

    def reports(self, key: Key, body: Body) -> bool:
        """Tell whether drift of something of an object is told and not corrected."""
        return any(selector.paths(body) for selector in self._selectors(key, Way.REPORT, body))

    def adopted(self, key: Key, body: Body, live: Body, *, ways: Sequence[Way] = _KEEPING) -> Body:
        """Return an object with the values that it has in the cluster, where that is asked for."""
        copy = json.loads(json.dumps(body))
        for path in [path for way in ways for one in self._selectors(key, way, body) for path in one.paths(body)]:
            _put(copy, live, path)
        found: Body = copy
        return found

    def is_ignored(self, key: Key, manager: str) -> bool:
        """Tell whether a difference is somebody else's business.

        Args:
            key: The object.
            manager: Who wrote it; empty for nobody known.
        """
        for index, rule in enumerate(self._rules):
            if rule.manager and rule.fields is None and rule.fits(key) and fnmatch.fnmatchcase(manager, rule.manager):
                self._used.add(index)
                return True
        return False

    def managers(self, key: Key) -> list[str]:
        """Return the globs of managers whose fields are left alone."""
        return [rule.manager for rule in self._rules if rule.manager and rule.fields is None and rule.fits(key)]

    def _selectors(self, key: Key, way: Way, body: Body) -> list[Selector]:
        found = []
        for index, rule in enumerate(self._rules):
            if rule.fields is not None and rule.way is way and rule.fits(key):
                if rule.fields.paths(body):
                    self._used.add(index)
                found.append(rule.fields)
        return found


def _without(body: Body, paths: Sequence[FieldPath]) -> Body:
    copy: Any = json.loads(json.dumps(body))
    for path in sorted(paths, key=str, reverse=True):  # later items first, so that indices stay right
        node = copy
        for element in path[:-1]:
            node = node[element]
        del node[path[-1]]
    found: Body = copy
    return found


def _put(body: Any, live: Any, path: FieldPath) -> None:
    """Give a field the value that it has in the cluster, or leave it out where somebody has removed it.

    A list item is found by its name; one that is gone is made anew, with the values that Git gives it.
    """
    for element in path[:-1]:
        live = _same_item(body[element], element, live)
        body = body[element]
        if live is None:
            return
    last = path[-1]
    if not isinstance(live, dict):
        return
    if last in live:
        body[last] = live[last]
    elif isinstance(body, dict):
        body.pop(last, None)


def _same_item(item: Any, element: str | int, live: Any) -> Any:
    if isinstance(element, str):
        return live.get(element, {}) if isinstance(live, dict) else None
    if not isinstance(live, list):
        return None
    name = item.get("name") if isinstance(item, dict) else None
    if name is not None:
        return next((one for one in live if isinstance(one, dict) and one.get("name") == name), None)
    return live[element] if element < len(live) else None

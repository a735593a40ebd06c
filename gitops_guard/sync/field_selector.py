"""Which fields of an object are meant: a JSON pointer or the part of JSONPath that names fields and list items.

/spec/template/spec/containers/0/image         /metadata/annotations/a.b~1c         /spec/containers/*/image
$.spec.containers[?(@.name=="web")].image      $.metadata.annotations['a.b/c']      spec.containers[*].image
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from gitops_guard.errors import SyncError
from gitops_guard.model import FieldPath

_STEP: Final = re.compile(
    r"""\.?(?P<name>[A-Za-z_$][A-Za-z0-9_$-]*)
      | \[\s*'(?P<single>[^']*)'\s*\] | \[\s*"(?P<double>[^"]*)"\s*\]
      | \[(?P<index>\d{1,6})\] | (?P<all>\[\*\]|\.\*)
      | \[\?\(\s*@\.(?P<key>[A-Za-z0-9_-]+)\s*==\s*(?:'(?P<v1>[^']*)'|"(?P<v2>[^"]*)")\s*\)\]""",
    re.VERBOSE,
)


class Where(NamedTuple):
    """A list item by one of its fields."""

    key: str
    value: str


ALL: Final = "*"
Step = str | int | Where


class Selector(NamedTuple):
    """Some fields of an object."""

    text: str
    steps: tuple[tuple[str, Step], ...]
    """("field", name), ("item", index or condition), ("all", "*")."""

    def paths(self, body: object) -> list[FieldPath]:
        """Return the places that there are in an object, in order."""
        return list(_paths(body, self.steps, ()))


def selector(text: str) -> Selector:
    """Read a pointer or a path.

    Raises:
        SyncError: It is neither.
    """
    steps = _pointer(text) if text.startswith("/") else _json_path(text)
    if not steps:
        raise SyncError(f"{text!r} names no field; write it as /spec/replicas or $.spec.replicas")
    return Selector(text, tuple(steps))


def _pointer(text: str) -> list[tuple[str, Step]]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]
    return [("all", ALL) if part == ALL else ("any", part) for part in parts if part]


def _json_path(text: str) -> list[tuple[str, Step]]:
    rest, found = text.removeprefix("$"), list[tuple[str, Step]]()
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise SyncError(f"{text!r} cannot be read as a path from {rest[:20]!r} on")
        found.append(_step(match))
        rest = rest[match.end() :]
    return found


def _step(match: re.Match[str]) -> tuple[str, Step]:
    if match["all"]:
        return ("all", ALL)
    if match["index"]:
        return ("any", match["index"])
    if match["key"]:
        return ("where", Where(match["key"], match["v1"] if match["v1"] is not None else match["v2"]))
    return ("any", match["name"] or match["single"] or match["double"] or "")


def _paths(node: object, steps: tuple[tuple[str, Step], ...], path: FieldPath) -> Iterator[FieldPath]:
    if not steps:
        yield path
        return
    for place, child in _children(node, *steps[0]):
        yield from _paths(child, steps[1:], (*path, place))


def _children(node: object, kind: str, step: Step) -> Iterator[tuple[str | int, Any]]:
    if isinstance(node, dict):
        if kind == "all":
            yield from node.items()
        elif isinstance(step, str) and step in node:
            yield step, node[step]
    elif isinstance(node, list):
        for index, item in enumerate(node):
            by_index = isinstance(step, str) and step == str(index)
            by_key = isinstance(step, Where) and isinstance(item, dict) and item.get(step.key) == step.value
            if kind == "all" or by_index or by_key:
                yield index, item

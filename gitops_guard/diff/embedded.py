"""Documents inside of a ConfigMap's values: JSON, YAML, ini and properties, read so that they can be compared inside.

A reader gives up (None) on whatever is unusual; the value is then compared as text, in which nothing can be missed.
"""

import json
import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from gitops_guard.model import Json

ReadYaml: TypeAlias = Callable[[str], "Json | None"]
"""Reads one YAML document of any shape; None when it is unreadable, or there are several."""

_LONGEST: Final = 1_000_000
_DEEPEST: Final = 64
_SECTION: Final = re.compile(r"\[([^\[\]]+)\]")
_PAIR: Final = re.compile(r"([^\s=:#;\[!\\]+)[ \t]*=[ \t]*(.*)")
_COMMENTS: Final = ("#", ";")
_BY_SUFFIX: Final = {
    "json": "json", "yaml": "yaml", "yml": "yaml", "ini": "ini", "cfg": "ini", "conf": "ini", "cnf": "ini",
    "properties": "properties", "env": "properties",
}  # fmt: skip


class Documents(NamedTuple):
    """Both sides of a value, read."""

    format: str
    """`json`, `yaml`, `ini` or `properties`."""

    old: Json
    new: Json
    same_words: bool
    """Whether the texts differ in layout alone: blanks, comments and the order of lines."""


def read_both(key: str, old: str, new: str, read_yaml: ReadYaml | None) -> Documents | None:
    """Read the two values of a ConfigMap's key; None when they are compared as text."""
    if max(len(old), len(new)) > _LONGEST:
        return None
    form = _BY_SUFFIX.get(key.rpartition(".")[2].lower(), "")
    if not form and old.lstrip()[:1] in ("{", "[") and new.lstrip()[:1] in ("{", "["):
        form = "json"
    readers: dict[str, ReadYaml | None] = {
        "json": _read_json, "yaml": read_yaml, "ini": _read_ini, "properties": _read_properties,
    }  # fmt: skip
    reader = readers.get(form)
    if reader is None:
        return None
    before, after = reader(old), reader(new)
    if (
        not isinstance(before, dict | list)
        or type(before) is not type(after)
        or not (_shallow(before) and _shallow(after))
    ):
        return None
    return Documents(form, before, after, form == "json" or _words(old) == _words(new))


def _read_json(text: str) -> "Json | None":
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_exact)
    except (ValueError, RecursionError):
        return None
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice: readers differ in which one they take")
    return found


def _refuse(constant: str) -> Json:
    raise ValueError(constant)


def _exact(text: str) -> Json:
    """Keep numbers apart that only differ in digits which a float cannot hold."""
    value = float(text)
    if repr(value) != text:
        raise ValueError(text)
    return value


def _read_ini(text: str) -> "Json | None":
    sections: dict[str, Json] = {}
    current: dict[str, Json] = {}
    top = current
    for raw in text.split("\n"):
        line = raw.rstrip()
        if not line or line.startswith(_COMMENTS):
            continue
        if section := _SECTION.fullmatch(line):
            if section[1] in sections:
                return None
            current = {}
            sections[section[1]] = current
        elif not _take(line, current):
            return None
    if any(name in sections for name in top):
        return None
    return {**top, **sections}


def _read_properties(text: str) -> "Json | None":
    found: dict[str, Json] = {}
    for raw in text.split("\n"):
        line = raw.rstrip()
        if line and not line.startswith(("#", "!")) and not _take(line, found):
            return None
    return found


def _take(line: str, into: dict[str, Json]) -> bool:
    """Add one `key = value`; False for anything else: a continued line, an indented one, a key that stands twice."""
    match = _PAIR.fullmatch(line)
    if match is None or match[1] in into or line.endswith("\\"):
        return False
    into[match[1]] = match[2]
    return True


def _words(text: str) -> list[str]:
    lines = (line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return sorted(word for line in lines for word in line.split())


def _shallow(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return True
    return False


def _children(node: Json) -> list[Json]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []

"""Helm values: merged as Helm merges them, and given to it as files."""

import json
import re
from collections.abc import Mapping

from gitops_guard.model import Json

_TYPED = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


def merge(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Return both, the second winning; only mappings are merged, as Helm does."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def at_path(dotted: str, value: Json) -> dict[str, Json] | None:
    """Return values with one field set: `a.b` is `{"a": {"b": value}}`; None for a path with list indices."""
    parts = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", dotted)]
    if not all(parts) or any("[" in part for part in parts):
        return None
    nested: Json = value
    for part in reversed(parts):
        nested = {part: nested}
    return nested if isinstance(nested, dict) else None


def typed(written: str) -> Json:
    """Read a value as Helm's `--set` does: whole numbers, true, false and null are no text."""
    if written in _TYPED:
        return _TYPED[written]
    return int(written) if _NUMBER.fullmatch(written) else written


def as_file(values: Mapping[str, Json]) -> bytes:
    """Return values as a file that Helm reads: JSON is YAML."""
    return json.dumps(values, ensure_ascii=True, sort_keys=True).encode()

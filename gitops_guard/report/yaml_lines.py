"""A masked object as YAML lines to be read, not to be applied: block style, long texts as they are, always the same."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from gitops_guard.model import Json

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*(?::[A-Za-z0-9_/.-]+)*")
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".nan", ".inf"))
_LITERAL: Final = re.compile(r"[^\s][^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*")
"""Texts that a literal block gives back as they are: no other line breaks, nothing that YAML refuses."""


def yaml_lines(value: "Json | Mapping[str, Json]", indent: str = "") -> Iterator[str]:
    """Yield the lines of a tree; whatever is hostile in them is still to be made visible."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", item, indent)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _item(item, indent)
    else:
        yield f"{indent}{_scalar(value)}"


def _entry(head: str, value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from yaml_lines(value, f"{indent}  ")
    elif isinstance(value, list) and value:
        yield head
        yield from yaml_lines(value, indent)
    elif isinstance(value, str) and _is_literal(value):
        yield f"{head} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"{indent}  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Json, indent: str) -> Iterator[str]:
    if not isinstance(value, dict | list) or not value:
        yield from _entry(f"{indent}-", value, indent)
        return
    lines = yaml_lines(value, f"{indent}  ")
    first = next(lines)
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from lines


def _is_literal(text: str) -> bool:
    return "\n" in text.removesuffix("\n") and not text.endswith("\n\n") and _LITERAL.fullmatch(text) is not None


def _scalar(value: "Json | Mapping[str, Json]") -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)

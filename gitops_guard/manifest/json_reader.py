"""JSON to the same nodes that YAML becomes, with places. Files of JSON are rare: written for reading, not for speed."""

import json
import re

from gitops_guard.manifest.composer import Kind, Node
from gitops_guard.manifest.limits import MAX_DEPTH

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")


class NotJsonError(ValueError):
    """The text is no JSON; `offset` says where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class JsonTooDeepError(ValueError):
    """Deeper than the loader goes; `offset` says where."""

    def __init__(self, offset: int) -> None:
        super().__init__("too deep")
        self.offset = offset


def skip_blank(text: str, offset: int) -> int:
    """Return the offset of the first character from `offset` on that is not blank."""
    match = _BLANK.match(text, offset)
    assert match is not None, "it matches nothing at all, too"
    return match.end()


def read_object(text: str, offset: int = 0) -> Node:
    """Read the object that starts at an offset.

    Raises:
        NotJsonError: No JSON object starts there.
        JsonTooDeepError: It is nested deeper than the loader goes.
    """
    if not text.startswith("{", offset):
        raise NotJsonError("a JSON object was expected", offset)
    return _value(text, offset, 1)


def _value(text: str, offset: int, depth: int) -> Node:
    first = text[offset : offset + 1]
    if first in {"{", "["} and depth > MAX_DEPTH:
        raise JsonTooDeepError(offset)
    if first == "{":
        return _object(text, offset, depth)
    if first == "[":
        return _array(text, offset, depth)
    if first == '"':
        return _string(text, offset)
    match = _NUMBER.match(text, offset) or _WORD.match(text, offset)
    if match is None:
        raise NotJsonError("a JSON value was expected", offset)
    node = Node(Kind.SCALAR, offset, match.end())
    node.text = match.group()
    node.plain = True
    return node


def _string(text: str, offset: int) -> Node:
    match = _STRING.match(text, offset)
    if match is None:
        raise NotJsonError("a JSON string was expected", offset)
    node = Node(Kind.SCALAR, offset, match.end())
    # Go reads half a surrogate pair as U+FFFD.
    node.text = json.loads(match.group()).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return node


def _array(text: str, offset: int, depth: int) -> Node:
    node = Node(Kind.SEQUENCE, offset, offset)
    node.flow = True
    here = skip_blank(text, offset + 1)
    if not text.startswith("]", here):
        here -= 1
        while True:
            item = _value(text, skip_blank(text, here + 1), depth + 1)
            node.items.append(item)
            here = _delimiter(text, item.end, "]")
            if text[here] == "]":
                break
    node.end = here + 1
    return node


def _object(text: str, offset: int, depth: int) -> Node:
    node = Node(Kind.MAPPING, offset, offset)
    node.flow = True
    here = skip_blank(text, offset + 1)
    if not text.startswith("}", here):
        here -= 1
        while True:
            key = _string(text, skip_blank(text, here + 1))
            colon = skip_blank(text, key.end)
            if not text.startswith(":", colon):
                raise NotJsonError("`:` was expected", colon)
            value = _value(text, skip_blank(text, colon + 1), depth + 1)
            node.pairs.append((key, value))
            here = _delimiter(text, value.end, "}")
            if text[here] == "}":
                break
    node.end = here + 1
    return node


def _delimiter(text: str, offset: int, closing: str) -> int:
    here = skip_blank(text, offset)
    if not text.startswith((",", closing), here):
        raise NotJsonError(f"`,` or `{closing}` was expected", here)
    return here

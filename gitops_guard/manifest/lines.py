"""The first quick reader: plainly written block YAML, a line at a time, without a YAML library.

Most lines of manifests have been seen before: `  name: http`, `      containers:`. So each different line is analysed
once and remembered, and a file becomes a walk over remembered lines with a stack of open collections. The subset is
strict: a line that could mean something else in some context (part of a scalar over several lines, a tag, an anchor) or
that any reader could mind ends in doubt, which is None, and `plain_events` is asked.

It is on the way of every hook run, so it imports nothing but `re`.
"""

import re
from itertools import chain

from gitops_guard.manifest.limits import MAX_BYTES
from gitops_guard.manifest.plain_scalars import (
    KEYS,
    LONGEST_REMEMBERED,
    MEMO_SIZE,
    MODES,
    VALUES,
    NotSureError,
    mode_of,
)

TYPE_CHECKING = False  # as in typing, which costs the hook 10 ms to import
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Line = tuple[int, int, str, Any, str | int | None, int]
    """Place, kind, key, value, what the next line may be the value of (a subscript), place of a mapping begun here."""

    Value = tuple[int, Any]
    """What must be done to make the value (added to the kind), and what to make it of."""

# A place orders collections by how deep their lines stand: twice the column for a mapping, one more for a list. A list
# may stand at the column of the key it belongs to, and is then deeper than the mapping of that key. An odd place is a
# list's, so that lines at one place never belong to collections of two kinds.
_SEPARATOR = -2  # above every collection
_ROOT = -1
_IGNORED = 1_000_000  # below every collection
_DEEPEST = 90  # columns: at most two collections begin at each, far from limits.MAX_DEPTH

_PAIR, _ITEM, _ITEM_PAIR = 0, 1, 2
_AS_IS, _COPY, _BLOCK, _NESTED = 0, 3, 6, 9

_LONGEST = 1000  # libyaml and go-yaml look for the colon of a key within 1,024 characters
_DEEPEST_FLOW = 8

_PRINTABLE = b"\n" + bytes(range(0x20, 0x7F))
# Indentation, dash, and a key with its colon: plain or in quotes.
_SHAPE = re.compile(
    r"( *)(-(?: +|\Z))?"
    r"(?:(?:([A-Za-z0-9_./][A-Za-z0-9_./@$+~-]*)|\"([^\"\\]+)\"|'([^']+)'):(?: +|\Z))?"
)
_HEAD = re.compile(r"( *)(- +)?([A-Za-z0-9_./][A-Za-z0-9_./@$+~-]*)\Z")
# Patterns that few files need are compiled by `re` when it first meets them.
# Possessive (`++`, `*+`): an unclosed quote must not be tried in all ways of cutting the text.
_SINGLE = r"'((?:[^']++|'')*+)'"
_DOUBLE = r'"((?:[^"\\]++|\\["\\nt])*+)"'
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_WORD = r"[A-Za-z0-9_./@%+=~-]"
# A value whose end is the line's: a word too long to be `false` or the like, a text in quotes, or any other word.
_SIMPLE = re.compile(
    rf"([A-Za-z]{_WORD}{{5,}}(?::{_WORD}+)*(?<!---))\Z"
    r"|\"([^\"\\]*)\"\Z"
    rf"|[A-Za-z0-9_./$]{_WORD}*(?::{_WORD}+)*\Z"
)
_TOKEN = re.compile(
    r" *(?:([\[\]{},])"
    r"|\"([^\"\\]*)\""
    r"|'([^']*)'"
    rf"|((?:[A-Za-z0-9_./]|-(?=[A-Za-z0-9])){_WORD}*(?::[A-Za-z0-9_./]{_WORD}*)*))"
    r"(:(?= ))?"
)
# Header of a block scalar -> what joins its lines, and what ends it; None for all the newlines that are there.
_BLOCKS: "dict[str, tuple[str, str | None]]" = {
    "|": ("\n", "\n"),
    "|-": ("\n", ""),
    "|+": ("\n", None),
    ">": (" ", "\n"),
    ">-": (" ", ""),
}
_NO_START = frozenset("-?:,[]{}#&*!|>'\"%@`")


def _is_over(rest: str) -> bool:
    """Tell whether nothing but blanks and a comment is left of a line."""
    left = rest.lstrip(" ")
    return not left or (left[0] == "#" and rest[0] == " ")


def _quoted(text: str) -> str:
    """Read a value in quotes."""
    match = re.match(_SINGLE if text[0] == "'" else _DOUBLE, text)
    if match is None or not _is_over(text[match.end() :]):
        raise NotSureError
    content: str = match[1]
    if text[0] == "'":
        return content.replace("''", "'")
    return re.sub(r"\\(.)", lambda escape: _ESCAPES[escape[1]], content) if "\\" in content else content


def _tokens(text: str) -> "list[re.Match[str]]":
    """Cut a value in flow style into tokens, last one first."""
    found = []
    depth = at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotSureError
        found.append(match)
        at = match.end()
        if match[1] in ("[", "{"):
            depth += 1
        elif match[1] in ("]", "}"):
            depth -= 1
            if not depth:
                break
        if depth > _DEEPEST_FLOW:
            raise NotSureError
    if found[-1][5] or not _is_over(text[at:]):
        raise NotSureError
    return found[::-1]


def _scalar(token: "re.Match[str]") -> object:
    """Read a scalar in flow style; a bracket or a comma is none."""
    if token[4] is not None:
        return VALUES[token[4]]
    if token[1] is not None:
        raise NotSureError
    return token[2] if token[2] is not None else token[3]


def _flow(tokens: "list[re.Match[str]]") -> object:
    """Read a value in flow style."""
    token = tokens.pop()
    if token[5]:
        raise NotSureError
    if token[1] == "[":
        return _flow_list(tokens)
    return _flow_mapping(tokens) if token[1] == "{" else _scalar(token)


def _flow_list(tokens: "list[re.Match[str]]") -> "list[object]":
    items: list[object] = []
    if tokens[-1][1] == "]":
        tokens.pop()
        return items
    while True:
        items.append(_flow(tokens))
        if _ends(tokens, "]"):
            return items


def _flow_mapping(tokens: "list[re.Match[str]]") -> "dict[str, object]":
    body: dict[str, object] = {}
    if tokens[-1][1] == "}":
        tokens.pop()
        return body
    while True:
        token = tokens.pop()
        key = KEYS[token[4] or token[2] or token[3] or ""]
        if not token[5] or key in body:
            raise NotSureError
        body[key] = _flow(tokens)
        if _ends(tokens, "}"):
            return body


def _ends(tokens: "list[re.Match[str]]", bracket: str) -> bool:
    """Take what follows an entry: its collection's end, or a comma."""
    token = tokens.pop()
    if token[5] or token[1] not in (bracket, ","):
        raise NotSureError
    return token[1] == bracket


def _value(text: str, key: str, column: int) -> "Value":
    """Read what stands after a dash or a colon.

    Args:
        text: Not empty, without blanks before it.
        key: Its key; empty for an item.
        column: Of the dash or the key: a block scalar is indented deeper.
    """
    first = text[0]
    if first in _NO_START:
        if first in "\"'":
            return _AS_IS, _quoted(text)
        if first in "[{" and len(text) <= _LONGEST:
            return _COPY, _flow(_tokens(text))
        if first in "|>" and text.rstrip(" ") in _BLOCKS:
            return _BLOCK, (column + 1, *_BLOCKS[text.rstrip(" ")])
        if first != "-" or text[1:2] in ("", " "):
            raise NotSureError
    comment = text.find(" #")
    text = (text if comment < 0 else text[:comment]).rstrip(" ")
    if text[-1] == ":" or ": " in text:
        raise NotSureError
    return _AS_IS, mode_of(text) if key in MODES else VALUES[text]


def _analyse(line: str) -> "Line":
    """Read a line, as far as it can be read without those before it."""
    shape = _SHAPE.match(line)
    assert shape is not None, "every part of it is optional"
    rest = line[shape.end() :]
    column = shape.end(1)
    place = 2 * column
    key = shape[3] or shape[4] or shape[5]
    is_empty = not rest or rest[0] == "#"
    if key is None:
        if shape[2] is None:
            if is_empty:
                return _IGNORED, 0, "", None, None, 0
            raise NotSureError
        if is_empty:
            return place + 1, _ITEM, "", None, -1, 0
        if rest[0] == "-" and rest[1:2] in ("", " "):
            return place + 1, _ITEM + _NESTED, "", " " * shape.end() + rest, -1, 0
        make, value = _value(rest, "", column)
        return place + 1, _ITEM + make, "", value, None, 0
    if shape.end() > _LONGEST:
        raise NotSureError
    KEYS[key]  # raises for one that some reader takes for no string
    inner = shape.end(2) if shape[2] else column
    make, value = (_AS_IS, None) if is_empty else _value(rest, key, inner)
    waiting = key if is_empty else None
    if shape[2]:
        return place + 1, _ITEM_PAIR + make, key, value, waiting, 2 * inner
    return place, _PAIR + make, key, value, waiting, 0


class _Heads(dict[str, "tuple[int, int, str, int] | None"]):
    """What stands before `: ` -> place, kind, key, place of a mapping begun here; None if `_analyse` must look closer.

    Lines of which nobody has seen the value have mostly a head that is known.
    """

    __slots__ = ()

    def __missing__(self, head: str) -> "tuple[int, int, str, int] | None":
        shape = _HEAD.match(head)
        if shape is None or shape.end(2) > _DEEPEST or len(head) > _LONGEST or shape[3] in MODES:
            return None
        key = KEYS[shape[3]]
        column = shape.end(1)
        found = (2 * column, _PAIR, key, 0) if shape[2] is None else (2 * column + 1, _ITEM_PAIR, key, 2 * shape.end(2))
        if len(head) <= LONGEST_REMEMBERED:
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[head] = found
        return found


_HEADS = _Heads()


class _Table(dict[str, "Line"]):
    """A line -> what it says; filled as lines are met, since manifests repeat themselves."""

    __slots__ = ()

    def __missing__(self, line: str) -> "Line":
        head, colon, text = line.partition(": ")
        if colon and (simple := _SIMPLE.match(text)):
            known = _HEADS[head]
            if known is not None:
                value = VALUES[text] if simple.lastindex is None else simple[simple.lastindex]
                found: Line = (known[0], known[1], known[2], value, None, known[3])
                if len(line) <= LONGEST_REMEMBERED:
                    if len(self) >= MEMO_SIZE:
                        self.clear()
                    self[line] = found
                return found
        if line == "---":
            found = (_SEPARATOR, 0, "", None, None, 0)
        elif line.lstrip(" ")[:1] == "#":
            found = (_IGNORED, 0, "", None, None, 0)
        elif line[:3] == "---" or len(line) - len(line.lstrip(" -")) > _DEEPEST:
            raise NotSureError
        else:
            found = _analyse(line)
        if len(line) <= LONGEST_REMEMBERED and not _holds_collections(found[3]):
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[line] = found
        return found


def _holds_collections(value: object) -> bool:
    """Tell whether copying a value would leave parts of it shared."""
    parts = value.values() if type(value) is dict else value if type(value) is list else ()
    return any(type(part) is dict or type(part) is list for part in parts)


_TABLE = _Table()


def _block(lines: "Iterator[str]", least: int, joint: str, end: "str | None") -> "tuple[str, str]":
    """Take the lines of a block scalar.

    Args:
        lines: What is left of the file; a separator is its last line.
        least: Columns by which the scalar's lines are indented at least.
        joint: What joins its lines.
        end: A newline, nothing, or None to keep all newlines.

    Returns:
        The scalar, and the line after it.
    """
    content: list[str] = []
    longest = 0
    for line in lines:
        if line.strip(" "):
            break
        longest = max(longest, len(line))
        content.append("")
    indent = len(line) - len(line.lstrip(" "))
    if indent < least or longest > indent:
        raise NotSureError
    content.append(line[indent:])
    prefix = " " * indent
    for line in lines:
        if line.startswith(prefix):
            content.append(line[indent:])
        elif not line.strip(" "):
            content.append("")
        else:
            break
    text = "\n".join(content)
    if end is None:
        return text + "\n", line
    text = text.rstrip("\n")
    if joint != "\n":
        if "\n\n" in text or "\n " in text or text[0] in "\n ":
            raise NotSureError  # blank lines and deeper lines are folded in another way
        text = text.replace("\n", joint)
    return text + end, line


def _special(kind: int, value: "Any", lines: "Iterator[str]") -> "tuple[object, Iterator[str] | None]":
    """Make a value that is no scalar of one line; return too what is left of the file if a line was taken or added."""
    if kind < _BLOCK:
        return value.copy(), None
    if kind < _NESTED:
        text, line = _block(lines, *value)
        return text, chain((line,), lines)
    return None, chain((value,), lines)


def _keep(root: object, bodies: "list[object]") -> None:
    """Keep a document, if it is a manifest; an empty one is passed over."""
    if type(root) is dict:
        bodies.append(root)
    elif root is not None:
        raise NotSureError


def _bodies(lines: "Iterator[str]") -> "list[object]":  # noqa: C901 (a call for a line costs more than the line)
    """Build every document; a separator must be the last line.

    The most frequently run loop of the clean path: most lines go through it without a call.
    """
    bodies: list[object] = []
    root: list[object] = [None]
    stack: list[tuple[int, Any]] = []
    here, box, waiting = _ROOT, root, 0  # type: int, Any, str | int | None
    ahead: Iterator[str] | None = lines
    while ahead is not None:
        entries = map(_TABLE.__getitem__, ahead)
        ahead = None
        for place, kind, key, value, then, inner in entries:
            if place != here:
                if place == _IGNORED:
                    continue
                if place > here:
                    if waiting is None:
                        raise NotSureError
                    stack.append((here, box))
                    fresh: Any = [] if place & 1 else {}
                    box[waiting] = fresh
                    here, box = place, fresh
                elif place == _SEPARATOR:
                    _keep(root[0], bodies)
                    root, stack = [None], []
                    here, box, waiting = _ROOT, root, 0
                    continue
                else:
                    while here > place:
                        here, box = stack.pop()
                    if here != place:
                        raise NotSureError
            waiting = then
            if kind > _ITEM_PAIR:
                value, ahead = _special(kind, value, lines)
                kind %= 3
            if kind == _PAIR:
                if key in box:
                    raise NotSureError
                box[key] = value
            elif kind == _ITEM:
                box.append(value)
            else:
                stack.append((here, box))
                fresh = {key: value}
                box.append(fresh)
                here, box = inner, fresh
            if ahead is not None:
                break
    return bodies


def _text(data: bytes) -> str:
    """Decode a file of printable characters and newlines."""
    odd = data.translate(None, _PRINTABLE)
    if odd:
        if min(odd) < 0x80:
            raise NotSureError
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise NotSureError from None
        # Leaves out what is invisible, a blank or a line break for some reader, and what YAML does not allow.
        if not text.replace("\n", "").isprintable():
            raise NotSureError
        return text
    return data.decode("ascii")


def read_lines(data: bytes) -> "list[object] | None":
    """Read a manifest file that is plainly written.

    Args:
        data: The whole file.

    Returns:
        As `plain.read_plain`: the bodies of its documents; None when it is not written plainly enough.
    """
    if len(data) > MAX_BYTES:
        return None
    try:
        lines = _text(data).split("\n")
        if lines[-1]:
            lines.append("---")
        else:
            lines[-1] = "---"
        return _bodies(iter(lines)) or None
    except NotSureError:
        return None

"""The quick reader: bodies of a file that holds nothing unusual, or None for "not sure, ask `loader.load`".

It owns speed and nothing else: no places, no messages, no dialects but kubectl's. Whatever the loader would mention at
any severity ends in None here, and so does much that it would not (anchors, tags, JSON). It is on the way of every hook
run, so it imports nothing that PyYAML does not import itself, and nothing of this package.
"""

import re

from yaml._yaml import CParser
from yaml.error import YAMLError
from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

TYPE_CHECKING = False  # as in typing, which costs the hook 10 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Next = Callable[[], Any]
    """`CParser.get_event`: bound once a file, so that the loops below make no attribute look-up for it."""

MAX_BYTES = 3 * 1024 * 1024
"""The API server takes no request body above 3 MiB."""

MAX_DEPTH = 200
"""Deeper trees are refused, far above any real manifest and far below Python's recursion limit."""

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,8}\Z")
# What some YAML reader takes for a number, a date, a time or infinity. Broader than needed, so that doubt ends in None.
_ODD = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-9_]+)+(?:\.[0-9_]*)?\Z"
    r"|[-+]?0[xXoObB][-+0-9a-fA-F_]*\Z"
    r"|[-+]?[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?\Z"
    r"|[-+]?\.(?:inf|nan)\Z"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    re.IGNORECASE,
)
_OCTAL = re.compile(r"0[0-7]{1,6}\Z")
_NUMERIC = frozenset("+-.0123456789")
_DOUBTFUL = frozenset(
    ("y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "<<", "=")
)
_WORDS: "dict[str, object]" = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_MODES = frozenset(("mode", "defaultMode"))
_MEMO_SIZE = 20_000
_LONGEST_REMEMBERED = 120


class _NotSureError(Exception):
    """The file holds something that only the loader can judge."""


def _resolve(text: str) -> object:
    """Read a plain scalar as kubectl does, where every YAML reader would agree."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _DOUBTFUL or text.endswith("---"):
        raise _NotSureError
    if text[0] not in _NUMERIC:
        return text
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        # Go writes an integral float as an integer: 3.0 reaches the server as 3.
        return int(number) if number.is_integer() else number
    if _ODD.match(text):
        raise _NotSureError
    return text


class _Values(dict[str, object]):
    """Text of a plain scalar -> its value; filled as texts are met, since manifests repeat themselves."""

    __slots__ = ()

    def __missing__(self, text: str) -> object:
        value = _resolve(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MEMO_SIZE:
                self.clear()
            self[text] = value
        return value


class _Keys(dict[str, str]):
    """Text of a key -> the same text, for texts that are a string whether they are quoted or not."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        if _resolve(text) != text:
            raise _NotSureError
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MEMO_SIZE:
                self.clear()
            self[text] = text
        return text


_VALUES = _Values()
_KEYS = _Keys()


def _careful(get: "Next") -> "Next":
    """Wrap the parser's method for a file that may hold anchors, tags, octal modes, or question marks in flow style.

    One event in a hundred files pays for this; the loops below stay free of questions that most files never raise.
    """
    before = ""

    def next_event() -> "Any":
        nonlocal before
        event = get()
        if isinstance(event, NodeEvent) and (event.anchor is not None or getattr(event, "tag", None) is not None):
            raise _NotSureError  # an alias is an event with an anchor
        if type(event) is not ScalarEvent:
            return event
        if not event.style:
            if "?" in event.value:
                raise _NotSureError
            if before in _MODES and _OCTAL.match(event.value):
                event.value = str(int(event.value, 8))
        before = event.value
        return event

    return next_event


def _mapping(get: "Next", depth: int) -> "dict[str, object]":
    """Build the mapping whose start event has been taken.

    Recursion, with the parser's bound method passed along, was faster than iterators, and than composing nodes;
    explicit stacks were equal.
    """
    if not depth:
        raise _NotSureError
    body: dict[str, object] = {}
    event = get()
    while type(event) is ScalarEvent:
        key = _KEYS[event.value]
        if key in body:
            raise _NotSureError
        event = get()
        kind = type(event)
        if kind is ScalarEvent:
            body[key] = event.value if event.style else _VALUES[event.value]
        elif kind is MappingStartEvent:
            body[key] = _mapping(get, depth - 1)
        else:
            body[key] = _sequence(get, depth - 1)
        event = get()
    if type(event) is not MappingEndEvent:
        raise _NotSureError  # a list or mapping as a key
    return body


def _sequence(get: "Next", depth: int) -> "list[object]":
    """Build the list whose start event has been taken."""
    if not depth:
        raise _NotSureError
    items: list[object] = []
    while True:
        event = get()
        kind = type(event)
        if kind is MappingStartEvent:
            items.append(_mapping(get, depth - 1))
        elif kind is ScalarEvent:
            items.append(event.value if event.style else _VALUES[event.value])
        elif kind is SequenceEndEvent:
            return items
        else:
            items.append(_sequence(get, depth - 1))


def _bodies(get: "Next") -> "list[object]":
    """Build every document of a stream."""
    get()  # the start of the stream
    bodies: list[object] = []
    while type(get()) is not StreamEndEvent:
        event = get()
        if type(event) is MappingStartEvent:
            bodies.append(_mapping(get, MAX_DEPTH))
        elif type(event) is not ScalarEvent or event.style or _VALUES[event.value] is not None:
            raise _NotSureError  # only a mapping is a manifest; a null document is skipped, as kubectl does
        if get().explicit:
            raise _NotSureError  # `...`: kubectl drops what follows without a word
    return bodies


def _text(data: bytes) -> "str | None":
    """Decode a file and refuse what kubectl's line reader would treat otherwise than a YAML parser does."""
    if len(data) > MAX_BYTES:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    if not text.endswith("\n"):
        text += "\n"
    if not text.isascii() and any(mark in text for mark in "\ufeff\x85\u2028\u2029"):
        return None
    return text if _one_way_to_split(text) else None


def _one_way_to_split(text: str) -> bool:
    """Tell whether every reader sees the same documents: nothing but bare `---` lines between YAML."""
    # One-character searches come first: they are far quicker than those for two and more.
    if "%" in text and (text[0] == "%" or "\n%" in text):
        return False
    if "\\" in text and "\\/" in text:
        return False  # an escape that libyaml knows and kubectl does not
    separators = text.count("\n---")
    if separators and separators != text.count("\n---\n"):
        return False
    if text.startswith("---") and text[3] != "\n":
        return False
    return text[0] != "{" and not (text[0].isspace() and text.lstrip().startswith("{"))


def read_plain(data: bytes) -> "list[object] | None":
    """Read a manifest file that holds nothing unusual.

    Args:
        data: The whole file.

    Returns:
        The bodies of its documents in order, as JSON-pure trees, without those that are empty; None when something in
        it is for `loader.load` to judge.
    """
    text = _text(data)
    if text is None:
        return None
    get: Next = CParser(text).get_event
    if "&" in text or "*" in text or "!" in text or "ode: 0" in text or ("?" in text and ("{" in text or "[" in text)):
        get = _careful(get)
    try:
        return _bodies(get) or None
    except (_NotSureError, YAMLError):
        return None


def looks_like_manifest(data: bytes) -> bool:
    """Tell cheaply whether a file means to be a manifest: `apiVersion` and `kind` stand where a key may stand.

    Returns:
        False only for a file that surely is none; a file that cannot be parsed can still look like one.
    """
    return _HAS_VERSION.search(data) is not None and _HAS_KIND.search(data) is not None


# At the start of a line for YAML; after a brace, a comma or a blank in quotes for JSON and flow style.
_HAS_VERSION = re.compile(rb"""(?:^|[\n\r{,\t "'])apiVersion["']?[ \t]*:""")
_HAS_KIND = re.compile(rb"""(?:^|[\n\r{,\t "'])kind["']?[ \t]*:""")

"""The second quick reader: on PyYAML's C events, for files that are not written plainly enough for `lines`.

It says None for "not sure": whatever the loader would mention at any severity, and much that it would not (anchors,
tags, JSON). Importing it costs 17 ms, nearly all of it PyYAML's.
"""

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

from gitops_guard.manifest.limits import MAX_BYTES, MAX_DEPTH
from gitops_guard.manifest.plain_scalars import KEYS, MODES, VALUES, NotSureError, mode_of

TYPE_CHECKING = False  # as in typing, which costs the hook 10 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Next = Callable[[], Any]
    """`CParser.get_event`: bound once a file, so that the loops below make no attribute look-up for it."""


def _careful(get: "Next") -> "Next":
    """Wrap the parser's method for a file that may hold anchors, tags, or question marks in flow style.

    One event in a hundred files pays for this; the loops below stay free of questions that most files never raise.
    """

    def next_event() -> "Any":
        event = get()
        if isinstance(event, NodeEvent) and (event.anchor is not None or getattr(event, "tag", None) is not None):
            raise NotSureError  # an alias is an event with an anchor
        if type(event) is ScalarEvent and not event.style and "?" in event.value:
            raise NotSureError
        return event

    return next_event


def _mapping(get: "Next", depth: int) -> "dict[str, object]":
    """Build the mapping whose start event has been taken.

    Recursion, with the parser's bound method passed along, was faster than iterators, and than composing nodes;
    explicit stacks were equal.
    """
    if not depth:
        raise NotSureError
    body: dict[str, object] = {}
    event = get()
    while type(event) is ScalarEvent:
        key = KEYS[event.value]
        if key in body:
            raise NotSureError
        event = get()
        kind = type(event)
        if kind is ScalarEvent:
            if event.style:
                body[key] = event.value
            else:
                body[key] = mode_of(event.value) if key in MODES else VALUES[event.value]
        elif kind is MappingStartEvent:
            body[key] = _mapping(get, depth - 1)
        else:
            body[key] = _sequence(get, depth - 1)
        event = get()
    if type(event) is not MappingEndEvent:
        raise NotSureError  # a list or mapping as a key
    return body


def _sequence(get: "Next", depth: int) -> "list[object]":
    """Build the list whose start event has been taken."""
    if not depth:
        raise NotSureError
    items: list[object] = []
    while True:
        event = get()
        kind = type(event)
        if kind is MappingStartEvent:
            items.append(_mapping(get, depth - 1))
        elif kind is ScalarEvent:
            items.append(event.value if event.style else VALUES[event.value])
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
        elif type(event) is not ScalarEvent or event.style or VALUES[event.value] is not None:
            raise NotSureError  # only a mapping is a manifest; a null document is skipped, as kubectl does
        if get().explicit:
            raise NotSureError  # `...`: kubectl drops what follows without a word
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


def read_events(data: bytes) -> "list[object] | None":
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
    if "&" in text or "*" in text or "!" in text or ("?" in text and ("{" in text or "[" in text)):
        get = _careful(get)
    try:
        return _bodies(get) or None
    except (NotSureError, YAMLError):
        return None

"""Parser events to a tree of nodes with places: no values yet, anchors tied to what they name.

It has no recursion, so that a hostile file ends in a finding and not in a crash of the interpreter.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from gitops_guard.manifest.issue import Issue, UnreadableError
from gitops_guard.manifest.limits import MAX_DEPTH

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_SLASH_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\/)")
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#.*)?\n)*(%.*)")
_NOT_BLANK = re.compile(r"^[ \t]*(?!#|\.\.\.[ \t]*$)(\S.*)", re.MULTILINE)


class Kind(Enum):
    """What a node is."""

    SCALAR = auto()
    MAPPING = auto()
    SEQUENCE = auto()
    ALIAS = auto()


class Node:
    """One node of a document. Not frozen: collections grow, and the constructor remembers what an anchor is worth."""

    __slots__ = (
        "alias_of",
        "end",
        "flow",
        "is_open",
        "items",
        "kind",
        "pairs",
        "plain",
        "start",
        "tag",
        "text",
        "worth",
    )

    def __init__(self, kind: Kind, start: int, end: int) -> None:
        self.kind = kind
        self.start = start
        """Offset in the chunk, after tag and anchor."""
        self.end = end
        self.text = ""
        self.plain = False
        """A scalar without quotes and without a tag: the only kind that is resolved."""
        self.tag: str | None = None
        self.flow = False
        self.is_open = False
        """A collection whose end has not been met: an alias to it is a cycle."""
        self.items: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []
        self.alias_of: Node | None = None
        self.worth: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The first YAML document of a chunk."""

    root: Node | None
    """None when the chunk holds nothing but blanks and comments."""

    issues: tuple[Issue, ...]


def compose(text: str) -> Composed:
    """Compose the first document of a chunk.

    Raises:
        UnreadableError: kubectl could not parse it.
    """
    try:
        return _Composer(text).document()
    except ReaderError as error:
        offset = len(text.encode()[: error.position].decode(errors="ignore"))
        raise UnreadableError(
            "yaml-syntax", f"{error.reason}", offset, offset + 1, hint="remove the invisible character"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = min(mark.index, len(text)) if mark else 0
        context = f" {error.context}" if error.context else ""
        # The bundled libyaml stops at 1,000 flow levels, when it looks ahead for a key before we have counted 200.
        rule = "yaml-depth" if "maximum nesting depth" in (error.problem or "") else "yaml-syntax"
        hint = _syntax_hint(text, offset)
        raise UnreadableError(rule, f"{error.problem}{context}", offset, offset + 1, hint=hint) from None
    except YAMLError as error:
        raise UnreadableError("yaml-syntax", str(error), 0, 1) from None


def _syntax_hint(text: str, offset: int) -> str:
    """Say what to do about the mistakes that people make most where the parser stops."""
    found = text[offset : offset + 1]
    if found == "\t":
        return "indent with spaces: YAML takes no tab here"
    if found in ("@", "`", "%"):
        return f"quote the value: nothing unquoted may start with {found}"
    if text[offset : offset + 2] in ("{{", "{%"):
        return "render the template first, or move it below a chart's templates/"
    return ""


class _Composer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._next: Any = CParser(text).get_event
        self._anchors: dict[str, Node] = {}
        self._issues: list[Issue] = []
        self._slashes = "\\/" in text

    def document(self) -> Composed:
        """Read events up to the end of the first document."""
        self._refuse_directive()
        self._next()
        if type(self._next()) is StreamEndEvent:
            return Composed(root=None, issues=())
        root = self._tree()
        end = self._next()
        self._report_lost_text(end.end_mark.index)
        return Composed(root=root, issues=tuple(self._issues))

    def _refuse_directive(self) -> None:
        directive = _DIRECTIVE.match(self._text)
        if directive:
            raise UnreadableError(
                "yaml-directive",
                "a `%` directive: kubectl and kustomize refuse it",
                *directive.span(1),
                hint="remove it, Kubernetes reads YAML 1.1 without directives",
            )

    def _report_lost_text(self, offset: int) -> None:
        lost = _NOT_BLANK.search(self._text[offset:])
        if lost is not None:
            self._issues.append(
                Issue(
                    rule="yaml-lost-text",
                    message="text after the end of the document is ignored",
                    hint="start the next document with `---`",
                    start=offset + lost.start(1),
                    end=offset + lost.end(1),
                )
            )

    def _tree(self) -> Node:
        """Build the tree of one document with a stack of open collections.

        `keys` runs beside the stack: the key that waits for its value in each open mapping.
        """
        stack: list[Node] = []
        keys: list[Node | None] = []
        while True:
            event = self._next()
            if isinstance(event, NodeEvent):
                node = self._node(event, stack)
            else:
                node = stack.pop()
                keys.pop()
                self._close(node, event)
            if node.is_open:
                stack.append(node)
                keys.append(None)
                self._check_depth(node, len(stack))
            elif not stack:
                return node
            else:
                _attach(stack[-1], keys, node)

    def _node(self, event: Any, stack: list[Node]) -> Node:
        if type(event) is AliasEvent:
            return self._alias(event)
        start, end = event.start_mark.index, event.end_mark.index
        if event.anchor is not None or event.tag is not None:
            properties = _PROPERTIES.match(self._text, start, end)
            # An empty node is all properties; a collection's start event ends with them.
            start = properties.end() if properties else end
        node = Node(_KINDS[type(event)], start, end)
        node.tag = event.tag
        if node.kind is Kind.SCALAR:
            self._fill_scalar(node, event, in_flow=bool(stack) and stack[-1].flow)
        else:
            node.flow = event.flow_style
            node.is_open = True
        if event.anchor is not None:
            self._name(event, node)
        return node

    def _fill_scalar(self, node: Node, event: Any, *, in_flow: bool) -> None:
        node.text = event.value
        unquoted = not event.style
        node.plain = unquoted and event.tag is None
        if unquoted and in_flow and "?" in event.value[1:]:
            raise UnreadableError(
                "yaml-syntax",
                "an unquoted `?` inside a flow collection: kubectl refuses it",
                node.start,
                node.end,
                hint="quote the value",
            )
        if self._slashes and event.style == '"':
            escape = _SLASH_ESCAPE.search(self._text, node.start, node.end)
            if escape:
                raise UnreadableError(
                    "yaml-syntax", "unknown escape character `\\/`", *escape.span(1), hint="write `/` alone"
                )

    def _name(self, event: Any, node: Node) -> None:
        if event.anchor in self._anchors:
            self._issues.append(
                Issue(
                    rule="yaml-anchor-redefined",
                    message=f"the anchor `&{event.anchor}` is defined twice; aliases mean the definition before them",
                    hint="give each anchor its own name",
                    start=event.start_mark.index,
                    end=event.start_mark.index + len(event.anchor) + 1,
                )
            )
        self._anchors[event.anchor] = node

    def _alias(self, event: Any) -> Node:
        node = Node(Kind.ALIAS, event.start_mark.index, event.end_mark.index)
        node.alias_of = self._anchors.get(event.anchor)
        if node.alias_of is None:
            raise UnreadableError("yaml-syntax", f"unknown anchor `{event.anchor}`", node.start, node.end)
        if node.alias_of.is_open:
            raise UnreadableError(
                "yaml-alias-cycle", f"the value of anchor `{event.anchor}` contains itself", node.start, node.end
            )
        return node

    @staticmethod
    def _close(node: Node, event: Any) -> None:
        node.is_open = False
        if node.flow:
            node.end = event.end_mark.index
        elif node.pairs:
            node.end = max(node.pairs[-1][0].end, node.pairs[-1][1].end)
        elif node.items:
            node.end = max(node.items[-1].end, node.end)

    @staticmethod
    def _check_depth(node: Node, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise UnreadableError("yaml-depth", f"nested more than {MAX_DEPTH} levels deep", node.start, node.start + 1)


_KINDS = {ScalarEvent: Kind.SCALAR, MappingStartEvent: Kind.MAPPING, SequenceStartEvent: Kind.SEQUENCE}


def _attach(parent: Node, keys: list[Node | None], node: Node) -> None:
    """Put a finished node into the collection that is open."""
    if parent.kind is Kind.SEQUENCE:
        parent.items.append(node)
        return
    key = keys[-1]
    if key is None:
        keys[-1] = node
    else:
        parent.pairs.append((key, node))
        keys[-1] = None

"""From field paths to lines and columns of the file, by composing a document once more when somebody asks."""

import bisect
from dataclasses import dataclass

from gitops_guard.manifest.composer import Kind, Node
from gitops_guard.manifest.constructor import is_merge, key_of
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.reader import read_node
from gitops_guard.manifest.splitter import Chunk
from gitops_guard.model import FieldPath, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """How a scalar is written."""

    text: str
    """Without quotes, escapes decoded, lines folded."""

    plain: bool
    """Neither quoted nor tagged: the only kind whose type YAML guesses."""


class Lines:
    """Offsets of a chunk to places of the file."""

    __slots__ = ("_chunk", "_starts")

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        starts = [0]
        # Newlines only: a mark's own line also counts CR, NEL and two more, which editors do not.
        position = chunk.text.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = chunk.text.find("\n", position + 1)
        self._starts = starts

    def span(self, start: int, end: int) -> Span:
        """Return the place of a stretch of the chunk's text."""
        line, column = self._place(start)
        end_line, end_column = self._place(max(start, end))
        return Span(line=line, column=column, end_line=end_line, end_column=end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        row = bisect.bisect_right(self._starts, offset) - 1
        column = offset - self._starts[row] + 1
        return self._chunk.line + row, column if row else column + self._chunk.column


class Places:
    """The places of one document. Costs nothing until the first question, which parses the document again."""

    __slots__ = ("_chunk", "_dialect", "_known")

    def __init__(self, chunk: Chunk, dialect: Dialect) -> None:
        self._chunk = chunk
        self._dialect = dialect
        self._known: tuple[Node, Lines] | None = None

    def locate(self, path: FieldPath, *, on_key: bool = False) -> Span:
        """Return where a value is written; see `Document.locate`."""
        root, lines = self._tree()
        key, value, found = self._follow(root, path)
        if value is None or (found and not on_key and value.end > value.start):
            node = value or root
        elif key is not None:
            node = key
        else:
            # The root, or an item of a list that is no field of its own: its first key says it best.
            node = value.pairs[0][0] if value.pairs else value
        return lines.span(node.start, node.end)

    def scalar(self, path: FieldPath) -> Scalar | None:
        """Return how the scalar at a path is written."""
        root, _ = self._tree()
        _, value, found = self._follow(root, path)
        if value is not None and value.kind is Kind.ALIAS:
            value = value.alias_of
        if not found or value is None or value.kind is not Kind.SCALAR:
            return None
        return Scalar(text=value.text, plain=value.plain)

    def _tree(self) -> tuple[Node, Lines]:
        if self._known is None:
            root = read_node(self._chunk).root
            assert root is not None, "a document has a root"
            self._known = root, Lines(self._chunk)
        return self._known

    def _follow(self, root: Node, path: FieldPath) -> tuple[Node | None, Node | None, bool]:
        """Walk a path; return the last key and value on it, and whether the whole path exists.

        The walk stops at an alias or a merge, where the value is used.
        """
        key: Node | None = None
        node = root
        for element in path:
            step = self._step(node, element)
            if step is None:
                return key, node, False
            key, node = step
        return key, node, True

    def _step(self, node: Node, element: str | int) -> tuple[Node | None, Node] | None:
        if node.kind is Kind.ALIAS:
            return (None, node) if node.alias_of and self._step(node.alias_of, element) else None
        if isinstance(element, int):
            in_list = node.kind is Kind.SEQUENCE and 0 <= element < len(node.items)
            return (None, node.items[element]) if in_list else None
        return self._pair(node, element)

    def _pair(self, node: Node, name: str) -> tuple[Node | None, Node] | None:
        found: tuple[Node | None, Node] | None = None
        for key, value in node.pairs:
            if is_merge(key):
                merged = self._merged(value, name)
                if merged is not None and (found is None or self._dialect is Dialect.KUBECTL):
                    found = (key, merged)
            elif key_of(key, dialect=self._dialect) == name:
                found = (key, value)
        return found

    def _merged(self, value: Node, name: str) -> Node | None:
        """Return the source of a merge that brings a key: the first of a list wins."""
        for source in value.items if value.kind is Kind.SEQUENCE else [value]:
            target = source.alias_of if source.kind is Kind.ALIAS else source
            if target is not None and (pair := self._pair(target, name)):
                return source if source.kind is Kind.ALIAS else pair[1]
        return None

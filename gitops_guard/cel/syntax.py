"""The syntax tree. Every node knows its offset; operators keep the one of their sign."""

from typing import NamedTuple, TypeAlias


class Literal(NamedTuple):
    """A constant."""

    value: object
    offset: int


class Ident(NamedTuple):
    """A name; `rooted` when written with a leading dot, which looks past comprehension variables."""

    name: str
    rooted: bool
    offset: int


class Select(NamedTuple):
    """`operand.field` or `operand.?field`."""

    operand: "Node"
    field: str
    optional: bool
    offset: int


class Index(NamedTuple):
    """`operand[index]` or `operand[?index]`."""

    operand: "Node"
    key: "Node"
    optional: bool
    offset: int


class Call(NamedTuple):
    """`name(args)` or `target.name(args)`."""

    target: "Node | None"
    name: str
    args: "tuple[Node, ...]"
    offset: int


class Unary(NamedTuple):
    """`!operand` or `-operand`."""

    operator: str
    operand: "Node"
    offset: int


class Binary(NamedTuple):
    """An arithmetic, comparison or membership operator."""

    operator: str
    left: "Node"
    right: "Node"
    offset: int


class Logic(NamedTuple):
    """A chain of one of `&&` and `||`, kept flat so that long chains do not nest."""

    operator: str
    terms: "tuple[Node, ...]"
    offset: int


class Conditional(NamedTuple):
    """`condition ? then : otherwise`."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"
    offset: int


class ListLiteral(NamedTuple):
    """`[a, ?b]`; each item with whether it is optional."""

    items: "tuple[tuple[Node, bool], ...]"
    offset: int


class MapLiteral(NamedTuple):
    """`{k: v, ?k: v}`; key, value and whether the entry is optional."""

    entries: "tuple[tuple[Node, Node, bool], ...]"
    offset: int


class MessageLiteral(NamedTuple):
    """`Name{field: value}`; field, value and whether the entry is optional."""

    name: str
    entries: "tuple[tuple[str, Node, bool], ...]"
    offset: int


Node: TypeAlias = (
    Literal
    | Ident
    | Select
    | Index
    | Call
    | Unary
    | Binary
    | Logic
    | Conditional
    | ListLiteral
    | MapLiteral
    | MessageLiteral
)


def dotted_name(node: Node) -> str | None:
    """Return `a.b.c` for a plain chain of selections from a name, None for anything else."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.optional:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return None
    parts.append(node.name)
    return ".".join(reversed(parts))

"""Reading expressions without evaluating them: which fields of the object one is about."""

from collections.abc import Iterator

from gitops_guard.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    Unary,
)
from gitops_guard.model import FieldPath


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything inside it, outermost first."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(_parts(current)))


def _parts(node: Node) -> list[Node]:
    match node:
        case Select():
            return [node.operand]
        case Index():
            return [node.operand, node.key]
        case Call():
            return [*([] if node.target is None else [node.target]), *node.args]
        case Unary():
            return [node.operand]
        case Binary():
            return [node.left, node.right]
        case Logic():
            return list(node.terms)
        case Conditional():
            return [node.condition, node.then, node.otherwise]
        case ListLiteral():
            return [item for item, _ in node.items]
        case MapLiteral():
            return [part for key, value, _ in node.entries for part in (key, value)]
        case MessageLiteral():
            return [value for _, value, _ in node.entries]
        case _:
            return []


def common_field(node: Node, root: str = "object") -> FieldPath:
    """Return the longest path below a variable that all its uses share; empty when there is none."""
    paths = list(_maximal_paths(node, root))
    if not paths:
        return ()
    shared: list[str | int] = []
    for elements in zip(*paths, strict=False):
        if len(set(elements)) > 1:
            break
        shared.append(elements[0])
    return tuple(shared)


def _maximal_paths(node: Node, root: str) -> Iterator[tuple[str | int, ...]]:
    path = _path(node, root)
    if path is not None:
        yield path
        return
    for part in _parts(node):
        yield from _maximal_paths(part, root)


def _path(node: Node, root: str) -> tuple[str | int, ...] | None:
    """Return `("spec", "replicas")` for `object.spec.replicas`; None for what is no such chain."""
    elements: list[str | int] = []
    while True:
        if isinstance(node, Select):
            elements.append(node.field)
            node = node.operand
        elif isinstance(node, Index) and isinstance(node.key, Literal) and type(node.key.value) in (str, int):
            elements.append(node.key.value)  # type: ignore[arg-type]  # its type was just looked at
            node = node.operand
        else:
            break
    is_root = isinstance(node, Ident) and node.name == root
    return tuple(reversed(elements)) if is_root else None

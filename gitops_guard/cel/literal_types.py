"""The types of list and map literals, as far as the API server's checker tells them: it refuses mixed ones.

Knows what `static` does not: what lists and maps hold, and what a comprehension's variable stands for. A type is a name
(`string`), or a name with what it holds: `("list", "string")`. Where only a full checker could say it is `UNDECIDED`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from gitops_guard.cel.errors import CelCompileError
from gitops_guard.cel.static import DYN, UNDECIDED, static_type
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

Type: TypeAlias = "str | tuple[Type, ...]"
Types: TypeAlias = Mapping[str, Type]

_NOTHING = "nothing"
"""What an empty literal holds: it fits everything."""

_LOOPS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy", "optMap", "optFlatMap"})
_PAIR_LOOPS = frozenset(
    {"all", "exists", "exists_one", "existsOne", "transformList", "transformMap", "transformMapEntry"}
)
_COMPUTED = frozenset({"int", "uint", "double", "string", "bytes"})


def check_literals(node: Node, *, dynamic: Collection[str], variables: Types, local: "Types | None" = None) -> Type:
    """Check all literals of an expression, and return its type.

    Args:
        node: The expression.
        dynamic: Variables without a type, such as `object`.
        variables: Types of a policy's `variables`, as this function returned them.
        local: Types of the variables of the comprehensions around it.

    Raises:
        CelCompileError: A literal holds values of two types.
    """
    return _Checker(dynamic, variables).type_of(node, local or {})


def written(found: Type) -> str:
    """Return a type as the API server writes it: `list(string)`."""
    if isinstance(found, str):
        return "null" if found == "null_type" else found
    return f"{found[0]}({', '.join(written(one) for one in found[1:])})"


class _Checker:
    def __init__(self, dynamic: Collection[str], variables: Types) -> None:
        self._dynamic = dynamic
        self._variables = variables

    def type_of(self, node: Node, local: Types) -> Type:
        """Return a node's type, having checked all literals in it."""
        if isinstance(node, Ident):
            return local.get(node.name, DYN if node.name in self._dynamic else UNDECIDED)
        if isinstance(node, Select):
            return self._select(node, local)
        if isinstance(node, Index):
            self.type_of(node.key, local)
            return _part(self.type_of(node.operand, local), optional=node.optional)
        if isinstance(node, Call):
            return self._call(node, local)
        if isinstance(node, ListLiteral):
            return "list", self._same([item for item, _ in node.items], [one for _, one in node.items], local)
        if isinstance(node, MapLiteral):
            optional = [one for _, _, one in node.entries]
            keys = self._same([key for key, _, _ in node.entries], [False] * len(optional), local)
            return "map", keys, self._same([value for _, value, _ in node.entries], optional, local)
        return self._computed(node, local)

    def _computed(self, node: Node, local: Types) -> Type:
        if isinstance(node, Conditional):
            self.type_of(node.condition, local)
            then, otherwise = self.type_of(node.then, local), self.type_of(node.otherwise, local)
            return then if then == DYN else _merged(then, otherwise) or UNDECIDED
        if isinstance(node, Binary):
            return self._binary(node, local)
        if isinstance(node, Unary):
            inner = self.type_of(node.operand, local)
            return "bool" if node.operator == "!" else inner
        if isinstance(node, Logic):
            self._all(node.terms, local)
            return "bool"
        if isinstance(node, MessageLiteral):
            self._all((value for _, value, _ in node.entries), local)
            return UNDECIDED
        return static_type(node) if isinstance(node, Literal) else UNDECIDED

    def _all(self, nodes: Iterable[Node], local: Types) -> None:
        for node in nodes:
            self.type_of(node, local)

    def _same(self, nodes: Sequence[Node], optional: Sequence[bool], local: Types) -> Type:
        """Return the type that all parts of a literal share.

        Raises:
            CelCompileError: Two differ.
        """
        shared: Type = _NOTHING
        for node, is_optional in zip(nodes, optional, strict=True):
            found = self.type_of(node, local)
            if is_optional:
                found = _held(found, "optional_type")
            merged = _merged(shared, found)
            if merged is None:
                raise CelCompileError(f"expected type '{written(shared)}' but found '{written(found)}'", node.offset)
            shared = merged
        return shared

    def _select(self, node: Select, local: Types) -> Type:
        if isinstance(node.operand, Ident) and node.operand.name == "variables" and not node.optional:
            return self._variables.get(node.field, UNDECIDED)
        return _part(self.type_of(node.operand, local), optional=node.optional)

    def _binary(self, node: Binary, local: Types) -> Type:
        left, right = self.type_of(node.left, local), self.type_of(node.right, local)
        if node.operator not in ("+", "-", "*", "/", "%"):
            return "bool"
        if left == right == DYN:
            return DYN
        # a field takes the type of what it is computed with
        found = right if left == DYN else left if right == DYN else _merged(left, right)
        return found if found in _COMPUTED or (isinstance(found, tuple) and found[0] == "list") else UNDECIDED

    def _call(self, node: Call, local: Types) -> Type:
        target: Type = UNDECIDED if node.target is None else self.type_of(node.target, local)
        if node.target is not None and len(node.args) > 1 and isinstance(node.args[0], Ident):
            inner = _bound(node, target, local)
            if inner is not None:
                bodies = [self.type_of(body, inner) for body in node.args if not isinstance(body, Ident)]
                return _result_of_loop(node.name, target, bodies)
        if node.name == "format":
            for argument in node.args:
                items = [item for item, _ in argument.items] if isinstance(argument, ListLiteral) else [argument]
                self._all(items, local)
            return "string"
        return _result_of_call(node, target, [self.type_of(argument, local) for argument in node.args])


def _bound(node: Call, target: Type, local: Types) -> "Types | None":
    """Return what names mean inside of a macro; None where the call is none."""
    names = [argument.name for argument in node.args if isinstance(argument, Ident)]
    if node.name in _PAIR_LOOPS and len(node.args) > 2 and len(names) == 2:
        key = _held(target, "map") if isinstance(target, tuple) and target[0] == "map" else UNDECIDED
        return {**local, names[0]: key, names[1]: _part(target, optional=False)}
    if node.name not in _LOOPS:
        return None
    if isinstance(target, tuple) and target[0] == "optional_type":
        return {**local, names[0]: target[1]}
    return {**local, names[0]: DYN if target == DYN else target[1] if isinstance(target, tuple) else UNDECIDED}


def _result_of_loop(name: str, target: Type, bodies: list[Type]) -> Type:
    if name == "map" and bodies:
        return "list", bodies[-1]
    if name == "filter":
        held = DYN if target == DYN else target[1] if isinstance(target, tuple) else UNDECIDED
        return "list", held
    return "bool" if name in ("all", "exists", "exists_one", "existsOne") else UNDECIDED


def _result_of_call(node: Call, target: Type, arguments: list[Type]) -> Type:
    if node.name in ("orValue", "value"):
        return _held(target, "optional_type")
    if node.name == "or":
        return target
    if isinstance(node.target, Ident) and node.target.name == "optional":
        return ("optional_type", arguments[0] if arguments else _NOTHING) if node.name in ("of", "none") else UNDECIDED
    if node.name in ("split", "findAll"):
        return "list", "string"
    found = static_type(node)
    return UNDECIDED if found in ("list", "map") else found


def _part(found: Type, *, optional: bool) -> Type:
    """Return the type of a field or element."""
    is_optional = optional or (isinstance(found, tuple) and found[0] == "optional_type")
    held = found[1] if isinstance(found, tuple) and found[0] == "optional_type" else found
    inner = DYN if held == DYN else held[-1] if isinstance(held, tuple) and held[0] in ("list", "map") else UNDECIDED
    return ("optional_type", inner) if is_optional else inner


def _held(found: Type, name: str) -> Type:
    return found[1] if isinstance(found, tuple) and found[0] == name else UNDECIDED


def _merged(one: Type, other: Type) -> "Type | None":
    """Return the type that two parts share; None when they differ."""
    if _NOTHING in (one, other):
        return other if one == _NOTHING else one
    if UNDECIDED in (one, other):
        return UNDECIDED
    if isinstance(one, str) or isinstance(other, str) or one[0] != other[0] or len(one) != len(other):
        return one if one == other else None
    inner = [_merged(x, y) for x, y in zip(one[1:], other[1:], strict=True)]
    return None if None in inner else (one[0], *(part for part in inner if part is not None))

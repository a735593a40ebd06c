"""What can be told from the text alone: literals that cannot be meant, types that cannot be mixed."""

from collections.abc import Callable, Sequence

from gitops_guard.cel.errors import CelCompileError, CelError
from gitops_guard.cel.library.durations import parse_duration, parse_timestamp
from gitops_guard.cel.regexes import compile_regex
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
    Node,
    Select,
    Unary,
)
from gitops_guard.cel.values import type_name

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_BOOLEAN_CALLS = frozenset(
    (
        *(
            "has",
            "all",
            "exists",
            "exists_one",
            "existsOne",
            "startsWith",
            "endsWith",
            "contains",
            "matches",
            "hasValue",
        ),
        *("isQuantity", "isURL", "isIP", "isCIDR", "isSemver", "isSorted", "isLessThan", "isGreaterThan"),
        *("containsIP", "containsCIDR"),
    )
)
_RESULTS = {
    "size": "int",
    "int": "int",
    "uint": "uint",
    "double": "double",
    "string": "string",
    "bytes": "bytes",
    "bool": "bool",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "quantity": "kubernetes.Quantity",
    "url": "kubernetes.URL",
    "ip": "net.IP",
    "cidr": "net.CIDR",
    "semver": "kubernetes.Semver",
    "filter": "list",
    "lowerAscii": "string",
    "upperAscii": "string",
    "trim": "string",
    "join": "string",
    "format": "string",
    "substring": "string",
    "replace": "string",
    "split": "list",
}
UNDECIDED = "?"
"""The type could be anything, also to the API server's own checker as far as we know."""

DYN = "dyn"
"""The type is known at run time only, to the API server's checker as well."""


IsDynamic = Callable[[Ident], bool]


def _nothing_is_dynamic(_name: Ident) -> bool:
    return False


def static_type(node: Node, is_dynamic: IsDynamic = _nothing_is_dynamic) -> str:
    """Return the name of a node's type as far as the text tells it.

    Args:
        node: Any expression.
        is_dynamic: Tells whether a name is a variable whose fields have no types.

    Returns:
        The name, `DYN` for a field of such a variable, `UNDECIDED` where only a full checker could say.
    """
    if isinstance(node, Literal):
        return type_name(node.value)
    if isinstance(node, Binary):
        return "bool" if node.operator in _COMPARISONS else _arithmetic_type(node, is_dynamic)
    if isinstance(node, Unary):
        return "bool" if node.operator == "!" else static_type(node.operand, is_dynamic)
    if isinstance(node, Conditional):
        then, otherwise = static_type(node.then, is_dynamic), static_type(node.otherwise, is_dynamic)
        return then if then == otherwise else UNDECIDED
    if isinstance(node, Call):
        return _call_type(node)
    if isinstance(node, (Select, Index)):
        return DYN if not node.optional and static_type(node.operand, is_dynamic) == DYN else UNDECIDED
    if isinstance(node, Ident):
        return DYN if is_dynamic(node) else UNDECIDED
    return _AGGREGATES.get(type(node), UNDECIDED)


_AGGREGATES: dict[type, str] = {ListLiteral: "list", MapLiteral: "map", Logic: "bool"}


def _arithmetic_type(node: Binary, is_dynamic: IsDynamic) -> str:
    left, right = static_type(node.left, is_dynamic), static_type(node.right, is_dynamic)
    if left == right and left in _OWN_RESULT:
        return left
    # a field takes the type of what it is computed with
    if DYN in (left, right) and (other := right if left == DYN else left) in _OWN_RESULT:
        return other
    return DYN if left == right == DYN else UNDECIDED


_OWN_RESULT = frozenset({"int", "uint", "double", "string", "bytes", "list"})


def _call_type(node: Call) -> str:
    if node.name in _BOOLEAN_CALLS:
        return "bool"
    if node.name == "dyn" and node.target is None:
        return DYN
    return _RESULTS.get(node.name, UNDECIDED)


def check_homogeneous(nodes: Sequence[Node], is_dynamic: IsDynamic) -> None:
    """Check that the elements of a literal are of one type, as far as the text tells.

    Raises:
        CelCompileError: Two differ.
    """
    first = UNDECIDED
    for node in nodes:
        found = static_type(node, is_dynamic)
        if found == UNDECIDED:
            continue
        if first == UNDECIDED:
            first = found
        elif found != first:
            raise CelCompileError(f"expected type '{first}' but found '{found}'", node.offset)


_SCALARS = frozenset({"bool", "int", "uint", "double", "string", "bytes", "null_type"})
_NUMBERS = frozenset({"int", "uint", "double"})
_ORDERED = frozenset({"<", "<=", ">", ">="})
_ARITHMETIC = {
    "+": frozenset({"int", "uint", "double", "string", "bytes"}),
    "-": _NUMBERS,
    "*": _NUMBERS,
    "/": _NUMBERS,
    "%": frozenset({"int", "uint"}),
}


def check_operator(node: Binary, is_dynamic: IsDynamic) -> None:
    """Check that an operator takes the types of its operands, where both are plain ones that the text tells.

    Raises:
        CelCompileError: It does not.
    """
    left, right = static_type(node.left, is_dynamic), static_type(node.right, is_dynamic)
    if left not in _SCALARS or right not in _SCALARS:
        return
    if node.operator in ("==", "!="):
        fits = left == right
    elif node.operator in _ORDERED:
        fits = left == right != "null_type" or {left, right} <= _NUMBERS
    else:
        fits = left == right and left in _ARITHMETIC.get(node.operator, frozenset())
    if not fits:
        name = f"@{node.operator}" if node.operator == "in" else f"_{node.operator}_"
        raise CelCompileError(f"found no matching overload for '{name}' applied to '({left}, {right})'", node.offset)


def check_terms(node: Logic, is_dynamic: IsDynamic) -> None:
    """Check that no operand of `&&` or `||` provably is something else than a bool.

    Raises:
        CelCompileError: One is.
    """
    for term in node.terms:
        found = static_type(term, is_dynamic)
        if found not in ("bool", DYN, UNDECIDED):
            raise CelCompileError(f"expected type 'bool' but found '{found}'", node.offset)


_REGEX_CALLS = frozenset({"matches", "find", "findAll"})


def check_literal_arguments(node: Call) -> None:
    """Check a literal pattern, timestamp or duration before it is ever used.

    Raises:
        CelCompileError: It is malformed.
    """
    if node.name in _REGEX_CALLS and node.args:
        pattern = node.args[0] if node.target is not None else node.args[-1]
        _check(pattern, node.name, compile_regex)
    elif node.target is None and len(node.args) == 1:
        if node.name == "timestamp":
            _check(node.args[0], node.name, parse_timestamp)
        elif node.name == "duration":
            _check(node.args[0], node.name, parse_duration)


def _check(node: Node, name: str, parse: Callable[[str], object]) -> None:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        return
    try:
        parse(node.value)
    except CelError as error:
        raise CelCompileError(f"invalid {name} argument: {error.message}", node.offset) from None

"""Macros: calls whose arguments are compiled with variables of their own.

A macro fires on its name and number of arguments. Only `all` and `exists` absorb errors and stop early.
"""

from collections.abc import Callable
from typing import Any

from gitops_guard.cel import operators
from gitops_guard.cel.budget import exhausted
from gitops_guard.cel.compiler import (
    PENDING,
    Compiler,
)
from gitops_guard.cel.errors import CelCompileError, CelError, worse
from gitops_guard.cel.functions import placed
from gitops_guard.cel.library.lists import sorted_by
from gitops_guard.cel.profiles import Profile
from gitops_guard.cel.steps import Frame, Step, iterated, iterated_pairs, no_overload_at, unreadable_or_no_overload
from gitops_guard.cel.syntax import Binary, Call, Ident, MapLiteral, Node, Select
from gitops_guard.cel.values import NONE, Opt, kind_of, map_key

_Items = Callable[[Any, int], list[Any]]


class _Loop:
    """The parts of a comprehension, compiled: what it runs over and its bodies with the variables bound."""

    def __init__(self, compiler: Compiler, node: Call, variables: int, bodies: tuple[Node, ...]) -> None:
        assert node.target is not None
        self.range = compiler.compile(node.target)
        self.offset = node.offset
        names = [_variable_name(argument) for argument in node.args[:variables]]
        if len(set(names)) != len(names):
            raise CelCompileError("iteration variables must have different names", node.offset)
        before = compiler.nodes
        with compiler.bound(*names) as slots:
            self.slots = slots
            self.bodies = tuple(compiler.compile(body) for body in bodies)
            self.cost = max(1, compiler.nodes - before)
            self.same = _same_field(compiler, names[0], bodies[0]) if len(names) == 1 else None


_Matching = Callable[[Frame, Any], tuple[int, int] | None]
"""Tells of a list how many items match, and how many there are; None: go through them one by one."""


def _same_field(compiler: Compiler, name: str, body: Node) -> _Matching | None:
    """Compile `x.field == value`, with a value that is the same for all x, to one look at the whole list."""
    if not (isinstance(body, Binary) and body.operator == "=="):
        return None
    for one, other in ((body.left, body.right), (body.right, body.left)):
        if isinstance(one, Select) and not one.optional and _is_variable(one.operand, name) and not _uses(other, name):
            nodes = compiler.nodes
            value = compiler.compile(other)
            compiler.nodes = nodes  # it is counted already
            return _matching(one.field, value)
    return None


def _matching(field: str, value: Step) -> _Matching:
    def count(frame: Frame, items: Any) -> tuple[int, int] | None:
        if type(items) is not list or len(items) < _FEW:
            return None
        try:
            wanted, found = value(frame), [item[field] for item in items]
        except _ANYTHING_ELSE:
            return None
        if type(wanted) is not str or set(map(type, found)) != _TEXTS:
            return None
        return found.count(wanted), len(found)

    return count


_FEW = 3
_TEXTS = {str}
_ANYTHING_ELSE = (CelError, LookupError, TypeError)


def _is_variable(node: Node, name: str) -> bool:
    return isinstance(node, Ident) and node.name == name and not node.rooted


def _uses(node: object, name: str) -> bool:
    """Tell whether a name occurs anywhere in an expression, whatever it stands for there."""
    if isinstance(node, Ident) and node.name == name:
        return True
    return isinstance(node, tuple) and any(_uses(part, name) for part in node)


def _variable_name(node: Node) -> str:
    if not isinstance(node, Ident) or node.rooted:
        raise CelCompileError("argument must be a simple name", node.offset)
    return node.name


def compiler_for(profile: Profile, variables: frozenset[str]) -> Compiler:
    """Return a compiler that knows the macros."""
    return Compiler(profile, variables, expand)


def expand(compiler: Compiler, node: Call) -> Step | None:
    """Compile a macro call; None where the call is no macro.

    Raises:
        CelCompileError: The macro's arguments have not the shape it needs.
    """
    if node.target is None:
        return _has(compiler, node) if node.name == "has" and len(node.args) == 1 else None
    if node.name == "bind" and len(node.args) == 3 and compiler.profile.bind and _is_cel(node.target):
        return _bind(compiler, node)
    build = _MACROS.get((node.name, len(node.args)))
    if node.name == "existsOne" and not compiler.profile.exists_one_alias:
        build = None
    if build is not None:
        return build(compiler, node)
    build = _TWO_VARIABLES.get((node.name, len(node.args))) if compiler.profile.two_variables else None
    if build is None and compiler.profile.optionals:
        build = _OPTIONAL.get((node.name, len(node.args)))
    if build is None and compiler.profile.sort_by and (node.name, len(node.args)) == ("sortBy", 2):
        build = _sort_by
    return build(compiler, node) if build else None


def _is_cel(node: Node) -> bool:
    return isinstance(node, Ident) and node.name == "cel"


def _has(compiler: Compiler, node: Call) -> Step:
    (argument,) = node.args
    if not isinstance(argument, Select) or argument.optional:
        raise CelCompileError("invalid argument to has() macro", node.offset)
    return compiler.has(argument)


def _quantifier(*, decides: bool, variables: int) -> Callable[[Compiler, Call], Step]:
    def build(compiler: Compiler, node: Call) -> Step:
        loop = _Loop(compiler, node, variables, node.args[variables:])
        return _quantify_pairs(loop, decides=decides) if variables == 2 else _quantify(loop, decides=decides)

    return build


def _quantify(loop: _Loop, *, decides: bool) -> Step:
    over, (body,), (slot,), cost, offset = loop.range, loop.bodies, loop.slots, loop.cost, loop.offset
    neutral, same = not decides, loop.same

    def run(frame: Frame) -> Any:
        items = over(frame)
        if type(items) is not list:
            items = iterated(items, offset)
        pending: CelError | None = None
        budget = frame[0]
        if same is not None and (counted := same(frame, items)) is not None:
            budget.spend(cost * counted[1])
            return counted[0] > 0 if decides else counted[0] == counted[1]
        for item in items:
            budget.left -= cost
            if budget.left < 0:
                raise exhausted()
            frame[slot] = item
            try:
                value = body(frame)
            except CelError as error:
                pending = worse(pending, error)
                continue
            if value is decides:
                return decides
            if value is not neutral:
                pending = worse(pending, unreadable_or_no_overload(value, offset))
        if pending is not None:
            raise pending
        return neutral

    return run


def _quantify_pairs(loop: _Loop, *, decides: bool) -> Step:
    over, (body,), (first, second), offset = loop.range, loop.bodies, loop.slots, loop.offset

    def run(frame: Frame) -> Any:
        pending: CelError | None = None
        for key, value in iterated_pairs(over(frame), offset):
            frame[0].spend(loop.cost)
            frame[first], frame[second] = key, value
            try:
                result = body(frame)
            except CelError as error:
                pending = worse(pending, error)
                continue
            if result is decides:
                return decides
            if type(result) is not bool:
                pending = worse(pending, unreadable_or_no_overload(result, offset))
        if pending is not None:
            raise pending
        return not decides

    return run


def _rounds(loop: _Loop) -> Callable[[Frame], Any]:
    """Return a generator over a loop's rounds: it charges, binds the variables and yields the first one's value."""
    over, slots, cost, offset = loop.range, loop.slots, loop.cost, loop.offset
    if len(slots) == 1:
        (slot,) = slots

        def single(frame: Frame) -> Any:
            for item in iterated(over(frame), offset):
                frame[0].spend(cost)
                frame[slot] = item
                yield item

        return single
    first, second = slots

    def pairs(frame: Frame) -> Any:
        for key, value in iterated_pairs(over(frame), offset):
            frame[0].spend(cost)
            frame[first], frame[second] = key, value
            yield key

    return pairs


def _truth(value: object, offset: int) -> bool:
    if value is True or value is False:
        return value
    raise unreadable_or_no_overload(value, offset)


def _exists_one(variables: int) -> Callable[[Compiler, Call], Step]:
    def build(compiler: Compiler, node: Call) -> Step:
        loop = _Loop(compiler, node, variables, node.args[variables:])
        rounds, (body,), offset = _rounds(loop), loop.bodies, loop.offset
        over, same, cost = loop.range, loop.same, loop.cost

        def run(frame: Frame) -> Any:
            if same is not None and (counted := same(frame, over(frame))) is not None:
                frame[0].spend(cost * counted[1])
                return counted[0] == 1
            return sum(1 for _ in rounds(frame) if _truth(body(frame), offset)) == 1

        return run

    return build


def _filter(compiler: Compiler, node: Call) -> Step:
    loop = _Loop(compiler, node, 1, node.args[1:])
    over, (body,), (slot,), cost, offset = loop.range, loop.bodies, loop.slots, loop.cost, loop.offset

    def run(frame: Frame) -> Any:
        kept: list[Any] = []
        for item in iterated(over(frame), offset):
            frame[0].spend(cost)
            frame[slot] = item
            if _truth(body(frame), offset):
                kept.append(item)
        return kept

    return run


def _to_list(variables: int) -> Callable[[Compiler, Call], Step]:
    """Build `map` and `transformList`, with or without a condition before the result."""

    def build(compiler: Compiler, node: Call) -> Step:
        loop = _Loop(compiler, node, variables, node.args[variables:])
        rounds, offset = _rounds(loop), loop.offset
        if len(loop.bodies) == 1:
            (result,) = loop.bodies
            return lambda frame: [result(frame) for _ in rounds(frame)]
        condition, result = loop.bodies
        return lambda frame: [result(frame) for _ in rounds(frame) if _truth(condition(frame), offset)]

    return build


def _to_map(compiler: Compiler, node: Call) -> Step:
    loop = _Loop(compiler, node, 2, node.args[2:])
    rounds, offset, result = _rounds(loop), loop.offset, loop.bodies[-1]
    condition = loop.bodies[0] if len(loop.bodies) == 2 else None

    def run(frame: Frame) -> Any:
        entries: dict[Any, Any] = {}
        for key in rounds(frame):
            if condition is None or _truth(condition(frame), offset):
                entries[map_key(key)] = result(frame)
        return entries

    return run


def _to_entries(compiler: Compiler, node: Call) -> Step:
    if not isinstance(node.args[-1], MapLiteral) or len(node.args[-1].entries) != 1:
        raise CelCompileError("transformMapEntry() needs a map literal with one entry", node.args[-1].offset)
    loop = _Loop(compiler, node, 2, node.args[2:])
    rounds, offset, result = _rounds(loop), loop.offset, loop.bodies[-1]
    condition = loop.bodies[0] if len(loop.bodies) == 2 else None

    def run(frame: Frame) -> Any:
        entries: dict[Any, Any] = {}
        for _ in rounds(frame):
            if condition is not None and not _truth(condition(frame), offset):
                continue
            for key, value in result(frame).items():
                if key in entries:
                    raise CelError(f"insert failed: key {key} already exists", offset)
                entries[key] = value
        return entries

    return run


def _sort_by(compiler: Compiler, node: Call) -> Step:
    loop = _Loop(compiler, node, 1, node.args[1:])
    over, (key,), (slot,), offset = loop.range, loop.bodies, loop.slots, loop.offset

    def run(frame: Frame) -> Any:
        items = over(frame)
        if kind_of(items) is not list:
            operators.raise_if_unknown(items)
            raise no_overload_at(offset)
        keys: list[Any] = []
        for item in items:
            frame[0].spend(loop.cost)
            frame[slot] = item
            keys.append(key(frame))
        try:
            return sorted_by(frame[0], items, keys)
        except CelError as error:
            raise placed(error, offset) from None

    return run


def _optional_map(*, flat: bool) -> Callable[[Compiler, Call], Step]:
    def build(compiler: Compiler, node: Call) -> Step:
        loop = _Loop(compiler, node, 1, node.args[1:])
        over, (body,), (slot,), offset = loop.range, loop.bodies, loop.slots, loop.offset

        def run(frame: Frame) -> Any:
            value = over(frame)
            if type(value) is not Opt:
                raise unreadable_or_no_overload(value, offset)
            if not value.present:
                return NONE
            frame[slot] = value.value
            result = body(frame)
            if not flat:
                return Opt(result)
            if type(result) is not Opt:
                raise unreadable_or_no_overload(result, offset)
            return result

        return run

    return build


def _bind(compiler: Compiler, node: Call) -> Step:
    name = _variable_name(node.args[0])
    value = compiler.compile(node.args[1])
    with compiler.bound(name) as (slot,):
        compiler.compute_lazily(slot, value)
        body = compiler.compile(node.args[2])

    def run(frame: Frame) -> Any:
        frame[slot] = PENDING
        return body(frame)

    return run


_Build = Callable[[Compiler, Call], Step]

_MACROS: dict[tuple[str, int], _Build] = {
    ("all", 2): _quantifier(decides=False, variables=1),
    ("exists", 2): _quantifier(decides=True, variables=1),
    ("exists_one", 2): _exists_one(1),
    ("existsOne", 2): _exists_one(1),
    ("filter", 2): _filter,
    ("map", 2): _to_list(1),
    ("map", 3): _to_list(1),
}
_TWO_VARIABLES: dict[tuple[str, int], _Build] = {
    ("all", 3): _quantifier(decides=False, variables=2),
    ("exists", 3): _quantifier(decides=True, variables=2),
    ("exists_one", 3): _exists_one(2),
    ("existsOne", 3): _exists_one(2),
    ("transformList", 3): _to_list(2),
    ("transformList", 4): _to_list(2),
    ("transformMap", 3): _to_map,
    ("transformMap", 4): _to_map,
    ("transformMapEntry", 3): _to_entries,
    ("transformMapEntry", 4): _to_entries,
}
_OPTIONAL: dict[tuple[str, int], _Build] = {
    ("optMap", 2): _optional_map(flat=False),
    ("optFlatMap", 2): _optional_map(flat=True),
}

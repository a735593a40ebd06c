"""Which field made an expression false: the path that a finding points at.

Walks the tree once more, only after a failure: into the operand that decided, the element that a macro stopped at, the
branch that was taken, down to a comparison or call, and names the field that it looked at.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelBudgetError, CelError
from gitops_guard.cel.macros import compiler_for
from gitops_guard.cel.profiles import Profile
from gitops_guard.cel.steps import Step
from gitops_guard.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Ident,
    Index,
    Literal,
    Logic,
    Node,
    Select,
    Unary,
)
from gitops_guard.cel.values import Undefined, kind_of

Path: TypeAlias = tuple[str | int, ...]

_FAILED = object()
"""Stands for the value of an expression that has none."""


class Scope(NamedTuple):
    """What names mean at one place of an expression."""

    environment: Profile
    activation: Mapping[str, object]
    paths: Mapping[str, Path]
    """Where the values of local variables come from; a name that is not here is a variable, its own path."""

    budget: Budget
    compiled: "dict[object, _Compiled]"
    """Parts of the expression, compiled when they were first asked for; kept by the program."""


class _Compiled(NamedTuple):
    """A part of an expression that can be evaluated by itself."""

    step: Step
    size: int
    roots: tuple[tuple[str, int], ...]


def blame(node: Node, scope: Scope) -> Path:
    """Return the field that made a node false or fail, the variable's name first; empty where none did.

    Raises:
        CelBudgetError: Looking for it took too many steps.
    """
    if isinstance(node, Logic):
        return _blame_logic(node, scope)
    if isinstance(node, Unary):
        return blame(node.operand, scope)
    if isinstance(node, Conditional):
        taken = _value(node.condition, scope)
        if taken is _FAILED:
            return blame(node.condition, scope)
        return blame(node.then if taken is True else node.otherwise, scope) or blame(node.condition, scope)
    if isinstance(node, Binary):
        return (
            _path(node.left, scope) or _path(node.right, scope) or blame(node.left, scope) or blame(node.right, scope)
        )
    if isinstance(node, Call):
        return _blame_call(node, scope)
    return _path(node, scope)


def _blame_logic(node: Logic, scope: Scope) -> Path:
    decides = node.operator == "||"
    values = [_value(term, scope) for term in node.terms]
    wrong = [term for term, value in zip(node.terms, values, strict=True) if (value is not True) != decides]
    # of `a && b` the first that is false; of `!has(a.b) || a.b == c`, where both are, the one that says more
    candidates = list(reversed(node.terms)) if decides else wrong
    return next((path for term in candidates if (path := blame(term, scope))), ())


def _blame_call(node: Call, scope: Scope) -> Path:
    if node.target is None:
        operands: tuple[Node, ...] = node.args
    elif node.name == "all" and len(node.args) in (2, 3):
        return _blame_element(node, scope) or _path(node.target, scope)
    elif node.name == "bind" and len(node.args) == 3 and isinstance(node.args[0], Ident):
        inner = _bound(scope, {node.args[0].name: (_value(node.args[1], scope), _path(node.args[1], scope))})
        return blame(node.args[2], inner)
    else:
        operands = (node.target, *node.args)
    found = (path for operand in operands if (path := _path(operand, scope) or blame(operand, scope)))
    return next(found, ())


def _blame_element(node: Call, scope: Scope) -> Path:
    """Find the first element for which a macro's body is not true, and what in the body is to blame."""
    assert node.target is not None
    value = _value(node.target, scope)
    kind = kind_of(value)
    if kind not in (list, dict):
        return blame(node.target, scope)
    pairs = list(value.items()) if kind is dict else list(enumerate(value))
    names = [name.name for name in node.args[:-1] if isinstance(name, Ident)]
    for position, element in pairs:
        path = _element_path(node.target, position, element, scope)
        bound = {names[-1]: (element, path)}
        if len(names) == 2:
            bound[names[0]] = (position, path)
        elif kind is dict:
            bound = {names[0]: (position, path)}
        inner = _bound(scope, bound)
        if _value(node.args[-1], inner) is not True:
            return blame(node.args[-1], inner) or path
    return ()


def _bound(scope: Scope, names: Mapping[str, tuple[object, Path]]) -> Scope:
    values = {name: value for name, (value, _) in names.items()}
    paths = {name: path for name, (_, path) in names.items()}
    return scope._replace(activation={**scope.activation, **values}, paths={**scope.paths, **paths})


def _element_path(node: Node, position: object, element: object, scope: Scope) -> Path:
    """Return where an element of a list or map comes from, through `+`, `filter`, `?:` and `orValue`."""
    if isinstance(node, Binary) and node.operator == "+" and isinstance(position, int):
        left = _value(node.left, scope)
        length = len(left) if isinstance(left, list) else 0
        if position < length:
            return _element_path(node.left, position, element, scope)
        return _element_path(node.right, position - length, element, scope)
    if isinstance(node, Call) and node.name == "filter" and node.target is not None:
        source = _value(node.target, scope)
        if isinstance(source, list):
            found = next((index for index, other in enumerate(source) if other is element), None)
            return () if found is None else _element_path(node.target, found, element, scope)
    base = _path(node, scope)
    return (*base, position) if base and isinstance(position, (str, int)) else ()


def _path(node: Node, scope: Scope) -> Path:
    """Return the path of the field that a node selects; empty where it is none."""
    if isinstance(node, Ident):
        return scope.paths.get(node.name, (node.name,) if node.name in scope.activation else ())
    if isinstance(node, Select):
        base = _path(node.operand, scope)
        return (*base, node.field) if base else ()
    if isinstance(node, Index):
        base, key = _path(node.operand, scope), _value(node.key, scope)
        return (*base, key) if base and isinstance(key, (str, int)) and not isinstance(key, bool) else ()
    if isinstance(node, Conditional):
        return _path(node.then if _value(node.condition, scope) is True else node.otherwise, scope)
    if isinstance(node, Call) and node.target is not None and node.name in ("orValue", "or", "value"):
        return _path(node.target, scope)
    return ()


def _value(node: Node, scope: Scope) -> Any:
    if isinstance(node, Literal):
        return node.value
    try:
        part = _compiled(node, scope)
        frame: list[Any] = [None] * part.size
        frame[0] = scope.budget
        for name, slot in part.roots:
            frame[slot] = scope.activation[name] if name in scope.activation else Undefined(name)
        return part.step(frame)
    except CelBudgetError:
        raise
    except CelError:
        return _FAILED


def _compiled(node: Node, scope: Scope) -> _Compiled:
    names = frozenset(scope.activation)
    key = id(node), names  # the program keeps its nodes, so that an id stays theirs
    if key not in scope.compiled:
        compiler = compiler_for(scope.environment, names.union(scope.environment.roots))
        step = compiler.compile(node)
        scope.compiled[key] = _Compiled(step, compiler.size, tuple(compiler.roots.items()))
    return scope.compiled[key]

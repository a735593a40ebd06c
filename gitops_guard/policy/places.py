"""The field that a finding points at. A policy names none, so it is found by what the expression looked at."""

from collections.abc import Callable, Mapping
from typing import Any

from gitops_guard.cel import CelError, Program
from gitops_guard.cel.syntax import Ident, Node, Select
from gitops_guard.model import Body, FieldPath
from gitops_guard.policy.syntax import common_field, walk

_STATES = ("object", "oldObject")


def field_of(
    blamed: tuple[str | int, ...],
    places: Mapping[int, FieldPath],
    variables: Mapping[str, Any],
    read: Callable[[], FieldPath],
) -> FieldPath:
    """Return the field of an object that made an expression fail; the root where nothing says more.

    Args:
        blamed: What `Program.blame` returned.
        places: Where the object's maps and lists stand, by identity; see `places_of`.
        variables: Values of the policy's variables.
        read: Returns the field that the expression reads, see `read_field`; asked when nothing says more.
    """
    if blamed[:1] and blamed[0] in _STATES and len(blamed) > 1:
        return blamed[1:]
    if blamed[:1] == ("variables",) and len(blamed) > 1:
        found = _origin(blamed[1:], places, variables)
        if found:
            return found
    return read()


def places_of(body: Body) -> dict[int, FieldPath]:
    """Return where each map and list of a body stands, by its identity: values of variables are never copies."""
    found: dict[int, FieldPath] = {}
    waiting: list[tuple[Any, FieldPath]] = [(body, ())]
    while waiting:
        value, path = waiting.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(item, (dict, list)) and id(item) not in found:
                place = found[id(item)] = (*path, key)
                waiting.append((item, place))
    return found


def _origin(path: tuple[str | int, ...], places: Mapping[int, FieldPath], variables: Mapping[str, Any]) -> FieldPath:
    """Find where in the object a part of a variable's value comes from: values are never copied."""
    found: FieldPath = ()
    value: Any = None
    for depth, element in enumerate(path):
        try:
            value = variables[str(element)] if depth == 0 else value[element]
        except (CelError, LookupError, TypeError):
            break
        if id(value) in places:
            found = (*places[id(value)], *path[depth + 1 :])
    return found


def read_field(program: Program, sources: Mapping[str, Program], seen: frozenset[str] = frozenset()) -> FieldPath:
    """Return the field that all of an expression's uses of the object share, through variables as well."""
    node = program.node
    paths = [path for state in _STATES if (path := common_field(node, state))][:1]
    for name in sorted(_variables_in(node) - seen):
        if name in sources and (path := read_field(sources[name], sources, seen | {name})):
            paths.append(path)
    return _shared(paths)


def _variables_in(node: Node) -> set[str]:
    return {
        part.field
        for part in walk(node)
        if isinstance(part, Select) and isinstance(part.operand, Ident) and part.operand.name == "variables"
    }


def _shared(paths: list[FieldPath]) -> FieldPath:
    if not paths:
        return ()
    shared: list[str | int] = []
    for elements in zip(*paths, strict=False):
        if len(set(elements)) > 1:
            break
        shared.append(elements[0])
    return tuple(shared)

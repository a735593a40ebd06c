"""How functions are declared and found: overloads by name and by the types of their arguments.

A library module makes one `Library` and decorates plain Python functions with the CEL signature. At run time a call
looks its overload up in one dict by the arguments' types, so a function never checks types itself.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.operators import raise_if_unknown
from gitops_guard.cel.values import Duration, Opt, Timestamp, TypeValue, UInt, kind_of, type_name

Function = Callable[..., Any]
_F = TypeVar("_F", bound=Callable[..., Any])


class _Any:
    """Stands in a signature for every type."""


ANY = _Any

NULL = type(None)
_STANDARD_KINDS: tuple[type, ...] = (
    NULL,
    bool,
    int,
    UInt,
    float,
    str,
    bytes,
    list,
    dict,
    Timestamp,
    Duration,
    TypeValue,
    Opt,
)


class Overload(NamedTuple):
    """One signature of a function and what computes it."""

    name: str
    method: bool
    params: tuple[type, ...]
    """For a method the receiver first."""

    call: Function
    budgeted: bool
    """The function takes the step budget as its first argument."""


class Library:
    """A named set of overloads."""

    def __init__(self, name: str, *, types: Iterable[type] = ()) -> None:
        self.name = name
        self.types = tuple(types)
        """Opaque value classes that the library brings; their `type_name` becomes an identifier."""

        self.overloads: list[Overload] = []

    def function(self, name: str, *params: type, budgeted: bool = False) -> Callable[[_F], _F]:
        """Declare a global function: `@LIBRARY.function("base64.encode", bytes)`."""
        return self._declare(name, params, method=False, budgeted=budgeted)

    def method(self, name: str, *params: type, budgeted: bool = False) -> Callable[[_F], _F]:
        """Declare a method; the first type is the receiver's."""
        return self._declare(name, params, method=True, budgeted=budgeted)

    def variadic(self, name: str, least: int, most: int) -> Callable[[_F], _F]:
        """Declare a global function of several arguments of any type, which it checks itself."""

        def declare(call: _F) -> _F:
            for arity in range(least, most + 1):
                self.overloads.append(Overload(name, False, (ANY,) * arity, call, False))
            return call

        return declare

    def _declare(self, name: str, params: tuple[type, ...], *, method: bool, budgeted: bool) -> Callable[[_F], _F]:
        def declare(call: _F) -> _F:
            self.overloads.append(Overload(name, method, params, call, budgeted))
            return call

        return declare


class Dispatch:
    """All overloads of one name and number of arguments."""

    __slots__ = ("budgeted", "fallback", "name", "table")

    def __init__(self, name: str, *, budgeted: bool) -> None:
        self.name = name
        self.budgeted = budgeted
        self.table: dict[object, Function] = {}
        """By the argument's type, or by the tuple of types where there are none or several."""

        self.fallback: Function | None = None
        """Takes whatever the table does not name."""

    def resolve(self, values: tuple[object, ...]) -> Function:
        """Find the overload for values whose exact types are not in the table: subclasses, or an error.

        Raises:
            CelError: No overload takes them.
        """
        kinds = tuple(kind_of(value) for value in values)
        call = self.table.get(kinds[0] if len(kinds) == 1 else kinds, self.fallback)
        if call is None:
            raise_if_unknown(*values)
            raise no_overload(self._signature(values))
        return call

    def takes(self, kinds: tuple[type | None, ...]) -> bool:
        """Tell whether an overload takes arguments of such types; None stands for a type that is not known."""
        if self.fallback is not None or not any(kinds):
            return True
        if len(kinds) == 1:
            return kinds[0] in self.table
        keys = (key for key in self.table if isinstance(key, tuple))
        return any(all(want is None or want is have for want, have in zip(kinds, key, strict=True)) for key in keys)

    def _signature(self, values: tuple[object, ...]) -> str:
        if self.name in CONVERSIONS:
            return f"{self.name}({', '.join(type_name(value) for value in values)})"
        return self.name


CONVERSIONS = frozenset({"bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"})
"""Functions that turn one standard type into another."""


class FunctionTable:
    """The functions and methods that a profile offers."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        chosen = list(libraries)
        self._kinds = (*_STANDARD_KINDS, *(cls for library in chosen for cls in library.types))
        self.functions: dict[str, dict[int, Dispatch]] = {}
        self.methods: dict[str, dict[int, Dispatch]] = {}
        overloads = [overload for library in chosen for overload in library.overloads]
        budgeted = {_identity(overload) for overload in overloads if overload.budgeted}
        for overload in overloads:
            self._add(overload, budgeted=_identity(overload) in budgeted)

    def _add(self, overload: Overload, *, budgeted: bool) -> None:
        names = self.methods if overload.method else self.functions
        arities = names.setdefault(overload.name, {})
        arity = len(overload.params)
        if arity not in arities:
            arities[arity] = Dispatch(overload.name, budgeted=budgeted)
        call = overload.call if overload.budgeted or not budgeted else _ignoring_budget(overload.call)
        if arity > 1 and all(param is ANY for param in overload.params):
            arities[arity].fallback = call
            return
        table = arities[arity].table
        for kinds in self._expand(overload.params):
            table[kinds[0] if arity == 1 else kinds] = call

    def _expand(self, params: tuple[type, ...]) -> Iterator[tuple[type, ...]]:
        expanded: list[tuple[type, ...]] = [()]
        for param in params:
            choices = self._kinds if param is ANY else (param,)
            expanded = [(*kinds, choice) for kinds in expanded for choice in choices]
        return iter(expanded)


def _identity(overload: Overload) -> tuple[str, bool, int]:
    return overload.name, overload.method, len(overload.params)


def _ignoring_budget(call: Function) -> Function:
    return lambda _budget, *values: call(*values)


def placed(error: CelError, offset: int) -> CelError:
    """Give an error the offset of the call it came from, unless it knows a closer one."""
    if error.offset < 0 and not error.line:
        error.offset = offset
    return error

"""What a compiled node does at run time: the closures that read, select, compare, compute and call.

The common cases are decided here, in as few steps as possible; `operators` decides the rest.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

from gitops_guard.cel import operators
from gitops_guard.cel.errors import CelError, no_overload, worse
from gitops_guard.cel.functions import Dispatch, placed
from gitops_guard.cel.values import (
    INT_MAX,
    INT_MIN,
    Opt,
    UInt,
    kind_of,
    map_key,
    plain_key,
)

Frame: TypeAlias = list[Any]
"""The budget in slot 0, then variables."""

Step: TypeAlias = Callable[[Frame], Any]
"""A compiled node."""

_LOOKUP_FAILURES = (KeyError, TypeError)


def no_overload_at(offset: int) -> CelError:
    """Build the error for operands without an overload, placed."""
    return placed(no_overload(), offset)


def guarded(step: Step, offset: int) -> Step:
    """Give errors of a step the offset of its operator."""

    def run(frame: Frame) -> Any:
        try:
            return step(frame)
        except CelError as error:
            raise placed(error, offset) from None

    return run


def read_variable(slot: int) -> Step:
    """Read a variable; one that cannot be known raises."""
    unreadable = operators.UNREADABLE

    def run(frame: Frame) -> Any:
        value = frame[slot]
        if type(value) in unreadable:
            raise value.error()
        return value

    return run


def _walk(value: Any, fields: tuple[str, ...], offsets: tuple[int, ...]) -> Any:
    for field, offset in zip(fields, offsets, strict=True):
        try:
            value = operators.select(value, field)
        except CelError as error:
            raise placed(error, offset) from None
    return value


def select_from_slot(slot: int, fields: tuple[str, ...], offsets: tuple[int, ...]) -> Step:
    """Read `name.a.b` at one go; only where that fails walk step by step, to say what is missing."""
    if len(fields) == 1:
        (first,) = fields

        def one(frame: Frame) -> Any:
            try:
                return frame[slot][first]
            except _LOOKUP_FAILURES:
                return _walk(frame[slot], fields, offsets)

        return one
    if len(fields) == 2:
        first, second = fields

        def two(frame: Frame) -> Any:
            try:
                return frame[slot][first][second]
            except _LOOKUP_FAILURES:
                return _walk(frame[slot], fields, offsets)

        return two

    def many(frame: Frame) -> Any:
        value = frame[slot]
        try:
            for field in fields:
                value = value[field]
        except _LOOKUP_FAILURES:
            return _walk(frame[slot], fields, offsets)
        return value

    return many


def select_from_step(step: Step, fields: tuple[str, ...], offsets: tuple[int, ...]) -> Step:
    """Select fields of a step's value."""

    def run(frame: Frame) -> Any:
        start = value = step(frame)
        try:
            for field in fields:
                value = value[field]
        except _LOOKUP_FAILURES:
            return _walk(start, fields, offsets)
        return value

    return run


_EXACT = frozenset({str, bool, bytes})


def equality(left: Step, right: Step, constant: object, offset: int, *, wanted: bool) -> Step:
    """Compare by `==`, or by `!=` where `wanted` is false."""
    slow: Callable[..., bool] = operators.equals if wanted else operators.differs
    if type(constant) in _EXACT:
        cls = type(constant)

        def against_constant(frame: Frame) -> Any:
            value = left(frame)
            if type(value) is cls:
                return (value == constant) is wanted
            try:
                return slow(value, constant, frame[0])
            except CelError as error:
                raise placed(error, offset) from None

        return against_constant

    def run(frame: Frame) -> Any:
        x, y = left(frame), right(frame)
        cls = type(x)
        if cls is type(y) and (cls is str or cls is int):
            return (x == y) is wanted
        try:
            return slow(x, y, frame[0])
        except CelError as error:
            raise placed(error, offset) from None

    return run


def membership(left: Step, right: Step, constants: frozenset[str] | None, offset: int) -> Step:
    """Look an item up in a list or map, at once where the list is of constant strings."""
    if constants is not None:

        def in_constants(frame: Frame) -> Any:
            value = left(frame)
            if type(value) is str:
                return value in constants
            operators.raise_if_unknown(value)
            return isinstance(value, str) and value in constants

        return in_constants

    def run(frame: Frame) -> Any:
        item, container = left(frame), right(frame)
        if type(item) is str and type(container) is dict:
            return item in container
        try:
            return operators.contains(item, container, frame[0])
        except CelError as error:
            raise placed(error, offset) from None

    return run


ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def ordering(operator: str, left: Step, right: Step, offset: int) -> Step:
    """Compare by `<`, `<=`, `>`, `>=`."""
    holds = ORDERINGS[operator]

    def run(frame: Frame) -> Any:
        x, y = left(frame), right(frame)
        if type(x) is int and type(y) is int:
            return holds(x, y)
        try:
            return holds(operators.compare(x, y), 0)
        except CelError as error:
            raise placed(error, offset) from None

    return run


def arithmetic(operator: str, left: Step, right: Step, offset: int) -> Step:
    """Apply `+ - * / %`."""

    def run(frame: Frame) -> Any:
        try:
            return operators.arithmetic(operator, left(frame), right(frame), frame[0])
        except CelError as error:
            raise placed(error, offset) from None

    if operator != "+":
        return run

    def add(frame: Frame) -> Any:
        x, y = left(frame), right(frame)
        if type(x) is int and type(y) is int:
            total = x + y
            if INT_MIN <= total <= INT_MAX:
                return total
        try:
            return operators.arithmetic("+", x, y, frame[0])
        except CelError as error:
            raise placed(error, offset) from None

    return add


def unreadable_or_no_overload(value: object, offset: int) -> CelError:
    """Return the error for a value that an operator does not take."""
    try:
        operators.raise_if_unknown(value)
    except CelError as error:
        return error
    return no_overload_at(offset)


def logic_of_two(left: Step, right: Step, offset: int, *, decides: bool) -> Step:
    """Join two terms by `&&` or `||`; `decides` is the value that ends it."""
    neutral = not decides

    def run(frame: Frame) -> Any:
        pending: CelError | None = None
        try:
            value = left(frame)
            if value is decides:
                return decides
            if value is not neutral:
                pending = unreadable_or_no_overload(value, offset)
        except CelError as error:
            pending = worse(None, error)
        if pending is None:
            value = right(frame)
            if value is decides or value is neutral:
                return value
            raise unreadable_or_no_overload(value, offset)
        try:
            value = right(frame)
        except CelError as error:
            raise worse(pending, error) from None
        if value is decides:
            return decides
        if value is not neutral:
            pending = worse(pending, unreadable_or_no_overload(value, offset))
        raise pending

    return run


def logic_of_many(terms: tuple[Step, ...], offset: int, *, decides: bool) -> Step:
    """Join any number of terms by `&&` or `||`."""
    neutral = not decides

    def run(frame: Frame) -> Any:
        pending: CelError | None = None
        for term in terms:
            try:
                value = term(frame)
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


def optional_content(value: object, offset: int) -> Opt:
    """Return what stands behind a `?` in a literal.

    Raises:
        CelError: It is no optional.
    """
    if type(value) is Opt:
        return value
    operators.raise_if_unknown(value)
    raise CelError("cannot initialize optional entry from non-optional value", offset)


def insert(entries: dict[Any, Any], key: object, value: object, offset: int, *, strict: bool) -> None:
    """Add an entry to a map literal.

    Raises:
        CelError: The key cannot be one or, where `strict`, is repeated.
    """
    try:
        found = map_key(key)
    except CelError as error:
        raise placed(error, offset) from None
    if strict and (type(found) is float or found in entries):
        raise CelError("unsupported key type" if type(found) is float else "Failed with repeated key", offset)
    entries[found] = value


def invoke(dispatch: Dispatch, steps: list[Step], offset: int) -> Step:
    """Call a function with the values of some steps."""
    if dispatch.budgeted:
        return _invoke_budgeted(dispatch, tuple(steps), offset)
    table, resolve = dispatch.table, dispatch.resolve
    if len(steps) == 1:
        (only,) = steps

        def one(frame: Frame) -> Any:
            x = only(frame)
            try:
                return (table.get(type(x)) or resolve((x,)))(x)
            except CelError as error:
                raise placed(error, offset) from None

        return one
    if len(steps) == 2:
        first, second = steps

        def two(frame: Frame) -> Any:
            x, y = first(frame), second(frame)
            try:
                return (table.get((type(x), type(y))) or resolve((x, y)))(x, y)
            except CelError as error:
                raise placed(error, offset) from None

        return two
    arguments = tuple(steps)

    def many(frame: Frame) -> Any:
        values = tuple([step(frame) for step in arguments])
        try:
            return (table.get(tuple(map(type, values))) or resolve(values))(*values)
        except CelError as error:
            raise placed(error, offset) from None

    return many


def _invoke_budgeted(dispatch: Dispatch, steps: tuple[Step, ...], offset: int) -> Step:
    table, resolve = dispatch.table, dispatch.resolve
    single = len(steps) == 1

    def run(frame: Frame) -> Any:
        values = tuple([step(frame) for step in steps])
        kinds: Any = type(values[0]) if single else tuple(map(type, values))
        try:
            return (table.get(kinds) or resolve(values))(frame[0], *values)
        except CelError as error:
            raise placed(error, offset) from None

    return run


def iterated(value: Any, offset: int) -> list[Any]:
    """Return what a macro with one variable runs over: a list's elements, a map's keys.

    Raises:
        CelError: The value is neither.
    """
    if type(value) is list:
        return value
    kind = kind_of(value)
    if kind is list:
        return list(value)
    if kind is dict:
        return [plain_key(key) for key in value]
    operators.raise_if_unknown(value)
    raise CelError(f"got '{go_type(value)}', expected iterable type", offset)


def iterated_pairs(value: Any, offset: int) -> list[tuple[Any, Any]]:
    """Return what a macro with two variables runs over: index and element, key and value."""
    kind = kind_of(value)
    if kind is dict:
        return [(plain_key(key), value[key]) for key in value]
    return list(enumerate(iterated(value, offset)))


_GO_TYPES = {
    type(None): "types.Null",
    bool: "types.Bool",
    int: "types.Int",
    UInt: "types.Uint",
    float: "types.Double",
    str: "types.String",
    bytes: "types.Bytes",
    Opt: "*types.Optional",
}


def go_type(value: object) -> str:
    """Name a value's type as the API server's messages about iteration do."""
    return _GO_TYPES.get(kind_of(value), f"types.{type(value).__name__}")

"""What expressions compute with. Plain Python values stand for themselves; the rest has a small class here.

    null_type bool string bytes list map    None bool str bytes list dict, never copied or wrapped
    int, uint, double                       int, UInt, float; type() tells them apart, since bool is an int to Python
    timestamp, duration                     Timestamp, Duration in whole nanoseconds (datetime loses them)
    type, optional_type                     TypeValue, Opt

A map may have int, uint and string keys as they are, and bool keys as `BoolKey`: Python would take True for 1.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitops_guard.cel.errors import CelError, CelUnknown

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1

NS = 1_000_000_000
"""Nanoseconds in a second."""

TIMESTAMP_MIN = -62_135_596_800 * NS
"""0001-01-01T00:00:00Z."""

TIMESTAMP_MAX = 253_402_300_799 * NS + 999_999_999
"""9999-12-31T23:59:59.999999999Z."""


class UInt(int):
    """An unsigned integer; equal to the int of the same value."""

    __slots__ = ()


class BoolKey:
    """A bool as a map key; see the module's text."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value


BOOL_KEYS = {True: BoolKey(True), False: BoolKey(False)}


class _Nanoseconds:
    """What timestamps and durations share: a count that compares within its own type."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Nanoseconds) and other.ns == self.ns

    def __hash__(self) -> int:
        return hash((type(self), self.ns))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ns})"


class Timestamp(_Nanoseconds):
    """An instant: nanoseconds since 1970-01-01T00:00:00Z."""

    __slots__ = ("zone_s",)

    def __init__(self, ns: int, zone_s: int = 0) -> None:
        super().__init__(ns)
        self.zone_s = zone_s
        """Seconds east of UTC in which it was written and is printed again; counts for nothing else."""


class Duration(_Nanoseconds):
    """A span in nanoseconds, within int64."""

    __slots__ = ()


class TypeValue:
    """A type as a value: what `type(x)` gives and what `int` or `list` denote."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeValue) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"TypeValue({self.name!r})"


class Opt:
    """An optional value."""

    __slots__ = ("present", "value")

    def __init__(self, value: object, *, present: bool = True) -> None:
        self.value = value
        self.present = present

    def __repr__(self) -> str:
        return f"Opt({self.value!r})" if self.present else "Opt.NONE"


NONE = Opt(None, present=False)
"""The absent optional."""


class Opaque:
    """Base of values that only their own library can look into: equal to their own type alone."""

    __slots__ = ()
    type_name = ""

    def __hash__(self) -> int:
        return id(self)


class Message(Opaque):
    """`Object{...}` or `JSONPatch{...}`: a typed struct."""

    __slots__ = ("fields", "type_name")

    def __init__(self, type_name: str, fields: dict[str, object]) -> None:
        self.type_name = type_name
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (other.type_name, other.fields) == (self.type_name, self.fields)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"Message({self.type_name!r}, {self.fields!r})"


class Unknown:
    """Stands in an activation for a variable that cannot be known here; reading it ends in CelUnknown."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def error(self) -> CelError:
        """Return what reading the variable raises."""
        return CelUnknown(self.reason)


class Undefined:
    """Fills the place of a variable that the activation does not define."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def error(self) -> CelError:
        """Return what reading the variable raises."""
        return CelError(f"no such attribute(s): {self.name}")


class SetList(list[Any]):
    """A list of a schema's type `set`: equal whatever the order, and added to without repeating anything."""

    __slots__ = ()

    def name_of(self, item: Any) -> object:
        """Return what tells an item from others."""
        return _frozen(item)

    def __add__(self, other: list[Any]) -> "SetList":
        names = {self.name_of(item) for item in self}
        return SetList([*self, *(item for item in other if self.name_of(item) not in names)])


class KeyedList(list[Any]):
    """A list of a schema's type `map`: equal whatever the order, and added to by key, where the other's items win."""

    __slots__ = ("_keys",)

    def __init__(self, items: Iterable[Any], keys: tuple[str, ...]) -> None:
        """Take the items, and the fields that tell them apart."""
        super().__init__(items)
        self._keys = keys

    def name_of(self, item: Any) -> object:
        """Return what tells an item from others."""
        return tuple(_frozen(item.get(key)) for key in self._keys) if isinstance(item, dict) else _frozen(item)

    def __add__(self, other: list[Any]) -> "KeyedList":
        items = {self.name_of(item): item for item in self}
        items.update((self.name_of(item), item) for item in other)
        return KeyedList(items.values(), self._keys)


def _frozen(value: Any) -> object:
    """Return something hashable that only an equal value has too."""
    if isinstance(value, dict):
        return dict, frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list):
        return list, tuple(map(_frozen, value))
    return type(value), value


class LazyMap(dict[str, Any]):
    """A map whose values are computed at first use and kept: `variables`, or a `request` known only in part.

    An error is kept as well and raised at each use, CelUnknown included; entries never used cost nothing.
    """

    __slots__ = ("_describe", "_failed", "_thunks")

    def __init__(self, thunks: Mapping[str, Callable[[], object]], *, describe: str = "{message}") -> None:
        """Take the computations.

        Args:
            thunks: Computes an entry, raising CelError where it cannot.
            describe: How an entry's error reads, with `{name}` and `{message}`:
                `composited variable "{name}" fails to evaluate: {message}`.
        """
        super().__init__()
        self._thunks = thunks
        self._failed: dict[str, CelError] = {}
        self._describe = describe

    def __missing__(self, name: str) -> object:
        if name in self._failed:
            # without the traceback of the times before, which would grow with every use
            raise self._failed[name].with_traceback(None)
        if not isinstance(name, str) or name not in self._thunks:
            raise KeyError(name)
        try:
            value = self._thunks[name]()
        except CelError as error:
            text = self._describe.replace("{name}", name).replace("{message}", error.message)
            # the place is the inner expression's, so the outer one must not add its own
            failure = type(error)(text, error.offset)
            failure.line, failure.column = error.line, error.column
            self._failed[name] = failure
            raise failure from error
        self[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._thunks

    def __iter__(self) -> Iterator[str]:
        return iter(self._thunks)

    def __len__(self) -> int:
        return len(self._thunks)


_KINDS: dict[type, type] = {
    kind: kind
    for kind in (type(None), bool, int, UInt, float, str, bytes, list, dict, Timestamp, Duration, TypeValue, Opt)
}
_KINDS[LazyMap] = dict
_KINDS[SetList] = _KINDS[KeyedList] = list
_BASES = (bool, UInt, int, float, str, bytes, list, dict, Timestamp, Duration, TypeValue, Opt)

_NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeValue: "type",
    Opt: "optional_type",
}

KINDS_BY_NAME = {name: kind for kind, name in _NAMES.items()}
"""Classes by the name of the type they stand for."""

STANDARD_TYPES = {name: TypeValue(name) for name in _NAMES.values()}
"""Names that denote types in every profile."""


def kind_of(value: object) -> type:
    """Return the class that stands for a value's CEL type, also for values of a subclass (a loader's own dict)."""
    cls = type(value)
    kind = _KINDS.get(cls)
    if kind is not None:
        return kind
    return next((base for base in _BASES if isinstance(value, base)), cls)


def type_name(value: object) -> str:
    """Return the name of a value's type: `int`, `map`, `kubernetes.Quantity`."""
    if isinstance(value, Opaque):
        return value.type_name
    return _NAMES.get(kind_of(value), "dyn")


def type_of(value: object) -> TypeValue:
    """Return a value's type as a value."""
    return TypeValue(type_name(value))


def plain_key(key: object) -> object:
    """Return a map key as a value."""
    return key.value if type(key) is BoolKey else key


def map_key(value: object) -> object:
    """Return a value as the key that Python's dict looks up; unhashable and foreign types find nothing.

    Raises:
        CelError: The value's type cannot be a key.
    """
    cls = type(value)
    if cls is str or cls is int or cls is UInt:
        return value
    if cls is bool:
        return BOOL_KEYS[bool(value)]
    if cls is float:
        return value
    if isinstance(value, (str, int)):
        return value
    raise CelError("unsupported key type")


def to_plain(value: object) -> object:
    """Turn a result into what JSON can say, where it can: bool keys become bools, uints ints, optionals their value."""
    kind = kind_of(value)
    if kind is dict:
        assert isinstance(value, dict)
        return {plain_key(key): to_plain(value[key]) for key in value}
    if kind is list:
        assert isinstance(value, list)
        return [to_plain(item) for item in value]
    if kind is UInt:
        assert isinstance(value, int)
        return int(value)
    if kind is Opt:
        assert isinstance(value, Opt)
        return to_plain(value.value) if value.present else None
    if isinstance(value, Message):
        return {name: to_plain(item) for name, item in value.fields.items()}
    return value

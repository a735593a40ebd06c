"""A syntax tree to nested closures, each a step `(frame) -> value`.

A frame is one list an evaluation: the budget in slot 0, then the variables the expression reads, then one slot for each
variable its macros bind. So nothing is copied when a comprehension runs, and names cost nothing at run time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gitops_guard.cel import operators, static
from gitops_guard.cel.errors import CelCompileError, CelError
from gitops_guard.cel.field_names import unescape_field
from gitops_guard.cel.functions import CONVERSIONS, Dispatch, placed
from gitops_guard.cel.profiles import Profile
from gitops_guard.cel.steps import (
    ORDERINGS,
    Frame,
    Step,
    arithmetic,
    equality,
    guarded,
    insert,
    invoke,
    logic_of_many,
    logic_of_two,
    membership,
    no_overload_at,
    optional_content,
    ordering,
    read_variable,
    select_from_slot,
    select_from_step,
)
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
    dotted_name,
)
from gitops_guard.cel.values import (
    KINDS_BY_NAME,
    NONE,
    Message,
    Opt,
)

PENDING = object()
"""Fills the slot of a lazily bound variable until something reads it."""


class _Failed:
    """Fills the slot of a lazily bound variable that cannot be computed, so that it is tried once only."""

    __slots__ = ("error",)

    def __init__(self, error: CelError) -> None:
        self.error = error


class Compiler:
    """Compiles one expression. Holds its scope and the layout of its frame."""

    def __init__(
        self, profile: Profile, variables: frozenset[str], expand: "Callable[[Compiler, Call], Step | None]"
    ) -> None:
        """Take what the expression may use.

        Args:
            profile: Names and functions.
            variables: Names of all variables, the profile's included.
            expand: Compiles a call that is a macro and gives None for others; it calls back into the compiler.
        """
        self.profile = profile
        self._expand = expand
        self._variables = variables
        self._locals: dict[str, int] = {}
        self._lazy: dict[int, Step] = {}
        self._homogeneous = profile.homogeneous
        self.roots: dict[str, int] = {}
        """Variables that the expression reads, with their slots."""

        self.size = 1
        """Slots of a frame."""

        self.nodes = 0
        """Nodes compiled so far; a loop charges its body's."""

    def compile(self, node: Node) -> Step:
        """Compile a node and all below it.

        Raises:
            CelCompileError: An unknown name, a wrong number of arguments, a macro without its shape.
        """
        self.nodes += 1
        return _COMPILERS[type(node)](self, node)

    # Names

    def _slot(self) -> int:
        self.size += 1
        return self.size - 1

    @contextmanager
    def bound(self, *names: str) -> Iterator[tuple[int, ...]]:
        """Bind local variables for the nodes compiled inside."""
        outer = dict(self._locals)
        slots = tuple(self._slot() for _ in names)
        self._locals.update(zip(names, slots, strict=True))
        try:
            yield slots
        finally:
            self._locals = outer

    def is_local(self, node: Node) -> bool:
        """Tell whether a chain of selections starts at a local variable."""
        while isinstance(node, Select):
            node = node.operand
        return isinstance(node, Ident) and not node.rooted and node.name in self._locals

    def is_dynamic(self, name: Ident) -> bool:
        """Tell whether a name is a variable whose fields have no types to the API server's checker either."""
        return name.name in self.profile.dynamic and not self.is_local(name)

    def _variable(self, name: str) -> int | None:
        if name not in self._variables:
            return None
        if name not in self.roots:
            self.roots[name] = self._slot()
        return self.roots[name]

    def _literal(self, node: Literal) -> Step:
        value = node.value
        return lambda _frame: value

    def _ident(self, node: Ident) -> Step:
        if not node.rooted and node.name in self._locals:
            return self._local(self._locals[node.name])
        step = self._global(node.name)
        return step or self._undeclared(node.name, node.offset)

    def _local(self, slot: int) -> Step:
        compute = self._lazy.get(slot)
        if compute is None:
            return lambda frame: frame[slot]

        def run(frame: Frame) -> Any:
            value = frame[slot]
            if value is PENDING:
                try:
                    value = frame[slot] = compute(frame)
                except CelError as error:
                    frame[slot] = _Failed(error)
                    raise
            elif type(value) is _Failed:
                raise value.error.with_traceback(None)
            return value

        return run

    def compute_lazily(self, slot: int, step: Step) -> None:
        """Let a bound variable be computed where it is first read; its slot must start as `PENDING`."""
        self._lazy[slot] = step

    def _global(self, name: str) -> Step | None:
        slot = self._variable(name)
        if slot is not None:
            return read_variable(slot)
        denoted = self.profile.types.get(name)
        return None if denoted is None else lambda _frame: denoted

    def _undeclared(self, name: str, offset: int) -> Step:
        if not self.profile.late_names:
            raise CelCompileError(f"undeclared reference to '{name}'", offset)

        def fail(_frame: Frame) -> Any:
            raise CelError(f"no such attribute(s): {name}", offset)

        return fail

    # Selection

    def _select(self, node: Select) -> Step:
        if node.optional:
            return self._optional_select(node)
        fields: list[str] = []
        offsets: list[int] = []
        operand: Node = node
        while isinstance(operand, Select) and not operand.optional:
            dotted = None if self.is_local(operand) else dotted_name(operand)
            if dotted and (step := self._global(dotted)):
                return self._chain(step, fields, offsets)
            fields.insert(0, self._field(operand.field))
            offsets.insert(0, operand.offset)
            operand = operand.operand
        self.nodes += len(fields)
        slot = self._slot_of(operand)
        if slot is not None:
            return select_from_slot(slot, tuple(fields), tuple(offsets))
        return self._chain(self.compile(operand), fields, offsets)

    def _field(self, name: str) -> str:
        return unescape_field(name) if self.profile.escaped_fields and "__" in name else name

    def _slot_of(self, node: Node) -> int | None:
        if not isinstance(node, Ident):
            return None
        if not node.rooted and node.name in self._locals:
            slot = self._locals[node.name]
            return None if slot in self._lazy else slot
        return self._variable(node.name)

    @staticmethod
    def _chain(step: Step, fields: list[str], offsets: list[int]) -> Step:
        return select_from_step(step, tuple(fields), tuple(offsets)) if fields else step

    def _check_optional(self, offset: int) -> None:
        if not self.profile.optionals:
            raise CelCompileError("unsupported syntax '?'", offset)

    def _optional_select(self, node: Select) -> Step:
        self._check_optional(node.offset)
        operand, field, offset = self.compile(node.operand), self._field(node.field), node.offset
        strict = self.profile.strict_presence

        def run(frame: Frame) -> Any:
            value = operand(frame)
            if type(value) is dict:
                return Opt(value[field]) if field in value else NONE
            try:
                return operators.select_optional(value, field, strict=strict)
            except CelError as error:
                raise placed(error, offset) from None

        return run

    def has(self, node: Select) -> Step:
        """Compile the macro `has(operand.field)`."""
        operand, field, offset = self.compile(node.operand), self._field(node.field), node.offset
        strict = self.profile.strict_presence

        def run(frame: Frame) -> Any:
            value = operand(frame)
            if type(value) is dict:
                return field in value
            try:
                return operators.has_field(value, field, strict=strict)
            except CelError as error:
                raise placed(error, offset) from None

        return run

    def _index(self, node: Index) -> Step:
        if node.optional:
            self._check_optional(node.offset)
        operand, key, offset = self.compile(node.operand), self.compile(node.key), node.offset
        lookup: Callable[[Any, Any], Any] = operators.index_optional if node.optional else operators.index
        plain = not node.optional

        def run(frame: Frame) -> Any:
            value, at = operand(frame), key(frame)
            if plain and type(at) is str and type(value) is dict and at in value:
                return value[at]
            try:
                return lookup(value, at)
            except CelError as error:
                raise placed(error, offset) from None

        return run

    # Operators

    def _unary(self, node: Unary) -> Step:
        operand, offset = self.compile(node.operand), node.offset
        if node.operator == "-":
            return guarded(lambda frame: operators.negate(operand(frame)), offset)

        def invert(frame: Frame) -> Any:
            value = operand(frame)
            if value is True:
                return False
            if value is False:
                return True
            operators.raise_if_unknown(value)
            raise no_overload_at(offset)

        return invert

    def _binary(self, node: Binary) -> Step:
        if self.profile.checked:
            static.check_operator(node, self.is_dynamic)
        left, right = self.compile(node.left), self.compile(node.right)
        constant = node.right.value if isinstance(node.right, Literal) else None
        operator, offset = node.operator, node.offset
        if operator in ("==", "!="):
            return equality(left, right, constant, offset, wanted=operator == "==")
        if operator == "in":
            if self.profile.checked and isinstance(node.right, ListLiteral) and not node.right.items:
                # the API server's optimizer does not even look at the left side
                return lambda _frame: False
            return membership(left, right, _constant_strings(node.right), offset)
        if operator in ORDERINGS:
            return ordering(operator, left, right, offset)
        return arithmetic(operator, left, right, offset)

    def _logic(self, node: Logic) -> Step:
        decides = node.operator == "||"
        if self.profile.checked:
            static.check_terms(node, self.is_dynamic)
        terms = tuple(self.compile(term) for term in node.terms)
        if len(terms) == 2:
            return logic_of_two(terms[0], terms[1], node.offset, decides=decides)
        return logic_of_many(terms, node.offset, decides=decides)

    def _conditional(self, node: Conditional) -> Step:
        condition, offset = self.compile(node.condition), node.offset
        then, otherwise = self.compile(node.then), self.compile(node.otherwise)

        def run(frame: Frame) -> Any:
            value = condition(frame)
            if value is True:
                return then(frame)
            if value is False:
                return otherwise(frame)
            operators.raise_if_unknown(value)
            raise no_overload_at(offset)

        return run

    # Aggregates

    def _list(self, node: ListLiteral) -> Step:
        if self._homogeneous:
            static.check_homogeneous([item for item, optional in node.items if not optional], self.is_dynamic)
        steps = [(self.compile(item), optional) for item, optional in node.items]
        if all(isinstance(item, Literal) and not optional for item, optional in node.items):
            constant = [item.value for item, _ in node.items if isinstance(item, Literal)]
            return lambda _frame: constant
        if any(optional for _, optional in steps):
            self._check_optional(node.offset)
        else:
            plain = tuple(step for step, _ in steps)
            return lambda frame: [step(frame) for step in plain]
        offset = node.offset

        def run(frame: Frame) -> Any:
            items: list[Any] = []
            for step, optional in steps:
                value = step(frame)
                if not optional:
                    items.append(value)
                elif (content := optional_content(value, offset)).present:
                    items.append(content.value)
            return items

        return run

    def _map(self, node: MapLiteral) -> Step:
        if self._homogeneous:
            static.check_homogeneous([key for key, _, _ in node.entries], self.is_dynamic)
            static.check_homogeneous([value for _, value, optional in node.entries if not optional], self.is_dynamic)
        steps = [(self.compile(key), self.compile(value), optional) for key, value, optional in node.entries]
        strict, offset = self.profile.strict_keys, node.offset
        if any(optional for _, _, optional in steps):
            self._check_optional(offset)

        def run(frame: Frame) -> Any:
            entries: dict[Any, Any] = {}
            for key_step, value_step, optional in steps:
                key, value = key_step(frame), value_step(frame)
                if optional and not (content := optional_content(value, offset)).present:
                    continue
                insert(entries, key, content.value if optional else value, offset, strict=strict)
            return entries

        return run

    def _message(self, node: MessageLiteral) -> Step:
        name = node.name.removeprefix(".")
        if not any(
            name == allowed or (allowed[-1:] == "." and name.startswith(allowed)) for allowed in self.profile.messages
        ):
            return self._undeclared(name, node.offset)
        steps = [(field, self.compile(value), optional) for field, value, optional in node.entries]
        offset = node.offset

        def run(frame: Frame) -> Any:
            fields: dict[str, Any] = {}
            for field, step, optional in steps:
                value = step(frame)
                if not optional:
                    fields[field] = value
                elif (content := optional_content(value, offset)).present:
                    fields[field] = content.value
            return Message(name, fields)

        return run

    # Calls

    def _call(self, node: Call) -> Step:
        step = self._expand(self, node)
        if step is not None:
            return step
        static.check_literal_arguments(node)
        if node.target is None:
            return self._function(node.name, node.args, node.offset)
        qualifier = None if self.is_local(node.target) else dotted_name(node.target)
        if qualifier and f"{qualifier}.{node.name}" in self.profile.functions.functions:
            return self._function(f"{qualifier}.{node.name}", node.args, node.offset)
        if self.profile.optionals and node.name in ("or", "orValue") and len(node.args) == 1:
            return self._or(node)
        dispatch = self._dispatch(self.profile.functions.methods, node.name, len(node.args) + 1, node.offset)
        if dispatch is None:
            return self._undeclared(node.name, node.offset)
        self._check_overload(dispatch, (node.target, *node.args), node.offset)
        target = self.compile(node.target)
        outer, self._homogeneous = self._homogeneous, self._homogeneous and node.name != "format"
        steps = [target, *map(self.compile, node.args)]
        self._homogeneous = outer
        return invoke(dispatch, steps, node.offset)

    def _function(self, name: str, args: tuple[Node, ...], offset: int) -> Step:
        dispatch = self._dispatch(self.profile.functions.functions, name, len(args), offset)
        if dispatch is None:
            return self._undeclared(name, offset)
        self._check_overload(dispatch, args, offset)
        step = invoke(dispatch, list(map(self.compile, args)), offset)
        if args and not dispatch.budgeted and all(isinstance(arg, Literal) for arg in args):
            return self._folded(step, name, offset)
        return step

    def _check_overload(self, dispatch: Dispatch, args: tuple[Node, ...], offset: int) -> None:
        if not self.profile.checked:
            return
        names = [static.static_type(arg, self.is_dynamic) for arg in args]
        if not dispatch.takes(tuple(KINDS_BY_NAME.get(name) for name in names)):
            applied = f"'{dispatch.name}' applied to '({', '.join(names)})'"
            raise CelCompileError(f"found no matching overload for {applied}", offset)

    def _folded(self, step: Step, name: str, offset: int) -> Step:
        """Compute a function of literals now; `quantity('1Gi')` in a loop is parsed once."""
        try:
            value = step([])
        except CelError as error:
            if name in CONVERSIONS and self.profile.checked:
                raise CelCompileError(error.message, offset) from None
            return step
        return lambda _frame: value

    @staticmethod
    def _dispatch(names: dict[str, dict[int, Dispatch]], name: str, arity: int, offset: int) -> Dispatch | None:
        arities = names.get(name)
        if arities is None:
            return None
        if arity not in arities:
            raise CelCompileError(f"found no matching overload for '{name}': wrong number of arguments", offset)
        return arities[arity]

    def _or(self, node: Call) -> Step:
        assert node.target is not None
        target, other = self.compile(node.target), self.compile(node.args[0])
        unwrap, offset, lenient = node.name == "orValue", node.offset, self.profile.or_on_concrete

        def run(frame: Frame) -> Any:
            value = target(frame)
            if type(value) is Opt:
                if not value.present:
                    return other(frame)
                return value.value if unwrap else value
            operators.raise_if_unknown(value)
            if lenient:
                return value
            raise no_overload_at(offset)

        return run


_COMPILERS: dict[type, Callable[[Compiler, Any], Step]] = {
    Literal: Compiler._literal,
    Ident: Compiler._ident,
    Select: Compiler._select,
    Index: Compiler._index,
    Call: Compiler._call,
    Unary: Compiler._unary,
    Binary: Compiler._binary,
    Logic: Compiler._logic,
    Conditional: Compiler._conditional,
    ListLiteral: Compiler._list,
    MapLiteral: Compiler._map,
    MessageLiteral: Compiler._message,
}


def _constant_strings(node: Node) -> frozenset[str] | None:
    if not isinstance(node, ListLiteral):
        return None
    values = [item.value if isinstance(item, Literal) and not optional else None for item, optional in node.items]
    strings = [value for value in values if type(value) is str]
    return frozenset(strings) if len(strings) == len(values) else None

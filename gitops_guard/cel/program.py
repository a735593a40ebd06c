"""An expression, compiled once and evaluated many times."""

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_guard.cel.blame import Path, Scope, blame
from gitops_guard.cel.budget import Budget
from gitops_guard.cel.compiler import Compiler
from gitops_guard.cel.errors import CelBudgetError, CelCompileError, CelError
from gitops_guard.cel.macros import compiler_for
from gitops_guard.cel.parser import parse
from gitops_guard.cel.profiles import Profile, profile
from gitops_guard.cel.static import DYN, UNDECIDED, static_type
from gitops_guard.cel.steps import Step
from gitops_guard.cel.syntax import Node
from gitops_guard.cel.values import Undefined

_TOO_DEEP = "expression is nested too deeply"


class Program:
    """A compiled expression: immutable, shared freely between threads."""

    __slots__ = ("_environment", "_node", "_parts", "_roots", "_size", "_step", "result_type", "source")

    def __init__(self, source: str, node: Node, compiler: Compiler, step: Step, result_type: str) -> None:
        self.source = source
        self.result_type = result_type
        """Name of the result's type as far as the text tells it (`bool`, `string`), else empty."""

        self._node = node
        self._environment = compiler.profile
        self._step = step
        self._roots = tuple(compiler.roots.items())
        self._size = compiler.size
        self._parts: dict[object, Any] = {}
        """For `blame`."""

    @property
    def node(self) -> Node:
        """Return the syntax tree."""
        return self._node

    @property
    def variables(self) -> frozenset[str]:
        """Return the variables that the expression reads."""
        return frozenset(name for name, _ in self._roots)

    def evaluate(self, activation: Mapping[str, object], budget: Budget | None = None) -> Any:
        """Evaluate the expression.

        Args:
            activation: Values of the variables, read in place and never changed. An `Unknown` stands for a variable
                that cannot be known; one that is absent is an error where it is read.
            budget: Steps it may take; None for the default of one expression.

        Returns:
            The value, in the classes of `values`.

        Raises:
            CelError: It has no value; `CelUnknown` when only the cluster could tell, `CelBudgetError` when it took too
                many steps.
        """
        frame: list[Any] = [None] * self._size
        frame[0] = budget or Budget()
        for name, slot in self._roots:
            try:
                frame[slot] = activation[name]
            except KeyError:
                frame[slot] = Undefined(name)
        try:
            return self._step(frame)
        except CelError as error:
            error.place(self.source)
            raise
        except RecursionError:
            raise CelBudgetError(_TOO_DEEP, 0) from None

    def blame(self, activation: Mapping[str, object], budget: Budget | None = None) -> Path:
        """Find the field that made the expression false or fail, by evaluating it once more in parts.

        Args:
            activation: As for `evaluate`.
            budget: Steps it may take.

        Returns:
            The variable's name, then keys and indices: `("object", "spec", "containers", 1, "image")`. Behind
            `variables` the path starts at the variable's value. Empty where no field is to blame.
        """
        try:
            return blame(self._node, Scope(self._environment, activation, {}, budget or Budget(), self._parts))
        except (CelBudgetError, RecursionError):
            return ()


def compile_expression(
    source: str,
    *,
    environment: Profile | None = None,
    variables: Iterable[str] = (),
    result: str = "",
) -> Program:
    """Compile an expression.

    Args:
        source: The text.
        environment: Names and functions it may use; None for a ValidatingAdmissionPolicy of the default version.
        variables: Names beside the environment's own roots, possibly dotted.
        result: Name of the type the result must have, `bool` for a validation; a text that provably gives another one
            is refused. Empty for any.

    Raises:
        CelCompileError: The text is wrong, at the line and column that the error names.
    """
    chosen = environment or profile("vap")
    try:
        node = parse(source, quoted_fields=chosen.quoted_fields)
        compiler = compiler_for(chosen, frozenset((*chosen.roots, *variables)))
        step = compiler.compile(node)
        found = _result_type(node, compiler)
        if result and found and found != result:
            raise CelCompileError(f"must evaluate to {result}, but evaluates to {found}", 0)
    except CelError as error:
        error.place(source)
        raise
    except RecursionError:
        failure = CelCompileError(_TOO_DEEP, 0)
        failure.place(source)
        raise failure from None
    return Program(source, node, compiler, step, found)


def _result_type(node: Node, compiler: Compiler) -> str:
    found = static_type(node, compiler.is_dynamic)
    return "" if found in (DYN, UNDECIDED) else found

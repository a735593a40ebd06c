"""A policy's expressions, compiled for one Kubernetes version in the API server's way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from gitops_guard.cel import CelError, Profile, Program, compile_expression, profile
from gitops_guard.cel.literal_types import Type, check_literals
from gitops_guard.cel.static import UNDECIDED
from gitops_guard.policy.declared import check_fields, check_result, result_type
from gitops_guard.policy.reading import BadPolicyError
from gitops_guard.policy.spec import Expression, PolicySpec

_AUTHORIZER = ("authorizer", "authorizer.requestResource")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """A policy's programs, in the order of its body."""

    conditions: tuple[Program, ...]
    variables: tuple[tuple[str, Program], ...]
    shared: tuple[object, ...]
    """For each variable what names its value across policies, one request given; None where params take part."""

    validations: tuple[Program, ...]
    messages: tuple[Program | None, ...]
    audits: tuple[Program, ...]

    def all(self) -> Iterator[Program]:
        """Yield every program."""
        yield from self.conditions
        yield from (program for _, program in self.variables)
        yield from self.validations
        yield from (program for program in self.messages if program is not None)
        yield from self.audits


def compile_policy(policy: PolicySpec, version: str) -> tuple[Programs | None, list[BadPolicyError]]:
    """Compile all expressions of a policy.

    Args:
        policy: The policy.
        version: Minor version of the API server that has to take it.

    Returns:
        The programs, or None with what is wrong with each expression.
    """
    compiling = _Compiling(policy, version)
    conditions = [compiling.run(one, ("bool",), computed=False) for one in policy.conditions]
    variables = [(one.name, compiling.declare(one)) for one in policy.variables]
    validations = [compiling.run(one.expression, ("bool",)) for one in policy.validations]
    messages = [
        compiling.run(one.message_expression, ("string",), authorizer=False) if one.message_expression else None
        for one in policy.validations
    ]
    audits = [compiling.run(one, ("string", "null_type")) for one in policy.audits]
    if compiling.errors:
        return None, compiling.errors
    return (
        Programs(
            conditions=_whole(conditions),
            variables=(named := tuple((name, program) for name, program in variables if program is not None)),
            shared=_shared(named, version),
            validations=_whole(validations),
            messages=tuple(messages),
            audits=_whole(audits),
        ),
        [],
    )


_OF_A_REQUEST = frozenset({"object", "oldObject", "request", "namespaceObject", "variables"})


def _shared(variables: tuple[tuple[str, Program], ...], version: str) -> tuple[object, ...]:
    """Name each variable's value: by its own text and by the variables before it that it may read."""
    keys: list[object] = []
    before: tuple[object, ...] = (version,)
    for name, program in variables:
        reads = program.variables
        key = None
        if reads <= _OF_A_REQUEST and (None not in before or "variables" not in reads):
            key = (program.source, *(before if "variables" in reads else (version,)))
        keys.append(key)
        before = (*before, None if key is None else (name, key))
    return tuple(keys)


def _whole(programs: "list[Program | None]") -> tuple[Program, ...]:
    return tuple(program for program in programs if program is not None)


class _Compiling:
    """Compiles one expression after the other and keeps what goes wrong."""

    def __init__(self, policy: PolicySpec, version: str) -> None:
        self._version = version
        self._has_params = policy.param_kind is not None
        self._types: dict[str, str] = {}
        self._held: dict[str, Type] = {}
        self._last: Type = UNDECIDED
        self.errors: list[BadPolicyError] = []

    def declare(self, expression: Expression) -> Program | None:
        """Compile a variable, and let those after it use it."""
        program = self.run(expression)
        self._held[expression.name] = self._last
        environment = _environment(self._version, self._has_params, authorizer=True, computed=True)
        self._types[expression.name] = (
            UNDECIDED if program is None else result_type(program.node, self._types, environment)
        )
        return program

    def run(
        self, expression: Expression, result: tuple[str, ...] = (), *, authorizer: bool = True, computed: bool = True
    ) -> Program | None:
        """Compile one expression; None when it is wrong.

        Args:
            expression: The text and its place.
            result: Types it may have; empty for any.
            authorizer: Whether it may ask the authorizer.
            computed: Whether it may use variables at all.
        """
        environment = _environment(self._version, self._has_params, authorizer=authorizer, computed=computed)
        self._last = UNDECIDED
        try:
            program = compile_expression(expression.text, environment=environment)
            self._last = check_literals(program.node, dynamic=environment.dynamic, variables=self._held)
            check_fields(program.node, self._types, has_variables=computed)
            check_result(result_type(program.node, self._types, environment), result)
        except CelError as error:
            self.errors.append(BadPolicyError(expression.field, error.message, offset=max(error.offset, 0)))
            return None
        return program


@lru_cache(maxsize=64)
def _environment(version: str, has_params: bool, *, authorizer: bool, computed: bool) -> Profile:
    own = profile("vap", version)
    minor = int(version.partition(".")[2])
    # a new expression may use what the version before knew already, so that a rollback does not break it
    offered = profile("vap", f"1.{minor - 1}")
    hidden = {
        *(() if has_params else ("params",)),
        *(() if authorizer else _AUTHORIZER),
        *(() if computed else ("variables",)),
    }
    roots = tuple(name for name in own.roots if name not in hidden)
    return replace(offered, version=own.version, roots=roots, or_on_concrete=own.or_on_concrete)

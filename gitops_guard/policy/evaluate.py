"""One policy on one request, as the API server's validator does it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_guard.cel import DEFAULT_STEPS, Budget, CelError, CelUnknown, LazyMap, Program, type_name
from gitops_guard.model import Body
from gitops_guard.policy.programs import Programs
from gitops_guard.policy.request import Request
from gitops_guard.policy.spec import PolicySpec

_STEPS_OF_A_POLICY = 10 * DEFAULT_STEPS
"""The API server's budget for all expressions of a policy with one binding and param, in units of one expression's."""

_STEPS_OF_CONDITIONS = DEFAULT_STEPS * 5 // 2
_MAX_MESSAGE_BYTES = 5 * 1024
_OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_DESCRIBE = 'composited variable "{name}" fails to evaluate: {message}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why the API server would say no, before the binding's actions decide how loudly."""

    message: str
    validation: int | None = None
    """Index of the validation; None when no single one is to blame."""

    is_error: bool = False
    """It could not be evaluated, and the failure policy turns that into a denial."""

    unconditional: bool = False
    """Denied whatever the binding's actions are."""

    blame: "Callable[[], tuple[str | int, ...]] | None" = None
    """Names the field that decided, starting with a variable's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An error that the failure policy ignores: the API server admits the object."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotTell:
    """The verdict depends on something that exists only in the cluster."""

    reason: str


Outcome = Denial | Ignored | CannotTell


class Evaluation:
    """One policy, one request, one param; yields what is not a plain yes."""

    def __init__(self, policy: PolicySpec, programs: Programs, request: Request, params: Body | None) -> None:
        self._policy = policy
        self._programs = programs
        self._request = request
        self._left = _STEPS_OF_A_POLICY
        self._activation: dict[str, object] = {**request.activation, "params": params}
        if programs.variables:
            self._activation["variables"] = LazyMap(
                {
                    name: self._variable(program, key)
                    for (name, program), key in zip(programs.variables, programs.shared, strict=True)
                },
                describe=_DESCRIBE,
            )
        else:
            self._activation["variables"] = {}

    @property
    def variables(self) -> Mapping[str, Any]:
        """Return the variables, computed when they are asked for."""
        found = self._activation["variables"]
        assert isinstance(found, dict)
        return found

    def outcomes(self) -> Iterator[Outcome]:
        """Yield every denial, ignored error and open question."""
        if self._programs.conditions:
            answer = self._conditions()
            if answer is not True:
                if answer is not False:
                    yield answer
                return
        try:
            for index, program in enumerate(self._programs.validations):
                outcome = self._validation(index, program)
                if outcome is not None:
                    yield outcome
            yield from self._audits()
        except _OutOfBudgetError:
            yield self._failure(_OUT_OF_BUDGET)

    def _variable(self, program: Program, key: object) -> Callable[[], object]:
        """Return what computes a variable; one that other policies have too is computed once for a request."""
        if key is None:
            return lambda: program.evaluate(self._activation, self._budget)
        shared = self._request.shared

        def compute() -> object:
            known = shared.get(key)
            if known is not None:
                self._budget.spend(known[1])  # it costs each policy as much as it would in the API server
                return known[0]
            before = self._budget.left
            value = program.evaluate(self._activation, self._budget)
            shared[key] = value, before - self._budget.left
            return value

        return compute

    def _evaluate(self, program: Program) -> object:
        """Evaluate within what is left of the policy's budget."""
        if self._left <= 0:
            raise _OutOfBudgetError
        self._budget = budget = Budget(min(DEFAULT_STEPS, self._left))
        allowed = budget.left
        try:
            return program.evaluate(self._activation, budget)
        finally:
            self._left -= allowed - max(budget.left, 0)

    def _failure(self, message: str, **more: Any) -> Denial | Ignored:
        if self._policy.fails:
            return Denial(message=message, is_error=True, **more)
        return Ignored(message=message)

    def _failed(self, text: str, error: CelError) -> str:
        """Word an error as the API server does, but for a Secret, whose values it may quote."""
        detail = "" if self._request.is_secret else f": {error.message}"
        return f"expression '{text}' resulted in error{detail}"

    def _conditions(self) -> bool | Outcome:
        """Ask all conditions: one that is false decides, errors of the others notwithstanding."""
        activation = {**self._activation, "namespaceObject": None}
        budget = Budget(_STEPS_OF_CONDITIONS)
        unknown, errors = "", []
        for condition, program in zip(self._policy.conditions, self._programs.conditions, strict=True):
            try:
                if program.evaluate(activation, budget) is not True:
                    return False
            except CelUnknown as error:
                unknown = unknown or f'match condition "{condition.name}": {error.message}'
            except CelError as error:
                text = self._failed(condition.text, error)
                errors += [] if text in errors else [text]
        if unknown:
            return CannotTell(reason=unknown)
        if errors:
            return self._failure(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
        return True

    def _validation(self, index: int, program: Program) -> Outcome | None:
        try:
            if self._evaluate(program) is True:
                return None
        except CelUnknown as error:
            return CannotTell(reason=error.message)
        except CelError as error:
            text = self._failed(self._policy.validations[index].expression.text, error)
            return self._failure(text, validation=index, blame=self._blame(program))
        return Denial(message=self._message(index), validation=index, blame=self._blame(program))

    def _blame(self, program: Program) -> Callable[[], tuple[str | int, ...]]:
        return lambda: program.blame(self._activation)

    def _message(self, index: int) -> str:
        validation = self._policy.validations[index]
        program = self._programs.messages[index]
        # what an expression makes of a Secret may show its values
        computed = self._computed(program) if program is not None and not self._request.is_secret else ""
        return computed or validation.message or f"failed expression: {validation.expression.text.strip()}"

    def _computed(self, program: Program) -> str:
        """Evaluate a message expression; the API server falls back where the result is no short line."""
        try:
            text = self._evaluate(program)
        except CelError:
            return ""
        if not isinstance(text, str) or len(text.encode()) > _MAX_MESSAGE_BYTES:
            return ""
        text = text.strip()
        return "" if "\n" in text else text

    def _audits(self) -> Iterator[Outcome]:
        for expression, program in zip(self._policy.audits, self._programs.audits, strict=True):
            try:
                value = self._evaluate(program)
            except CelUnknown:
                continue  # an annotation that nobody can read here changes no verdict
            except CelError as error:
                if self._policy.fails:
                    yield Denial(message=self._failed(expression.text, error), is_error=True, unconditional=True)
                continue
            if value is not None and not isinstance(value, str):
                message = (
                    f"valueExpression '{expression.text}' resulted in unsupported return type: {type_name(value)}. "
                    "Return type must be either string or null."
                )
                yield Denial(message=message, is_error=True, unconditional=True)


class _OutOfBudgetError(Exception):
    """The policy's expressions have used up what they may all together."""

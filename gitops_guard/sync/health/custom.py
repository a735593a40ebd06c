"""Health by the user's own expressions, as Flux's `healthCheckExprs` have them; evaluated by CEL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gitops_guard.errors import SyncError
from gitops_guard.model.sync import HealthStatus
from gitops_guard.sync.health.verdict import Verdict, failed, in_progress

if TYPE_CHECKING:
    from gitops_guard.cel import Program

_WORDS: Final = ("in_progress", "failed", "current")
"""In the order in which they are asked."""

_PARTS: Final = ("metadata", "spec", "status", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """What says how the objects of one kind are.

    Each expression sees `metadata`, `spec`, `status` and `data` of the object, and all of it as `object`.
    """

    group: str
    kind: str
    current: str
    """True: it is as it is meant to be."""

    in_progress: str = ""
    """True: it is on its way; asked first. Empty: not asked."""

    failed: str = ""
    """True: it will not become current by itself. Empty: not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Compiled expressions of one kind."""

    programs: "Mapping[str, Program]" = field(repr=False)

    def assess(self, body: Mapping[str, Any]) -> Verdict:
        """Judge an object; one whose expressions cannot be evaluated yet is in progress, as with Flux."""
        from gitops_guard.cel import CelError  # loaded with the first expression; most sets have none

        variables = {**{name: body.get(name, {}) for name in _PARTS}, "object": dict(body)}
        error = ""
        for word, program in self.programs.items():
            try:
                if program.evaluate(variables) is True:
                    return _said(word)
            except CelError as problem:
                error = error or str(problem)
        if error:
            return in_progress("ExpressionNotEvaluated", error)
        return in_progress("ExpressionFalse", "its expression for `current` is not true")


def _said(word: str) -> Verdict:
    if word == "in_progress":
        return in_progress("ExpressionInProgress", "its expression for `in-progress` is true")
    if word == "failed":
        return failed("ExpressionFailed", "its expression for `failed` is true")
    return Verdict(HealthStatus.CURRENT, "ExpressionCurrent", "its expression for `current` is true")


def compile_checks(said: Sequence[Expressions]) -> dict[tuple[str, str], Check]:
    """Compile expressions, by group and kind.

    Raises:
        SyncError: One is no expression that gives true or false.
    """
    return {(one.group, one.kind): Check(programs=_programs(one)) for one in said}


def _programs(one: Expressions) -> "dict[str, Program]":
    from gitops_guard.cel import CelCompileError, compile_expression, profile

    found = {}
    for word in _WORDS:
        source: str = getattr(one, word)
        if not source:
            continue
        try:
            found[word] = compile_expression(
                source, environment=profile("spec"), variables=(*_PARTS, "object"), result="bool"
            )
        except CelCompileError as error:
            place = f"{one.kind}.{one.group}".rstrip(".")
            raise SyncError(f"health expression `{word.replace('_', '-')}` of {place}: {error}") from error
    return found

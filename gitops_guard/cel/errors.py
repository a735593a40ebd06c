"""What an expression can end in other than a value: an error, something that cannot be known, an exhausted budget.

CelError                    the expression cannot be compiled or evaluated
+-- CelCompileError         found before evaluation: syntax, unknown names, wrong arity, bad literals
+-- CelUnknown              the answer lies outside (authorizer, cluster); never counts as a pass
+-- CelBudgetError          the step budget is spent; no operator absorbs it
"""

from gitops_guard.errors import GuardError


class CelError(GuardError):
    """The expression cannot be evaluated. `message` is worded as the API server words it."""

    def __init__(self, message: str, offset: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        """Code points from the start of the expression; -1 until the evaluator has said where."""

        self.line = 0
        """1-based; 0 until the program has placed the error."""

        self.column = 0
        """1-based, in code points."""

    def place(self, source: str) -> None:
        """Work out line and column from the offset; the first placing wins, errors of inner programs keep theirs."""
        if self.line or self.offset < 0:
            return
        self.line = source.count("\n", 0, self.offset) + 1
        self.column = self.offset - (source.rfind("\n", 0, self.offset) + 1) + 1

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}" if self.line else self.message


class CelCompileError(CelError):
    """The expression is wrong whatever the values are."""


class CelUnknown(CelError):  # noqa: N818 - not an error to the reader: the verdict is "unknown"
    """The value exists only where we cannot look: the authorizer, the caller's identity, another cluster."""


class CelBudgetError(CelError):
    """The step budget is spent."""


def no_overload(name: str = "") -> CelError:
    """Build the error for operands that no overload takes."""
    return CelError(f"no such overload: {name}" if name else "no such overload")


def worse(pending: CelError | None, error: CelError) -> CelError:
    """Choose what an absorbing operator ends in when nothing decides: an unknown first, then the first error.

    Raises:
        CelBudgetError: A spent budget is never absorbed.
    """
    if isinstance(error, CelBudgetError):
        raise error
    if pending is None or (isinstance(error, CelUnknown) and not isinstance(pending, CelUnknown)):
        return error
    return pending

"""The step budget: what bounds time and memory in place of the API server's cost limit."""

from gitops_guard.cel.errors import CelBudgetError

DEFAULT_STEPS = 1_000_000
"""The API server allows one expression a cost of as much; a step is about a node evaluated or ten characters built."""


class Budget:
    """Steps left. One budget may be shared by several evaluations, as a policy's expressions share theirs."""

    __slots__ = ("left",)

    def __init__(self, steps: int = DEFAULT_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps away.

        Raises:
            CelBudgetError: There are not that many left.
        """
        self.left -= steps
        if self.left < 0:
            raise exhausted()

    def spend_text(self, length: int) -> None:
        """Take away what building or reading a text of so many characters costs: a step for ten."""
        if length > 20:
            self.spend(length // 10)


def exhausted() -> CelBudgetError:
    """Build the error of a spent budget, in the API server's words."""
    return CelBudgetError("operation cancelled: actual cost limit exceeded")

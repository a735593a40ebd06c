"""What a schema is to the rest of the program, wherever it came from."""

from collections.abc import Iterator
from typing import Protocol

from gitops_guard.model import Body, Problem


class Schema(Protocol):
    """The shape of one kind in one version."""

    @property
    def complete(self) -> bool:
        """Tell whether `problems` judges all that the server's schema layer does; False when rules stay unevaluated."""

    def problems(self, body: Body) -> Iterator[Problem]:
        """Yield everything that does not fit, in document order; `Problem.rule` says which rule it breaks."""

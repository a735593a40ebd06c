"""What the tests of CEL share: one way to evaluate a text."""

from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cel import Budget, compile_expression, profile


@pytest.fixture(name="evaluate")
def fixture_evaluate() -> Callable[..., Any]:
    def evaluate(
        source: str, *, name: str = "guard", version: str = "1.36", budget: Budget | None = None, **activation: object
    ) -> Any:
        program = compile_expression(source, environment=profile(name, version), variables=activation)
        return program.evaluate(activation, budget)

    return evaluate

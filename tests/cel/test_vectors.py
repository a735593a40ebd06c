"""Our expressions with the answers that the API server's own environment gives to them: `vectors/*.yaml`."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_guard.cel import CelCompileError, CelError, compile_expression, profile, to_plain, type_name

VECTORS = Path(__file__).parent / "vectors"

ACTIVATION: dict[str, object] = {
    "object": {
        "a": None,
        "s": "str",
        "n": 5,
        "l": [1, 2],
        "m": {"k": "v"},
        "f": 1.5,
        "containers": [{"name": "a"}, {"name": "b"}],
    },
    "x": 5,
    "y": None,
}


def load() -> list[Any]:
    params = []
    for path in sorted(VECTORS.glob("*.yaml")):
        for vector in yaml.safe_load(path.read_text(encoding="utf-8")):
            params.append(pytest.param(vector, id=f"{path.stem}: {vector['expr']}"[:90]))
    return params


def answer(expression: str) -> dict[str, object]:
    answered: dict[str, object] = {"expr": expression}
    try:
        program = compile_expression(expression, environment=profile("vap", "1.36"), variables=("x", "y"))
        value = program.evaluate(ACTIVATION)
    except CelCompileError as error:
        return answered | {"refused": error.message}
    except CelError as error:
        return answered | {"error": error.message}
    return answered | {"type": type_name(value), "value": to_plain(value)}


@pytest.mark.parametrize("vector", load())
def test_expression_when_evaluated_then_answers_as_the_api_server(vector: dict[str, object]) -> None:
    actual = answer(str(vector["expr"]))
    if "value" not in vector:
        # bytes and opaque values have no form in the file
        actual.pop("value", None)
    if isinstance(actual.get("value"), float) and math.isnan(actual["value"]):  # type: ignore[arg-type]
        actual["value"] = "NaN"
    assert vector == actual


def test_vectors_when_loaded_then_none_is_lost() -> None:
    assert len(load()) >= 900

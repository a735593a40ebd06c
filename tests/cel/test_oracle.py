"""The same expressions, made up at random, by our engine and by Google's C++ one: the same value or both an error.

Left out is what the two mean to differ in: timestamps and durations, printing of lists, presence on scalars, the order
of a map, a list or null as a key, ordering NaN, splitting by nothing (there we side with the API server's engine), and
nesting beyond the other's limit. The other engine has no Kubernetes functions; those have the API server's recorded
answers.
"""

import ctypes
import math
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_guard.cel import CelError, compile_expression, profile, to_plain, type_name

if sys.version_info < (3, 12):
    # the extension drops a reference to None for every null it returns; without spare ones the interpreter aborts
    ctypes.c_ssize_t.from_address(id(None)).value += 2**40

cel = pytest.importorskip("cel_expr_python.cel", reason="the oracle has no wheel for this platform")

from cel_expr_python.ext import ext_encoders, ext_math, ext_optional, ext_strings  # noqa: E402 - after the guard

DATA: dict[str, Any] = {
    "name": "web-1",
    "n": 5,
    "neg": -3,
    "f": 2.5,
    "none": None,
    "yes": True,
    "l": [3, 1, 2],
    "names": ["a", "b", "web-1"],
    "m": {"a": 1, "b": 2},
    "items": [{"name": "a", "n": 1}, {"name": "b"}],
}
TYPES = {
    "INT": "int",
    "UINT": "uint",
    "DOUBLE": "double",
    "STRING": "string",
    "BYTES": "bytes",
    "BOOL": "bool",
    "NULL": "null_type",
}

ENVIRONMENT = cel.NewEnv(
    variables={"x": cel.Type.DYN},
    extensions=[
        ext_optional.ExtOptional(),
        ext_strings.ExtStrings(),
        ext_math.ExtMath(),
        ext_encoders.ExtEncoders(),
    ],
)


def kind_of_theirs(name: str) -> str:
    if name.startswith("LIST"):
        return "list"
    return "map" if name.startswith("MAP") else TYPES.get(name, name)


def plain(value: Any) -> Any:
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else (value, math.copysign(1.0, value))
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return (type(value).__name__, value)


def theirs(source: str) -> Any:
    try:
        expression = ENVIRONMENT.compile(source)
    except RuntimeError:
        # refused by the type checker; what the evaluator makes of it is the question
        try:
            expression = ENVIRONMENT.compile(source, disable_check=True)
        except RuntimeError:
            return "error"
    value = expression.eval(data={"x": DATA})
    kind = kind_of_theirs(value.type().name())
    return "error" if kind == "ERROR" else (kind, plain(value.plain_value()))


def ours(source: str) -> Any:
    try:
        program = compile_expression(source, environment=profile("guard"), variables=("x",))
        value = program.evaluate({"x": DATA})
    except CelError:
        return "error"
    return type_name(value), plain(to_plain(value))


LEAVES = {
    "int": ["0", "1", "-1", "7", "x.n", "x.neg", "x.l[0]", "x.m.a", "9223372036854775807", "-9223372036854775808"],
    "uint": ["0u", "1u", "18446744073709551615u"],
    "double": ["0.0", "1.5", "-2.5", "x.f", "1e10", "9223372036854775808.0"],
    "string": ["''", "'a'", "'web-1'", "x.name", "x.names[0]", "'é'", "'a,b,c'", "'12'", "'true'", "'1.5'"],
    "bool": ["true", "false", "x.yes", "x.missing", "has(x.m.a)", "has(x.none)", "has(x.zz)"],
    "list": ["[]", "[1, 2]", "x.l", "[3, 1, 3]"],
    "texts": ["x.names", "['a', 'b']", "'a,b,c'.split(',')"],
    "map": ["x.m", "{'a': 1}", "{}", "{1: 2}", "{true: 1}"],
    "any": ["x.none", "x.missing", "x.items", "x.items[0].name", "x.items[1].n", "null", "x.m", "x.?zz.orValue(3)"],
}
GROWN = {
    "int": [
        "({int} {arithmetic} {int})",
        "size({texts})",
        "{string}.size()",
        "({bool} ? {int} : {int})",
        "{list}[{int}]",
        "{map}[{any}]",
        "-({int})",
        "int({double})",
        "int({string})",
        "int({uint})",
        "{string}.indexOf({string})",
        "math.greatest({int}, {int})",
        "math.abs({int})",
        "math.bitAnd({int}, {int})",
    ],
    "uint": ["({uint} {arithmetic} {uint})", "uint({int})", "uint({double})"],
    "double": [
        "({double} {plus} {double})",
        "double({int})",
        "double({string})",
        "(-({double}))",
        "math.ceil({double})",
    ],
    "string": [
        "({string} + {string})",
        "string({int})",
        "string({bool})",
        "{string}.lowerAscii()",
        "{string}.upperAscii()",
        "{string}.replace({string}, {string})",
        "{string}.substring({int})",
        "{string}.charAt({int})",
        "{texts}.join({string})",
        "{string}.trim()",
        "base64.encode(bytes({string}))",
    ],
    "bool": [
        "({bool} && {bool})",
        "({bool} || {bool})",
        "!({bool})",
        "({int} {order} {int})",
        "({int} {order} {double})",
        "({uint} {order} {int})",
        "({double} {order} {uint})",
        "({string} {order} {string})",
        "({any} {same} {any})",
        "({any} {same} {int})",
        "({list} {same} {list})",
        "({map} {same} {map})",
        "({int} in {list})",
        "({string} in {texts})",
        "({string} in {map})",
        "({int} in {map})",
        "({any} && {bool})",
        "({bool} || {any})",
        "{string}.startsWith({string})",
        "{string}.contains({string})",
        "{string}.matches('[a-c]+')",
        "{list}.all(i, i {order} {int})",
        "{list}.exists(i, i {order} {int})",
        "{list}.exists_one(i, i == {int})",
        "{list}.all(i, {bool})",
        "{map}.exists(k, k == 'a')",
        "bool({string})",
        "optional.of({int}).hasValue()",
    ],
    "list": [
        "({list} + {list})",
        "{list}.map(i, i {arithmetic} {int})",
        "{list}.filter(i, i {order} {int})",
        "[{int}, {int}]",
        "[?optional.of({int})]",
        "{map}.filter(k, k == 'a')",
        "{list}.map(i, i > 1, i)",
    ],
    "texts": ["[{string}, {string}]", "{string}.split(',')", "x.items.map(i, i.name)"],
    "map": ["{{'k': {int}}}", "{{{int}: {string}}}", "{{?'a': optional.of({int})}}"],
    "any": [
        "{int}",
        "{uint}",
        "{double}",
        "{string}",
        "{bool}",
        "{list}",
        "{map}",
        "{texts}",
        "({bool} ? {any} : {any})",
    ],
    "arithmetic": ["+", "-", "*", "/", "%"],
    "plus": ["+", "-", "*"],
    "order": ["<", "<=", ">", ">=", "==", "!="],
    "same": ["==", "!="],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str = "any", depth: int = 3) -> str:
    if kind in LEAVES and (depth <= 0 or draw(st.integers(0, 3)) == 0):
        return draw(st.sampled_from(LEAVES[kind]))
    template = draw(st.sampled_from(GROWN[kind]))
    fields = {name: _Later(draw, name, depth - 1) for name in GROWN}
    return template.format_map(fields)


class _Later:
    """Draws an expression where the template mentions it, another one at each mention."""

    def __init__(self, draw: st.DrawFn, kind: str, depth: int) -> None:
        self._draw, self._kind, self._depth = draw, kind, depth

    def __format__(self, _spec: str) -> str:
        return self._draw(expressions(self._kind, self._depth))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(expressions())
def test_expression_when_both_engines_evaluate_it_then_they_agree(source: str) -> None:
    assert theirs(source) == ours(source)

"""Extensions that the API server has not: math, encoders, regex, cel.bind, and what later versions add."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cel import CelError, to_plain, type_name

Evaluate = Callable[..., Any]

VALUES = [
    ("math.greatest(1)", "int", 1),
    ("math.greatest(1, 2.5, 2u)", "double", 2.5),
    ("math.greatest([3, 1, 2])", "int", 3),
    ("math.greatest(1, 2, 3, 4, 5, 6, 7, 8)", "int", 8),
    ("math.least(1, -2)", "int", -2),
    ("math.least([1u, 0u])", "uint", 0),
    ("math.abs(-5)", "int", 5),
    ("math.abs(5u)", "uint", 5),
    ("math.abs(-1.5)", "double", 1.5),
    ("math.sign(-5)", "int", -1),
    ("math.sign(0u)", "uint", 0),
    ("math.sign(2.5)", "double", 1.0),
    ("math.ceil(1.2)", "double", 2.0),
    ("math.floor(-1.2)", "double", -2.0),
    ("math.round(2.5)", "double", 3.0),
    ("math.round(-2.5)", "double", -3.0),
    ("math.round(0.49999999999999994)", "double", 0.0),
    ("math.trunc(-1.9)", "double", -1.0),
    ("math.isNaN(0.0 / 0.0)", "bool", True),
    ("math.isInf(1.0 / 0.0)", "bool", True),
    ("math.isFinite(1.0)", "bool", True),
    ("math.sqrt(9)", "double", 3.0),
    ("math.isNaN(math.sqrt(-1.0))", "bool", True),
    ("math.bitAnd(3, 2)", "int", 2),
    ("math.bitOr(1u, 2u)", "uint", 3),
    ("math.bitXor(3, 1)", "int", 2),
    ("math.bitNot(1)", "int", -2),
    ("math.bitNot(0u)", "uint", 2**64 - 1),
    ("math.bitShiftLeft(1, 63)", "int", -(2**63)),
    ("math.bitShiftLeft(1, 64)", "int", 0),
    ("math.bitShiftRight(-1, 1)", "int", 2**63 - 1),
    ("math.bitShiftRight(8u, 3)", "uint", 1),
    ("base64.encode(b'hello')", "string", "aGVsbG8="),
    ("base64.decode('aGVsbG8=')", "bytes", b"hello"),
    ("base64.decode('aGVsbG8')", "bytes", b"hello"),
    ("base64.decode('')", "bytes", b""),
    ("regex.replace('hello', 'l', 'L')", "string", "heLLo"),
    ("regex.replace('hello', 'l', 'L', 1)", "string", "heLlo"),
    ("regex.replace('hello', 'l', 'L', 0)", "string", "hello"),
    (r"regex.replace('ab', '(a)(b)', '\\2\\1')", "string", "ba"),
    (r"regex.replace('a', 'a', '\\\\')", "string", "\\"),
    ("regex.extract('v1.2', 'v([0-9]+)')", "optional_type", "1"),
    ("regex.extract('x', 'v([0-9]+)')", "optional_type", None),
    ("regex.extract('abc', 'b')", "optional_type", "b"),
    ("regex.extractAll('a1b2', '[a-z]([0-9])')", "list", ["1", "2"]),
    ("regex.extractAll('zz', '[0-9]')", "list", []),
    ("'abc'.reverse()", "string", "cba"),
    ("''.reverse()", "string", ""),
    ("cel.bind(v, 2, v * v)", "int", 4),
    ("cel.bind(v, 1 / 0, true || v == 1)", "bool", True),
    ("cel.bind(a, [1, 2], a.map(i, cel.bind(b, i * 10, b + 1)))", "list", [11, 21]),
    ("[1, 2].includes(2)", "bool", True),
    ("'a'.includes('a')", "bool", True),
    ("[1].existsOne(i, i == 1)", "bool", True),
    ("dyn({'a-b/c': 1}).`a-b/c`", "int", 1),
    ("5.orValue(3)", "int", 5),
]


@pytest.mark.parametrize(("source", "kind", "value"), [pytest.param(*row, id=row[0]) for row in VALUES])
def test_extension_when_called_then_gives_the_value(evaluate: Evaluate, source: str, kind: str, value: object) -> None:
    actual = evaluate(source)
    assert (kind, value) == (type_name(actual), to_plain(actual))


ERRORS = [
    ("math.greatest([])", "math.greatest(list) argument must not be empty"),
    ("math.greatest(dyn('a'), 1)", "no such overload: math.greatest"),
    ("math.abs(-9223372036854775808)", "integer overflow"),
    ("math.ceil(1)", "no such overload: math.ceil"),
    ("math.bitShiftLeft(1, -1)", "math.bitShiftLeft() negative offset: -1"),
    ("math.bitShiftRight(1u, -1)", "math.bitShiftRight() negative offset: -1"),
    ("base64.decode('*')", "illegal base64 data"),
    ("regex.extract('a', '(a)(b)?')", "regular expression has more than one capturing group: '(a)(b)?'"),
    (r"regex.replace('a', 'a', '\\1')", "replacement string references group 1 but regex has only 0 group(s)"),
    (r"regex.replace('a', 'a', '\\x')", "invalid replacement string: \\ must be followed by a digit or \\"),
    ("regex.replace('a', '(', 'b')", "error parsing regexp: missing closing ): `(`"),
    ("cel.bind(v, 1 / 0, v == 1 || v == 2)", "division by zero"),
]


@pytest.mark.parametrize(("source", "message"), [pytest.param(*row, id=row[0]) for row in ERRORS])
def test_extension_when_it_has_no_value_then_says_why(evaluate: Evaluate, source: str, message: str) -> None:
    with pytest.raises(CelError) as caught:
        evaluate(source)
    assert message == caught.value.message


def test_negative_zero_when_rounded_then_keeps_its_sign(evaluate: Evaluate) -> None:
    assert math.copysign(1.0, evaluate("math.round(-0.2)")) == -1.0

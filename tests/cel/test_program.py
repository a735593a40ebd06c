"""Programs: positions of errors, absorption, lazy and unknown variables, the budget, hostile texts and values."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cel import (
    Budget,
    CelBudgetError,
    CelCompileError,
    CelError,
    CelUnknown,
    LazyMap,
    UInt,
    Unknown,
    compile_expression,
    profile,
    to_plain,
    type_name,
)

Evaluate = Callable[..., Any]

PLACES = [
    ("1 + foo", 1, 5),
    ("1 +\n  foo", 2, 3),
    ("'é' + foo", 1, 7),
    ("true &&\n\n object.a.b.c == 1", 3, 12),
    ("object.l.map(i, i / 0)", 1, 19),
    ("object.l[9]", 1, 9),
    ("[1, 2", 1, 6),
    ("'abc", 1, 1),
    ("1 @ 2", 1, 3),
    ("'a'.matches('[')", 1, 13),
    ("duration('x')", 1, 10),
    ("'\\q'", 1, 2),
    ("object.?a.value()", 1, 10),
]


@pytest.mark.parametrize(("source", "line", "column"), [pytest.param(*row, id=row[0]) for row in PLACES])
def test_error_when_raised_then_names_line_and_column(evaluate: Evaluate, source: str, line: int, column: int) -> None:
    with pytest.raises(CelError) as caught:
        evaluate(source, name="vap", object={"a": {"b": {}}, "l": [1]} if "?" not in source else {})
    assert (line, column) == (caught.value.line, caught.value.column)
    assert str(caught.value) == f"{line}:{column}: {caught.value.message}"


ABSORBED = [
    ("e || t", True),
    ("t || e", True),
    ("e && f", False),
    ("f && e", False),
    ("u || t", True),
    ("u && f", False),
    ("e || f", "e"),
    ("e && t", "e"),
    ("e || e2", "e"),
    ("e2 || e", "e2"),
    ("e || u", "unknown"),
    ("u || e", "unknown"),
    ("e && u && t", "unknown"),
    ("e || f || t", True),
    ("e && t && f", False),
    ("f || e || u || f", "unknown"),
    ("n || t", True),
    ("n || f", "no such overload"),
    ("t && n", "no such overload"),
    ("n && f", False),
    ("t ? t : e", True),
    ("e ? t : f", "e"),
    ("n ? t : f", "no such overload"),
    ("u ? t : f", "unknown"),
    ("!e", "e"),
    ("[1, 2].exists(i, i == 2 || e)", True),
    ("[1, 2].all(i, i == 2 && e)", False),
    ("[1, 2].all(i, e)", "e"),
    ("[1, 2].exists(i, u)", "unknown"),
    ("[1, 2].all(i, i == 1 ? e : u)", "unknown"),
    ("[1, 2].filter(i, i == 2 || e) == [2]", "e"),
    ("[1, 2].exists_one(i, i == 2 ? t : e)", "e"),
    ("[1].exists(i, v, t || e)", True),
    ("[1].all(i, v, e)", "e"),
    ("optional.of(t).orValue(e)", True),
    ("u in [t]", "unknown"),
    ("u == t", "unknown"),
    ("t == u", "unknown"),
    ("u != n", "unknown"),
    ("u < 1", "unknown"),
    ("u + 1 == 1", "unknown"),
    ("[u] == [t]", "unknown"),
    ("has(u.x)", "unknown"),
    ("u.x == 1", "unknown"),
    ("u.?x.hasValue()", "unknown"),
    ("u[0] == 1", "unknown"),
    ("u.all(i, t)", "unknown"),
    ("size(u) == 1", "unknown"),
    ("string(u) == ''", "unknown"),
    ("'%s'.format([u]) == ''", "unknown"),
    ("dyn(u)", "unknown"),
    ("cel.bind(v, u, v)", "unknown"),
]


@pytest.mark.parametrize(("source", "expected"), [pytest.param(*row, id=row[0]) for row in ABSORBED])
def test_error_when_absorbed_or_not_then_follows_the_api_server(source: str, expected: object) -> None:
    failing = LazyMap({"e": _raise("e"), "e2": _raise("e2")})
    text = source
    for name in ("e2", "e"):
        text = _replace_word(text, name, f"x.{name}")
    program = compile_expression(text, environment=profile("guard"), variables=("x", "t", "f", "u", "n"))
    activation = {"x": failing, "t": True, "f": False, "n": 7, "u": Unknown("cannot be known")}
    try:
        actual: object = program.evaluate(activation)
    except CelUnknown:
        actual = "unknown"
    except CelError as error:
        actual = error.message
    assert expected == actual


def _raise(message: str) -> Callable[[], object]:
    def fail() -> object:
        raise CelError(message)

    return fail


def _replace_word(text: str, word: str, by: str) -> str:
    import re

    return re.sub(rf"(?<![\w.'%]){word}(?![\w'(])", by, text)


def test_lazy_map_when_read_then_computes_once_and_keeps_errors() -> None:
    calls: list[str] = []

    def compute(name: str) -> Callable[[], object]:
        def run() -> object:
            calls.append(name)
            if name == "bad":
                raise CelError("no such key: a")
            return 3

        return run

    variables = LazyMap(
        {"good": compute("good"), "bad": compute("bad"), "unused": compute("unused")},
        describe='composited variable "{name}" fails to evaluate: {message}',
    )
    program = compile_expression("variables.good + variables.good == 6 && (variables.bad == 1 || variables.bad == 2)")
    with pytest.raises(CelError) as caught:
        program.evaluate({"variables": variables})
    assert caught.value.message == 'composited variable "bad" fails to evaluate: no such key: a'
    assert calls == ["good", "bad"]
    assert compile_expression("has(variables.bad) && !has(variables.other)").evaluate({"variables": variables}) is True


def test_unknown_entry_when_read_then_the_rest_stays_known() -> None:
    def unknown() -> object:
        raise CelUnknown("who asks is known to the cluster only")

    request = LazyMap({"operation": lambda: "CREATE", "userInfo": unknown})
    known = compile_expression("request.operation == 'CREATE'")
    assert known.evaluate({"request": request}) is True
    with pytest.raises(CelUnknown, match="who asks"):
        compile_expression("request.userInfo.username == 'x'").evaluate({"request": request})


def test_optional_old_self_when_absent_then_rule_can_ask(evaluate: Evaluate) -> None:
    from gitops_guard.cel import NONE, Opt

    source = "!oldSelf.hasValue() || oldSelf.value().n <= self.n"
    assert evaluate(source, name="crd", self={"n": 1}, oldSelf=NONE) is True
    assert evaluate(source, name="crd", self={"n": 1}, oldSelf=Opt({"n": 2})) is False


def test_variable_when_absent_from_the_activation_then_is_an_error_only_where_read(evaluate: Evaluate) -> None:
    program = compile_expression("true || params.x == 1")
    assert frozenset({"params"}) == program.variables
    assert program.evaluate({}) is True
    with pytest.raises(CelError, match=r"no such attribute\(s\): params"):
        compile_expression("params == null").evaluate({})


def test_values_when_of_a_subclass_then_count_as_their_base(evaluate: Evaluate) -> None:
    class Text(str):
        __slots__ = ()

    class Map(dict[str, object]):
        pass

    value = Map(name=Text("abc"), items=[Text("x")])
    assert evaluate("object.name == 'abc' && object.name in ['abc'] && 'x' in object.items", object=value) is True
    assert evaluate("object.name.startsWith('a') && object.all(k, k != '') && size(object) == 2", object=value) is True


def test_activation_when_evaluated_then_is_not_changed(evaluate: Evaluate) -> None:
    value = {"l": [3, 1, 2], "m": {"a": [1]}}
    evaluate(
        "object.l.sort() == [1, 2, 3] && (object.l + [4]).size() == 4 && object.m.map(k, k) == ['a']", object=value
    )
    assert value == {"l": [3, 1, 2], "m": {"a": [1]}}


def test_bool_keys_when_beside_int_keys_then_stay_apart(evaluate: Evaluate) -> None:
    made = evaluate("{true: 'b', 1: 'i'}")
    assert made != {True: "b"}
    assert len(made) == 2
    assert evaluate("dyn({true: 'b', 1: 'i'})[1] == 'i' && dyn({true: 'b', 1: 'i'})[true] == 'b'") is True
    assert evaluate("{true: 1}.map(k, k) == [true]") is True


def test_plain_when_converted_then_has_only_json_types(evaluate: Evaluate) -> None:
    value = to_plain(evaluate("{'a': 1u, 'b': optional.of(2), 'c': [optional.none()]}"))
    assert value == {"a": 1, "b": 2, "c": [None]}
    assert int is type(value["a"])  # type: ignore[index]


def test_program_when_shared_by_threads_then_each_gets_its_own_answer() -> None:
    program = compile_expression("object.l.map(i, i + object.n).all(i, i > object.n)")
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(200):
            if program.evaluate({"object": {"l": [1, 2, 3], "n": number}}) is not True:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


REFUSED = [
    ("(" * 300 + "1" + ")" * 300, "expression recursion limit exceeded: 250"),
    ("[" * 300 + "]" * 300, "expression recursion limit exceeded: 250"),
    ("'" + "a" * 100_001 + "'", "expression exceeds 100000 code points"),
    ("9" * 5000, "syntax error: integer literal out of range"),
    ("a" * 5000, "undeclared reference to '" + "a" * 5000 + "'"),
    ("has(1)", "invalid argument to has() macro"),
    ("[1].all(1, true)", "argument must be a simple name"),
    ("[1].all(i, i, true)", "iteration variables must have different names"),
    ("[1].transformMapEntry(k, v, 1)", "transformMapEntry() needs a map literal with one entry"),
    ("", "syntax error: found end of expression, expecting an expression"),
    ("{'a': }", "syntax error: found '}', expecting an expression"),
    ("import", "syntax error: reserved identifier: import"),
    (
        "'a'.matches('" + "(" * 5000 + "')",
        "invalid matches argument: error parsing regexp: expression nests too deeply",
    ),
]


@pytest.mark.parametrize(("source", "message"), [pytest.param(*row, id=row[0][:30] or "empty") for row in REFUSED])
def test_text_when_hostile_or_wrong_then_is_refused_with_a_reason(source: str, message: str) -> None:
    with pytest.raises(CelCompileError) as caught:
        compile_expression(source, environment=profile("guard"))
    assert caught.value.message.startswith(message)


def test_nesting_when_within_the_limit_then_is_evaluated(evaluate: Evaluate) -> None:
    assert evaluate("(" * 249 + "1" + ")" * 249) == 1
    assert evaluate("[" * 200 + "]" * 200 + ".size()") == 1


_LOOPS: object = 1
for _ in range(200):
    _LOOPS = [_LOOPS]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(" + ".join(["1"] * 20_000), id="sum"),
        pytest.param("object" + ".f()" * 5000, id="calls"),
        pytest.param("!(" * 240 + "true" + ")" * 240, id="negations"),
        pytest.param("[1].map(a, " * 200 + "1" + ")" * 200, id="loops"),
        pytest.param("object" + "[0]" * 5000, id="indices"),
        pytest.param("true ? 1 : " * 240 + "2", id="conditionals"),
    ],
)
def test_deep_text_when_compiled_then_ends_in_a_value_or_a_clean_error(evaluate: Evaluate, source: str) -> None:
    try:
        ending = evaluate(source, object={})
    except CelError as error:
        ending = error.message
    assert ending in (True, 1, 20_000, _LOOPS, "expression is nested too deeply", "undeclared reference to 'f'")


def test_long_chain_of_terms_when_evaluated_then_does_not_nest(evaluate: Evaluate) -> None:
    assert evaluate(" && ".join(["true"] * 5000)) is True


HUNGRY = [
    ("endless", "l.all(a, l.all(b, l.all(c, l.all(d, true))))", 1000),
    ("strings", "cel.bind(a, 'xxxxxxxxxx' + s, " * 1 + "s.replace('', s).replace('', s).replace('', s))", 1000),
    ("doubling", "l.map(i, s).map(t, t + t + t + t).map(t, t + t + t + t).join('').replace('a', s)", 1000),
    ("range", "lists.range(100000000)", 1),
    ("flatten", "l.map(i, l).map(i, l).flatten().map(i, l).flatten(9)", 1000),
    ("distinct", "lists.range(50000).distinct()", 1),
    ("format", "'%s'.format([l.map(i, l.map(j, l))])", 1000),
    ("regex", "'" + "a" * 5000 + "'.matches('^((a{1,10}){1,10}){1,10}b$')", 1),
    ("join", "l.map(i, s).join(s)", 5000),
    ("pairs", "l.all(i, v, l.all(j, w, l.exists(x, x < 0) || true))", 1000),
    ("membership", "l.all(i, l.all(j, !(-1 in l)))", 1000),
    ("equality", "l.all(i, l.all(j, l == l))", 1000),
]


@pytest.mark.parametrize(("source", "count"), [pytest.param(*row[1:], id=row[0]) for row in HUNGRY])
def test_hungry_expression_when_evaluated_then_its_budget_ends_it(evaluate: Evaluate, source: str, count: int) -> None:
    started = time.process_time()
    with pytest.raises(CelBudgetError, match="cost limit exceeded"):
        evaluate(source, l=list(range(count)), s="a" * 1000, budget=Budget(100_000))
    assert time.process_time() - started < 5


def test_shared_structure_when_compared_or_printed_then_is_bounded(evaluate: Evaluate) -> None:
    tree: object = [1]
    for _ in range(60):
        tree = [tree, tree]
    for source in (
        "t == u",
        "'%s'.format([t]) == ''",
        "t in [u]",
        "[t].distinct().size() == 1 && [t, u].distinct() == []",
    ):
        with pytest.raises(CelBudgetError):
            evaluate(source, t=tree, u=_copy(tree), budget=Budget(20_000))


def _copy(tree: object) -> object:
    return [_copy(tree[0])] * 2 if isinstance(tree, list) and len(tree) == 2 else [1]


def test_budget_when_spent_then_no_operator_absorbs_it(evaluate: Evaluate) -> None:
    source = "true || false"
    assert evaluate(source, budget=Budget(0)) is True
    with pytest.raises(CelBudgetError):
        evaluate("[1, 2].all(i, true) || true", budget=Budget(1))


def test_budget_when_shared_then_evaluations_add_up() -> None:
    budget = Budget(100)
    program = compile_expression("[1, 2, 3].map(i, i)")
    program.evaluate({}, budget)
    first = 100 - budget.left
    program.evaluate({}, budget)
    assert 0 < first == (100 - budget.left) / 2


CATASTROPHIC = [
    r"^(a+)+$",
    r"^(a*)*$",
    r"^(a|a)*$",
    r"^(a|aa)+$",
    r"^(a?b?)*$",
    r"^([a-zA-Z]+)*$",
    r"^(\w+\s?)*$",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_pattern_when_it_would_backtrack_without_end_then_is_answered_soon(evaluate: Evaluate, pattern: str) -> None:
    started = time.process_time()
    assert evaluate("object.matches(params)", name="vap", object="a" * 2000 + "!", params=pattern) is False
    assert time.process_time() - started < 2


def test_uint_when_given_by_the_activation_then_is_one(evaluate: Evaluate) -> None:
    assert type_name(evaluate("object + 1u", object=UInt(1))) == "uint"


def test_kept_error_when_raised_again_then_its_traceback_does_not_grow() -> None:
    variables = LazyMap({"bad": _raise("no")})
    program = compile_expression("variables.bad == 1")
    depths = []
    for _ in range(3):
        with pytest.raises(CelError) as caught:
            program.evaluate({"variables": variables})
        depths.append(len(caught.traceback))
    assert depths[1] == depths[2]

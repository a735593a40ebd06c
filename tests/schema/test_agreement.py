"""Three readers of one slice must agree: the clean path's table, the full path's walk, and jsonschema."""

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from gitops_guard.model import FieldPath, Problem
from gitops_guard.schema import bundle
from gitops_guard.schema.builtin import BuiltinSchema
from gitops_guard.schema.formats import is_base64, is_micro_time, is_quantity, is_time
from gitops_guard.schema.plain import PlainSchemas
from gitops_guard.schema.walk import Walk
from gitops_guard.schema.wording import Wording

VERSIONS = ["1.25", "1.31", "1.37"]
KEYWORDS = {
    "unknown-field": "additionalProperties",
    "wrong-type": "type",
    "invalid-value": "format",
    "unsupported-value": "enum",
}

_checker = FormatChecker(formats=())
for _name, _fits in {
    "quantity": is_quantity,
    "byte": is_base64,
    "date-time": is_time,
    "micro-time": is_micro_time,
}.items():
    _checker.checks(_name)(lambda value, fits=_fits: not isinstance(value, str) or fits(value))
for _name, _bits in {"int32": 31, "int64": 63}.items():
    _checker.checks(_name)(
        lambda value, bits=_bits: (
            isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or -(2**bits) <= value < 2**bits
        )
    )


def jsonschemas_view(content: dict[str, Any], body: dict[str, Any]) -> set[tuple[FieldPath, str]]:
    """Return place and keyword of every error that jsonschema sees; one keyword a value, the type before all."""
    found: set[tuple[FieldPath, str]] = set()
    for error in Draft7Validator(content, format_checker=_checker).iter_errors(body):
        field = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            found |= {
                ((*field, name), "additionalProperties")
                for name in error.instance
                if name not in error.schema["properties"]
            }
        elif error.validator == "required":
            found |= {((*field, name), "required") for name in error.validator_value if name not in error.instance}
        else:
            found.add((field, str(error.validator)))
    typed = {field for field, keyword in found if keyword == "type"}
    return {(field, keyword) for field, keyword in found if keyword not in ("enum", "format") or field not in typed}


def our_view(problems: list[Problem], body: dict[str, Any]) -> set[tuple[FieldPath, str]]:
    """Return the same of our problems; list types are not jsonschema's."""
    return {(problem.field, _keyword(problem, body)) for problem in problems if problem.rule != "duplicate-list-item"}


def _keyword(problem: Problem, body: Any) -> str:
    if problem.rule != "missing-field":
        return KEYWORDS[problem.rule]
    parent = body
    for part in problem.field[:-1]:
        parent = parent[part]
    return "type" if isinstance(problem.field[-1], int) or problem.field[-1] in parent else "required"


@pytest.mark.parametrize("version", VERSIONS)
def test_readers_agree_on_made_documents_and_their_mutants(
    version: str, made: Callable[..., Any], cache_dir: tuple[str, bytes]
) -> None:
    """Thousands of documents over every kind: no reader sees what another does not."""
    plain = PlainSchemas(version, cache_dir)
    compared = broken = 0
    for api_version, kind, content, maker in made(version, seed=1):
        root = content["$ref"].rpartition("/")[2]
        walk = Walk(content["definitions"], Wording())
        deprecated = (
            f"{api_version} {kind}" in bundle.load_index("kinds", version)["deprecated"]
            or kind == "CustomResourceDefinition"
        )
        for _ in range(2):
            body = maker.document(api_version, kind)
            assert [] == list(walk.problems(root, body)), (api_version, kind, body)
            assert plain.is_clean(body) is not deprecated
            for _ in range(6):
                mutant = maker.mutant(body)
                problems = list(walk.problems(root, mutant))
                assert jsonschemas_view(content, mutant) == our_view(problems, mutant), (api_version, kind, mutant)
                assert not (problems and plain.is_clean(mutant)), (api_version, kind, mutant)
                compared += 1
                broken += bool(problems)
    assert compared > 600
    assert broken > compared // 3


@pytest.mark.parametrize("version", VERSIONS)
def test_clean_path_when_it_says_clean_then_the_full_path_has_no_problem(
    version: str, made: Callable[..., Any], cache_dir: tuple[str, bytes]
) -> None:
    plain = PlainSchemas(version, cache_dir)
    clean = 0
    for api_version, kind, content, maker in made(version, seed=2):
        schema = BuiltinSchema(content["$ref"].rpartition("/")[2], content["definitions"])
        for _ in range(10):
            body = maker.mutant(maker.document(api_version, kind))
            if plain.is_clean(body):
                clean += 1
                assert [] == list(schema.problems(body)), (api_version, kind, body)
    assert clean > 100

"""Where the source text and the schema meet: a scalar that YAML read as another type than its author meant."""

import re
from collections.abc import Sequence
from dataclasses import replace

from gitops_guard.manifest.document import Scalar, SourceProblem
from gitops_guard.model import FieldPath, Finding, Problem, Severity

_NOT_WITH_SCHEMA = frozenset({"yaml-reader-dependent"})
_WANTS_STRING = "expected string, got "
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*(?:[:=\-+?/#%^,@][^}]*)?\}")
"""As Flux and envsubst write it: `${NAME}`, `${NAME:=default}`."""

_REPLACED = "holds only if nothing replaces ${...} before it is applied"
_ABOUT_VALUES = frozenset(("invalid-value", "unsupported-value", "wrong-type", "yaml-wrong-scalar"))
_SCALARS = ("boolean", "integer", "number", "null")


def rephrased(problem: Problem, scalar: Scalar | None) -> Problem:
    """Turn "expected string, got integer" about an unquoted scalar into what the author has to do: quote it."""
    got = problem.message.removeprefix(_WANTS_STRING)
    if problem.rule != "wrong-type" or got not in _SCALARS or scalar is None or not scalar.plain:
        return problem
    return replace(
        problem,
        rule="yaml-wrong-scalar",
        message=f"{problem.message}: without quotes YAML reads the text as {_article(got)}",
        hint="quote it",
        severity=Severity.WARNING if got == "null" else Severity.ERROR,
    )


def softened(problem: Problem, scalar: Scalar | None) -> Problem:
    """Turn a verdict on a value that holds `${NAME}` into a note: Flux or envsubst puts another value there."""
    if problem.rule not in _ABOUT_VALUES or scalar is None or not _VARIABLE.search(scalar.text):
        return problem
    return replace(problem, severity=Severity.NOTE, hint=_REPLACED)


def is_about_variable(finding: Finding) -> bool:
    """Tell whether a finding is a note that `softened` made."""
    return finding.severity is Severity.NOTE and finding.hint == _REPLACED


def _article(word: str) -> str:
    return f"an {word}" if word == "integer" else word if word == "null" else f"a {word}"


def moot(remark: SourceProblem, problems: Sequence[Problem], item: FieldPath, *, has_schema: bool) -> bool:
    """Tell whether the schema's verdict on the same field says it better, or makes it irrelevant.

    Args:
        remark: What the loader noticed.
        problems: What the schema and the rules said of the resource.
        item: Where the resource stands in its document.
        has_schema: The field's type is known.
    """
    if remark.rule in _NOT_WITH_SCHEMA and has_schema:
        return True
    if remark.field is None or remark.rule == "yaml-duplicate-key":
        return False
    field = remark.field[len(item) :]
    return any(problem.field == field and problem.rule in ("yaml-wrong-scalar", "wrong-type") for problem in problems)

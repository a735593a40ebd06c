"""The words of a problem: the API server's where it has some, and never a value of a Secret.

Decoding errors of built-in kinds are Go's own on a server (`json: cannot unmarshal string into Go struct field ... of
type int32`); ours
read `expected integer, got string` instead, because the Go type helps nobody who writes YAML.
"""

import difflib
import json
import re
from collections.abc import Iterable, Sequence

from gitops_guard.model import FieldPath, Problem, Severity

_QUANTITY_SHAPE = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_QUANTITY_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_LONGEST_VALUE = 200


def type_name(value: object) -> str:
    """Return the JSON name of a value's type; a whole number is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return {str: "string", float: "number", list: "array", dict: "object"}[type(value)]


def show(value: object) -> str:
    """Print a value as the API server does: strings quoted, numbers plain, the rest as JSON, long ones cut."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def plain_path(field: Sequence[str | int]) -> str:
    """Print a path as strict decoding does: map keys are not told from fields."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).removeprefix(".")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the nearest known word; empty when none is near."""
    by_lower = {name.lower(): name for name in sorted(known)}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.7)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


class Wording:
    """Makes the problems of one document; knows whether its values may be shown."""

    def __init__(self, *, secret: bool = False) -> None:
        """Set what may be shown.

        Args:
            secret: The document is a Secret: no message holds a value.
        """
        self._secret = secret

    def _value(self, value: object) -> str:
        return "" if self._secret else f"{show(value)}: "

    def invalid(self, field: FieldPath, value: object, detail: str) -> Problem:
        """A value that has the right type but not the right form or size."""
        return Problem(field=field, rule="invalid-value", message=f"Invalid value: {self._value(value)}{detail}")

    def quantity(self, field: FieldPath, value: str) -> Problem:
        """A text that is no quantity."""
        fits = _QUANTITY_SHAPE.fullmatch(value.strip(" "))
        return self.invalid(field, value, "unable to parse quantity's suffix" if fits else _QUANTITY_WRONG)

    def wrong_type(self, field: FieldPath, expected: Sequence[str], value: object) -> Problem:
        """A value of another type than the field's."""
        words = " or ".join(expected)
        return Problem(field=field, rule="wrong-type", message=f"expected {words}, got {type_name(value)}")

    def missing(self, field: FieldPath) -> Problem:
        """A field that must be there."""
        return Problem(field=field, rule="missing-field", message="Required value")

    def unsupported(self, field: FieldPath, value: object, words: Sequence[object]) -> Problem:
        """A word that is not in the list."""
        listed = ", ".join(show(word) for word in words)
        hint = did_you_mean(value, [word for word in words if isinstance(word, str)]) if isinstance(value, str) else ""
        return Problem(
            field=field,
            rule="unsupported-value",
            message=f"Unsupported value: {self._value(value)}supported values: {listed}",
            hint=hint,
        )

    def unknown(self, field: FieldPath, known: Iterable[str]) -> Problem:
        """A field that the schema does not have."""
        return Problem(
            field=field,
            rule="unknown-field",
            message=f'unknown field "{plain_path(field)}"',
            hint=did_you_mean(str(field[-1]), known),
            on_key=True,
        )

    def duplicate(self, field: FieldPath, value: object, *, severity: Severity | None = None) -> Problem:
        """A list item that is there already."""
        shown = "" if self._secret else f": {show(value)}"
        return Problem(field=field, rule="duplicate-list-item", message=f"Duplicate value{shown}", severity=severity)

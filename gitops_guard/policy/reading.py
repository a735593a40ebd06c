"""Reading the parts of a policy's body: the right type, or an error that names the field."""

from collections.abc import Iterator
from typing import Any

from gitops_guard.errors import GuardError
from gitops_guard.model import FieldPath, format_field_path


class BadPolicyError(GuardError):
    """A policy or binding cannot be used as it is written."""

    def __init__(self, field: FieldPath, message: str, *, offset: int = -1) -> None:
        super().__init__(message)
        self.field = field
        """Of the policy's own body: `("spec", "validations", 0, "expression")`."""

        self.message = message
        self.offset = offset
        """Code points into the text at `field`; -1 for none."""

    def __str__(self) -> str:
        return f"{format_field_path(self.field)}: {self.message}"


def as_dict(value: object, field: FieldPath) -> dict[str, Any]:
    """Return a map; nothing counts as an empty one.

    Raises:
        BadPolicyError: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadPolicyError(field, "must be a map")
    return value


def as_items(value: object, field: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    """Yield the place and value of each item of a list; nothing counts as an empty one.

    Raises:
        BadPolicyError: It is something else.
    """
    if value is None:
        return
    if not isinstance(value, list):
        raise BadPolicyError(field, "must be a list")
    for index, item in enumerate(value):
        yield (*field, index), item


def as_text(value: object, field: FieldPath) -> str:
    """Return a text that must be there.

    Raises:
        BadPolicyError: It is missing, empty or something else.
    """
    if not isinstance(value, str):
        raise BadPolicyError(field, "must be a string" if value is not None else "Required value")
    if not value.strip():
        raise BadPolicyError(field, "Required value")
    return value


def as_optional_text(value: object, field: FieldPath) -> str:
    """Return a text; nothing counts as an empty one.

    Raises:
        BadPolicyError: It is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadPolicyError(field, "must be a string")
    return value


def as_word(value: object, field: FieldPath, words: tuple[str, ...], default: str) -> str:
    """Return one of some words; nothing stands for the default.

    Raises:
        BadPolicyError: It is something else.
    """
    text = as_optional_text(value, field) or default
    if text not in words:
        listed = ", ".join(f'"{word}"' for word in words)
        raise BadPolicyError(field, f'Unsupported value: "{text}": supported values: {listed}')
    return text


def as_texts(value: object, field: FieldPath) -> tuple[str, ...]:
    """Return a list of texts; nothing counts as an empty one.

    Raises:
        BadPolicyError: It is something else.
    """
    found: list[str] = []
    for place, item in as_items(value, field):
        if not isinstance(item, str):
            raise BadPolicyError(place, "must be a string")
        found.append(item)
    return tuple(found)

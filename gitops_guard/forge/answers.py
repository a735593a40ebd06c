"""What a host's answer holds, taken out with care: one that is not as described is an error, never a crash."""

from typing import Any

from gitops_guard.errors import ForgeError


def object_of(value: Any) -> dict[str, Any]:
    """Return an object.

    Raises:
        ForgeError: It is none.
    """
    if not isinstance(value, dict):
        raise ForgeError("the forge's answer is not what its documentation says")
    return value


def text_of(value: Any) -> str:
    """Return a text.

    Raises:
        ForgeError: It is none.
    """
    if not isinstance(value, str):
        raise ForgeError("the forge's answer is not what its documentation says")
    return value


def number_of(value: Any) -> int:
    """Return a whole number.

    Raises:
        ForgeError: It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise ForgeError("the forge's answer is not what its documentation says")
    return value

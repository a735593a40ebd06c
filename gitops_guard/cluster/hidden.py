"""Takes the values of a Secret out of what the server says about it: it quotes what it refuses."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gitops_guard.cluster.errors import ApiError
from gitops_guard.model import MASK, Body, Json

_SHORTEST = 4
"""Shorter values would hide half of every text; and tell little."""


def without_values(error: ApiError, body: "Body | Json") -> ApiError:
    """Return the error of a request without the values of the Secret that was sent; any other as it is."""
    if not isinstance(body, Mapping) or body.get("kind") not in (None, "Secret"):
        return error
    values = sorted(set(_values(body)), key=lambda value: (-len(value), value))
    if not values:
        return error

    def hide(text: str) -> str:
        for value in values:
            text = text.replace(value, MASK)
        return text

    causes = tuple(replace(cause, field=hide(cause.field), message=hide(cause.message)) for cause in error.causes)
    return ApiError(
        error.cluster,
        error.request,
        error.error_class,
        status=error.status,
        reason=error.reason,
        message=hide(error.message),
        causes=causes,
        retry_after_s=error.retry_after_s,
    )


def _values(body: "Mapping[str, Json]") -> Iterator[str]:
    for key in ("data", "stringData"):
        for value in _leaves(body.get(key)):
            for spelling in _spellings(value):
                if len(spelling) >= _SHORTEST:
                    yield spelling
                    yield json.dumps(spelling)[1:-1]  # as it stands between quotes


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def _spellings(value: Json) -> Iterator[str]:
    if not isinstance(value, str):
        if value is not None:
            yield str(value)
        return
    yield value
    yield base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
    try:
        yield base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return

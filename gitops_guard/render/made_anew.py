"""Values that a chart makes anew whenever it is rendered: random names and passwords, certificates, times.

Two renderings of the same chart tell which they are. Where renderings are compared they get one value that is always
the same, so that the same commit gives the same output, and what a merge does not touch is no change of it.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from gitops_guard.model import Json
from gitops_guard.render.output import Piece

PLACEHOLDER: Final = "made-anew"
"""Stands for a part of a text; a name stays one with it."""

_ENCODED: Final = base64.b64encode(PLACEHOLDER.encode()).decode()
_NUMBER: Final = 1
_FUNCTIONS: Final = re.compile(
    rb"\b(?:rand(?:AlphaNum|Alpha|Ascii|Numeric|Bytes|Int)|gen(?:PrivateKey|(?:CA|SelfSignedCert|SignedCert)(?:WithKey)?)"
    rb"|uuidv4|shuffle|htpasswd|bcrypt|encryptAES|now)\b"
)
"""Functions of helm's templates whose answer differs from run to run."""

_ARCHIVES: Final = (".tgz", ".tar.gz")
_TOKENS: Final = re.compile(r"[A-Za-z0-9]+")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]")
_LONGEST_NAME: Final = 253


def may_make_anew(files: Mapping[str, bytes]) -> bool:
    """Tell whether a chart may give other values in another run; one that is packed may."""
    return any(name.endswith(_ARCHIVES) or _FUNCTIONS.search(data) is not None for name, data in files.items())


def settled(one: Iterable[Piece], other: Iterable[Piece]) -> list[Piece]:
    """Return a rendering with one and the same value wherever another rendering has another one.

    Args:
        one: A rendering.
        other: Another one of the same chart; where it has other objects, nothing can be told, and `one` stays.
    """
    first, second = list(one), list(other)
    beside: dict[str, list[Piece]] = {}
    for piece in second:
        beside.setdefault(_template(piece), []).append(piece)
    if Counter(map(_template, first)) != Counter(map(_template, second)):
        return first
    return [_settled(piece, beside[_template(piece)].pop(0)) for piece in first]  # helm sorts by name, which may differ


def _template(piece: Piece) -> str:
    """Return what an object is made by: its template, and its kind."""
    return f"{piece.origin} {piece.body.get('apiVersion')} {piece.body.get('kind')}"


def _settled(piece: Piece, beside: Piece) -> Piece:
    if piece.body == beside.body:
        return piece
    body = _same(dict(piece.body), dict(beside.body))
    assert isinstance(body, dict)
    if body.get("kind") == "Secret":
        body["data"] = _same_data(piece.body.get("data"), beside.body.get("data"))
    return replace(piece, body=body, text=json.dumps(body, ensure_ascii=False) + "\n")


def _same_data(one: Json, other: Json) -> Json:
    """Return a Secret's data with placeholders that can be decoded."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one
    return {key: value if value == other.get(key, value) else _ENCODED for key, value in one.items()}


def _same(one: Json, other: Json) -> Json:
    """Return a tree with placeholders where the two differ; another shape stays as it is in the first."""
    if one == other:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _same(value, other[key]) if key in other else value for key, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_same(item, beside) for item, beside in zip(one, other, strict=True)]
    if isinstance(one, str) and isinstance(other, str):
        return _same_text(one, other)
    if isinstance(one, int) and isinstance(other, int) and not isinstance(one, bool):
        return _NUMBER
    return one


def _same_text(one: str, other: str) -> str:
    if len(one) > _LONGEST_NAME and _is_encoded(one) and _is_encoded(other):
        return _ENCODED  # a certificate
    alike = len(one) <= _LONGEST_NAME and _TOKENS.sub("", one) == _TOKENS.sub("", other) and not _TIME.match(one)
    if not alike:
        return PLACEHOLDER
    words = iter(_TOKENS.findall(other))
    return _TOKENS.sub(lambda match: match[0] if next(words, "") == match[0] else PLACEHOLDER, one)


def _is_encoded(text: str) -> bool:
    """Tell whether a text is base64; a word may look like it, a long text hardly."""
    try:
        return len(text) % 4 == 0 and bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False

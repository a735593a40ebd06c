"""Keeps a Secret's values out of tools' messages: kustomize quotes patches that it cannot apply."""

import base64
import binascii
from collections.abc import Iterator, Mapping

from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.model import Json
from gitops_guard.render.files import items, mapping, text

MASK = "***"
_SHORTEST = 4


def masked(message: str, files: Mapping[str, bytes]) -> str:
    """Return a message without the values of the Secrets in these files, longest first.

    Args:
        message: A tool's own.
        files: All that the tool was given.
    """
    values = {value for data in files.values() for value in _values(data)}
    for value in sorted(values, key=lambda one: (-len(one), one)):
        if len(value) >= _SHORTEST:
            message = message.replace(value, MASK)
    return message


def _values(data: bytes) -> Iterator[str]:
    if data.lstrip().startswith(b"-") and not data.lstrip().startswith(b"---"):
        yield from _of_patch(data.decode(errors="replace"), {})  # a list of operations, perhaps on a Secret
    for document in load(data, dialect=Dialect.KUSTOMIZE).documents:
        yield from _of_body(dict(document.body))


def _of_body(body: dict[str, Json]) -> Iterator[str]:
    if body.get("kind") == "Secret":
        yield from _leaves([body.get("data"), body.get("stringData")])
    for generator in map(mapping, items(body.get("secretGenerator"))):
        yield from (literal.partition("=")[2] for literal in _leaves(generator.get("literals")))
    for patch in items(body.get("patches")):
        yield from _of_patch(text(mapping(patch).get("patch")), mapping(mapping(patch).get("target")))


def _of_patch(written: str, target: dict[str, Json]) -> Iterator[str]:
    """Yield the values of a patch in line: a Secret's fields, or what operations on a Secret set."""
    if target.get("kind") in (None, "Secret"):
        wrapped = "operations:\n" + written if written.lstrip().startswith("-") else written
        stream = load(wrapped.encode(), dialect=Dialect.KUSTOMIZE)
        if any(problem.unreadable for problem in stream.problems):
            yield from (line.strip() for line in written.splitlines())  # whatever in it may be the value
        for document in stream.documents:
            if document.body.get("kind") == "Secret":
                yield from _of_body(dict(document.body))
            yield from _leaves([mapping(one).get("value") for one in items(document.body.get("operations"))])


def _leaves(value: Json) -> Iterator[str]:
    """Yield all texts below a value, line by line and decoded too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        written = str(value)
        yield from (written, *written.splitlines())
        try:
            decoded = base64.b64decode(written, validate=True).decode()
        except (binascii.Error, ValueError):
            return
        yield from (decoded, *decoded.splitlines())

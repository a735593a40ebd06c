"""A tool's output as documents: text and body, without the annotation that we asked kustomize for."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.manifest.plain import read_plain
from gitops_guard.model import Body

ORIGIN = "config.kubernetes.io/origin"
"""The annotation with which kustomize says where an object comes from."""

_SEPARATOR = re.compile(r"^---(?:[ \t].*)?\n", re.MULTILINE)
_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One document of the output."""

    text: str
    body: Body
    origin: str = ""
    """kustomize's origin annotation, or helm's `# Source:`; empty where there is none."""


def packed(pieces: Iterable[Piece]) -> bytes:
    """Return pieces as they are remembered: reading JSON costs a tenth of reading YAML."""
    return json.dumps([[piece.text, piece.origin, piece.body] for piece in pieces]).encode()


def unpacked(data: bytes) -> list[Piece]:
    """Return what `packed` made."""
    return [Piece(text=text, origin=origin, body=body) for text, origin, body in json.loads(data)]


class OutputError(Exception):
    """The tool's output cannot be read as YAML; never holds a value of it."""


def kustomize_pieces(output: str, *, keep_origin: bool) -> Iterator[Piece]:
    """Yield the documents of kustomize's output.

    Args:
        output: All of it.
        keep_origin: The repository asks for the annotation itself, so it stays.

    Raises:
        OutputError: A document cannot be read.
    """
    for written in _SEPARATOR.split(output):
        kept, origin = without_origin(written)
        for body in bodies(kept, Dialect.KUSTOMIZE):
            yield Piece(text=written if keep_origin else kept, body=body, origin=origin)


def helm_pieces(output: str) -> Iterator[Piece]:
    """Yield the documents of helm's output.

    Raises:
        OutputError: A document cannot be read.
    """
    for written in _SEPARATOR.split(output):
        found = _SOURCE.search(written)
        source = found[1] if found else ""
        for body in bodies(written, Dialect.KUBECTL, source):
            yield Piece(text=written, body=body, origin=source)


def bodies(written: str, dialect: Dialect, source: str = "") -> Iterator[Body]:
    """Yield the objects of one document: none for a comment.

    Raises:
        OutputError: It cannot be read.
    """
    data = written.encode("utf-8", "surrogateescape")
    plain = read_plain(data)
    if plain is not None and all(isinstance(body, dict) for body in plain):
        yield from (body for body in plain if isinstance(body, dict))
        return
    stream = load(data, dialect=dialect)
    for problem in stream.problems:
        if problem.unreadable:
            where = f" of {source}" if source else ""
            raise OutputError(f"line {problem.span.line} of the rendered document{where}: {problem.message}")
    yield from (document.body for document in stream.documents)


def without_origin(written: str) -> tuple[str, str]:
    """Take kustomize's origin annotation out of a document's text.

    Returns:
        The text that kustomize writes when it is not asked for origins, and the annotation's own text.
    """
    lines = written.splitlines(keepends=True)
    start = _annotation_line(lines)
    if start is None:
        return written, ""
    end = start + 1
    while end < len(lines) and lines[end].startswith("      "):
        end += 1
    origin = "".join(line[6:] for line in lines[start + 1 : end])
    first = start
    alone = lines[start - 1].rstrip() == "  annotations:" and not (end < len(lines) and lines[end].startswith("    "))
    if alone:
        first -= 1
    return "".join(lines[:first] + lines[end:]), origin


def _annotation_line(lines: list[str]) -> int | None:
    """Return the line of the annotation's key, only where it stands in the object's own metadata."""
    inside = annotations = False
    for number, line in enumerate(lines):
        if not line.startswith(" "):
            inside, annotations = line.rstrip() == "metadata:", False
        elif inside and not line.startswith("   "):
            annotations = line.rstrip() == "  annotations:"
        elif annotations and line.rstrip() == f"    {ORIGIN}: |":
            return number
    return None

"""Where one document of a file ends and the next begins: by lines, before any YAML is parsed, as kubectl does it.

kubectl: `YAMLReader` of apimachinery. kustomize: `splitDocuments` of kyaml. Both read only the first YAML document of a
chunk.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.issue import Issue

_SEPARATOR = "---"
_BETWEEN_PIECES = re.compile(r"\n---.*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The text of one document."""

    text: str
    """Lines end in a single newline; no BOM at the start."""

    line: int
    """1-based line in the file on which it starts."""

    column: int = 0
    """Code points of that line that come before it."""

    is_json: bool = False
    """Parsed by the JSON reader; holds exactly one object."""

    bom: bool = False
    """A byte order mark stood at the start."""


def split(text: str, *, dialect: Dialect, line: int = 1, column: int = 0) -> Iterator[tuple[Chunk, Issue | None]]:
    """Cut a file into chunks.

    Args:
        text: The file, decoded, or what is left of it.
        dialect: Whose splitter.
        line: 1-based line in the file on which the text starts.
        column: Code points of that line that come before the text.

    Yields:
        Each chunk; with an issue when it is no document but a line that the splitter refuses.
    """
    text = text.replace("\r\n", "\n")
    pieces = _kubectl(text) if dialect is Dialect.KUBECTL else _kustomize(text)
    for piece, first, issue in pieces:
        bom = piece.startswith("\ufeff")
        yield (
            Chunk(text=piece.removeprefix("\ufeff"), line=line + first, column=0 if first else column, bom=bom),
            issue,
        )


def _refusal(line: str) -> Issue | None:
    """Say why a line that starts with `---` is no separator."""
    rest = line[len(_SEPARATOR) :].strip()
    if not rest or rest.startswith("#"):
        return None
    return Issue(
        rule="yaml-separator",
        message="text follows `---` on the same line",
        hint="put the text on a line of its own",
        start=0,
        end=len(line),
        unreadable=True,
    )


def _kubectl(text: str) -> Iterator[tuple[str, int, Issue | None]]:
    """Split by lines; yield text, 0-based first line, and an issue for a refused line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    first = 0
    for number, line in enumerate(lines):
        if not line.startswith(_SEPARATOR):
            continue
        issue = _refusal(line)
        if issue is None and number == first:
            continue  # the separator becomes the first line of the next document
        if number > first:
            yield "\n".join(lines[first:number]) + "\n", first, None
        if issue is not None:
            yield line + "\n", number, issue
        first = number + 1
    if first < len(lines):
        yield "\n".join(lines[first:]) + "\n", first, None


def _kustomize(text: str) -> Iterator[tuple[str, int, Issue | None]]:
    """Split by kyaml's regular expression: a first line and a last one without newline never separate."""
    start = first = 0
    for match in _BETWEEN_PIECES.finditer(text):
        # kyaml gives every piece but the last the newline back that its expression eats.
        piece = text[start : match.start()] + "\n"
        yield piece, first, None
        line = first + piece.count("\n")
        issue = _refusal(match.group().strip("\n"))
        if issue is not None:
            yield match.group()[1:], line, issue
        start, first = match.end(), line + 1
    yield text[start:], first, None

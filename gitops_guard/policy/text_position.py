"""From an offset in a YAML scalar's value to line and column of the file, for errors inside expressions."""

from collections.abc import Sequence

from gitops_guard.model import Span


def place_in_scalar(lines: Sequence[str], span: Span, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of a character of a scalar's value.

    Exact for block scalars, and for quoted and plain ones without escapes and doubled quotes; for the others it is the
    scalar's start.

    Args:
        lines: The file's lines.
        span: Where the scalar is written.
        offset: Code points from the value's start.
    """
    first = lines[span.line - 1][span.column - 1 :]
    if first[:1] in ("|", ">"):
        return _in_block(lines, span, offset)
    shift = 1 if first[:1] in ("'", '"') else 0
    written = _written(lines, span)
    if (first[:1] == '"' and "\\" in written) or (first[:1] == "'" and "''" in written[1:-1]):
        return span.line, span.column
    return _walk([written.split("\n")[0], *written.split("\n")[1:]], span, offset + shift)


def _in_block(lines: Sequence[str], span: Span, offset: int) -> tuple[int, int]:
    """Walk the lines below the header, without their indentation; a folded line break counts as one character too."""
    body = list(lines[span.line :])
    indent = next((len(line) - len(line.lstrip(" ")) for line in body if line.strip()), 0)
    left = offset
    for number, line in enumerate(body):
        length = len(line[indent:])
        if left <= length:
            return span.line + 1 + number, indent + left + 1
        left -= length + 1
    return span.line, span.column


def _written(lines: Sequence[str], span: Span) -> str:
    inside = list(lines[span.line - 1 : span.end_line])
    inside[-1] = inside[-1][: span.end_column - 1]
    inside[0] = inside[0][span.column - 1 :]
    return "\n".join(inside)


def _walk(parts: Sequence[str], span: Span, offset: int) -> tuple[int, int]:
    """Walk the lines of a flow scalar: each break, with the indentation behind it, counts as one space."""
    left = offset
    for number, part in enumerate(parts):
        indent = 0 if number == 0 else len(part) - len(part.lstrip(" \t"))
        length = len(part[indent:].rstrip(" \t"))
        if left <= length:
            return span.line + number, (span.column if number == 0 else 1) + indent + left
        left -= length + 1
    return span.line, span.column

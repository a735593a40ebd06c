"""The comments of a YAML text: where a `#` starts a comment and not a part of a value.

PyYAML's scanner says where scalars lie; a `#` after a blank or at a line's start is a comment unless it is inside one.
A block scalar's header line may end in a comment, its content may not. Where the scanner gives up (the text is no
YAML), nothing behind that place is taken for a comment.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import yaml

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Line breaks to YAML 1.1 that no editor counts; blanks keep the columns.
_ODD_BREAKS: Final = str.maketrans(dict.fromkeys("\r\x85\u2028\u2029", " "))


class Comment(NamedTuple):
    """One comment."""

    line: int
    """1-based."""

    column: int
    """1-based column of the `#`."""

    end_column: int
    """Exclusive."""

    text: str
    """Without the `#`, stripped."""

    alone: bool
    """Nothing stands before it on its line."""


def find_comments(text: str, marker: str) -> list[Comment]:
    """Return the comments that start with a marker, in order.

    Args:
        text: The whole file.
        marker: What must follow the `#`, blanks aside; a text without it is not even scanned.
    """
    if marker not in text:
        return []
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").translate(_ODD_BREAKS)
    # The scanner takes UTF-8 only; a lone surrogate is one column wide like its stand-in.
    spans, scanned_to = _scalars(plain.encode("utf-8", "replace").decode("utf-8"))
    found = [_comment(number, line, spans) for number, line in enumerate(plain.split("\n"), 1) if marker in line]
    return [
        comment
        for comment in found
        if comment and comment.text.startswith(marker) and (comment.line, comment.column) <= scanned_to
    ]


_Place = tuple[int, int]


def _comment(number: int, line: str, spans: dict[int, list[tuple[int, int]]]) -> Comment | None:
    inside = spans.get(number, [])
    for index, char in enumerate(line):
        if char != "#" or (index and line[index - 1] not in " \t"):
            continue
        if not any(start <= index < end for start, end in inside):
            return Comment(
                number, index + 1, len(line.rstrip()) + 1, line[index + 1 :].strip(), not line[:index].strip()
            )
    return None


def _scalars(text: str) -> tuple[dict[int, list[tuple[int, int]]], _Place]:
    """Return the columns that scalars take by 1-based line, and up to where the text could be scanned."""
    spans: dict[int, list[tuple[int, int]]] = {}
    reached: _Place = (1, 1)
    try:
        for token in yaml.scan(text, Loader=_Loader):
            end = token.end_mark
            reached = (end.line + 1, end.column + 1)
            if isinstance(token, yaml.ScalarToken):
                for line, start, stop in _lines(token):
                    spans.setdefault(line, []).append((start, stop))
    except yaml.YAMLError:
        return spans, reached
    return spans, (text.count("\n") + 2, 0)


def _lines(token: yaml.ScalarToken) -> Iterator[tuple[int, int, int]]:
    """Yield 1-based line, start and end column (0-based, exclusive) of each line that a scalar takes."""
    first, start = token.start_mark.line, token.start_mark.column
    last, stop = token.end_mark.line, token.end_mark.column
    if token.style in ("|", ">"):
        first, start = first + 1, 0
    for line in range(first, last + 1):
        yield line + 1, start if line == first else 0, stop if line == last else 1 << 30

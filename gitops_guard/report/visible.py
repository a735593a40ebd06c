r"""Hostile text made harmless to look at: what a file holds must never steer a terminal, a log or a reader's eye.

Control characters, ANSI escapes, bidirectional overrides, invisible characters and lone surrogates are shown as
escapes (`\x1b`, `\u202e`); the openers of log commands (`::error`, `##[group]`, `##vso[`) are broken up, since a CI
system takes them from any line of a job's output.
"""

import re
import unicodedata
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_COMMAND: Final = re.compile(r"##(?=\[|vso\[)|^\s*::", re.IGNORECASE)


def visible(text: str) -> str:
    """Return one line of text in which everything can be seen and nothing acts."""
    return _COMMAND.sub(_break_up, _INVISIBLE.sub(_escape, text))


def visible_character(char: str) -> str:
    """Do the same for one character; a tab becomes a space, since YAML text is shown with its indentation."""
    return " " if char == "\t" else _INVISIBLE.sub(_escape, char)


def width(text: str) -> int:
    """Return how many columns a terminal gives to a text: wide characters take two, combining ones none."""
    return sum(_character_width(char) for char in text)


def _character_width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point == ord("\n"):
        return r"\n"
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _break_up(match: re.Match[str]) -> str:
    return match[0].replace("::", r"\x3a:").replace("##", r"#\x23")

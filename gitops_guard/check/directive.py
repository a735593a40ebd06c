r"""What a suppression says, as text into values.

One grammar for comments and annotations:

    comment      # gitops-guard: ignore RULE[,RULE...] REASON [until YYYY-MM-DD]
    annotation   gitops-guard.io/ignore: "RULE[,RULE...]: REASON [until YYYY-MM-DD][; ...]"

The reason is free text without `;` in an annotation; it must not be empty. `until` counts only as the last two words
and in front of something that starts with a digit: `until we migrate` is a reason, `until 2027-02-30` is a mistake.
`reason=` before the reason and `expires=` for `until` are understood as well.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_IGNORE: Final = re.compile(r"ignore(?:\s+|$)")
_RULES: Final = re.compile(r"\s*([^\s,:]+(?:\s*,\s*[^\s,:]+)*)\s*:?\s*")
_UNTIL: Final = re.compile(r"(?:^|\s)\(?(?:until|expires)[\s=:]+(\d\S*?)[.)]*\s*$", re.IGNORECASE)
_REASON: Final = re.compile(r"reason(?:\s*[=:]|\s|$)\s*", re.IGNORECASE)
_SEPARATORS: Final = " \t-\u2013\u2014:,"  # people write dashes before a reason
_LONGEST: Final = 2000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """One suppression as it is written."""

    rules: tuple[str, ...]
    """Rule ids, unchecked; empty where none is named."""

    reason: str
    """Empty where none is given."""

    until: date | None = None
    """Last day on which it holds."""

    mistake: str = ""
    """What cannot be understood; it then silences nothing."""


def parse_comment(text: str) -> Directive:
    """Read what follows `gitops-guard:` in a comment."""
    match = _IGNORE.match(text)
    if match is None:
        word = next(iter(text.split()), "")
        return Directive(rules=(), reason="", mistake=f'"{word}" is no instruction; write "ignore RULE reason"')
    return _parse(text[match.end() :])


def parse_annotation(value: str) -> tuple[Directive, ...]:
    """Read the annotation's value; entries are separated by `;` or line breaks."""
    return tuple(_parse(entry) for entry in re.split(r"[;\n]", value) if entry.strip())


def _parse(text: str) -> Directive:
    match = _RULES.match(text)
    if match is None or len(text) > _LONGEST:
        return Directive(rules=(), reason="", mistake='no rule is named; write "ignore RULE reason"')
    rules = tuple(re.split(r"\s*,\s*", match[1]))
    reason = text[match.end() :].strip()
    until, mistake = None, ""
    if found := _UNTIL.search(reason):
        reason = reason[: found.start()].strip()
        until, mistake = _day(found[1])
    if said := _REASON.match(reason):
        reason = reason[said.end() :]
    return Directive(rules=rules, reason=reason.strip(_SEPARATORS), until=until, mistake=mistake)


def _day(text: str) -> tuple[date | None, str]:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text), ""
    except ValueError:
        pass
    return None, f'"{text}" is no day; write "until 2027-01-31"'

"""Plain scalars on which YAML readers disagree: candidates for a finding, that the schema's verdict may make moot."""

import re

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.issue import Issue
from gitops_guard.manifest.scalars import BOOL_WORDS, is_date, rewritten_date
from gitops_guard.model import FieldPath

_MODES = frozenset(("mode", "defaultMode"))
_LONGEST = 64
"""No reader takes a longer text for anything but a string or a float; and the expressions below are not linear."""
_INTEGER = re.compile(r"[-+]?(?:[0-9_]+|0[xXbBoO][0-9a-fA-F_]+)\Z")
_OCTAL = re.compile(r"[-+]?0[0-7_]+\Z")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
# Numbers for kubectl that are strings for YAML 1.2's core schema or for PyYAML, or the other way round.
_DISPUTED = re.compile(
    r"[-+]?0[xXbBoO][-+0-9a-fA-F_]+\Z"  # other bases
    r"|[-+]?0[0-9]+\Z"  # 08: decimal for kubectl, a string for PyYAML
    r"|[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?\Z"  # 1_000
    r"|\.[0-9_]*_[0-9_]*\Z"
    r"|[-+]?[0-9]+\.?[0-9]*[eE][-+]?[0-9_]+\Z|[-+]?\.[0-9]+[eE][-+]?[0-9_]+\Z"  # 1e3
    r"|[-+]\.[0-9]+\Z"
)


def candidate(text: str, value: object, path: FieldPath, start: int, end: int, *, dialect: Dialect) -> Issue | None:
    """Say how a plain scalar may be misread.

    Args:
        text: The scalar as written.
        value: As this dialect reads it.
        path: Where it stands; file modes may be octal.
        start: Offset in the chunk.
        end: Offset in the chunk.
        dialect: Whose reading `value` is.

    Returns:
        At most one candidate: the worst.
    """
    verdict = _verdict(text, value, path, dialect)
    if verdict is None:
        return None
    rule, message, hint = verdict
    return Issue(rule=rule, message=message, hint=hint, start=start, end=end, field=path)


def _verdict(text: str, value: object, path: FieldPath, dialect: Dialect) -> tuple[str, str, str] | None:
    if text in BOOL_WORDS:
        return _bool_word(text, dialect)
    if not text or text[0] not in "+-.0123456789=<":
        return None
    if isinstance(value, float) and _INTEGER.match(text):
        return "yaml-number-rounded", "the integer does not fit 64 bits and is rounded", "quote it if it is a string"
    if len(text) > _LONGEST:
        return None
    if _OCTAL.match(text) and isinstance(value, int):
        if path and path[-1] in _MODES:
            return None
        return (
            "yaml-octal",
            f"a leading zero makes the number octal{_shown(value, path)}",
            "write it without the zero, or quote it",
        )
    if is_date(text):
        return _date(text, path)
    if text in {"=", "<<"} or _BASE_60.match(text) or _DISPUTED.match(text):
        return (
            "yaml-reader-dependent",
            "YAML readers disagree about the type of this value",
            "quote it, or write it plainly",
        )
    return None


def _bool_word(text: str, dialect: Dialect) -> tuple[str, str, str]:
    if dialect is Dialect.KUBECTL:
        message = f"unquoted `{text}` is a boolean for kubectl and a string after kustomize build"
    else:
        message = f"unquoted `{text}` is a string after kustomize build, not a boolean"
    return "yaml-bool-word", message, "write `true` or `false`, or quote it"


def _shown(value: object, path: FieldPath) -> str:
    """Show what the value becomes, but never what may be a Secret's."""
    return "" if path[:1] in {("data",), ("stringData",)} else f": it becomes `{value}`"


def _date(text: str, path: FieldPath) -> tuple[str, str, str]:
    new = rewritten_date(text)
    if new != text:
        return "yaml-date-rewritten", f"kustomize build rewrites the date{_shown(new, path)}", "quote it"
    return "yaml-reader-dependent", "YAML readers disagree about whether this is a date", "quote it"

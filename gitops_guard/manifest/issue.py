"""A remark about source text while it is being read: still in offsets of one chunk, not in lines of the file."""

from dataclasses import dataclass

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.model import FieldPath, Severity

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

SEVERITIES: dict[str, tuple[Severity, Severity]] = {
    "yaml-syntax": (_E, _E),
    "yaml-separator": (_E, _E),
    "yaml-directive": (_E, _E),
    "yaml-lost-text": (_E, _E),
    "yaml-not-object": (_E, _E),
    "yaml-encoding": (_E, _E),
    "yaml-duplicate-key": (_E, _E),
    "yaml-merge-after-key": (_E, _E),
    "yaml-merge-value": (_E, _E),
    "yaml-key-type": (_E, _E),
    "yaml-key-not-string": (_W, _E),
    "yaml-not-finite": (_E, _E),
    "yaml-number-rounded": (_W, _W),
    "yaml-alias-cycle": (_E, _E),
    "yaml-alias-budget": (_E, _E),
    "yaml-depth": (_E, _E),
    "yaml-anchor-redefined": (_W, _W),
    "yaml-bool-word": (_W, _E),
    "yaml-octal": (_W, _W),
    "yaml-date-rewritten": (_N, _W),
    "yaml-reader-dependent": (_N, _N),
    "yaml-not-json": (_W, _N),
    "yaml-empty": (_N, _N),
    "yaml-too-large": (_E, _E),
}
"""Rule id -> severity for kubectl's dialect and for kustomize's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One remark."""

    rule: str
    message: str
    start: int
    """Offset in the chunk's text, in code points."""

    end: int
    hint: str = ""
    severity: Severity | None = None
    """None: the rule's own."""

    field: FieldPath | None = None
    unreadable: bool = False

    def severity_in(self, dialect: Dialect) -> Severity:
        """Return how bad it is for a reader of this dialect."""
        if self.severity is not None:
            return self.severity
        return SEVERITIES[self.rule][0 if dialect is Dialect.KUBECTL else 1]


class UnreadableError(Exception):
    """No tree can be made of this chunk; `issue` says why. Never leaves the loader."""

    def __init__(self, rule: str, message: str, start: int, end: int, *, hint: str = "") -> None:
        self.issue = Issue(rule=rule, message=message, start=start, end=end, hint=hint, unreadable=True)
        super().__init__(message)

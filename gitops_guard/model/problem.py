"""What a rule yields: a place named symbolically and what is wrong there. The engine adds lines later."""

from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.model.field_path import FieldPath


class Severity(StrEnum):
    """How bad a finding is, in SARIF's own words; `rank` orders them."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Return 0 for error, 1 for warning, 2 for note: lower is worse."""
        return _RANK[self]


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one resource."""

    field: FieldPath
    """From the resource's root: `("spec", "replicas")`. It may name a field that is absent (a missing one)."""

    message: str
    """In the API server's words where it has some, without the path: `Invalid value: "x": must be ...`.

    Never holds a value of a Secret.
    """

    hint: str = ""
    """What to do: `did you mean "replicas"?`; empty when the message says it all."""

    on_key: bool = False
    """Point at the field's key instead of its value: an unknown field, a duplicate key."""

    severity: Severity | None = None
    """Overrides the rule's own severity for this one place; None keeps it."""

    rule: str = ""
    """Rule id where one check answers for several rules (the schema's walk); empty for the yielding rule's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unevaluated:
    """A rule says that it cannot tell about this resource: never a pass, never a finding."""

    reason: str
    """`policy team-label not evaluated: the authorizer answers only in the cluster`."""

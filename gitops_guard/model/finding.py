"""A rule's verdict at one place, and the report that a run ends with."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_guard.model.field_path import FieldPath, format_field_path
from gitops_guard.model.problem import Severity
from gitops_guard.model.resource import Location, ResourceId


def fingerprint(rule: str, path: str, resource: ResourceId | None, field_path: FieldPath) -> str:
    """Name a finding so that it stays the same when lines move.

    Args:
        rule: Rule id.
        path: Repository path; counts only where there is no resource to name.
        resource: The resource judged, or None for a finding about a file.
        field_path: From the resource's root.

    Returns:
        16 hexadecimal digits.
    """
    owner = f"file {path}" if resource is None else str(resource)
    text = "\0".join((rule, owner, format_field_path(field_path)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's verdict at one place."""

    rule: str
    """Rule id: `unknown-field`."""

    severity: Severity
    message: str
    """Without the field path; never holds a Secret's value."""

    resource: ResourceId | None
    """None for a finding about the file itself (encoding, an unused suppression)."""

    field: str
    """Printed field path: `spec.template.spec.containers[0].image`; empty for the root."""

    location: Location
    hint: str = ""
    """What to do; may be empty."""

    doc_url: str = ""
    """Where the rule is explained on the web; empty where `gitops-guard explain RULE` is the place."""

    container: str = ""
    """Name of the container that the field lies in; empty elsewhere."""

    fingerprint: str = ""
    """See `fingerprint()`; equal findings of one place differ by the suffix that the engine adds."""

    @property
    def sort_key(self) -> tuple[str, int, int, str, str, str]:
        """Return what findings are ordered by in every output: place, then rule."""
        place = self.location
        return (place.path, place.line, place.column, self.rule, self.field, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckError:
    """Something that could not be checked: never a pass, never a finding."""

    path: str
    """Repository path; empty when the error belongs to no file."""

    line: int
    """1-based; 0 when the error belongs to the whole file."""

    column: int
    """1-based; 0 when unknown."""

    message: str
    """What is wrong and what to do."""

    rule: str = ""
    """Id of the loader's rule where one applies: `yaml-syntax`."""

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """Return what errors are ordered by in every output."""
        return (self.path, self.line, self.column, self.message)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Skipped:
    """A file or resource that was not checked, and why."""

    path: str
    resource: str
    """Printed resource id; empty for a whole file."""

    reason: str
    """One of a closed set of sentences, so that they can be counted: `no schema`, `Helm template`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a run looked at: a pass counts only for what is in `validated`."""

    files: int = 0
    """Files looked at."""

    resources: int = 0
    """Resources found in them."""

    validated: int = 0
    """Resources checked by every layer that applies to them, against every target version."""

    schema_only: int = 0
    """Resources whose schema was checked but not the rules that go with it (CEL rules of a CRD)."""

    references_followed: bool = True
    """Whether rules on references took part; a hook on single files leaves them out."""

    skipped: tuple[Skipped, ...] = ()
    """What was not checked; resources without a schema, files that are no manifests."""

    versions: tuple[str, ...] = ()
    """Kubernetes versions checked against: `("1.36", "1.37")`."""

    units: int = 0
    """Units whose rendered objects were judged."""

    rendered: int = 0
    """Objects in them."""

    unrendered: tuple[CheckError, ...] = ()
    """Why units, or parts of them, were not judged as rendered: a tool is missing, or what they need is elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Findings by severity."""

    error: int = 0
    warning: int = 0
    note: int = 0

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Counts":
        """Count findings by severity."""
        seen = [finding.severity for finding in findings]
        return cls(
            error=seen.count(Severity.ERROR),
            warning=seen.count(Severity.WARNING),
            note=seen.count(Severity.NOTE),
        )


class WaiverState(StrEnum):
    """What became of a waiver in a run; a closed set."""

    IN_FORCE = "in force"
    UNUSED = "unused"
    """Everything was looked at, and there was nothing to silence."""

    EXPIRED = "expired"
    REFUSED = "refused"
    """It gives no reason, names no rule that exists, or lies where waivers do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverUse:
    """A waiver, and what it silenced."""

    name: str
    path: str
    """Where it stands: `waivers/vendor.yaml`, `main:waivers/vendor.yaml`."""

    line: int
    """1-based."""

    rules: tuple[str, ...]
    """Globs of rule ids, as written."""

    reason: str
    owner: str = ""
    expires: str = ""
    """Last day on which it holds, `YYYY-MM-DD`; empty: it does not expire."""

    state: WaiverState
    findings: tuple[Finding, ...] = ()
    """What it silenced, sorted by `Finding.sort_key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that `report/` sees of a run."""

    findings: tuple[Finding, ...]
    """Sorted by `Finding.sort_key`."""

    errors: tuple[CheckError, ...]
    """Sorted by `CheckError.sort_key`."""

    coverage: Coverage
    suppressed: int = 0
    """Findings silenced by a suppression or a baseline."""

    waivers: tuple[WaiverUse, ...] = ()
    """All waivers that were read, sorted by place."""

    sources: "dict[str, tuple[str, ...]]" = field(default_factory=dict)
    """Source lines by path, only for files with findings; for formats that show the line."""

    @property
    def counts(self) -> Counts:
        """Return the findings by severity."""
        return Counts.of(self.findings)

"""What is known of one file once it has been judged, and its form between processes and in the cache."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from gitops_guard.model import CheckError, Finding, Location, ResourceId, Severity, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """The verdict on one file, before suppressions."""

    path: str
    resources: int = 0
    """Resources found in the file."""

    validated: int = 0
    """Resources checked by every layer that applies."""

    schema_only: int = 0
    """Resources of which only the schema was checked."""

    findings: tuple[Finding, ...] = ()
    errors: tuple[CheckError, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    needs_definitions: bool = False
    """Some resource is of a kind that is not built in: the verdict depends on the tree's
    CustomResourceDefinitions."""

    mentions_us: bool = False
    """The text or an annotation mentions gitops-guard: it may hold suppressions."""

    @property
    def is_plain(self) -> bool:
        """Nothing to report: every resource is validated, or the whole file is skipped for one reason."""
        return not (self.findings or self.errors or self.needs_definitions or self.mentions_us or self.schema_only)


def to_json(verdict: FileVerdict) -> dict[str, Any]:
    """Return a verdict as plain data."""
    return asdict(verdict)


def dump(verdict: FileVerdict) -> bytes:
    """Return a verdict as JSON bytes."""
    return json.dumps(to_json(verdict), ensure_ascii=True, separators=(",", ":")).encode()


def load(data: bytes) -> FileVerdict:
    """Read what `dump` wrote."""
    return from_json(json.loads(data))


def from_json(raw: dict[str, Any]) -> FileVerdict:
    """Read what `to_json` returned."""
    return FileVerdict(
        **{
            **raw,
            "findings": tuple(_finding(found) for found in raw["findings"]),
            "errors": tuple(CheckError(**error) for error in raw["errors"]),
            "skipped": tuple(Skipped(**skipped) for skipped in raw["skipped"]),
        }
    )


def _finding(raw: dict[str, Any]) -> Finding:
    return Finding(
        **{
            **raw,
            "severity": Severity(raw["severity"]),
            "resource": None if raw["resource"] is None else ResourceId(**raw["resource"]),
            "location": Location(**raw["location"]),
        }
    )

"""A parsed Kubernetes object, its identity, and where in the repository it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gitops_guard.model.field_path import FieldPath

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""What `json.dumps` would write: string keys, integers within int64, finite floats."""

Body: TypeAlias = Mapping[str, Json]
"""The content of one resource. Never changed after parsing: aliases share their values."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ResourceId:
    """What names an object in a cluster."""

    group: str
    """API group, empty for core: `apps`."""

    version: str
    """`v1`."""

    kind: str
    """`Deployment`."""

    namespace: str
    """As written in the manifest; empty when cluster-scoped or left to the unit."""

    name: str
    """`web`, or `web-*` for a generateName of `web-`; empty when the manifest names none."""

    @property
    def api_version(self) -> str:
        """Return group and version as manifests write them: `apps/v1`, `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.api_version} {self.kind} {place}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def resource_id(body: Body) -> ResourceId:
    """Read a resource's identity from its body; a part that is missing or no string comes out empty."""
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    group, _, version = _text(body.get("apiVersion")).rpartition("/")
    name = _text(metadata.get("name"))
    if not name and (prefix := _text(metadata.get("generateName"))):
        name = f"{prefix}*"
    return ResourceId(
        group=group,
        version=version,
        kind=_text(body.get("kind")),
        namespace=_text(metadata.get("namespace")),
        name=name,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of text in a file; lines and columns are 1-based, columns count code points, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """A place in a file of the repository."""

    path: str
    """Repository path with `/`: `apps/web.yaml`; `-` for standard input."""

    line: int
    """1-based, in the file, not in the document."""

    column: int
    """1-based, in code points."""

    end_line: int
    end_column: int
    """Exclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a resource was written."""

    path: str
    """Repository path with `/` separators: `apps/web.yaml`."""

    document: int
    """0-based index of the YAML document in the file."""

    line: int
    """1-based line in the file on which the resource's first key (or list item) stands."""

    item: FieldPath = ()
    """Where the resource stands inside its document: `()` or `("items", 3)` for an unfolded `kind: List`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One object as it would be sent to the API server."""

    id: ResourceId
    body: Body
    origin: Origin

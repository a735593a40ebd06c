"""What a controller deploys together, and what rendering made of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from gitops_guard.model.finding import CheckError
from gitops_guard.model.resource import Resource

NOT_RENDERED = "not rendered: "
"""How an error of a unit begins that is no mistake of the repository's: a tool is missing, something is elsewhere, or
is not supported here."""


class UnitKind(StrEnum):
    """What makes a unit; a closed set."""

    DIRECTORY = "directory"
    """Plain manifests of one directory."""

    KUSTOMIZATION = "kustomization"
    """A `kustomization.yaml` that no other one uses."""

    CHART = "chart"
    """A Helm chart with one of the values files beside it."""

    FLUX_KUSTOMIZATION = "Flux Kustomization"
    HELM_RELEASE = "Flux HelmRelease"
    APPLICATION = "Argo CD Application"
    APPLICATION_SET = "Argo CD ApplicationSet"
    """Only where none of its Applications could be generated; otherwise each of these is a unit."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unit:
    """What is deployed together."""

    kind: UnitKind
    name: str
    """`flux-system/storefront`; the path for what no controller's object declares."""

    path: str
    """Repository path of the directory that is deployed; empty for the root, or for a chart from elsewhere."""

    declared_in: str
    """Repository path of the file that makes it: the Application, the kustomization, the Chart.yaml."""

    declared_line: int
    """1-based line in that file."""

    clusters: tuple[str, ...] = ()
    """Names of the clusters that it goes to; empty where nothing says."""

    namespace: str = ""
    """Namespace for objects that name none; empty where nothing says."""

    depends_on: tuple[str, ...] = ()
    """Names of units of the same kind that come first: `flux-system/crds`."""

    suspended: bool = False
    """The controller is told to leave it as it is."""

    @property
    def label(self) -> str:
        """Return what people call it: `Flux Kustomization flux-system/apps on production`."""
        where = f" on {', '.join(self.clusters)}" if self.clusters else ""
        return f"{self.kind} {self.name}{where}"

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """Return what makes it the same unit in two trees, wherever it is declared."""
        return (self.kind, self.name, self.clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedObject:
    """One object that rendering a unit gave."""

    resource: Resource
    """Its origin is the source file; the line is that of the object, or of what included the file where only that is
    known."""

    text: str
    """The YAML, as the tool wrote it."""

    hook: str = ""
    """The chart's word for it, where it is a hook or a test: `pre-install`, `test`; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedUnit:
    """A unit and all that came of it."""

    unit: Unit
    objects: tuple[RenderedObject, ...] = ()
    """In the order of the tool's output."""

    errors: tuple[CheckError, ...] = ()
    """Why the unit, or a part of it, was not rendered; empty: it is whole."""

    reads: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Sorted (repository path, blob id) of the files that decided the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """All units of a tree."""

    units: tuple[RenderedUnit, ...]
    """Sorted by unit."""

"""How a unit is rendered: what discovery decides and the tools then carry out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from gitops_guard.model import CheckError, Json
from gitops_guard.model.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Manifests taken as they are."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kustomize:
    """A build by kustomize."""

    folder: str
    changes: Mapping[str, Json] = field(default_factory=dict)
    """What the controller adds to the kustomization before the build."""

    generate: bool = False
    """Flux makes a kustomization of all manifests below where there is none."""

    unrestricted: bool = False
    """Flux lets kustomize read files outside the kustomization's directory (never outside the repository)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesFile:
    """Values from a file of the repository."""

    path: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteChart:
    """A chart that has to be fetched."""

    name: str
    """`podinfo`, or the whole reference `oci://registry.example.com/charts/podinfo`."""

    repository: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helm:
    """A run of `helm template`."""

    chart: str | RemoteChart
    """The chart's directory, or where it is fetched from."""

    release: str
    namespace: str = "default"
    defaults: tuple[ValuesFile, ...] = ()
    """Files that take the place of the chart's own values.yaml, as Flux's `valuesFiles` do; empty: its own."""

    values: "tuple[ValuesFile | Mapping[str, Json], ...]" = ()
    """Files and values in line; later ones win."""

    settings: tuple[tuple[str, str], ...] = ()
    """(flag, `name=value`) in order: `("--set-string", "image.tag=1.0")`."""

    include_crds: bool = True
    skip_tests: bool = False
    skip_schema: bool = False
    include_hooks: bool = True
    kubernetes_version: str = ""
    """Where the object says it; empty: the cluster's."""

    api_versions: tuple[str, ...] = ()
    after: Mapping[str, Json] = field(default_factory=dict)
    """Patches and images of a `postRenderers` entry, which kustomize applies to the output."""


Source: TypeAlias = Plain | Kustomize | Helm


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """Flux's `postBuild`."""

    variables: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    """Where further variables would come from that the repository does not hold: `Secret cluster-secrets`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A unit with all that is needed to render it."""

    unit: Unit
    sources: tuple[Source, ...] = ()
    substitution: Substitution | None = None
    kubernetes_version: str = ""
    """`1.36`; empty: helm's own."""

    api_versions: tuple[str, ...] = ()
    errors: tuple[CheckError, ...] = ()
    """Why it, or a part of it, cannot be rendered."""

    also: frozenset[str] = frozenset()
    """Files that had a part in making the job, beside the one that declares it: a ConfigMap with variables, a file of a
    generator, a patch of the object that declares it."""

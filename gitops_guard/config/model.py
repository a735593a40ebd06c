"""What a configuration file says, as frozen values. Keys of the file are the field names with `-` for `_`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_guard.config.sync_model import SyncConfig
from gitops_guard.model import Json, Severity


class MissingSchema(StrEnum):
    """What to do about a resource whose kind has no schema."""

    IGNORE = "ignore"
    """Count it in the coverage."""

    ERROR = "error"
    """Report it as an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Other rules for some paths; where several match, the later one wins."""

    paths: tuple[str, ...]
    """Globs of the repository paths it is about: `("legacy/",)`."""

    kubernetes_versions: tuple[str, ...] = ()
    """Versions to check these paths against: `("1.35",)`; empty: as everywhere."""

    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    """Severity by rule id; None switches the rule off."""

    exclude_rules: tuple[str, ...] = ()
    """Ids of rules that are off here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Findings silenced by what they are about; all selectors given must match."""

    rule: str
    """Rule id."""

    reason: str
    """Why the finding is accepted; never empty."""

    kind: str = ""
    """`Deployment` or `Rollout.argoproj.io`; empty: any."""

    name: str = ""
    """Glob of the resource's name: `legacy-*`; empty: any."""

    namespace: str = ""
    """Glob of the namespace as written in the manifest; empty: any."""

    path: str = ""
    """Glob of the repository path; empty: any."""

    field: str = ""
    """Glob of the printed field path, in which only `*` is special; empty: any."""

    container: str = ""
    """Glob of the name of the container that the finding is in; empty: any place."""

    owner: str = ""
    """Who answers for it: `team-a`; named when it does not hold any more."""

    until: str = ""
    """Last day on which it holds, as `YYYY-MM-DD`; empty: it does not expire."""

    line: int = 0
    """1-based line in the configuration file on which it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A suppression written as a document of its own, for several rules and resources; see `config.waivers`."""

    name: str
    """Its `metadata.name`: `vendor-sidecar`."""

    rules: tuple[str, ...]
    """Globs of rule ids: `("floating-tag", "image-*")`."""

    reason: str = ""
    """Why the findings are accepted; empty: nobody said, and it silences nothing."""

    owner: str = ""
    """Who answers for it."""

    expires: str = ""
    """Last day on which it holds, as `YYYY-MM-DD`; empty: it does not expire."""

    kinds: tuple[str, ...] = ()
    """`Deployment` or `Rollout.argoproj.io`; empty, here and below: any."""

    namespaces: tuple[str, ...] = ()
    """Globs of the namespace as written in the manifest."""

    names: tuple[str, ...] = ()
    """Globs of the resource's name."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Globs of the values of labels that the resource must have, by key."""

    paths: tuple[str, ...] = ()
    """Globs of repository paths."""

    containers: tuple[str, ...] = ()
    """Globs of the name of the container that the finding is in."""

    fields: tuple[str, ...] = ()
    """Globs of the printed field path, in which only `*` is special."""

    path: str = ""
    """File that it stands in."""

    line: int = 0
    """1-based line in that file on which it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster that the repository is deployed to."""

    context: str = ""
    """Name of the kubeconfig context; empty: not asked."""

    server: str = ""
    """URL of its API server, as Argo CD's `destination.server` writes it; empty: known by its name only."""

    kubernetes_version: str = ""
    """`1.36`: what charts are rendered for; empty: the newest version that the repository is checked against."""

    api_versions: tuple[str, ...] = ()
    """Further API versions that charts find there: `("monitoring.coreos.com/v1",)`."""

    paths: tuple[str, ...] = ()
    """Globs of the repository paths that belong to it; empty: the folder of its name below `clusters/`."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of its Argo CD cluster secret, which ApplicationSets select by."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Values for Flux's `postBuild` that the repository does not hold, such as those of a Secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration file; the defaults are those of an empty one."""

    path: str = ""
    """Where it was read from; empty for the built-in defaults."""

    kubernetes_versions: tuple[str, ...] = ()
    """Minor versions to check against: `("1.36", "1.37")`; empty: the newest bundled one."""

    include: tuple[str, ...] = ()
    """Globs of the files to look at; empty: all."""

    exclude: tuple[str, ...] = ()
    """Globs of the files to leave out, after `include`."""

    crds: tuple[str, ...] = ()
    """Directories, files or globs with CustomResourceDefinitions beside those found in the files looked at."""

    schemas: tuple[str, ...] = ()
    """Templates of schema files: `schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`."""

    missing_schema: MissingSchema | None = None
    """None where the file does not say; the default is `ignore`."""

    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    """Severity by rule id; None switches the rule off."""

    fail_on: Severity | None = None
    """Least severity that makes the run fail; None where the file does not say; the default is `error`."""

    overrides: tuple[Override, ...] = ()
    """Per-path rules, later ones win."""

    suppressions: tuple[Suppression, ...] = ()
    """Findings accepted for a reason."""

    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """The clusters that the repository is deployed to, by name."""

    policies: tuple[str, ...] | None = None
    """Where policies are: directories or files (`policies`), `pack:security`, `git+policies@main`; empty: nowhere.
    None where the file does not say; the default is `pack:*`."""

    waivers: tuple[str, ...] = ()
    """Where waivers are: directories or files (`waivers`), `git+waivers@main`; those beside policies count anyway."""

    identity: Mapping[str, Json] = field(default_factory=dict)
    """Who applies the repository, as policies see it in `request.userInfo`; empty: not known."""

    plugins: tuple[str, ...] = ()
    """Python modules (`ours.rules`) or files (`tools/rules.py`) to load."""

    plugin_options: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Options by plugin name, checked against the schema that the plugin gives."""

    rules: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Options by rule id."""

    assumptions: Mapping[str, Json] = field(default_factory=dict)
    """What `simulate` supposes, measured by image or workload; the keys of `--assume`, which only it knows."""

    sync: SyncConfig = field(default_factory=SyncConfig)
    """How clusters are synced."""

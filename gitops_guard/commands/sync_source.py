"""Where a sync takes its objects from: a directory or a repository at a revision, rendered for one cluster."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Flags
from gitops_guard.config.waivers import GROUP as OUR_GROUP
from gitops_guard.errors import UsageError
from gitops_guard.model.unit import RenderedUnit, Unit, UnitKind
from gitops_guard.render import Options, render
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.tree import shown
from gitops_guard.sync.request import History, Rendered
from gitops_guard.sync.settling import Wanted

_DECLARING = frozenset(
    (
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
    )
)
"""Kinds by which controllers are told what to deploy; what we deploy ourselves must not be declared to them as well."""

_BY_CONTROLLERS = frozenset(
    (UnitKind.FLUX_KUSTOMIZATION, UnitKind.HELM_RELEASE, UnitKind.APPLICATION, UnitKind.APPLICATION_SET)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFlags:
    """The part of the command line that says what Git is."""

    source: str = "."
    """A directory: of a repository, below one, or without Git."""

    revision: str | None = None
    """None: HEAD of a repository, the files of a directory without Git."""

    path: str | None = None
    """Only units deployed from or declared below it."""

    cluster: str | None = None
    """Name of this cluster in the repository."""

    config: str | None = None
    allow_network: bool = False
    flags: Flags = field(default_factory=Flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source."""

    workspace: Workspace
    rendered: Rendered
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cluster that is synced, as far as it decides what is deployed there."""

    context: str
    server: str


def open_source(flags: SourceFlags, place: Place, environment: Mapping[str, str]) -> Source:
    """Open a source, and render it for a cluster.

    Args:
        flags: The command line.
        place: The cluster.
        environment: The process's variables.

    Raises:
        UsageError: There is no such source, or nothing says which of the units are this cluster's.
        GuardError: It cannot be read.
    """
    flags = replace(flags, source=local_path(flags.source))
    if not os.path.isdir(flags.source):
        raise UsageError(f"--source {shown(flags.source)}: no such directory; check the spelling")
    repo = Repo.discover(flags.source)
    revision = revision_of(flags, repo)
    workspace = _workspace(flags, revision, environment)

    units = _units(flags, workspace, place, environment)
    return Source(
        workspace=workspace,
        rendered=_rendered(workspace, revision, units),
        history=_history(flags, workspace, repo, revision, place, environment),
    )


def _history(
    flags: SourceFlags,
    workspace: Workspace,
    repo: Repo | None,
    revision: str | None,
    place: Place,
    environment: Mapping[str, str],
) -> History:
    def elsewhere() -> tuple[Wanted, ...]:
        everything = replace(flags, source=workspace.root, path=None)
        taken = {one.unit for one in _units(flags, workspace, place, environment)}
        units = [one for one in _units(everything, workspace, place, environment) if one.unit not in taken]
        return _rendered(workspace, revision, units).wanted

    if repo is None or revision is None:
        return History(elsewhere=elsewhere)

    def follows(older: str) -> bool:
        return repo.follows(revision, older)

    def at(other: str) -> Rendered:
        workspace = _workspace(flags, other, environment)
        return _rendered(workspace, other, _units(flags, workspace, place, environment))

    return History(follows=follows, at=at, elsewhere=elsewhere)


def revision_of(flags: SourceFlags, repo: Repo | None) -> str | None:
    """Return the commit that is meant; None for a directory without Git.

    Raises:
        UsageError: A revision is named and there is no repository.
        RepoError: There is no such revision.
    """
    if repo is not None:
        return repo.resolve(flags.revision or "HEAD")
    if flags.revision is not None:
        raise UsageError(f"{shown(flags.source)}: not in a Git repository, so --revision has no meaning; leave it out")
    return None


def local_path(source: str) -> str:
    """Return the directory that a source names.

    Raises:
        UsageError: It names a repository elsewhere.
    """
    if source.startswith("file:///"):
        return source.removeprefix("file://")
    if "://" in source or (":" in source and not os.path.exists(source)):
        raise UsageError("--source names a repository elsewhere; clone it, and name the clone's directory")
    return source


def _workspace(flags: SourceFlags, revision: str | None, environment: Mapping[str, str]) -> Workspace:
    asked = Asked(directory=flags.source, rev=revision, config=flags.config, trusted_rev=revision, flags=flags.flags)
    return open_workspace(asked, environment)


def _units(
    flags: SourceFlags, workspace: Workspace, place: Place, environment: Mapping[str, str]
) -> list[RenderedUnit]:
    wanted = _wanted(flags, workspace)
    rendering = render(workspace.tree, _options(flags, workspace, environment), wanted)
    return _of_this_cluster([one for one in rendering.units if wanted(one.unit)], flags, workspace, place)


def _rendered(workspace: Workspace, revision: str | None, units: Sequence[RenderedUnit]) -> Rendered:
    deployed = {one.unit.declared_in for one in units if one.unit.kind in _BY_CONTROLLERS}
    return Rendered(
        revision=revision or "",
        wanted=tuple(found for one in units for found in _objects(one, deployed)),
        author=workspace.repo.author(revision) if workspace.repo is not None and revision is not None else "",
        broken=tuple(_told(one) for one in units if one.errors),
        unit_order=_order(units),
        suspended_units=tuple(_label(one.unit) for one in units if one.unit.suspended),
    )


def _options(flags: SourceFlags, workspace: Workspace, environment: Mapping[str, str]) -> Options:
    settings = workspace.settings
    return Options(
        environment=environment,
        clusters=workspace.config.clusters,
        kubernetes_version=settings.kubernetes_versions[-1],
        remotes=workspace.repo.remote_urls if workspace.repo is not None else (),
        allow_network=flags.allow_network,
        cache_dir=settings.cache_dir,
        jobs=settings.jobs,
    )


def _wanted(flags: SourceFlags, workspace: Workspace) -> Callable[[Unit], bool]:
    """Return which units are meant: those below the source's directory, and below --path."""
    below = os.path.relpath(os.path.realpath(flags.source), os.path.realpath(workspace.root))
    prefix = "" if below == "." or below.startswith("..") else below.replace(os.sep, "/")
    path = (flags.path or "").strip("/")
    path = path.removeprefix("./")
    wanted = "/".join(part for part in (prefix, path) if part)
    if wanted and not any(
        entry.path == wanted or entry.path.startswith(f"{wanted}/") for entry in workspace.tree.entries()
    ):
        raise UsageError(f"{shown(wanted)}: no such file or directory in the {workspace.tree.label}")

    def is_wanted(unit: Unit) -> bool:
        places = (unit.declared_in, unit.path)
        return not wanted or any(place == wanted or place.startswith(f"{wanted}/") for place in places)

    return is_wanted


def _of_this_cluster(
    units: Sequence[RenderedUnit], flags: SourceFlags, workspace: Workspace, place: Place
) -> list[RenderedUnit]:
    """Return the units that go to this cluster: those that name it, and those that name none."""
    named = sorted({name for one in units for name in one.unit.clusters})
    if not named:
        return list(units)
    here = flags.cluster or _cluster_of(workspace, place)
    if here is None:
        raise UsageError(
            f"the repository deploys to several clusters ({', '.join(named)}), and nothing says which one this is; give"
            " --cluster NAME, or its context under `clusters:` in the configuration"
        )
    if flags.cluster is not None and here not in named and here not in workspace.config.clusters:
        raise UsageError(f"--cluster {shown(here)}: no unit goes there; there are {', '.join(named)}")
    return [one for one in units if not one.unit.clusters or here in one.unit.clusters]


def _cluster_of(workspace: Workspace, place: Place) -> str | None:
    for name, one in sorted(workspace.config.clusters.items()):
        if one.context == place.context or (one.server and one.server.rstrip("/") == place.server.rstrip("/")):
            return name
    return None


def _objects(one: RenderedUnit, deployed: Collection[str]) -> list[Wanted]:
    return [
        Wanted(
            id=found.resource.id,
            body=found.resource.body,
            origin=found.resource.origin,
            unit=_label(one.unit),
            namespace=one.unit.namespace,
            hook=found.hook,
        )
        for found in one.objects
        if found.resource.id.group != OUR_GROUP
        and not _is_declaration(found.resource.id.group, found.resource.id.kind, found.resource.origin.path, deployed)
    ]


def _is_declaration(group: str, kind: str, path: str, deployed: Collection[str]) -> bool:
    return (group, kind) in _DECLARING and path in deployed


def _label(unit: Unit) -> str:
    return f"{unit.kind} {unit.name}"


def _told(one: RenderedUnit) -> str:
    error = one.errors[0]
    return (
        f"{_label(one.unit)}: {error.path}: {error.message.splitlines()[0] if error.message else 'cannot be rendered'}"
    )


def _order(units: Sequence[RenderedUnit]) -> dict[str, list[str]]:
    by_name = {(one.unit.kind, one.unit.name): _label(one.unit) for one in units}
    found: dict[str, list[str]] = {}
    for one in units:
        earlier = [by_name.get((one.unit.kind, name), "") for name in one.unit.depends_on]
        if any(earlier):
            found[_label(one.unit)] = [name for name in earlier if name]
    return found

"""Where a sync takes its objects from: a directory or a repository at a revision, rendered for one cluster."""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gitops_guard.check.seal import cache_directory
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Flags
from gitops_guard.config.waivers import GROUP as OUR_GROUP
from gitops_guard.errors import RepoError, UsageError
from gitops_guard.model.unit import RenderedUnit, Unit, UnitKind
from gitops_guard.render import Options, render
from gitops_guard.repo.address import is_elsewhere, read_address
from gitops_guard.repo.credentials import read_credentials
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.signatures import verify_commit
from gitops_guard.repo.tree import shown
from gitops_guard.sync.request import History, Rendered
from gitops_guard.sync.settling import Wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitops_guard.repo.mirror import Mirror

_SOME_COMMITS: Final = 200
"""A first look back, which is cheap; what is farther back needs all history."""

_ALL_COMMITS: Final = 2**31 - 1
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
    """A directory (of a repository, below one, or without Git), or the URL of a repository elsewhere."""

    git_auth: str | None = None
    """Directory with the credentials for a URL, one file a value."""

    git_cache: str | None = None
    """Folder where repositories elsewhere are kept; None: below the user's cache."""

    max_stale_s: float | None = None
    """How old what was fetched last may be when the server does not answer; None: then nothing is done."""

    allowed_signers: tuple[str, ...] = ()
    """Files with the keys of which one must have signed the commit; empty: signatures are not looked at."""

    revision: str | None = None
    """None: HEAD of a repository, the files of a directory without Git."""

    wanted_revision: str | None = None
    """What was asked for of a repository elsewhere, whose commit is in `revision` then."""

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

    flags: SourceFlags
    """As given, with the directory and the commit that are meant."""

    workspace: Workspace
    rendered: Rendered
    history: History
    past: "Past | None" = None
    """Other revisions; None for a directory without Git."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cluster that is synced, as far as it decides what is deployed there."""

    context: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a source is read: here, after it was fetched if it lies elsewhere."""

    flags: SourceFlags
    mirror: "Mirror | None" = None
    notes: tuple[str, ...] = ()
    """What must be known of it."""


def open_source(flags: SourceFlags, place: Place, environment: Mapping[str, str]) -> Source:
    """Open a source, and render it for a cluster; see `render_origin`.

    Raises:
        UsageError: There is no such source, or nothing says which of the units are this cluster's.
        GuardError: It cannot be read.
    """
    return render_origin(at_hand(flags, environment), place, environment)


def render_origin(origin: Origin, place: Place, environment: Mapping[str, str]) -> Source:
    """Render what is at hand for a cluster.

    Args:
        origin: The source.
        place: The cluster.
        environment: The process's variables.

    Raises:
        UsageError: There is no such source, or nothing says which of the units are this cluster's.
        GuardError: It cannot be read.
    """
    flags = origin.flags
    if not os.path.isdir(flags.source):
        raise UsageError(f"--source {shown(flags.source)}: no such directory; check the spelling")
    repo = Repo.discover(flags.source)
    revision = revision_of(flags, repo)
    reader = _Reader(flags, place, environment)
    rendered = reader.rendered(revision)
    past = None if repo is None or revision is None else Past(reader, origin.mirror, revision)
    return Source(
        flags=replace(flags, revision=revision),
        workspace=reader.workspace(revision),
        rendered=replace(rendered, notes=(*origin.notes, *rendered.notes)),
        history=_history(past, lambda: reader.elsewhere(revision)),
        past=past,
    )


def _history(past: "Past | None", elsewhere: Callable[[], tuple[Wanted, ...]]) -> History:
    if past is None:
        return History(elsewhere=elsewhere)
    return History(follows=past.follows, at=past.at, elsewhere=elsewhere)


class _Reader:
    """Renders a source's revisions for one cluster."""

    def __init__(self, flags: SourceFlags, place: Place, environment: Mapping[str, str]) -> None:
        self.flags = flags
        self._place = place
        self._environment = environment
        self._workspaces: dict[str | None, Workspace] = {}

    def repo(self) -> Repo:
        """Open the repository anew: what was fetched in the meantime is seen."""
        repo = Repo.discover(self.flags.source)
        if repo is None:
            raise UsageError(f"--source {shown(self.flags.source)}: is no repository any more")
        return repo

    def workspace(self, revision: str | None) -> Workspace:
        if revision not in self._workspaces:
            self._workspaces[revision] = _workspace(self.flags, revision, self._environment)
        return self._workspaces[revision]

    def rendered(self, revision: str | None) -> Rendered:
        """Render a revision that may be trusted.

        Raises:
            SignatureError: It may not.
            GuardError: It cannot be read.
        """
        signer = self._signer(revision)
        workspace = self.workspace(revision)
        rendered = _rendered(workspace, revision, self._units(self.flags, workspace))
        return replace(rendered, notes=(f"signed by {signer}",)) if signer else rendered

    def elsewhere(self, revision: str | None) -> tuple[Wanted, ...]:
        """Return what the revision holds beside what is taken of it."""
        workspace = self.workspace(revision)
        taken = {one.unit for one in self._units(self.flags, workspace)}
        everything = replace(self.flags, source=workspace.root, path=None)
        units = [one for one in self._units(everything, workspace) if one.unit not in taken]
        return _rendered(workspace, revision, units).wanted

    def _units(self, flags: SourceFlags, workspace: Workspace) -> list[RenderedUnit]:
        return _units(flags, workspace, self._place, self._environment)

    def _signer(self, revision: str | None) -> str:
        if not self.flags.allowed_signers:
            return ""
        if revision is None:
            raise UsageError("--allowed-signers has no meaning for a directory without Git; leave it out")
        return verify_commit(self.repo().location, revision, self.flags.allowed_signers)


class Past:
    """The revisions before the one that is meant; what is not here yet is fetched when it is asked for."""

    def __init__(self, reader: _Reader, mirror: "Mirror | None", revision: str) -> None:
        self._reader = reader
        self._mirror = mirror
        self._revision = revision

    def follows(self, older: str) -> bool:
        """Tell whether the revision comes after another one; False also when that cannot be found out."""
        if self._reader.repo().follows(self._revision, older):
            return True
        try:
            return self._mirror is not None and self._follows_farther_back(older, self._mirror)
        except RepoError as error:
            sys.stderr.write(f"gitops-guard: the history cannot be fetched, so nothing is pruned: {error}\n")
            return False

    def _follows_farther_back(self, older: str, mirror: "Mirror") -> bool:
        for depth in (_SOME_COMMITS, _ALL_COMMITS):
            if not self._reader.repo().is_shallow:
                return False
            mirror.deepen(self._reader.flags.wanted_revision, depth)
            if self._reader.repo().follows(self._revision, older):
                return True
        return False

    def at(self, other: str) -> Rendered:
        """Render another revision.

        Raises:
            GuardError: There is none, or it cannot be read.
        """
        return self._reader.rendered(self.resolve(other))

    def resolve(self, other: str) -> str:
        """Return the commit that another revision names.

        Raises:
            RepoError: There is none.
        """
        try:
            return self._reader.repo().resolve(other)
        except RepoError:
            if self._mirror is None:
                raise
        self._mirror.fetch_all()
        return self._reader.repo().resolve(other)


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


def at_hand(flags: SourceFlags, environment: Mapping[str, str]) -> Origin:
    """Return a source as a directory and a commit; one that lies elsewhere is fetched.

    Raises:
        UsageError: The source is written wrongly, or does not have the revision.
        RepoError: It cannot be fetched.
    """
    source = flags.source.removeprefix("file://") if flags.source.startswith("file:///") else flags.source
    if os.path.exists(source) or not is_elsewhere(source):
        return Origin(flags=replace(flags, source=source))
    from gitops_guard.repo.mirror import Mirror  # imports pygit2

    address = read_address(source)
    mirror = Mirror(
        address=address,
        credentials=read_credentials(flags.git_auth, address, environment),
        cache=flags.git_cache or os.path.join(cache_directory(environment), "git"),
    )
    fetched = mirror.fetch(flags.revision, max_stale_s=flags.max_stale_s)
    notes = (
        ()
        if fetched.age_s is None
        else (f"{address.url} does not answer: this is what it said {_ago(fetched.age_s)} ago",)
    )
    at_commit = replace(flags, source=fetched.directory, revision=fetched.commit, wanted_revision=flags.revision)
    return Origin(flags=at_commit, mirror=mirror, notes=notes)


def _ago(age_s: float) -> str:
    return f"{age_s:.0f} s" if age_s < 120 else f"{age_s / 60:.0f} min"


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

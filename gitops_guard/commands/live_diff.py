"""`gitops-guard diff --context`, `--live`: what a merge does to running clusters, by their own API servers."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_guard import __version__
from gitops_guard.commands.check import terminal_width
from gitops_guard.commands.rendered_units import options_of
from gitops_guard.commands.selection import repository_paths
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.config.waivers import GROUP as OUR_GROUP
from gitops_guard.diff import Conventions, CustomKinds
from gitops_guard.diff.embedded import ReadYaml
from gitops_guard.errors import UsageError
from gitops_guard.live import LiveOptions, Target, preview_all
from gitops_guard.model import Resource, format_field_path
from gitops_guard.model.live import LiveReport
from gitops_guard.model.unit import RenderedUnit, Unit, UnitKind
from gitops_guard.render import Units
from gitops_guard.repo.tree import Tree
from gitops_guard.report import FormatOptions
from gitops_guard.report.live_formats import LIVE_FORMATS
from gitops_guard.report.words import count
from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.custom import CustomSchemas, is_crd

_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What of the command line is about clusters and output."""

    contexts: tuple[str, ...] = ()
    """Contexts of the kubeconfig, or names of configured clusters."""

    configured: bool = False
    """All clusters of the configuration that have a context."""

    kubeconfig: str = ""
    field_manager: str = ""
    paths: tuple[str, ...] = ()
    format: str = "text"
    exit_code: bool = False
    allow_network: bool = False
    no_cache: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A cluster that is asked, and which units go to it."""

    name: str
    context: str
    cluster: str = ""
    """Its name in the configuration; empty: whatever is compared goes to it."""

    def takes(self, unit: Unit) -> bool:
        """Tell whether a unit is deployed to it."""
        return not self.cluster or self.cluster in unit.clusters


def run(
    request: LiveRequest, workspace: Workspace, before: Tree, environment: Mapping[str, str], read_yaml: ReadYaml
) -> int:
    """Render both sides, ask the clusters, write the report, and return the exit code.

    Args:
        request: The command line.
        workspace: With the new state.
        before: The old state.
        environment: For tools and kubeconfigs.
        read_yaml: Reads YAML inside of ConfigMaps.

    Raises:
        UsageError: No cluster is meant, or the format cannot show one.
        GuardError: Nothing could be compared.
    """
    if request.format not in LIVE_FORMATS:
        raise UsageError(f"--format {request.format} cannot show clusters; there are {', '.join(LIVE_FORMATS)}")
    report = ask(request, workspace, before, environment, read_yaml)
    _write(report, request, workspace)
    if not report.is_whole:
        return 2
    return 1 if request.exit_code and report.changes_something else 0


def ask(
    request: LiveRequest, workspace: Workspace, before: Tree, environment: Mapping[str, str], read_yaml: ReadYaml
) -> LiveReport:
    """Render both sides and ask the clusters.

    Args:
        request: Which clusters, and as whom.
        workspace: With the new state.
        before: The old state.
        environment: For tools and kubeconfigs.
        read_yaml: Reads YAML inside of ConfigMaps.

    Raises:
        UsageError: No cluster is meant.
    """
    destinations = destinations_of(request, workspace)
    options = options_of(workspace, environment, allow_network=request.allow_network, no_cache=request.no_cache)
    head = Units(workspace.tree, options)
    base = Units(before, options, beside=head)
    sides = _rendered(base, head, lambda unit: any(one.takes(unit) for one in destinations))
    kept = _kept(request, workspace)
    targets = [_target(one, sides, kept, request, read_yaml, workspace) for one in destinations]
    clusters = preview_all(
        targets, environment, kubeconfig=request.kubeconfig, user_agent=f"gitops-guard/{__version__}"
    )
    errors = {error for side in sides for unit in side for error in unit.errors}
    return LiveReport(
        clusters=clusters,
        before=before.label,
        after=workspace.tree.label,
        errors=tuple(sorted(errors, key=lambda error: error.sort_key)),
        notes=tuple(_notes(destinations, {*base.all, *head.all})),
    )


def _notes(destinations: list[Destination], units: Collection[Unit]) -> Iterator[str]:
    nowhere = {unit for unit in units if not unit.clusters and unit.kind is not UnitKind.DIRECTORY}
    if nowhere and all(one.cluster for one in destinations):
        yield f"left out, since nothing says to which cluster they go: {count(len(nowhere), 'unit')}"
    suspended = sum(unit.suspended for unit in units)
    if suspended:
        yield f"left out, since they are suspended: {count(suspended, 'unit')}"


def destinations_of(request: LiveRequest, workspace: Workspace) -> list[Destination]:
    """Return the clusters that are meant; a context that the configuration knows takes what goes to its cluster."""
    configured = workspace.config.clusters
    found = [
        Destination(name=name, context=cluster.context, cluster=name)
        for name, cluster in sorted(configured.items())
        if cluster.context and (request.configured or {name, cluster.context} & set(request.contexts))
    ]
    known = {name for one in found for name in (one.name, one.context)}
    found += [Destination(name=one, context=one) for one in dict.fromkeys(request.contexts) if one not in known]
    if not found:
        raise UsageError("--live asks the clusters of the configuration, and none has a context; name one: --context")
    return found


def _rendered(
    base: Units, head: Units, wanted: Callable[[Unit], bool]
) -> tuple[tuple[RenderedUnit, ...], tuple[RenderedUnit, ...]]:
    """Render the wanted units of both sides; one that certainly is the same is rendered once."""
    now = head.render(filter(wanted, head.all))
    there = set(head.all)
    same = {unit for unit in base.all if wanted(unit) and unit in there and base.stamp(unit) == head.stamp(unit)}
    was = base.render(unit for unit in base.all if wanted(unit) and unit not in same)
    return (*was, *(one for one in now if one.unit in same)), now


def _kept(request: LiveRequest, workspace: Workspace) -> Callable[[Resource], bool]:
    """Return which objects are asked about: those of the wanted paths that the configuration does not exclude."""
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    paths = repository_paths(request.paths, workspace.root)

    def is_kept(resource: Resource) -> bool:
        path = resource.origin.path
        if resource.id.group == OUR_GROUP:
            return False  # a waiver is ours, and no cluster's
        is_wanted = not paths or any(not one or path == one or path.startswith(f"{one}/") for one in paths)
        return is_wanted and scopes.selected(path)

    return is_kept


def _target(
    destination: Destination,
    sides: Sequence[tuple[RenderedUnit, ...]],
    kept: Callable[[Resource], bool],
    request: LiveRequest,
    read_yaml: ReadYaml,
    workspace: Workspace,
) -> Target:
    base, head = (tuple(_objects(destination, side, kept)) for side in sides)
    definitions = tuple(resource.body for resource in (*base, *head) if is_crd(resource.body))
    kinds = CustomKinds(definitions)
    conventions = Conventions(list_keys=kinds.list_keys, default_of=kinds.default_of, read_yaml=read_yaml)
    is_broken = any(unit.errors for side in sides for unit in side if destination.takes(unit.unit))
    return Target(
        name=destination.name,
        context=destination.context,
        base=base,
        head=head,
        options=LiveOptions(
            conventions=conventions,
            check_offline=_offline(workspace.settings.kubernetes_versions[-1], head),
            manager=request.field_manager,
            whole=not request.paths and not is_broken,
        ),
    )


def _objects(
    destination: Destination, units: tuple[RenderedUnit, ...], kept: Callable[[Resource], bool]
) -> Iterator[Resource]:
    """Yield what the controller applies: no hooks and tests of charts, and nothing of a suspended unit."""
    for unit in units:
        if unit.unit.suspended or not destination.takes(unit.unit):
            continue
        for one in unit.objects:
            if not one.hook and kept(one.resource):
                yield _placed(one.resource, unit.unit.namespace)


def _placed(resource: Resource, namespace: str) -> Resource:
    """Return an object with the unit's namespace where it names none; what is cluster-scoped is not harmed by it."""
    if not namespace or resource.id.namespace:
        return resource
    identity = type(resource.id)(
        group=resource.id.group,
        version=resource.id.version,
        kind=resource.id.kind,
        namespace=namespace,
        name=resource.id.name,
    )
    return Resource(id=identity, body=resource.body, origin=resource.origin)


def _offline(version: str, head: tuple[Resource, ...]) -> Callable[[Resource], Sequence[str]]:
    """Return a check of an object against the schemas that come with the merge, or of the server's version."""
    known: list[BuiltinSchemas | CustomSchemas] = []

    def check(resource: Resource) -> Sequence[str]:
        if not known:
            known.append(CustomSchemas.from_crds([one.body for one in head if is_crd(one.body)]))
            known.append(BuiltinSchemas(version, None))
        one = resource.id
        schema = next((found for schemas in known if (found := schemas.find(one.group, one.version, one.kind))), None)
        if schema is None:
            return ["no schema to check it offline"]
        problems = [
            f"{format_field_path(problem.field)}: {problem.message}" for problem in schema.problems(resource.body)
        ]
        return problems[:_MOST_PROBLEMS] or ["valid by its schema"]

    return check


def _write(report: LiveReport, request: LiveRequest, workspace: Workspace) -> None:
    colour = workspace.settings.colour
    terminal = sys.stdout.isatty()
    options = FormatOptions(
        terminal=terminal,
        colour=colour == "always" or (colour == "auto" and terminal),
        verbose=request.verbose,
        width=terminal_width() if terminal else 100,
    )
    LIVE_FORMATS[request.format](report, sys.stdout, options)

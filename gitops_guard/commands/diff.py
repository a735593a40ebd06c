"""`gitops-guard diff`: what changes, object by object, between two revisions or in the work tree."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_guard.commands.both_sides import BothSides, read_both
from gitops_guard.commands.check import directory_of, terminal_width
from gitops_guard.commands.criteria import cache_of
from gitops_guard.commands.rendered_check import may_have_units
from gitops_guard.commands.rendered_diff import RenderedPairs, changes_by_unit, render_both
from gitops_guard.commands.rendered_units import options_of
from gitops_guard.commands.selection import Wanted, repository_paths
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Flags, Scopes
from gitops_guard.diff import Conventions, CustomKinds, compare
from gitops_guard.diff.lists import is_builtin
from gitops_guard.diff.secrets import is_secret
from gitops_guard.errors import UsageError
from gitops_guard.manifest.classify import SkipReason
from gitops_guard.manifest.loader import load
from gitops_guard.model import Body, ChangeReport, Json, Resource, Skipped
from gitops_guard.model.unit import Unit
from gitops_guard.render import Units
from gitops_guard.repo.memory import MemoryTree
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.tree import Tree
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_formats import DIFF_FORMATS

NOT_RENDERED = (
    "kustomizations and Helm charts are not rendered: bases, overlays and patches are compared as they are written"
)
_DEPLOYED = frozenset(
    (
        SkipReason.HELM_TEMPLATE,
        SkipReason.HELM_VALUES,
        SkipReason.HELM_METADATA,
        SkipReason.KUSTOMIZATION,
        SkipReason.KUSTOMIZE_PATCH,
        "submodule",
        "symbolic link",
    )
)
"""Why files are not compared whose change may well change what is deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """The command line of `diff`."""

    paths: tuple[str, ...] = ()
    from_rev: str | None = None
    to_rev: str | None = None
    format: str = "text"
    exit_code: bool = False
    config: str | None = None
    render: bool = True
    """Compare what is rendered, too; otherwise files only, as they are written."""

    allow_network: bool = False
    no_cache: bool = False
    verbose: bool = False
    flags: Flags = field(default_factory=Flags)
    contexts: tuple[str, ...] = ()
    """Contexts of clusters to ask; empty, and not `live`: no cluster is asked."""

    live: bool = False
    """Ask the clusters of the configuration."""

    kubeconfig: str = ""
    field_manager: str = ""
    """As whom objects are dry-run; empty: each as the manager that deploys it."""


def run(request: DiffRequest, environment: Mapping[str, str]) -> int:
    """Compare, write the comparison to standard output, and return the exit code.

    Raises:
        GuardError: Nothing could be compared.
    """
    if request.to_rev is not None and request.from_rev is None:
        raise UsageError("--to needs --from; to see what a commit changes give --from COMMIT^ --to COMMIT")
    if request.contexts or request.live:
        return _run_live(request, environment)
    workspace, before = _open(request, environment)
    extent = Extent(
        paths=tuple(_paths(request, workspace)),
        render=request.render,
        allow_network=request.allow_network,
        no_cache=request.no_cache,
        in_full=request.format == "yaml",  # the only format that shows unchanged parts of an object
    )
    report = compare_trees(workspace, before, environment, extent)
    _write(report, workspace, request)
    if report.errors:
        return 2
    return 1 if request.exit_code and _changes_something(report) else 0


def _run_live(request: DiffRequest, environment: Mapping[str, str]) -> int:
    """Ask clusters; what that needs is only imported here."""
    from gitops_guard.commands import live_diff

    workspace, before = _open(request, environment)
    live = live_diff.LiveRequest(
        contexts=request.contexts,
        configured=request.live,
        kubeconfig=request.kubeconfig,
        field_manager=request.field_manager,
        paths=request.paths,
        format=request.format,
        exit_code=request.exit_code,
        allow_network=request.allow_network,
        no_cache=request.no_cache,
        verbose=request.verbose,
    )
    return live_diff.run(live, workspace, before, environment, read_yaml)


def _open(request: DiffRequest, environment: Mapping[str, str]) -> tuple[Workspace, Tree]:
    """Open the new state with its configuration, and the old one."""
    asked = Asked(
        directory=directory_of(request.paths),
        rev=request.to_rev,
        config=request.config,
        trusted_rev=request.from_rev,
        flags=request.flags,
    )
    workspace = open_workspace(asked, environment)
    if workspace.repo is None:
        raise UsageError("diff compares with a commit, and this is no Git repository")
    return workspace, _before(workspace.repo, request)


def _before(repo: Repo, request: DiffRequest) -> Tree:
    if request.from_rev is not None:
        return repo.commit_tree(repo.merge_base(request.from_rev, request.to_rev or "HEAD"))
    if repo.is_unborn:
        return MemoryTree({}, label="repository before its first commit")
    return repo.commit_tree("HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What of two trees is compared, and how."""

    paths: tuple[str, ...] = ()
    """Repository paths; empty for everything."""

    render: bool = True
    allow_network: bool = False
    no_cache: bool = False
    in_full: bool = False
    """Give whole objects of those that change, too; masking them takes time."""


def compare_trees(
    workspace: Workspace,
    before: Tree,
    environment: Mapping[str, str],
    extent: Extent | None = None,
    rendered: RenderedPairs | None = None,
) -> ChangeReport:
    """Compare a tree with the workspace's: what changes in which unit of which cluster, and in files beside them.

    Args:
        workspace: What is settled for the run; its tree is the new state.
        before: The old state.
        environment: The process's variables.
        extent: What is compared; everything by default.
        rendered: What `render_pairs` gave for the same, where that is known already.

    Returns:
        Changes with their `unit`, and so its clusters; None for files that no rendered unit is made of.

    Raises:
        UsageError: Neither tree has one of the paths.
    """
    extent = extent or Extent()
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    sides = read_both(before, workspace.tree, paths=extent.paths, scopes=scopes)
    if rendered is None:
        rendered = render_pairs(workspace, before, environment, extent)
    old, new = (
        [resource for resource in side.resources if resource.origin.path not in rendered.consumed]
        for side in (sides.before, sides.after)
    )
    conventions = _conventions(sides, rendered, (*old, *new))
    hidden = [*sides.secrets, *(one for one in _resources_of(rendered) if is_secret(one.id))]
    changes = compare(old, new, conventions, secrets=hidden, in_full=extent.in_full)
    hidden += [one for one in (*old, *new) if is_secret(one.id)]
    by_unit = changes_by_unit(rendered.pairs, conventions, secrets=hidden, in_full=extent.in_full)
    skipped = _skipped(sides, rendered)
    errors = (*sides.before.errors, *sides.after.errors, *rendered.errors)
    return ChangeReport(
        changes=(*changes, *(change for one in by_unit for change in one.changes)),
        before=before.label,
        after=workspace.tree.label,
        identical_files=sides.identical_files,
        identical_units=rendered.identical,
        skipped=skipped,
        unrendered=rendered.unrendered,
        errors=tuple(sorted({*errors}, key=lambda error: error.sort_key)),
        notes=(NOT_RENDERED,) if not extent.render and _is_unrendered(sides, skipped) else (),
    )


def render_pairs(workspace: Workspace, before: Tree, environment: Mapping[str, str], extent: Extent) -> RenderedPairs:
    """Render what differs; nothing where nothing is to be rendered."""
    cache = cache_of(workspace, environment, enabled=not extent.no_cache)
    if not extent.render or not (may_have_units(workspace.tree, cache) or may_have_units(before, cache)):
        return RenderedPairs()
    options = options_of(workspace, environment, allow_network=extent.allow_network, no_cache=extent.no_cache)
    paths = extent.paths
    wanted = Wanted(paths)

    def is_wanted(units: Units, unit: Unit) -> bool:
        return not paths or any(wanted.covers(path) for path in (unit.declared_in, *units.reads(unit)))

    old = Units(before, options)
    return render_both(old, Units(workspace.tree, options, beside=old), is_wanted)


def _resources_of(rendered: RenderedPairs) -> Iterator[Resource]:
    return (one for pair in rendered.pairs for side in pair.resources() for one in side)


def _conventions(sides: BothSides, rendered: RenderedPairs, plain: Sequence[Resource]) -> Conventions:
    everything = [*plain, *_resources_of(rendered)]
    definitions: list[Body] = []
    if not all(is_builtin(resource.id) for resource in everything):
        made = (one.body for one in _resources_of(rendered) if one.id.kind == "CustomResourceDefinition")
        definitions = [*sides.definitions(), *made]
    kinds = CustomKinds(tuple(definitions))
    return Conventions(
        list_keys=kinds.list_keys, default_of=kinds.default_of, read_yaml=read_yaml, is_whole=_is_whole(sides)
    )


def _skipped(sides: BothSides, rendered: RenderedPairs) -> tuple[Skipped, ...]:
    """Return the files that differ and were not compared, but for those that a compared unit is made of."""
    found = {*sides.before.skipped, *sides.after.skipped}
    return tuple(sorted(entry for entry in found if entry.path not in rendered.consumed))


def _is_unrendered(sides: BothSides, skipped: tuple[Skipped, ...]) -> bool:
    return needs_rendering(skipped) or bool(sides.before.patches or sides.after.patches)


def _paths(request: DiffRequest, workspace: Workspace) -> list[str]:
    if workspace.repo is not None and workspace.repo.is_bare:
        return [path.strip("/") for path in request.paths]
    return repository_paths(request.paths, workspace.root)


def _is_whole(sides: BothSides) -> Callable[[Resource], bool]:
    patches = sides.before.patches | sides.after.patches

    def is_whole(resource: Resource) -> bool:
        return resource.origin.path not in patches

    return is_whole


def read_yaml(text: str) -> "Json | None":
    """Read the one document of a ConfigMap's value; None for whatever a reader could take in two ways."""
    stream = load(text.encode("utf-8", "surrogatepass"))
    if stream.problems or len(stream.documents) != 1:
        return None
    return dict(stream.documents[0].body)


def needs_rendering(skipped: tuple[Skipped, ...]) -> bool:
    """Tell whether a file is among those not compared whose change may well change what is deployed."""
    return any(entry.reason in _DEPLOYED for entry in skipped)


def _changes_something(report: ChangeReport) -> bool:
    """Tell whether something changes, or may change where we cannot look."""
    return bool(report.effective or report.unrendered) or needs_rendering(report.skipped)


def _write(report: ChangeReport, workspace: Workspace, request: DiffRequest) -> None:
    colour = workspace.settings.colour
    terminal = sys.stdout.isatty()
    options = FormatOptions(
        terminal=terminal,
        colour=colour == "always" or (colour == "auto" and terminal),
        verbose=request.verbose,
        width=terminal_width() if terminal else 100,
    )
    DIFF_FORMATS[request.format](report, sys.stdout, options)

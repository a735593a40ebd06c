"""What a change does, unit by unit and cluster by cluster: the one place that `pr` has it from.

Units are compared and simulated as they are rendered; what no unit deploys is taken as it is written, and a directory
stands for the unit. What could not be rendered is named as not previewed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from posixpath import dirname

from gitops_guard.check import baseline
from gitops_guard.commands.diff import Extent, compare_trees, needs_rendering, render_pairs
from gitops_guard.commands.hazard_findings import Reported, findings_of
from gitops_guard.commands.manifests import Manifests, read_tree
from gitops_guard.commands.rendered_simulate import RenderedSides, sides_of
from gitops_guard.commands.simulate import unreadable
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import Action, Change, ChangeReport, CheckError, Finding, Skipped
from gitops_guard.model.pull import ChangeSource, UnitChanges
from gitops_guard.model.rollout import Rollout
from gitops_guard.model.unit import Unit
from gitops_guard.repo.tree import Tree
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change as ClusterChange
from gitops_guard.rollout.hazards.all import find_hazards
from gitops_guard.rollout.predict_change import predict_change

DIRECTORY = "directory"
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What is known of all units."""

    units: tuple[UnitChanges, ...]
    """Sorted by cluster and name; those that change, or could not be previewed."""

    unseen: tuple[Skipped, ...]
    errors: tuple[CheckError, ...]
    """Those that belong to no unit."""

    silenced: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppositions:
    """What a simulation goes by."""

    assumptions: Assumptions
    version: str = ""
    """Of Kubernetes; empty: each cluster's own, else the newest that is checked against."""

    def on(self, cluster: str, workspace: Workspace) -> "Suppositions":
        """Return what a simulation on a cluster goes by."""
        return replace(self, version=self.version or workspace.version_of(cluster))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Place:
    """What deploys something, and where to."""

    cluster: str
    name: str
    kind: str = DIRECTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Simulated:
    """What is predicted, by place."""

    rollouts: Mapping[_Place, list[Rollout]]
    hazards: Mapping[_Place, list[Finding]]
    errors: Mapping[_Place, list[CheckError]]
    silenced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _One:
    """What is predicted of one pair of manifests."""

    rollouts: tuple[Rollout, ...]
    hazards: tuple[Finding, ...]
    errors: tuple[CheckError, ...]
    silenced: int


def preview(
    workspace: Workspace,
    before: Tree,
    suppositions: Suppositions,
    environment: Mapping[str, str],
    *,
    allow_network: bool,
    no_cache: bool,
    today: date,
) -> Preview:
    """Compare a tree with the workspace's own, and simulate what the difference does.

    Args:
        workspace: The state after the change, with its configuration.
        before: The state that it is compared with.
        suppositions: What a simulation goes by.
        environment: The process's variables.
        allow_network: Whether remote bases and charts are fetched.
        no_cache: Believe and write no remembered output.
        today: Decides which suppressions have expired.
    """
    extent = Extent(allow_network=allow_network, no_cache=no_cache)
    pairs = render_pairs(workspace, before, environment, extent)
    report = compare_trees(workspace, before, environment, extent, pairs)
    simulated = _simulate(workspace, before, suppositions, sides_of(pairs, before, workspace.tree), today)
    base_errors = [error for error in report.errors if error.message.endswith(f"(in the {before.label})")]
    units = _units(report, simulated)
    return Preview(
        units=tuple(unit for unit in units if unit.effective or unit.rollouts or unit.hazards or unit.errors),
        unseen=_unseen(report),
        errors=tuple(error for error in report.errors if error not in base_errors),
        silenced=simulated.silenced,
        notes=tuple(
            f"{error.path} cannot be read in the base: what changes in it is not shown" for error in base_errors
        ),
    )


def _unseen(report: ChangeReport) -> tuple[Skipped, ...]:
    found = {entry for entry in report.skipped if needs_rendering((entry,))}
    found |= {Skipped(path=error.path, resource="", reason=error.message) for error in report.unrendered}
    return tuple(sorted(found))


def _simulate(
    workspace: Workspace, before: Tree, suppositions: Suppositions, rendered: RenderedSides, today: date
) -> _Simulated:
    old, new = _plain_sides(workspace, before, rendered)
    rollouts: dict[_Place, list[Rollout]] = {}
    hazards: dict[_Place, list[Finding]] = {}
    errors: dict[_Place, list[CheckError]] = {}
    plain = _predicted(old, new, workspace, suppositions.on("", workspace), today)
    paths = {str(resource.id): resource.origin.path for resource in (*old.resources, *new.resources)}
    for rollout in plain.rollouts:
        rollouts.setdefault(_directory(paths.get(str(rollout.resource), "")), []).append(rollout)
    for hazard in plain.hazards:
        hazards.setdefault(_directory(hazard.location.path), []).append(hazard)
    for error in (*(one for one in unreadable(old, new) if one in new.errors), *plain.errors):
        errors.setdefault(_directory(error.path), []).append(error)
    silenced = plain.silenced
    for unit, was, now in rendered.units:
        places = _places(unit)
        on = {place: suppositions.on(place.cluster, workspace) for place in places}
        versions = {one.version: one for one in on.values()}
        by_version = {version: _predicted(was, now, workspace, one, today) for version, one in versions.items()}
        silenced += max(one.silenced for one in by_version.values())
        for place in places:
            one = by_version[on[place].version]
            rollouts[place], hazards[place], errors[place] = list(one.rollouts), list(one.hazards), list(one.errors)
    return _Simulated(rollouts=rollouts, hazards=hazards, errors=errors, silenced=silenced)


def _plain_sides(workspace: Workspace, before: Tree, rendered: RenderedSides) -> tuple[Manifests, Manifests]:
    """Read what no rendered unit is made of; nothing where all of that is the same, for then nothing can come of it."""
    old, new = ({entry.path: entry.blob_id for entry in tree.entries()} for tree in (before, workspace.tree))
    differing = {path for path in old.keys() | new.keys() if old.get(path) is None or old.get(path) != new.get(path)}
    if not any(path.endswith(_SUFFIXES) for path in differing - rendered.consumed):
        return Manifests(), Manifests()
    first, second = (rendered.without_consumed(read_tree(tree, workspace, ())) for tree in (before, workspace.tree))
    return first, second


def _predicted(old: Manifests, new: Manifests, workspace: Workspace, suppositions: Suppositions, today: date) -> _One:
    """Predict the rollouts of one pair, and find the hazards that it has and its base does not have."""
    change = ClusterChange.between(old.resources, new.resources, suppositions.assumptions)
    predictions = predict_change(change, suppositions.assumptions, suppositions.version)
    there = _hazards_there(old, suppositions, workspace, today)
    reported = findings_of(find_hazards(change), new, workspace, today)
    return _One(
        rollouts=predictions.rollouts,
        hazards=baseline.new_findings(reported.kept, there.kept),
        errors=predictions.errors,
        silenced=reported.silenced,
    )


def _hazards_there(old: Manifests, suppositions: Suppositions, workspace: Workspace, today: date) -> Reported:
    """Return the hazards that the base has without any change."""
    nothing = ClusterChange.between(old.resources, old.resources, suppositions.assumptions)
    return findings_of(find_hazards(nothing), old, workspace, today)


def _units(report: ChangeReport, simulated: _Simulated) -> Iterable[UnitChanges]:
    changes: dict[_Place, list[Change]] = {}
    for change in report.changes:
        for place in _places(change.unit) if change.unit is not None else [_directory(change.path)]:
            changes.setdefault(place, []).append(change)
    for place in sorted({*changes, *simulated.rollouts, *simulated.hazards, *simulated.errors}):
        yield _unit(place, changes.get(place, ()), simulated)


def _unit(place: _Place, changes: Sequence[Change], simulated: _Simulated) -> UnitChanges:
    told = tuple(change for change in changes if change.action is not Action.UNCHANGED or change.folded)
    return UnitChanges(
        name=place.name,
        kind=place.kind,
        cluster=place.cluster,
        source=ChangeSource.WRITTEN if place.kind == DIRECTORY else ChangeSource.RENDERED,
        changes=told,
        unchanged=len(changes) - len(told),
        rollouts=tuple(simulated.rollouts.get(place, ())),
        hazards=tuple(simulated.hazards.get(place, ())),
        errors=tuple(simulated.errors.get(place, ())),
    )


def _places(unit: Unit) -> list[_Place]:
    """Return the unit's places, one a cluster."""
    return [_Place(cluster=cluster, name=unit.name, kind=str(unit.kind)) for cluster in unit.clusters or ("",)]


def _directory(path: str) -> _Place:
    return _Place(cluster="", name=dirname(path) or ".")

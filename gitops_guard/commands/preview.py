"""What a change does, unit by unit and cluster by cluster: the one place that `pr` has it from.

Manifests are compared and simulated as they are written; a directory stands for the unit, and what would have to be
rendered is named as not previewed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from posixpath import dirname
from typing import TypeVar

from gitops_guard.check import baseline
from gitops_guard.commands.diff import DiffRequest, compared, needs_rendering
from gitops_guard.commands.hazard_findings import Reported, findings_of
from gitops_guard.commands.manifests import Manifests, read_tree
from gitops_guard.commands.simulate import unreadable
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import Action, Change, ChangeReport, CheckError, Finding, Skipped
from gitops_guard.model.pull import UnitChanges
from gitops_guard.model.rollout import Rollout
from gitops_guard.repo.tree import Tree
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change as ClusterChange
from gitops_guard.rollout.hazards.all import find_hazards
from gitops_guard.rollout.predict_change import predict_change

DIRECTORY = "directory"
_T = TypeVar("_T")


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
    version: str
    """Of Kubernetes."""


def preview(workspace: Workspace, before: Tree, suppositions: Suppositions, *, today: date) -> Preview:
    """Compare a tree with the workspace's own, and simulate what the difference does.

    Args:
        workspace: The state after the change, with its configuration.
        before: The state that it is compared with.
        suppositions: What a simulation goes by.
        today: Decides which suppressions have expired.
    """
    report = compared(workspace, before, DiffRequest(format="json"))
    simulated = _simulate(workspace, before, suppositions, today)
    base_errors = [error for error in report.errors if error.message.endswith(f"(in the {before.label})")]
    after_errors = [error for error in report.errors if error not in base_errors]
    return Preview(
        units=_by_directory(report, simulated),
        unseen=tuple(entry for entry in report.skipped if needs_rendering((entry,))),
        errors=tuple(after_errors),
        silenced=simulated.silenced,
        notes=tuple(
            f"{error.path} cannot be read in the base: what changes in it is not shown" for error in base_errors
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Simulated:
    rollouts: tuple[tuple[str, Rollout], ...]
    """(path, prediction)."""

    hazards: tuple[Finding, ...]
    errors: tuple[CheckError, ...]
    silenced: int


def _simulate(workspace: Workspace, before: Tree, suppositions: Suppositions, today: date) -> _Simulated:
    old, new = read_tree(before, workspace, ()), read_tree(workspace.tree, workspace, ())
    change = ClusterChange.between(old.resources, new.resources, suppositions.assumptions)
    predictions = predict_change(change, suppositions.assumptions, suppositions.version)
    there = _hazards_there(old, suppositions, workspace, today)
    reported = findings_of(find_hazards(change), new, workspace, today)
    paths = {str(resource.id): resource.origin.path for resource in (*old.resources, *new.resources)}
    head_errors = [error for error in unreadable(old, new) if error in new.errors]
    return _Simulated(
        rollouts=tuple((paths.get(str(rollout.resource), ""), rollout) for rollout in predictions.rollouts),
        hazards=baseline.new_findings(reported.kept, there.kept),
        errors=tuple(sorted({*head_errors, *predictions.errors}, key=lambda error: error.sort_key)),
        silenced=reported.silenced,
    )


def _hazards_there(old: Manifests, suppositions: Suppositions, workspace: Workspace, today: date) -> Reported:
    """Return the hazards that the base has without any change."""
    nothing = ClusterChange.between(old.resources, old.resources, suppositions.assumptions)
    return findings_of(find_hazards(nothing), old, workspace, today)


def _by_directory(report: ChangeReport, simulated: _Simulated) -> tuple[UnitChanges, ...]:
    changes: dict[str, list[Change]] = {}
    for change in report.changes:
        changes.setdefault(_directory(change.path), []).append(change)
    rollouts = _grouped(simulated.rollouts)
    hazards = _grouped([(one.location.path, one) for one in simulated.hazards])
    errors = _grouped([(one.path, one) for one in simulated.errors])
    units = [
        _unit(name, changes.get(name, ()), rollouts.get(name, ()), hazards.get(name, ()), errors.get(name, ()))
        for name in sorted({*changes, *rollouts, *hazards, *errors})
    ]
    return tuple(unit for unit in units if unit.effective or unit.rollouts or unit.hazards or unit.errors)


def _unit(
    name: str,
    changes: Sequence[Change],
    rollouts: Sequence[Rollout],
    hazards: Sequence[Finding],
    errors: Sequence[CheckError],
) -> UnitChanges:
    told = tuple(change for change in changes if change.action is not Action.UNCHANGED or change.folded)
    return UnitChanges(
        name=name,
        kind=DIRECTORY,
        changes=told,
        unchanged=len(changes) - len(told),
        rollouts=tuple(rollouts),
        hazards=tuple(hazards),
        errors=tuple(errors),
    )


def _grouped(pairs: Sequence[tuple[str, _T]]) -> Mapping[str, list[_T]]:
    found: dict[str, list[_T]] = {}
    for path, value in pairs:
        found.setdefault(_directory(path), []).append(value)
    return found


def _directory(path: str) -> str:
    return dirname(path) or "."

"""`gitops-guard simulate`: what merging does to running pods, over time."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gitops_guard.commands.hazard_findings import findings_of
from gitops_guard.commands.manifests import Manifests, in_namespaces_of, read_file, read_tree
from gitops_guard.commands.rendered_simulate import RenderedSides, rendered_sides
from gitops_guard.commands.selection import repository_paths
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Config, Flags
from gitops_guard.errors import UsageError
from gitops_guard.manifest.loader import load
from gitops_guard.model import CheckError, Json
from gitops_guard.model.rollout import RolloutVerdict
from gitops_guard.model.simulation import Simulation
from gitops_guard.model.snapshot import Snapshot
from gitops_guard.model.unit import Unit
from gitops_guard.report import FormatOptions
from gitops_guard.report.simulation import SIMULATION_FORMATS
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.all import find_hazards, find_shared_hazards
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.predict_change import predict_change
from gitops_guard.rollout.snapshot_file import read_snapshot
from gitops_guard.rollout.versions import kubernetes_model

GATES: Mapping[str, tuple[RolloutVerdict, ...]] = {
    "stuck": (RolloutVerdict.STUCK,),
    "downtime": (RolloutVerdict.STUCK, RolloutVerdict.DOWNTIME),
    "degraded": (RolloutVerdict.STUCK, RolloutVerdict.DOWNTIME, RolloutVerdict.DEGRADED),
    "no-op": (RolloutVerdict.STUCK, RolloutVerdict.DOWNTIME, RolloutVerdict.DEGRADED, RolloutVerdict.NO_OP),
}
"""Verdicts that fail the run, by what `--fail-on` takes: each is milder than the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateRequest:
    """The command line of `simulate`."""

    paths: tuple[str, ...] = ()
    """Two files, or with revisions the paths to look at."""

    from_rev: str | None = None
    to_rev: str | None = None
    assume: str | None = None
    context: str | None = None
    """Of the kubeconfig, or a cluster of the configuration: asked for a snapshot."""

    kubeconfig: str = ""
    """Its path; empty: where the environment says."""

    snapshot: str | None = None
    """A file of `gitops-guard snapshot`; None: nothing is known of the cluster."""

    kubernetes_version: str | None = None
    """None: that of the snapshot, else of each unit's clusters, else the newest that is checked against."""

    output_format: str = "text"
    fail_on: str = "downtime"
    colour: str | None = None
    config: str | None = None
    render: bool = True
    """Between revisions: look at what is rendered, too."""


def run(request: SimulateRequest, environment: Mapping[str, str], *, today: date) -> int:
    """Simulate, write the result to standard output, and return the exit code.

    Args:
        request: The command line.
        environment: The process's variables.
        today: Decides which suppressions have expired.

    Raises:
        GuardError: Nothing could be simulated.
    """
    workspace = _open(request, environment)
    assumptions = read_assumptions(request.assume, workspace.config)
    snapshot = _snapshot(request, workspace, environment)
    version = request.kubernetes_version or (snapshot.kubernetes if snapshot is not None else "")
    if version:
        check_version(version, assumptions)
    before, after = _sides(request, workspace)
    rendered = _rendered(request, workspace, environment)

    plain = rendered.without_consumed(before), rendered.without_consumed(after)
    sides = [plain, *((old, new) for _, old, new in rendered.units)]
    shared = _shared(sides, assumptions, snapshot)

    def simulated(before: Manifests, after: Manifests, on: str, unit: str = "") -> Simulation:
        change = Change.between(before.resources, after.resources, assumptions, snapshot)
        predictions = predict_change(change, assumptions, on)
        reported = findings_of(_with_shared(find_hazards(change), shared, after), after, workspace, today)
        return Simulation(
            rollouts=tuple(replace(rollout, unit=unit) for rollout in predictions.rollouts),
            hazards=reported.kept,
            errors=predictions.errors,
            unchanged=predictions.unchanged,
            silenced=reported.silenced,
        )

    parts = [simulated(*plain, version or workspace.version_of(""))]
    for unit, old, new in rendered.units:
        versions = [version] if version else _versions(unit, workspace)
        for on in versions:
            label = unit.label if len(versions) == 1 else f"{unit.label} (Kubernetes {on})"
            parts.append(simulated(old, new, on, label))
    simulation = _joined(parts, (*unreadable(*plain), *rendered.errors))
    _write(simulation, request, workspace)
    return _exit_code(simulation, request, workspace)


def _versions(unit: Unit, workspace: Workspace) -> list[str]:
    """Return the versions of the clusters that a unit goes to, the oldest first; controllers of each differ."""
    found = {workspace.version_of(cluster) for cluster in unit.clusters or ("",)}
    return sorted(found, key=lambda text: [int(part) for part in text.split(".")])


def _shared(
    sides: Sequence[tuple[Manifests, Manifests]], assumptions: Assumptions, snapshot: Snapshot | None
) -> list[Hazard]:
    """Return what all units together do to one cluster; without a snapshot nobody knows that they share one."""
    if snapshot is None or len(sides) < 2:
        return []
    before, after = ([one for side in sides for one in side[index].resources] for index in (0, 1))
    return find_shared_hazards(Change.between(before, after, assumptions, snapshot))


def _with_shared(own: list[Hazard], shared: Sequence[Hazard], after: Manifests) -> list[Hazard]:
    """Add what concerns the objects of one unit and is not known by looking at it alone."""
    known = {(hazard.problem.rule, hazard.resource.id, hazard.problem.field) for hazard in own}
    here = {id(resource) for resource in after.resources}
    new = [hazard for hazard in shared if id(hazard.resource) in here]
    return [*own, *(one for one in new if (one.problem.rule, one.resource.id, one.problem.field) not in known)]


def read_assumptions(path: str | None, config: Config | None = None) -> Assumptions:
    """Read what the manifests do not say: from a file, then from the configuration, else the defaults.

    Raises:
        UsageError: One of the two cannot be read; the text names it.
    """
    measured = {} if config is None else config.assumptions
    try:
        found = Assumptions.from_mapping(measured)
    except ValueError as error:
        raise UsageError(f"{config.path if config else ''}: assumptions: {error}") from None
    if path is None:
        return found
    documents = load(read_file(path)).documents
    if len(documents) != 1:
        raise UsageError(f"{path}: must hold one mapping of assumptions; see docs/how-to/simulate.md")
    try:
        return Assumptions.from_mapping(_over(measured, documents[0].body))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def _over(measured: Mapping[str, Json], given: Mapping[str, Json]) -> dict[str, Json]:
    """Put what is given over what was measured; images and workloads one by one."""
    merged: dict[str, Json] = {**measured, **given}
    for key in ("images", "workloads"):
        below, above = measured.get(key), given.get(key)
        if isinstance(below, dict) and isinstance(above, dict):
            merged[key] = {**below, **above}
    return merged


def _snapshot(request: SimulateRequest, workspace: Workspace, environment: Mapping[str, str]) -> Snapshot | None:
    if request.context is not None:
        if request.snapshot is not None:
            raise UsageError("--context takes a snapshot itself: give one of it and --snapshot")
        from gitops_guard.commands.snapshot import take_snapshot  # only who asks a cluster pays for the client

        cluster = workspace.config.clusters.get(request.context)
        context = cluster.context if cluster is not None and cluster.context else request.context
        return take_snapshot(context, request.kubeconfig, environment)
    if request.snapshot is None:
        return None
    try:
        return read_snapshot(read_file(request.snapshot).decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one
        raise UsageError(f"{request.snapshot}: {error}") from None


def check_version(version: str, assumptions: Assumptions) -> None:
    """Refuse a wrong version once, not for every workload."""
    try:
        kubernetes_model(version, assumptions.gates)
    except ValueError as error:
        raise UsageError(f"--kubernetes-version: {error}") from None


def _open(request: SimulateRequest, environment: Mapping[str, str]) -> Workspace:
    head = request.to_rev or "HEAD"
    flags = Flags(colour=request.colour)
    if request.from_rev is None and request.to_rev is not None:
        raise UsageError("--to needs --from; or name two files")
    rev = head if request.from_rev is not None else None
    return open_workspace(Asked(rev=rev, config=request.config, trusted_rev=request.from_rev, flags=flags), environment)


def _sides(request: SimulateRequest, workspace: Workspace) -> tuple[Manifests, Manifests]:
    """Read what is compared: two files, or a revision and the commit that it left the other one from."""
    if request.from_rev is None:
        if len(request.paths) != 2:
            raise UsageError("name two files, BEFORE and AFTER, or two revisions, --from and --to")
        if request.paths.count("-") > 1:
            raise UsageError("standard input (-) can be read only once; name a file for the other side")
        before, after = (Manifests.of_file(path, read_file(path)) for path in request.paths)
        before.resources = in_namespaces_of(after.resources, before.resources)
        return before, after
    if workspace.repo is None:
        raise UsageError("--from and --to need a Git repository; elsewhere name two files")
    base = workspace.repo.merge_base(request.from_rev, request.to_rev or "HEAD")
    paths = _paths(request.paths, workspace)
    return read_tree(workspace.repo.commit_tree(base), workspace, paths), read_tree(workspace.tree, workspace, paths)


def _joined(parts: Sequence[Simulation], errors: Iterable[CheckError]) -> Simulation:
    """Put the simulations of plain manifests and of units together."""
    failed = {*errors, *(error for part in parts for error in part.errors)}
    return Simulation(
        rollouts=tuple(rollout for part in parts for rollout in part.rollouts),
        hazards=tuple(sorted({*(one for part in parts for one in part.hazards)}, key=lambda one: one.sort_key)),
        errors=tuple(sorted(failed, key=lambda error: error.sort_key)),
        unchanged=sum(part.unchanged for part in parts),
        silenced=sum(part.silenced for part in parts),
    )


def _rendered(request: SimulateRequest, workspace: Workspace, environment: Mapping[str, str]) -> RenderedSides:
    """Render what differs between two revisions; nothing where two files are compared."""
    if request.from_rev is None or not request.render or workspace.repo is None:
        return RenderedSides()
    base = workspace.repo.commit_tree(workspace.repo.merge_base(request.from_rev, request.to_rev or "HEAD"))
    return rendered_sides(workspace, base, environment, _paths(request.paths, workspace))


def unreadable(before: Manifests, after: Manifests) -> list[CheckError]:
    """Return what could not be read, but for files that are the same on both sides: no change hides in those."""
    same = {path for path, data in after.texts.items() if before.texts.get(path) == data}
    return [error for error in (*before.errors, *after.errors) if error.path not in same]


def _paths(paths: Sequence[str], workspace: Workspace) -> list[str]:
    if workspace.repo is not None and workspace.repo.is_bare:
        return [path.strip("/") for path in paths]
    return repository_paths(paths, workspace.root)


def _write(simulation: Simulation, request: SimulateRequest, workspace: Workspace) -> None:
    terminal = sys.stdout.isatty()
    colour = workspace.settings.colour
    options = FormatOptions(
        terminal=terminal,
        colour=colour == "always" or (colour == "auto" and terminal),
        width=_width() if terminal else 100,
    )
    SIMULATION_FORMATS[request.output_format](simulation, sys.stdout, options)


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 100
    except OSError:
        return 100


def _exit_code(simulation: Simulation, request: SimulateRequest, workspace: Workspace) -> int:
    if simulation.errors:
        return 2
    worst = workspace.settings.fail_on.rank
    failing = any(rollout.verdict in GATES[request.fail_on] for rollout in simulation.rollouts)
    return int(failing or any(hazard.severity.rank <= worst for hazard in simulation.hazards))

"""What clusters say about a plan: the effect by dry-run in place of what was rendered, drift apart from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gitops_guard.commands.diff import read_yaml
from gitops_guard.commands.live_diff import LiveRequest, ask
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import Change, CheckError, ResourceId, Skipped
from gitops_guard.model.live import ClusterPreview, LiveReport, Preview
from gitops_guard.model.pull import ChangeSource, PullPlan, UnitChanges
from gitops_guard.repo.tree import Tree

_Key = tuple[str, str, str, str]
OTHER = "other objects of the cluster"


def with_clusters(
    plan: PullPlan, request: LiveRequest, workspace: Workspace, before: Tree, environment: Mapping[str, str]
) -> PullPlan:
    """Ask clusters, and put what they say into a plan.

    Args:
        plan: As rendered.
        request: Which clusters, and as whom.
        workspace: With the new state.
        before: The old state.
        environment: For tools and kubeconfigs.

    Raises:
        UsageError: No cluster is meant.
    """
    return merged(plan, ask(request, workspace, before, environment, read_yaml))


def merged(plan: PullPlan, report: LiveReport) -> PullPlan:
    """Put what clusters said in place of what was rendered for them; a cluster that cannot be asked changes nothing."""
    units: list[UnitChanges] = list(plan.units)
    for cluster in report.clusters:
        if not cluster.error:
            units = list(_on_cluster(units, cluster))
    drift = [
        UnitChanges(name=one.cluster, kind="cluster", cluster=one.cluster, source=ChangeSource.LIVE, changes=one.drift)
        for one in report.clusters
    ]
    return replace(
        plan,
        units=tuple(sorted(units, key=lambda unit: (unit.cluster, unit.name, unit.kind))),
        drift=tuple(unit for unit in drift if unit.changes),
        unseen=tuple(sorted({*plan.unseen, *(entry for one in report.clusters for entry in _unseen(one))})),
        notes=(*plan.notes, *report.notes, *(note for one in report.clusters for note in _notes(one))),
    )


def _on_cluster(units: Sequence[UnitChanges], cluster: ClusterPreview) -> Iterator[UnitChanges]:
    """Give each unit of a cluster the effect on its objects; what is left of the effect is a unit of its own."""
    effect = {_key(change.id): change for change in cluster.effect}
    unjudged = {_key(one.id) for one in cluster.objects if one.preview not in (Preview.DRY_RUN, Preview.PROVED)}
    refused = {_key(one.id): one for one in cluster.objects if one.preview is Preview.REFUSED}
    for unit in units:
        if unit.cluster not in ("", cluster.cluster) or unit.source is ChangeSource.LIVE:
            yield unit
            continue
        kept = [_effect_of(change, effect, unjudged) for change in unit.changes]
        errors = [
            CheckError(path=entry.path, line=entry.line, column=0, message=f"the cluster refuses it: {entry.reason}")
            for change in unit.changes
            if (entry := refused.pop(_key(change.id), None)) is not None
        ]
        changes = tuple(change for change in kept if change is not None)
        yield replace(
            unit,
            cluster=cluster.cluster,
            source=ChangeSource.LIVE,
            changes=changes,
            errors=(*unit.errors, *errors),
        )
    if effect or refused:
        yield UnitChanges(
            name=OTHER,
            kind="cluster",
            cluster=cluster.cluster,
            source=ChangeSource.LIVE,
            changes=tuple(sorted(effect.values(), key=lambda change: change.sort_key)),
            errors=tuple(
                CheckError(path=one.path, line=one.line, column=0, message=f"the cluster refuses it: {one.reason}")
                for one in refused.values()
            ),
        )


def _effect_of(change: Change, effect: dict[_Key, Change], unjudged: set[_Key]) -> Change | None:
    """Return what the server makes of a change, or the change itself where it made nothing of it."""
    key = _key(change.id)
    if key in effect:
        return effect.pop(key)
    return change if key in unjudged else None


def _unseen(cluster: ClusterPreview) -> Iterator[Skipped]:
    if cluster.error:
        yield Skipped(path=cluster.cluster, resource="", reason=f"the cluster cannot be asked: {cluster.error}")
    for one in cluster.objects:
        if one.preview is Preview.UNKNOWN:
            yield Skipped(path=one.path, resource=str(one.id), reason=f"{cluster.cluster}: {one.reason}")
    for right in cluster.rights:
        where = f" in {right.namespace}" if right.namespace else ""
        reason = f"a right is missing: {right.verb} {right.resource}{where}"
        yield Skipped(path=cluster.cluster, resource=right.resource, reason=reason)


def _notes(cluster: ClusterPreview) -> Iterator[str]:
    yield from (f"{cluster.cluster}: {note}" for note in cluster.notes)
    for one in cluster.objects:
        if one.preview is Preview.NOT_DRY_RUN:
            yield f"{cluster.cluster}: {one.id} is only checked offline: what it needs comes with the same merge"
        for conflict in one.conflicts:
            yield f"{cluster.cluster}: {one.id}: {conflict.field} belongs to {conflict.manager}"


def _key(resource: ResourceId) -> _Key:
    return (resource.group, resource.kind, resource.namespace, resource.name)

"""Render the units that a run of `check` is about, and judge their objects: where both stages meet."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.rendered import Rendered, UnitCriteria, UnitVerdict, judge_units, put_together
from gitops_guard.check.run import Cache, Criteria, Outcome, surroundings_of
from gitops_guard.check.setting import Setting
from gitops_guard.check.verdict import FileVerdict
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.commands.reference_check import References
from gitops_guard.commands.rendered_check import Memory, ToRender
from gitops_guard.commands.selection import Selection
from gitops_guard.commands.unit_references import UnitReferences
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.errors import RepoError
from gitops_guard.model import Finding
from gitops_guard.model.unit import Unit, UnitKind
from gitops_guard.render import Options, Units
from gitops_guard.repo.tree import Tree
from gitops_guard.schema.bundle import versions as available_versions

OUR_NAME = b"gitops-guard"


def options_of(
    workspace: Workspace, environment: Mapping[str, str], *, allow_network: bool = False, no_cache: bool = False
) -> Options:
    """Return how the settings of a run render what is looked at, and not applied.

    Args:
        workspace: What is settled for the run.
        environment: The process's variables.
        allow_network: Fetch what is elsewhere.
        no_cache: Believe and write no remembered output.
    """
    settings = workspace.settings
    return Options(
        environment=environment,
        clusters=workspace.config.clusters,
        kubernetes_version=settings.kubernetes_versions[-1],
        remotes=workspace.repo.remote_urls if workspace.repo is not None else (),
        allow_network=allow_network,
        cache_dir="" if no_cache else settings.cache_dir,
        jobs=settings.jobs,
        settles=True,
    )


def judge_rendered(
    workspace: Workspace,
    tree: Tree,
    selection: Selection,
    outcome: Outcome,
    criteria: Criteria,
    cache: Cache,
    asked: ToRender,
    memory: Memory,
    is_example: Callable[[str], bool],
    references: References,
) -> Outcome:
    """Judge rendered units and return all that is known then; see `rendered_check.with_rendered`."""
    options = options_of(workspace, asked.environment, allow_network=asked.allow_network, no_cache=asked.no_cache)
    units = Units(tree, options)
    known = [unit for unit in units.all if unit.kind is not UnitKind.DIRECTORY and not is_example(unit.declared_in)]
    touched = None if asked.touched is None else frozenset(units.affected(asked.touched))
    chosen = [unit for unit in known if touched is None or unit in touched]
    rendered = units.render(chosen)
    with VerdictStore(cache.directory, cache.key) as store:
        wider = _with_cluster_versions(criteria, workspace)
        around = surroundings_of(tree, selection.candidates, wider, cache, store)
        judged = UnitCriteria(
            setting_at=_setting_at(workspace, criteria, frozenset(wider.versions)),
            is_selected=Scopes(workspace.config, workspace.settings.kubernetes_versions).selected,
            engine_rules=ENGINE_RULES,
        )
        whole = [unit for unit in rendered if unit.objects]
        following = UnitReferences(references, units, [unit for unit in known if unit not in chosen], cache)
        broken = following.findings(whole, around.read, judged.is_selected)
        verdicts = [_with(verdict, broken.pop(verdict.unit, ())) for verdict in judge_units(whole, judged, around)]
    references.leave_to_rendering(
        {one.resource.origin.path for unit in whole if not unit.errors for one in unit.objects}
    )
    result = put_together(verdicts, rendered, outcome.findings, judged)
    if all(_is_clean(verdict.verdict) for verdict in verdicts) and not (result.errors or result.unrendered):
        memory.note_clean(objects=result.objects, units=result.units)
    in_part = unjudged(units, outcome.mentioning, {unit.unit for unit in whole})
    return _joined(outcome, result, tree, in_part)


def unjudged(units: Units, paths: Iterable[str], judged: Collection[Unit] = ()) -> frozenset[str]:
    """Return those of the paths that have a part in a unit which was not judged as rendered.

    Args:
        units: Those of the tree.
        paths: Repository paths of files.
        judged: The units that were judged.
    """
    return frozenset(
        path
        for path in paths
        if any(unit.kind is not UnitKind.DIRECTORY and unit not in judged for unit in units.affected({path}))
    )


def _with(one: UnitVerdict, more: tuple[Finding, ...]) -> UnitVerdict:
    return replace(one, verdict=replace(one.verdict, findings=(*one.verdict.findings, *more))) if more else one


def _is_clean(verdict: FileVerdict) -> bool:
    return verdict.is_plain and not verdict.skipped and verdict.validated == verdict.resources


def _with_cluster_versions(criteria: Criteria, workspace: Workspace) -> Criteria:
    """Add the versions of the configured clusters to those that are judged by."""
    versions = {*criteria.versions, *(_minor(one.kubernetes_version) for one in workspace.config.clusters.values())}
    known = sorted(versions & frozenset(available_versions()), key=lambda version: int(version.partition(".")[2]))
    return replace(criteria, versions=tuple(known))


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _setting_at(workspace: Workspace, criteria: Criteria, known: frozenset[str]) -> Callable[[str, Unit], Setting]:
    """Return what holds for an object: the path's setting, with the versions of the unit's clusters."""
    clusters = workspace.config.clusters

    def setting_at(path: str, unit: Unit) -> Setting:
        setting = criteria.setting_at(path)
        versions = {_minor(clusters[name].kubernetes_version) for name in unit.clusters if name in clusters}
        if not versions or not versions <= known:
            return setting
        ordered = tuple(sorted(versions, key=lambda version: int(version.partition(".")[2])))
        rules = tuple((rule, replace(context, kubernetes_versions=ordered)) for rule, context in setting.rules)
        return Setting(versions=ordered, rules=rules)

    return setting_at


def _joined(outcome: Outcome, result: Rendered, tree: Tree, partly: frozenset[str]) -> Outcome:
    findings = [finding for finding in outcome.findings if finding not in result.mended]
    known = {(entry.path, entry.reason) for entry in outcome.coverage.skipped}
    skipped = [entry for entry in result.skipped if (entry.path, entry.reason) not in known]
    elsewhere = {finding.location.path for finding in result.findings} - set(outcome.mentioning)
    return replace(
        outcome,
        findings=tuple(sorted((*findings, *result.findings), key=lambda finding: finding.sort_key)),
        errors=(*outcome.errors, *(error for error in result.errors if error not in outcome.errors)),
        coverage=replace(
            outcome.coverage,
            skipped=tuple(sorted((*outcome.coverage.skipped, *skipped))),
            units=result.units,
            rendered=result.objects,
            unrendered=result.unrendered,
        ),
        mentioning=(*outcome.mentioning, *sorted(path for path in elsewhere if _mentions_us(tree, path))),
        partly=partly | elsewhere,
    )


def _mentions_us(tree: Tree, path: str) -> bool:
    try:
        return tree.exists(path) and OUR_NAME in tree.read(path)
    except RepoError:
        return False

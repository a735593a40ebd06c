"""References of rendered units in a run of `check`: which units are rendered for it, and where findings stand."""

from collections.abc import Callable, Sequence
from itertools import groupby

from gitops_guard.check.judge import _told_apart
from gitops_guard.check.reference_places import finding_at
from gitops_guard.check.references import Group
from gitops_guard.check.rendered_place import ObjectPlaces, UnitSources
from gitops_guard.check.rendered_references import RenderedSuspect, follow_rendered
from gitops_guard.check.run import Cache
from gitops_guard.commands.reference_check import References
from gitops_guard.model import Finding, Severity
from gitops_guard.model.unit import RenderedUnit, Unit
from gitops_guard.render import Units


class UnitReferences:
    """The references of the units that one run judges."""

    def __init__(self, references: References, units: Units, answering: Sequence[Unit], cache: Cache) -> None:
        """Keep who may answer.

        Args:
            references: What the run follows.
            units: The tree's units.
            answering: Units that are not judged; they are rendered when something is missing without them.
            cache: Where what files say is remembered.
        """
        self._references = references
        self._units = units
        self._answering = answering
        self._cache = cache

    def findings(
        self, judged: Sequence[RenderedUnit], read: Callable[[str], bytes], is_selected: Callable[[str], bool]
    ) -> dict[Unit, tuple[Finding, ...]]:
        """Return what is wrong with the references of rendered objects, by unit.

        Args:
            judged: Units as rendered.
            read: Returns a file's bytes; raises RepoError.
            is_selected: Tells whether findings on a file's objects count.
        """
        suspects = [one for one in self._suspects(judged) if is_selected(one.object.resource.origin.path)]
        reads: dict[Unit, list[str]] = {}
        for unit in judged:
            reads.setdefault(unit.unit, []).extend(path for path, _ in unit.reads)
        found: dict[Unit, tuple[Finding, ...]] = {}
        for unit, group in groupby(sorted(suspects, key=lambda one: one.unit), key=lambda one: one.unit):
            sources = UnitSources(read, reads[unit])
            found[unit] = tuple(_told_apart([_placed(one, sources) for one in group]))
        return found

    def _suspects(self, judged: Sequence[RenderedUnit]) -> list[RenderedSuspect]:
        rules = self._references.quick
        if not rules or not judged:
            return []
        if self._references.is_hook:  # what is elsewhere is not known, so only what is here and does not fit counts
            return [one for one in follow_rendered(judged, (), rules) if one.problem.severity is Severity.ERROR]
        plain = self._references.plain(self._cache)
        everything = frozenset(rule.id for rule in rules)
        if self._answering and not follow_rendered(judged, _beside(judged, plain), rules, listed=everything):
            return []
        all_units = (*judged, *self._units.render(self._answering))
        asked = {unit.unit for unit in judged}
        return follow_rendered(
            all_units,
            _beside(all_units, plain),
            rules,
            listed=self._references.listed,
            judged=lambda unit: unit in asked,
        )


def _beside(units: Sequence[RenderedUnit], plain: Sequence[Group]) -> list[Group]:
    """Return the files that no unit was made of: those answer as they are rendered."""
    used = {path for unit in units if not unit.errors for path, _ in unit.reads}
    return [group for group in plain if group.path not in used]


def _placed(one: RenderedSuspect, sources: UnitSources) -> Finding:
    resource, problem = one.object.resource, one.problem
    location = ObjectPlaces(sources, resource).locate(problem.field, on_key=problem.on_key)
    return finding_at(location, resource.origin.path, resource.body, problem)

"""What a change of revisions changes in each unit, for `simulate`: the objects of both sides, unit by unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_guard.check.rendered_place import ObjectPlaces, UnitSources
from gitops_guard.commands.criteria import cache_of
from gitops_guard.commands.manifests import Manifests
from gitops_guard.commands.rendered_check import may_have_units
from gitops_guard.commands.rendered_diff import RenderedPairs, render_both
from gitops_guard.commands.rendered_units import options_of
from gitops_guard.commands.selection import Wanted
from gitops_guard.commands.workspace import Workspace
from gitops_guard.errors import RepoError
from gitops_guard.model import CheckError, FieldPath, Location, Resource
from gitops_guard.model.unit import RenderedUnit, Unit
from gitops_guard.render import Units
from gitops_guard.repo.tree import Tree


@dataclass(slots=True)
class UnitManifests(Manifests):
    """The objects of one unit on one side."""

    sources: UnitSources | None = None

    def locate(self, resource: Resource, path: FieldPath) -> Location:
        """Return where a field of an object is written."""
        assert self.sources is not None
        return ObjectPlaces(self.sources, resource).locate(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSides:
    """What differs between two revisions in what is deployed."""

    units: tuple[tuple[Unit, Manifests, Manifests], ...] = ()
    """Each unit with its objects before and after."""

    consumed: frozenset[str] = frozenset()
    """Files that these units are made of."""

    errors: tuple[CheckError, ...] = field(default=())
    """Why units, or parts of them, are not among them."""

    def without_consumed(self, plain: Manifests) -> Manifests:
        """Leave out of the plain manifests what units are made of."""
        plain.resources = [one for one in plain.resources if one.origin.path not in self.consumed]
        plain.errors = [error for error in plain.errors if error.path not in self.consumed]
        return plain


def rendered_sides(
    workspace: Workspace, before: Tree, environment: Mapping[str, str], paths: list[str]
) -> RenderedSides:
    """Render what differs between two trees.

    Args:
        workspace: What is settled for the run; its tree is the new side.
        before: The old side.
        environment: The process's variables.
        paths: Repository paths that units must have to do with; empty for all.
    """
    cache = cache_of(workspace, environment, enabled=True)
    if not (may_have_units(workspace.tree, cache) or may_have_units(before, cache)):
        return RenderedSides()
    options = options_of(workspace, environment)
    wanted = Wanted(paths)

    def is_wanted(units: Units, unit: Unit) -> bool:
        return not paths or any(wanted.covers(path) for path in (unit.declared_in, *units.reads(unit)))

    old = Units(before, options)
    return sides_of(render_both(old, Units(workspace.tree, options, beside=old), is_wanted), before, workspace.tree)


def sides_of(found: RenderedPairs, before: Tree, after: Tree) -> RenderedSides:
    """Return the objects of what was rendered, with the trees that they are written in."""
    return RenderedSides(
        units=tuple(
            (pair.unit, _manifests(pair.before, before), _manifests(pair.after, after))
            for pair in found.pairs
            if pair.is_whole
        ),
        consumed=found.consumed,
        errors=(*found.errors, *found.unrendered),
    )


def _manifests(side: RenderedUnit | None, tree: Tree) -> Manifests:
    found = UnitManifests()
    if side is None:
        return found
    found.sources = UnitSources(tree.read, [path for path, _ in side.reads])
    found.resources = [one.resource for one in side.objects]
    for path in sorted({one.resource.origin.path for one in side.objects}):
        try:
            found.texts[path] = tree.read(path)
        except RepoError:
            continue  # an origin outside of this tree: no suppression can stand there
    return found

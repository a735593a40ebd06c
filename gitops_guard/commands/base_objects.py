"""What the files of a change held before it: the old objects of updates, and what is removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitops_guard.check.clean import MANIFEST_SUFFIXES
from gitops_guard.check.judge import resources_of
from gitops_guard.errors import RepoError
from gitops_guard.model import (
    Body,
    Finding,
    Location,
    Problem,
    Resource,
    Skipped,
    Unevaluated,
    fingerprint,
    format_field_path,
)
from gitops_guard.policy.request import ObjectKey, World, object_key
from gitops_guard.policy.rule import PolicyRule
from gitops_guard.repo.changes import ChangedPath, ChangeKind
from gitops_guard.repo.tree import Tree

_SUFFIXES = tuple(suffix.decode() for suffix in MANIFEST_SUFFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseObjects:
    """The objects of changed files before and after the change."""

    before: dict[ObjectKey, Resource]
    after: frozenset[ObjectKey]

    @property
    def bodies(self) -> dict[ObjectKey, Body]:
        """Return the old objects."""
        return {key: resource.body for key, resource in self.before.items()}

    @property
    def removed(self) -> list[Resource]:
        """Return what is there no more, in the order of its files."""
        gone = [resource for key, resource in self.before.items() if key not in self.after]
        return sorted(gone, key=lambda resource: (resource.origin.path, resource.origin.document, resource.origin.item))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """What policies say about removed objects."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def read_base(changes: Sequence[ChangedPath], base: Tree, head: Tree) -> BaseObjects:
    """Read both sides of all changed files."""
    before: dict[ObjectKey, Resource] = {}
    after: set[ObjectKey] = set()
    for change in changes:
        if change.kind is not ChangeKind.ADDED:
            for resource in _resources(base, change.renamed_from or change.path):
                before.setdefault(object_key(resource.id), resource)
        if change.kind is not ChangeKind.DELETED:
            after.update(object_key(resource.id) for resource in _resources(head, change.path))
    return BaseObjects(before=before, after=frozenset(after))


def _resources(tree: Tree, path: str) -> Sequence[Resource]:
    if not path.endswith(_SUFFIXES):
        return ()
    try:
        return list(resources_of(path, tree.read(path)))
    except RepoError:
        return ()  # a link or a file that is too large: it is reported where it is judged


def judge_removals(base: BaseObjects, rules: Sequence[PolicyRule], world: World, versions: tuple[str, ...]) -> Removals:
    """Ask all policies about what the change removes."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    for resource in base.removed:
        request = world.request(resource.id, new=None, old=resource.body)
        for rule in rules:
            for found in rule.judge(request, versions):
                if isinstance(found, Unevaluated):
                    skipped.append(Skipped(path=resource.origin.path, resource=str(resource.id), reason=found.reason))
                else:
                    own = replace(found, rule=rule.id, severity=found.severity or rule.severity)
                    findings.append(_finding(own, resource))
    return Removals(findings=tuple(findings), skipped=tuple(skipped))


def _finding(problem: Problem, resource: Resource) -> Finding:
    """Place a finding at the file that held the object: there is no line of it any more."""
    place = Location(path=resource.origin.path, line=1, column=1, end_line=1, end_column=1)
    assert problem.severity is not None, "the caller has settled it"
    return Finding(
        rule=problem.rule,
        severity=problem.severity,
        message=f"removing {resource.id}: {problem.message}",
        resource=resource.id,
        field=format_field_path(problem.field),
        location=place,
        hint=problem.hint or f"it stood on line {resource.origin.line} of this file before",
        fingerprint=fingerprint(problem.rule, place.path, resource.id, ("(removed)", *problem.field)),
    )

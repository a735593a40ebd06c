"""`check` on what objects say about one another: which runs follow references, and by which rules."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitops_guard.check.run import Cache, Outcome
from gitops_guard.check.workers import processors
from gitops_guard.commands.criteria import needs_references
from gitops_guard.commands.selection import Selection
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.model import Rule, RuleContext
from gitops_guard.repo.tree import Tree

if TYPE_CHECKING:
    from gitops_guard.check.follow_tree import FollowedTree
    from gitops_guard.check.references import Group
    from gitops_guard.links.view import ReferenceRule


class References:
    """The references of one run.

    A hook on single files does not follow them: the whole tree would have to be read before each commit. Of what it
    renders anyway it tells what surely does not fit.
    """

    def __init__(
        self, workspace: Workspace, tree: Tree, selection: Selection, *, paths: Sequence[str], staged: bool
    ) -> None:
        """Say what is followed.

        Args:
            workspace: What is settled for the run.
            tree: What is checked.
            selection: Its files.
            paths: Repository paths that were named; empty for everything.
            staged: What is staged is checked, as in a hook.
        """
        self._workspace = workspace
        self._tree = tree
        self._selection = selection
        config = workspace.config
        off = (
            {rule for rule, severity in config.severity.items() if severity is None} if not config.overrides else set()
        )
        rules = [rule for _, rule in workspace.extensions.rules if needs_references(rule) and rule.id not in off]
        self.is_hook = staged and not any(_is_directory(path, tree) for path in paths)
        """The rest of the tree is not looked at."""

        self.quick, self._whole_rules = _sorted_out(rules)
        self._rules = [] if self.is_hook else rules
        self._not_asked = frozenset(rule.id for rule in rules) if self.is_hook else frozenset()
        self._followed: FollowedTree | None = None
        self._as_rendered: frozenset[str] = frozenset()
        self.outlines: dict[bytes, bytes] | None = {} if self._rules else None
        """Learns outlines while files are read; None where nothing is followed."""

    def follow(self, outcome: Outcome, cache: Cache) -> Outcome:
        """Add what is wrong with the references of the chosen files."""
        if self.outlines is None or not self._selection.chosen:
            coverage = replace(outcome.coverage, references_followed=not self._not_asked)
            return replace(outcome, coverage=coverage, not_asked=outcome.not_asked | self._not_asked)
        from gitops_guard.check.follow_tree import Asked  # nothing of it in a hook

        tree, whole = self._tree_of(cache), self._whole_rules
        chosen = frozenset(entry.path for entry in self._selection.chosen)
        asked = Asked(rules=self.quick, chosen=chosen - self._as_rendered, listed=self.listed)
        found = tree.findings(asked, self.outlines)
        outcome = replace(outcome, findings=(*outcome.findings, *found.findings))
        return self._whole(outcome, tree, whole, chosen) if whole else outcome

    @property
    def listed(self) -> frozenset[str]:
        """Return the rules of which everything is reported."""
        return frozenset(self._workspace.config.severity)

    def plain(self, cache: Cache) -> "list[Group]":
        """Return the objects of all files as they are written; none of them is to be judged."""
        return self._tree_of(cache).groups((), self.outlines or {})

    def leave_to_rendering(self, paths: Collection[str]) -> None:
        """Leave out files whose objects were judged as they are deployed: what is written may lack what that adds."""
        self._as_rendered = frozenset(paths)

    def _tree_of(self, cache: Cache) -> "FollowedTree":
        from gitops_guard.check.follow_tree import FollowedTree  # nothing of it in a hook

        if self._followed is None:
            jobs = self._workspace.settings.jobs or processors()
            self._followed = FollowedTree(self._tree, self._selection.candidates, cache, jobs=jobs)
        return self._followed

    def _whole(self, outcome: Outcome, tree: "FollowedTree", rules: Sequence[Rule], chosen: frozenset[str]) -> Outcome:
        """Ask rules of plugins, which want to see whole resources."""
        from gitops_guard.check.reference_places import judged
        from gitops_guard.links.view import Tally, View

        groups = tree.groups(chosen, self.outlines or {})
        scene, units, tally = tree.scene(groups), {group.path: group.unit for group in groups}, Tally()
        findings, errors, skipped = judged(
            _paths_of(groups),
            [(rule, self._context_of(rule)) for rule in rules],
            lambda path: View(scene, units[path], tally),
            self._tree.read,
        )
        coverage = replace(outcome.coverage, skipped=tuple(sorted((*outcome.coverage.skipped, *skipped))))
        return replace(
            outcome,
            findings=(*outcome.findings, *findings),
            errors=(*outcome.errors, *errors),
            coverage=coverage,
        )

    def _context_of(self, rule: Rule) -> Callable[[str], RuleContext]:
        config = self._workspace.config
        scopes = Scopes(config, self._workspace.settings.kubernetes_versions)

        def context(path: str) -> RuleContext:
            versions = scopes.at(path).kubernetes_versions
            return RuleContext(kubernetes_versions=versions, options=config.rules.get(rule.id, {}))

        return context


def _is_directory(path: str, tree: Tree) -> bool:
    return not path or not tree.exists(path)


def _sorted_out(rules: Sequence[Rule]) -> "tuple[tuple[ReferenceRule, ...], list[Rule]]":
    """Tell rules that judge outlines from those that want to see whole resources."""
    quick = tuple(rule for rule in rules if hasattr(rule, "judge"))
    return quick, [rule for rule in rules if not hasattr(rule, "judge")]  # type: ignore[return-value]  # just looked


def _paths_of(groups: "Sequence[Group]") -> list[str]:
    return [group.path for group in groups if group.judged]

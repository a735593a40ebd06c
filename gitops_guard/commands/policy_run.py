"""The policies of one run, looking at one tree; everything is empty, and nothing imported, when no policy is named."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitops_guard.check.circumstances import digest
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import CheckError, Finding, Skipped
from gitops_guard.repo.repository import Side
from gitops_guard.repo.tree import Tree

if TYPE_CHECKING:
    from gitops_guard.commands.base_objects import BaseObjects
    from gitops_guard.commands.policies import Policies
    from gitops_guard.policy.request import World
    from gitops_guard.policy.rule import PolicyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun:
    """Policies that are on, and what they look at."""

    rules: "tuple[PolicyRule, ...]" = ()
    errors: tuple[CheckError, ...] = ()
    stamp: bytes = b""
    """Digest of all policies and of what they look at."""

    policies: "Policies | None" = None
    world: "World | None" = None
    base: "BaseObjects | None" = None

    def is_example(self, path: str) -> bool:
        """Tell whether a file of the repository is an example that a policy is tested with."""
        return self.policies is not None and self.policies.is_example(path)

    def judge_removals(self, versions: tuple[str, ...]) -> tuple[tuple[Finding, ...], tuple[Skipped, ...]]:
        """Ask the policies about what the change removes."""
        if self.base is None or self.world is None:
            return (), ()
        from gitops_guard.commands.base_objects import judge_removals

        removals = judge_removals(self.base, self.rules, self.world, versions)
        return removals.findings, removals.skipped


def look_at(workspace: Workspace, tree: Tree, base: "BaseObjects | None") -> PolicyRun:
    """Point the policies that are on at a tree."""
    policies = workspace.extensions.policies
    if policies is None:
        return PolicyRun()
    from gitops_guard.commands.policies import build_world

    active = policies.active(workspace.config)
    world, seen = build_world(policies, active, tree, base)
    return PolicyRun(
        rules=tuple(rule.within(world) for rule in active),
        errors=policies.found.errors,
        stamp=digest(policies.stamp, seen),
        policies=policies,
        world=world,
        base=base,
    )


def read_base_of(
    workspace: Workspace, *, staged: bool, from_rev: str | None, to_rev: str | None
) -> "BaseObjects | None":
    """Read what the change replaces: that of `--from`, or of the next commit; None when nothing is compared."""
    repo = workspace.repo
    if workspace.extensions.policies is None or repo is None:
        return None
    head: str | Side
    if from_rev is not None:
        head = to_rev or "HEAD"
        base = repo.merge_base(from_rev, head)
    elif staged and not repo.is_unborn:
        head, base = Side.INDEX, "HEAD"
    else:
        return None
    from gitops_guard.commands.base_objects import read_base

    return read_base(repo.changed_paths(base, head), repo.commit_tree(base), workspace.tree)

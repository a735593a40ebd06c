"""The policies of one run, looking at one tree; everything is empty, and nothing imported, when no policy is named."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitops_guard.check.circumstances import digest
from gitops_guard.check.evaluate import CustomRules
from gitops_guard.commands.pack_policies import PackPolicies
from gitops_guard.commands.workspace import Workspace
from gitops_guard.model import Body, CheckError, Finding, Problem, Rule, Skipped
from gitops_guard.model.resource import resource_id
from gitops_guard.policy.pack_rules import files_stamp
from gitops_guard.repo.repository import Side
from gitops_guard.repo.tree import Tree
from gitops_guard.schema.structural import JsonSchema, JudgeRules

if TYPE_CHECKING:
    from gitops_guard.commands.base_objects import BaseObjects
    from gitops_guard.commands.policies import Policies
    from gitops_guard.policy.request import World
    from gitops_guard.policy.rule import PolicyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun:
    """Policies that are on, and what they look at."""

    rules: tuple[Rule, ...] = ()
    errors: tuple[CheckError, ...] = ()
    stamp: bytes = b""
    """Digest of all policies and of what they look at; empty for those that come along."""

    files: bytes = b""
    """Stamp of the files of those that come along: they change with the installation, or in a checkout."""

    policies: "Policies | None" = None
    watching: "tuple[PolicyRule, ...]" = ()
    """Those of them that look at changes, and so at what is removed."""

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

        removals = judge_removals(self.base, self.watching, self.world, versions)
        return removals.findings, removals.skipped


class BaseReader:
    """Reads what the change replaces when it is first asked for: most runs never ask."""

    def __init__(self, read: "Callable[[], BaseObjects] | None" = None) -> None:
        """Keep how it is read; None when nothing is compared."""
        self._read = read

    @cached_property
    def objects(self) -> "BaseObjects | None":
        """Return the objects of changed files before and after."""
        return None if self._read is None else self._read()


def look_at(workspace: Workspace, tree: Tree, base: BaseReader) -> PolicyRun:
    """Point the policies that are on at a tree."""
    policies = workspace.extensions.policies
    if policies is None:
        return PolicyRun()
    config, files = workspace.config, files_stamp()
    if isinstance(policies, PackPolicies):
        return PolicyRun(rules=policies.active(config), files=files)
    from gitops_guard.commands.policies import build_world

    active = policies.active_own(config)
    world, seen = build_world(policies, active, tree, base.objects, config.identity)
    own = tuple(rule.within(world) for rule in active)
    return PolicyRun(
        rules=(*own, *policies.packs.active(config)),
        watching=own,
        errors=policies.errors,
        stamp=digest(policies.stamp, seen),
        files=files,
        policies=policies,
        world=world,
        base=base.objects,
    )


def custom_rules_of(workspace: Workspace, base: BaseReader) -> CustomRules:
    """Return how the CEL rules of CustomResourceDefinitions are evaluated in this run."""
    oldest = workspace.settings.kubernetes_versions[0]

    def compile_all(schema: JsonSchema) -> JudgeRules | None:
        from gitops_guard.policy.crd_rules import compile_rules
        from gitops_guard.policy.request import object_key

        rules = compile_rules(schema, oldest)
        if rules is None:
            return None
        found, before = rules, base.objects

        def judge(body: Body) -> Iterable[Problem]:
            old = None if before is None else before.before.get(object_key(resource_id(body)))
            return found.problems(body, None if old is None else old.body)

        return judge

    def stamp() -> bytes:
        bodies = {} if base.objects is None else base.objects.bodies
        return digest(*(json.dumps([key, body]).encode() for key, body in sorted(bodies.items())))

    return CustomRules(compile=compile_all, stamp=stamp)


def read_base_of(workspace: Workspace, *, staged: bool, from_rev: str | None, to_rev: str | None) -> BaseReader:
    """Return a reader of what the change replaces: that of `--from`, or of the next commit."""
    repo = workspace.repo
    if repo is None or not (from_rev is not None or (staged and not repo.is_unborn)):
        return BaseReader()
    head: str | Side = Side.INDEX if from_rev is None else to_rev or "HEAD"
    base = "HEAD" if from_rev is None else repo.merge_base(from_rev, to_rev or "HEAD")

    def read() -> "BaseObjects":
        from gitops_guard.commands.base_objects import read_base

        return read_base(repo.changed_paths(base, head), repo.commit_tree(base), workspace.tree)

    return BaseReader(read)

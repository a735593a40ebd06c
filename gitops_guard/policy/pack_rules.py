"""The policies that come along, as rules that cost next to nothing until a resource may break one of them.

What has to be known of each is in `packs.json`; its file is read and compiled when `plain` is not sure that a resource
passes. They look at nothing but the resource itself.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from gitops_guard.errors import GuardError
from gitops_guard.model import Problem, Resource, RuleContext, Severity, Unevaluated
from gitops_guard.policy.packs import PAGE, PREFIX, evaluated_as, pack_folder
from gitops_guard.policy.plain import PlainPolicies

if TYPE_CHECKING:
    from gitops_guard.policy.request import World
    from gitops_guard.policy.rule import PolicyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is known of a policy before it is read."""

    pack: str
    severity: Severity
    is_default: bool
    """On without a word in the configuration."""

    summary: str
    kinds: tuple[str, ...]


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Listed]:
    """Return all policies that come along, by id; see tools/plain_policies.py."""
    with open(os.path.join(os.path.dirname(__file__), "packs.json"), encoding="utf-8") as file:
        rows = json.load(file)
    return {
        rule: Listed(pack=pack, severity=Severity(severity), is_default=is_default, summary=summary, kinds=tuple(kinds))
        for rule, (pack, severity, is_default, summary, kinds) in rows.items()
    }


class PackRule:
    """One policy that comes along."""

    def __init__(self, rule: str, known: Listed, engine: "_Engine") -> None:
        self.id = rule
        self.severity = known.severity
        self.summary = known.summary
        self.kinds = known.kinds
        self.is_default = known.is_default
        self.source = f"{PREFIX}{known.pack}"
        self.path = os.path.join(pack_folder(), known.pack, rule, "policy.yaml")
        self._engine = engine

    @property
    def documentation(self) -> str:
        """Return its page."""
        with open(os.path.join(os.path.dirname(self.path), PAGE), encoding="utf-8") as file:
            return file.read()

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem | Unevaluated]:
        """Yield what the API server would say when the resource is created; a change would make no difference."""
        if self.id in self._engine.plain.unsure(resource.body):
            versions = tuple(dict.fromkeys(evaluated_as(version) for version in context.kubernetes_versions))
            rule = self._engine.rule(self.path, self.id)
            yield from rule.check(resource, RuleContext(kubernetes_versions=versions, options=context.options))


class _Engine:
    """Reads and compiles policies when they are needed; shared by all rules of a run."""

    def __init__(self, versions: Sequence[str], chosen: Iterable[str]) -> None:
        self._versions = tuple(dict.fromkeys(evaluated_as(version) for version in versions))
        self._rules: dict[str, PolicyRule] = {}
        self.plain = PlainPolicies(frozenset(chosen))

    @cached_property
    def _world(self) -> "World":
        """An empty one: shared, so that a resource becomes a request once."""
        from gitops_guard.policy.request import World

        return World()

    def rule(self, path: str, rule: str) -> "PolicyRule":
        """Return a policy, compiled."""
        if rule not in self._rules:
            self._rules[rule] = self._read(path)
        return self._rules[rule]

    def _read(self, path: str) -> "PolicyRule":
        from gitops_guard.policy.load import PolicySource, load  # the engine of expressions costs 60 ms to import

        with open(path, "rb") as file:
            found = load([PolicySource(path=path, data=file.read(), origin=PREFIX)], versions=self._versions)
        if found.errors:
            raise GuardError(f"{path}: {found.errors[0].message}")
        return found.rules[0].leniently(self._world)


def pack_rules(packs: Iterable[str], versions: Sequence[str]) -> tuple[PackRule, ...]:
    """Return the policies of some packs, on and off, sorted by id.

    Args:
        packs: Their names.
        versions: Minor versions that manifests are checked against.
    """
    wanted = frozenset(packs)
    chosen = {rule: known for rule, known in listed().items() if known.pack in wanted}
    engine = _Engine(versions, chosen)
    return tuple(PackRule(rule, known, engine) for rule, known in sorted(chosen.items()))


def files_stamp() -> bytes:
    """Return what changes with any file of a policy that comes along: in a checkout they can change in place."""
    folder = pack_folder()
    stamps = []
    for rule, known in sorted(listed().items()):
        status = os.stat(os.path.join(folder, known.pack, rule, "policy.yaml"))
        stamps.append(f"{rule} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(stamps).encode()

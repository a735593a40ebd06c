"""What the tests of policies share."""

from collections.abc import Callable, Sequence

import pytest

from gitops_guard.check.judge import resources_of
from gitops_guard.model import Body, Problem, RuleContext, Unevaluated
from gitops_guard.policy.load import PolicySet, PolicySource, load
from gitops_guard.policy.request import ObjectKey, World

VERSIONS = ("1.36",)


@pytest.fixture
def load_text() -> Callable[..., PolicySet]:
    """Load one file that is named as policies."""

    def run(text: str, *, origin: str = "policies", versions: Sequence[str] = VERSIONS) -> PolicySet:
        return load([PolicySource(path="policy.yaml", data=text.encode(), origin=origin)], versions=versions)

    return run


@pytest.fixture
def judge(load_text: Callable[..., PolicySet]) -> Callable[..., list[Problem | Unevaluated]]:
    """Load policies and check the resources of a manifest."""

    def run(
        policies: str,
        manifest: str,
        *,
        bodies: Sequence[Body] = (),
        base: dict[ObjectKey, Body] | None = None,
        versions: Sequence[str] = VERSIONS,
    ) -> list[Problem | Unevaluated]:
        found = load_text(policies, versions=versions)
        assert found.errors == ()
        world, context = World(bodies=bodies, base=base), RuleContext(kubernetes_versions=tuple(versions))
        return [
            problem
            for resource in resources_of("manifest.yaml", manifest.encode())
            for rule in found.rules
            for problem in rule.within(world).check(resource, context)
        ]

    return run

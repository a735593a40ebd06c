"""What decides a file's verdict beside its own bytes."""

from collections.abc import Callable
from dataclasses import dataclass

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.model import Rule, RuleContext
from gitops_guard.schema.base import Schema

FindSchema = Callable[[str, str, str], Schema | None]
"""(group, version, kind) -> schema of a custom resource, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the configuration says; one for each set of paths under the same overrides."""

    versions: tuple[str, ...]
    """Target minor versions, oldest first."""

    rules: tuple[tuple[Rule, RuleContext], ...] = ()
    """Rules written as objects, each with its own context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What the rest of the tree makes of a file."""

    dialect: Dialect = Dialect.KUBECTL
    """Kustomize's for files reached through a kustomization."""

    is_patch: bool = False
    """A kustomization names the file as a patch: it need not be whole."""

"""The policies that come along, for runs that name nothing but packs, or nothing at all: the usual case.

They look at single resources, so neither the repository nor what was there before the change is read for them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitops_guard.config import Config
from gitops_guard.errors import ConfigError, UsageError
from gitops_guard.model import CheckError, Rule
from gitops_guard.policy.pack_rules import PackRule, listed, pack_rules
from gitops_guard.policy.packs import ALL_PACKS, PREFIX, pack_names_of

NONE = "none"
"""`--policies none`: leaves out those that are on without being named, and those of the configuration."""

DEFAULT = (f"{PREFIX}{ALL_PACKS}",)


def named_policies(config: Config, flagged: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the configuration, or else the default, and the command line name."""
    named = DEFAULT if config.policies is None else config.policies
    return () if NONE in flagged else named, tuple(name for name in flagged if name != NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPolicies:
    """Packs that are named, and nothing else."""

    rules: tuple[PackRule, ...] = ()
    errors: tuple[CheckError, ...] = ()

    def active(self, config: Config) -> tuple[PackRule, ...]:
        """Return the rules that are on somewhere: by themselves, or by the configuration."""
        return tuple(rule for rule in self.rules if is_on(rule.id, config, is_default=rule.is_default))


class HasRules(Protocol):
    """What holds the policies of a run."""

    @property
    def rules(self) -> Sequence[Rule]:
        """Return all of them, on or off."""
        ...


def dormant_policies(policies: HasRules | None, config: Config) -> frozenset[str]:
    """Return the policies that come along and are not asked in this run; manifests may still speak of them."""
    named = () if policies is None else policies.rules
    on = {rule.id for rule in named if is_on(rule.id, config, is_default=bool(getattr(rule, "is_default", True)))}
    return frozenset(listed()) - on


def is_on(rule: str, config: Config, *, is_default: bool) -> bool:
    """Tell whether a policy is on for some path."""
    if any(override.severity.get(rule) is not None for override in config.overrides):
        return True
    if rule in config.severity:
        return config.severity[rule] is not None
    return is_default


def pack_policies(
    named: Sequence[str],
    flagged: Sequence[str],
    versions: Sequence[str],
    known_rules: Collection[str],
    *,
    config_path: str,
) -> PackPolicies:
    """Return the policies of packs.

    Args:
        named: `policies:` of the configuration, or the default: `pack:security`, `pack:*`.
        flagged: `--policies`.
        versions: Minor versions that manifests are checked against.
        known_rules: Ids of rules of other kinds: a plugin's rule takes the place of a policy of the same id.
        config_path: For messages.

    Raises:
        ConfigError: The configuration names a pack that does not exist.
        UsageError: The command line does.
    """
    packs = {pack for name in flagged for pack in pack_names_of(name)}
    try:
        packs |= {pack for name in named for pack in pack_names_of(name)}
    except UsageError as error:
        raise ConfigError(f"policies: {error}", path=config_path) from error
    rules = pack_rules(packs, versions)
    return PackPolicies(rules=tuple(rule for rule in rules if rule.id not in known_rules))

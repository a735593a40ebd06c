"""`gitops-guard rules`: what can be found, how severe it is, and where each rule comes from."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Config
from gitops_guard.model import Rule, Severity
from gitops_guard.repo.memory import MemoryTree

BUILT_IN = "built-in"
FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRule:
    """One line of the list."""

    id: str
    severity: str
    """In force here: `error`, `warning`, `note`, or `off` where the configuration switches the rule off, or does not
    switch on a policy that is off by itself."""

    default_severity: str
    """What the rule itself says."""

    summary: str
    origin: str
    """`built-in`, `acme-guard-rules 1.2.0`, `module acme.rules` or `tools/guard_rules.py`."""


def run(asked: Asked, environment: Mapping[str, str], *, output_format: str) -> int:
    """Print the rules.

    Args:
        asked: Configuration and plugins, as for `check`.
        environment: The process's variables.
        output_format: One of `FORMATS`.

    Returns:
        0; 2 when an installed plugin could not be loaded, so that its rules are missing.

    Raises:
        GuardError: Configuration or plugins are wrong.
    """
    workspace = open_rules(asked, environment)
    rules = listed(workspace)
    if output_format == "json":
        content = {
            "version": 1,
            "rules": [asdict(rule) for rule in rules],
            "problems": [*workspace.extensions.problems],
        }
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        sys.stdout.writelines(_table(rules))
    return report_problems(workspace)


def open_rules(asked: Asked, environment: Mapping[str, str]) -> Workspace:
    """Open configuration and plugins; no file of the repository is looked at."""
    return open_workspace(asked, environment, tree=MemoryTree({}, label="no files"))


def report_problems(workspace: Workspace) -> int:
    """Name the plugins that could not be loaded on standard error, and return the exit code that follows."""
    for problem in workspace.extensions.problems:
        sys.stderr.write(f"gitops-guard: error: {problem}\n")
    return 2 if workspace.extensions.problems else 0


def listed(workspace: Workspace) -> Sequence[ListedRule]:
    """Return all rules, sorted by id."""
    config = workspace.config
    engine = [_listed(info.id, info.severity, info.summary, BUILT_IN, config) for info in ENGINE_RULES.values()]
    others = [_of(rule, origin, config) for origin, rule in workspace.extensions.rules]
    return sorted([*engine, *others], key=lambda rule: rule.id)


def _of(rule: Rule, origin: str, config: Config) -> ListedRule:
    is_on = bool(getattr(rule, "is_default", True))  # only policies may be off by themselves
    return _listed(rule.id, rule.severity, rule.summary, origin, config, is_on=is_on)


def _listed(
    rule: str, severity: Severity, summary: str, origin: str, config: Config, *, is_on: bool = True
) -> ListedRule:
    force = config.severity.get(rule, severity if is_on else None)
    return ListedRule(
        id=rule,
        severity="off" if force is None else str(force),
        default_severity=str(severity),
        summary=summary,
        origin=origin,
    )


def _table(rules: Sequence[ListedRule]) -> list[str]:
    names = max(len(rule.id) for rule in rules)
    origins = max(len(rule.origin) for rule in rules)
    return [f"{rule.id:{names}}  {rule.severity:7}  {rule.origin:{origins}}  {rule.summary}\n" for rule in rules]

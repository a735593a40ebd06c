"""What the settings of a run mean for the check stage: criteria, and where verdicts are remembered."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from gitops_guard.check.circumstances import own_code
from gitops_guard.check.evaluate import CustomRules
from gitops_guard.check.run import Cache, Criteria, circumstances
from gitops_guard.check.seal import load_key
from gitops_guard.check.setting import FindSchema, Setting
from gitops_guard.commands.check_clean import interpreter_stamp, settings_line
from gitops_guard.commands.pack_policies import PackPolicies
from gitops_guard.commands.workspace import Extensions, Workspace
from gitops_guard.config import Config, MissingSchema, PathSet, Scopes, Settings
from gitops_guard.config.settle import VARIABLES
from gitops_guard.errors import ConfigError, RepoError
from gitops_guard.model import Rule, RuleContext
from gitops_guard.policy.crd_check import DefinitionRule
from gitops_guard.policy.plain import PlainPolicies
from gitops_guard.repo.index import blob_id
from gitops_guard.repo.tree import Tree

_GLOB = frozenset("*?[!")
"""A pattern speaks of the tree alone; what it misses shows in the coverage, as resources without a schema."""


def needs_references(rule: Rule) -> bool:
    """Tell whether a rule looks at an object among others: it is asked once the whole tree is known."""
    return bool(getattr(rule, "needs_references", False))


_DECIDING_SETTINGS = ("kubernetes_versions", "missing_schema")


def criteria_of(
    workspace: Workspace, tree: Tree, policies: Sequence[Rule] = (), custom_rules: CustomRules | None = None
) -> Criteria:
    """Return what the files of a tree are judged by.

    Args:
        workspace: What is settled for the run.
        tree: Where the files are.
        policies: Those that are on, looking at this tree.
        custom_rules: How CEL rules of CustomResourceDefinitions are evaluated; None: not at all.
    """
    config, settings, extensions = workspace.config, workspace.settings, workspace.extensions
    scopes = Scopes(config, settings.kubernetes_versions)
    versions = {*settings.kubernetes_versions, *(v for o in config.overrides for v in o.kubernetes_versions)}
    differs = any(override.kubernetes_versions for override in config.overrides)
    uniform = _is_uniform(extensions) and not differs
    active = [policy.id for policy in policies]
    return Criteria(
        setting_at=_setting_at(workspace, scopes, policies),
        uniform_versions=settings.kubernetes_versions if uniform else None,
        passes=PlainPolicies(active).is_clean if active else None,
        versions=tuple(sorted(versions, key=lambda version: int(version.partition(".")[2]))),
        custom_rules=custom_rules,
        extra_find=_schema_directories(config, settings, tree),
        definitions=_definitions_beside(workspace, tree),
        missing_schema_is_error=settings.missing_schema is MissingSchema.ERROR,
        renderers=extensions.renderers,
    )


def _is_uniform(extensions: Extensions) -> bool:
    """Tell whether each file can be judged by itself and alike: the policies that come along are told from one body."""
    policies = extensions.policies
    if not (policies is None or isinstance(policies, PackPolicies)) or extensions.renderers:
        return False
    along = () if policies is None else policies.rules
    return all(rule in along or needs_references(rule) for _, rule in extensions.rules)


def _setting_at(workspace: Workspace, scopes: Scopes, policies: Sequence[Rule]) -> Callable[[str], Setting]:
    extensions = workspace.extensions
    named = () if extensions.policies is None else extensions.policies.rules
    rules = [
        *(rule for _, rule in extensions.rules if rule not in named and not needs_references(rule)),
        DefinitionRule(),
    ]
    sometimes = [policy for policy in policies if not _is_on_everywhere(policy, workspace.config)]
    known: dict[tuple[tuple[str, ...], tuple[Rule, ...]], Setting] = {}

    def setting_at(path: str) -> Setting:
        scope = scopes.at(path)
        versions = scope.kubernetes_versions
        off = tuple(policy for policy in sometimes if scope.severity.get(policy.id) is None)
        if (versions, off) not in known:
            known[versions, off] = Setting(
                versions=versions,
                rules=tuple(
                    (rule, RuleContext(kubernetes_versions=versions, options=workspace.config.rules.get(rule.id, {})))
                    for rule in (*rules, *policies)
                    if rule not in off
                ),
            )
        return known[versions, off]

    return setting_at


def _is_on_everywhere(policy: Rule, config: Config) -> bool:
    """Tell whether no path has to be asked; what is off for some is not reported there anyway."""
    return bool(getattr(policy, "is_default", True)) or config.severity.get(policy.id) is not None


def _schema_directories(config: Config, settings: Settings, tree: Tree) -> FindSchema | None:
    """Return a finder over the configured schema directories, which lie in the tree; None when there are none."""
    if not config.schemas:
        return None

    from gitops_guard.schema.directory import SchemaDirectory  # needed where one is configured, and nowhere else

    def read(path: str) -> bytes | None:
        try:
            return tree.read(path) if tree.exists(path) else None
        except RepoError:
            return None

    newest = settings.kubernetes_versions[-1]
    directories = [SchemaDirectory(template, read, kubernetes_version=newest) for template in config.schemas]

    def find(group: str, version: str, kind: str):  # type: ignore[no-untyped-def]  # the alias FindSchema says it
        found = (directory.find(group, version, kind) for directory in directories)
        return next((schema for schema in found if schema is not None), None)

    return find


def _definitions_beside(workspace: Workspace, tree: Tree) -> dict[str, bytes]:
    """Read the files that `crds:` names and the tree does not hold: ignored by Git, or outside of the repository.

    Those of the tree are found anyway, whatever `include` and `exclude` say.

    Raises:
        ConfigError: A name is neither in the tree nor on disk, or cannot be read.
    """
    found: dict[str, bytes] = {}
    for name in workspace.config.crds:
        inside = PathSet((name,))
        if _GLOB.intersection(name) or any(inside.matches(entry.path) for entry in tree.entries()):
            continue
        place = os.path.join(workspace.root, name)
        if not os.path.exists(place):
            raise ConfigError(f"crds: {name} is neither in the tree nor on disk", path=workspace.config.path)
        found.update(_manifest_files(place, name, workspace.config.path))
    return found


def _manifest_files(place: str, name: str, config: str) -> Iterator[tuple[str, bytes]]:
    paths = [place] if os.path.isfile(place) else [
        os.path.join(folder, file) for folder, _, files in os.walk(place) for file in files
    ]  # fmt: skip
    for path in sorted(paths):
        if path.endswith((".yaml", ".yml", ".json")):
            try:
                with open(path, "rb") as stream:
                    yield os.path.join(name, os.path.relpath(path, place)), stream.read()
            except OSError as error:
                raise ConfigError(f"crds: {path} cannot be read: {error.strerror}", path=config) from error


def cache_of(
    workspace: Workspace,
    environment: Mapping[str, str],
    *,
    enabled: bool,
    policies: bytes = b"",
    files: bytes = b"",
) -> Cache:
    """Return where verdicts are remembered, and under which key.

    Args:
        workspace: What is settled for the run.
        environment: The process's variables.
        enabled: Whether anything is remembered at all.
        policies: Digest of all policies and of what they look at; empty for those that come along.
        files: Stamp of the files of those that come along.
    """
    settings = workspace.settings
    key = load_key(environment) if enabled and settings.cache_dir else None
    told = _told(workspace, environment)
    decides = circumstances(
        own_code(),
        workspace.installed.stamp,
        blob_id(workspace.config_text.encode()) if workspace.config.path else b"",
        interpreter_stamp(),
        plugins=f"{workspace.extensions.stamp}{policies.hex()}",
        flags=told,
    )
    return Cache(
        directory=os.path.abspath(settings.cache_dir) if key else None,
        key=key,
        circumstances=decides,
        beyond=files,
        settings_line=_settings_line(workspace) if _is_plain(workspace) else b"",
    )


def _told(workspace: Workspace, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what flags and variables say about verdicts; the clean path knows neither."""
    settings = workspace.settings
    values = {
        "kubernetes_versions": ",".join(settings.kubernetes_versions),
        "missing_schema": str(settings.missing_schema),
    }
    told = {
        name: values[name]
        for name in _DECIDING_SETTINGS
        if getattr(workspace.flags, name) or environment.get(VARIABLES[name])
    }
    if workspace.asked_policies:
        told["policies"] = " ".join(workspace.asked_policies)
    return told


def _settings_line(workspace: Workspace) -> bytes:
    policies = workspace.extensions.policies
    active = [rule.id for rule in policies.active(workspace.config)] if isinstance(policies, PackPolicies) else []
    return settings_line(workspace.settings.kubernetes_versions, active)


def _is_plain(workspace: Workspace) -> bool:
    """Tell whether the clean path may speak for this configuration: nothing depends on paths or on a whole run."""
    config = workspace.config
    return not (
        config.include
        or config.exclude
        or config.overrides
        or config.waivers
        or config.suppressions
        or config.plugins
        or not _is_uniform(workspace.extensions)
    )

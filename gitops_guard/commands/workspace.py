"""What every command opens first: the tree that is meant, the configuration in it, plugins, and the run's settings."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitops_guard import report, rules
from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.circumstances import Installation, installation
from gitops_guard.commands.own_plugins import plugin_files
from gitops_guard.commands.pack_policies import PackPolicies, named_policies, pack_policies
from gitops_guard.config import DEFAULT_PATH, Config, Flags, Settings, settle
from gitops_guard.errors import ConfigError, RepoError
from gitops_guard.model import Rule
from gitops_guard.model.renderer import Renderer
from gitops_guard.policy.packs import PREFIX
from gitops_guard.repo.repository import Repo, open_tree
from gitops_guard.repo.tree import Tree
from gitops_guard.schema.bundle import versions

if TYPE_CHECKING:
    from gitops_guard.commands.policies import Policies
    from gitops_guard.commands.waivers import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says about tree, configuration and plugins."""

    directory: str = "."
    staged: bool = False
    rev: str | None = None
    config: str | None = None
    """Path of a configuration on disk; None: `.gitops-guard.yaml` of the tree."""

    plugins: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """Directories, files, packs and revisions with policies, beside those of the configuration."""

    trusted_rev: str | None = None
    """Revision from which the configuration's own plugins may be taken; None: the user's own files."""

    flags: Flags = field(default_factory=Flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What plugins and our own modules brought."""

    rules: tuple[tuple[str, Rule], ...] = ()
    """(origin, rule), sorted by id."""

    formats: Mapping[str, Callable[..., None]]
    renderers: tuple[Renderer, ...] = ()
    stamp: str = ""
    """Changes with any plugin's code."""

    policies: "Policies | PackPolicies | None" = None
    """All policies that are named, on or off; their rules are among `rules`. None when all are switched off."""

    problems: tuple[str, ...] = ()
    """One sentence for each installed plugin that could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """All that is settled before the first file is looked at."""

    tree: Tree
    repo: Repo | None
    root: str
    """Directory that repository paths are relative to."""

    config: Config
    config_text: str
    settings: Settings
    extensions: Extensions
    waivers: "Waivers | None" = None
    """Those of the configuration and beside policies; None where neither can bring any."""

    installed: Installation
    flags: Flags
    asked_policies: tuple[str, ...] = ()
    """`--policies`, as it was given."""

    def version_of(self, cluster: str) -> str:
        """Return the Kubernetes version of a cluster: its own, else the newest that is checked against."""
        known = self.config.clusters.get(cluster)
        own = known.kubernetes_version if known is not None else ""
        return own or self.settings.kubernetes_versions[-1]


def open_workspace(asked: Asked, environment: Mapping[str, str], *, tree: Tree | None = None) -> Workspace:
    """Open tree, configuration and plugins.

    Args:
        asked: The command line.
        environment: The process's variables.
        tree: Used instead of the repository's (standard input); its configuration is still the work tree's.

    Raises:
        RepoError: The tree cannot be opened.
        ConfigError: The configuration is wrong.
        PluginError: A plugin that was asked for cannot be loaded.
    """
    repo = Repo.discover(asked.directory)
    root = repo.root if repo is not None else os.path.abspath(asked.directory)
    opened = tree or open_tree(asked.directory, staged=asked.staged, rev=asked.rev)
    text, path = _config_text(asked, opened if tree is None else None, root)
    installed = installation()
    loaded = _Loaded(asked, text, path, installed, repo, root, opened if tree is None else None)
    extensions, config = _extend(loaded, environment)
    settings = settle(asked.flags, environment, config, available_versions=versions(), formats=list(extensions.formats))
    return Workspace(
        tree=opened,
        repo=repo,
        root=root,
        config=config,
        config_text=text,
        settings=settings,
        extensions=extensions,
        waivers=_waivers(loaded, config, extensions),
        installed=installed,
        flags=asked.flags,
        asked_policies=asked.policies,
    )


def _config_text(asked: Asked, tree: Tree | None, root: str) -> tuple[str, str]:
    """Return the configuration's text and the path that messages show; no configuration is an empty one."""
    if asked.config is not None:
        return _decoded(_read_file(asked.config), asked.config), asked.config
    if tree is None:
        path = os.path.join(root, DEFAULT_PATH)
        return (_decoded(_read_file(path), DEFAULT_PATH), DEFAULT_PATH) if os.path.isfile(path) else ("", "")
    if not tree.exists(DEFAULT_PATH):
        if not (asked.staged or asked.rev) and os.path.lexists(os.path.join(root, DEFAULT_PATH)):
            message = (
                "is there but Git ignores it, so nobody else has it; take it out of .gitignore or name it: --config"
            )
            raise ConfigError(message, path=DEFAULT_PATH)
        return "", ""
    try:
        return _decoded(tree.read(DEFAULT_PATH), DEFAULT_PATH), DEFAULT_PATH
    except RepoError as error:
        raise ConfigError(str(error), path=DEFAULT_PATH) from error


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text; save it as UTF-8", path=path, line=line) from error


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is known before the configuration is read for good."""

    asked: Asked
    text: str
    path: str
    installed: Installation
    repo: Repo | None
    root: str
    tree: Tree | None
    """Where the configuration's own directories are read; None for the disk."""


def _extend(loaded: _Loaded, environment: Mapping[str, str]) -> tuple[Extensions, Config]:
    """Load plugins and policies, then read the configuration with what they say about it."""
    asked, first = loaded.asked, _load(loaded.text, loaded.path)
    if not (loaded.installed.has_plugins or asked.plugins or first.plugins):
        builtin = tuple(("built-in", rule) for rule in sorted(rules.RULES, key=lambda rule: rule.id))
        extensions = _with_policies(loaded, first, Extensions(rules=builtin, formats=report.FORMATS), environment)
        return extensions, _load(loaded.text, loaded.path, known_rules=_known(extensions))
    from gitops_guard.plugins import make_plugins  # pluggy is only paid for when there are plugins

    with plugin_files(
        first.plugins, repo=loaded.repo, root=loaded.root, trusted_rev=asked.trusted_rev, head_rev=asked.rev
    ) as (base, own):
        plugins = make_plugins(own, base=base, also=asked.plugins, environment=environment)
    extensions = Extensions(
        rules=plugins.rules(),
        formats=plugins.formats(),
        renderers=plugins.renderers(),
        stamp="\n".join(f"{source.name} {source.origin} {source.stamp}" for source in plugins.sources),
        problems=plugins.problems,
    )
    extensions = _with_policies(loaded, first, extensions, environment)
    config = _load(
        loaded.text,
        loaded.path,
        known_rules=_known(extensions),
        plugin_sections=plugins.config_sections(),
        rule_options={rule.id: rule.option_schemas for _, rule in extensions.rules if hasattr(rule, "option_schemas")},
    )
    return extensions, config


def _load(text: str, path: str, **known: Any) -> Config:
    """Read the configuration; the empty one needs no YAML reader."""
    if not text.strip():
        return Config(path=path)
    from gitops_guard.config import load

    return load(text, path, **known)


def _waivers(loaded: _Loaded, config: Config, extensions: Extensions) -> "Waivers | None":
    """Read the waivers; without policies of the repository, and without any that are named, nothing is imported."""
    beside = [source for source in getattr(extensions.policies, "sources", ()) if source.origin]
    if not (config.waivers or beside):
        return None
    from gitops_guard.commands.policies import sources_of
    from gitops_guard.commands.waivers import load_waivers

    return load_waivers(
        config.waivers,
        beside,
        sources_of=lambda name: sources_of(name, loaded.tree, loaded.repo, loaded.root),
        config_path=loaded.path,
    )


def _known(extensions: Extensions) -> set[str] | None:
    """Return the ids that exist; None when a policy cannot be used, whose id is then missing through no fault here."""
    if extensions.policies is not None and extensions.policies.errors:
        return None
    return {*ENGINE_RULES, *(rule.id for _, rule in extensions.rules)}


def _with_policies(
    loaded: _Loaded, config: Config, extensions: Extensions, environment: Mapping[str, str]
) -> Extensions:
    """Add the policies that are named, those that come along by default."""
    named, flagged = named_policies(config, loaded.asked.policies)
    if not (named or flagged):
        return extensions
    settings = settle(
        loaded.asked.flags, environment, config, available_versions=versions(), formats=list(extensions.formats)
    )
    targets = {*settings.kubernetes_versions, *(v for one in config.overrides for v in one.kubernetes_versions)}
    targets_in_order = sorted(targets, key=lambda version: int(version.partition(".")[2]))
    known_rules = {*ENGINE_RULES, *(rule.id for _, rule in extensions.rules)}
    policies: PackPolicies | Policies
    if all(name.startswith(PREFIX) for name in (*named, *flagged)):
        policies = pack_policies(named, flagged, targets_in_order, known_rules, config_path=loaded.path)
    else:
        from gitops_guard.commands.policies import load_policies  # the engine of expressions costs 60 ms to import

        policies = load_policies(
            named,
            flagged,
            tree=loaded.tree,
            repo=loaded.repo,
            root=loaded.root,
            config_path=loaded.path,
            versions=targets_in_order,
            known_rules=known_rules,
        )
    both = [*extensions.rules, *((rule.source, rule) for rule in policies.rules)]
    return replace(extensions, rules=tuple(sorted(both, key=lambda pair: pair[1].id)), policies=policies)

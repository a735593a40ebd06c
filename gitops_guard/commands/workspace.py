"""What every command opens first: the tree that is meant, the configuration in it, plugins, and the run's settings."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_guard import report, rules
from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.circumstances import Installation, installation
from gitops_guard.commands.own_plugins import plugin_files
from gitops_guard.config import DEFAULT_PATH, Config, Flags, Settings, settle
from gitops_guard.errors import ConfigError, RepoError
from gitops_guard.model import Rule
from gitops_guard.model.renderer import Renderer
from gitops_guard.repo.repository import Repo, open_tree
from gitops_guard.repo.tree import Tree
from gitops_guard.schema.bundle import versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says about tree, configuration and plugins."""

    directory: str = "."
    staged: bool = False
    rev: str | None = None
    config: str | None = None
    """Path of a configuration on disk; None: `.gitops-guard.yaml` of the tree."""

    plugins: tuple[str, ...] = ()
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
    installed: Installation
    flags: Flags


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
    extensions, config = _extend(asked, text, path, installed, repo, root, environment)
    settings = settle(asked.flags, environment, config, available_versions=versions(), formats=list(extensions.formats))
    return Workspace(
        tree=opened,
        repo=repo,
        root=root,
        config=config,
        config_text=text,
        settings=settings,
        extensions=extensions,
        installed=installed,
        flags=asked.flags,
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


def _extend(
    asked: Asked,
    text: str,
    path: str,
    installed: Installation,
    repo: Repo | None,
    root: str,
    environment: Mapping[str, str],
) -> tuple[Extensions, Config]:
    """Load plugins, then read the configuration with what they say about it."""
    named = _load(text, path).plugins
    if not (installed.has_plugins or asked.plugins or named):
        known = {*ENGINE_RULES, *(rule.id for rule in rules.RULES)}
        builtin = tuple(("built-in", rule) for rule in sorted(rules.RULES, key=lambda rule: rule.id))
        return Extensions(rules=builtin, formats=report.FORMATS), _load(text, path, known_rules=known)
    from gitops_guard.plugins import make_plugins  # pluggy is only paid for when there are plugins

    with plugin_files(named, repo=repo, root=root, trusted_rev=asked.trusted_rev, head_rev=asked.rev) as (base, own):
        plugins = make_plugins(own, base=base, also=asked.plugins, environment=environment)
    found = plugins.rules()
    known = {*ENGINE_RULES, *(rule.id for _, rule in found)}
    config = _load(text, path, known_rules=known, plugin_sections=plugins.config_sections())
    extensions = Extensions(
        rules=found,
        formats=plugins.formats(),
        renderers=plugins.renderers(),
        stamp="\n".join(f"{source.name} {source.origin} {source.stamp}" for source in plugins.sources),
        problems=plugins.problems,
    )
    return extensions, config


def _load(text: str, path: str, **known: Any) -> Config:
    """Read the configuration; the empty one needs no YAML reader."""
    if not text.strip():
        return Config(path=path)
    from gitops_guard.config import load

    return load(text, path, **known)

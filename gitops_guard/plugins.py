"""The plugin manager: hook specifications, built-ins, entry points, and modules that a repository carries itself.

Made by a function and passed along; there is no manager at module level. Nothing here is imported while no plugin is
installed or named: `gitops_guard.check.circumstances` tells that in a millisecond.
"""

import importlib
import importlib.metadata
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from gitops_guard import hookspecs, report, rules
from gitops_guard.authoring import FunctionRule
from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.errors import PluginError
from gitops_guard.model import Rule, Severity
from gitops_guard.model.renderer import Renderer

DISABLE_VARIABLE = "GITOPS_GUARD_DISABLE_PLUGINS"
"""When set to anything but the empty string, entry points are not loaded: helps to find a plugin at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSource:
    """Where a plugin came from, as `gitops-guard rules` shows it and as the verdict cache keys it."""

    name: str
    """Entry point, module or file: `missing_team_label`."""

    origin: str
    """`acme-guard-rules 1.2.0`, `tools/guard_rules.py` or `built-in`."""

    stamp: str = ""
    """Changes whenever the plugin's code changes: its version, and the content of its files."""

    asked_for: bool = False
    """Named by the command line or the configuration: when it fails, the run does. An installed one is passed over."""


class BuiltIn:
    """Our own rules and formats, brought by the same hooks as everybody's."""

    @hookspecs.hookimpl
    def gitops_guard_rules(self) -> Iterable[Rule]:
        """Return the built-in rule objects."""
        return rules.RULES

    @hookspecs.hookimpl
    def gitops_guard_formats(self) -> Mapping[str, Callable[..., None]]:
        """Return the built-in formats."""
        return report.FORMATS


class Plugins:
    """The registered plugins of one run, and what they brought."""

    def __init__(self, manager: pluggy.PluginManager, sources: Sequence[PluginSource], problems: Sequence[str]) -> None:
        self._manager = manager
        self.sources = tuple(sources)
        self._problems = list(problems)

    @property
    def problems(self) -> tuple[str, ...]:
        """Return one sentence for each installed plugin that failed so far; what it would have brought is missing."""
        return tuple(self._problems)

    def _collect(self, hook: str, check: Callable[[Any], Any]) -> Iterable[tuple[str, Any]]:
        """Call one hook plugin by plugin, so that a failure names the one at fault and hides no other.

        Args:
            hook: Name of the hook.
            check: Makes a collection of what the plugin returned; raises when it is of the wrong form.
        """
        caller = getattr(self._manager.hook, hook)
        for implementation in sorted(caller.get_hookimpls(), key=lambda found: str(found.plugin_name)):
            name = str(implementation.plugin_name)
            try:
                yield name, check(implementation.function())
            except Exception as error:  # a plugin may fail in any way
                self._blame(name, f"failed in {hook}: {type(error).__name__}: {error}", error)

    def _written_as_functions(self) -> Iterable[tuple[str, Any]]:
        """Collect the functions that a plugin's module marks with `@rule`: no hook needs to return them."""
        for name, plugin in sorted(self._manager.list_name_plugin()):
            found = [value for value in vars(plugin).values() if isinstance(value, FunctionRule)] if plugin else []
            try:
                for one in found:
                    _ = one.plan  # all that it asks for is there
                yield name, [_sound_rule(one) for one in found]
            except PluginError as error:
                self._blame(name, f"cannot be used: {error}", error)

    def _blame(self, name: str, what: str, error: Exception) -> None:
        """Keep what a plugin did wrong; one that was asked for ends the run."""
        problem = f"plugin {self._described(name)} {what}"
        if self._source(name).asked_for:
            raise PluginError(problem) from error
        self._problems.append(problem)

    def _source(self, name: str) -> PluginSource:
        return next(source for source in self.sources if source.name == name)

    def _described(self, name: str) -> str:
        origin = self.origin(name)
        return name if origin in {name, f"module {name}"} else f"{name} of {origin}"

    def origin(self, name: str) -> str:
        """Say where a plugin came from: `acme-guard-rules 1.2.0`; its name when nothing else is known."""
        return next((source.origin for source in self.sources if source.name == name), name)

    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Return (origin, rule) of all rules, sorted by id.

        Raises:
            PluginError: A plugin failed, or two rules share an id.
        """
        found = sorted(self._brought(), key=lambda pair: pair[1].id)
        for (first, rule), (second, other) in itertools.pairwise(found):
            if rule.id == other.id:
                raise PluginError(f"rule {rule.id} comes from {first} and from {second}; rename or disable one of them")
        for origin, rule in found:
            if rule.id in ENGINE_RULES:
                raise PluginError(f"rule {rule.id} of {origin} has the id of a built-in rule; rename it")
        return tuple(found)

    def _brought(self) -> Iterable[tuple[str, Rule]]:
        """Yield (origin, rule), each rule once: a module may return one by the hook, and others may import it."""
        returned = self._collect("gitops_guard_rules", lambda rules: [_sound_rule(rule) for rule in rules])
        seen: set[int] = set()
        for name, brought in itertools.chain(returned, self._written_as_functions()):
            yield from ((self.origin(name), rule) for rule in brought if id(rule) not in seen)
            seen.update(id(rule) for rule in brought)

    def formats(self) -> dict[str, Callable[..., None]]:
        """Return formats by name.

        Raises:
            PluginError: A plugin failed, or two formats share a name.
        """
        return self._named("gitops_guard_formats", "format")

    def config_sections(self) -> dict[str, Mapping[str, Any]]:
        """Return JSON Schemas by section of `plugin-options:`.

        Raises:
            PluginError: A plugin failed, or two sections share a name.
        """
        return self._named("gitops_guard_config", "configuration section")

    def _named(self, hook: str, what: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for plugin, named in self._collect(hook, dict):
            for name in sorted(named):
                if name in found:
                    raise PluginError(f"{what} {name} comes from {owners[name]} and from {self.origin(plugin)}")
                found[name], owners[name] = named[name], self.origin(plugin)
        return found

    def renderers(self) -> tuple[Renderer, ...]:
        """Return all renderers, sorted by name."""
        brought = self._collect("gitops_guard_renderers", lambda renderers: [_Claiming(one) for one in renderers])
        found = [renderer for _, renderers in brought for renderer in renderers]
        return tuple(sorted(found, key=lambda renderer: renderer.name))


class _Claiming:
    """A plugin's renderer whose failing `claims` is the plugin's error and not ours."""

    def __init__(self, renderer: Renderer) -> None:
        self.name = renderer.name
        self.render = renderer.render
        self._claims = renderer.claims

    def claims(self, path: str) -> bool:
        try:
            return bool(self._claims(path))
        except Exception as error:  # a plugin may fail in any way
            raise PluginError(
                f"renderer {self.name} failed on {path}: {type(error).__name__}; tell its author"
            ) from error


def _sound_rule(rule: Any) -> Rule:
    """Return a rule that has what a rule must have; what is missing would otherwise show in the middle of a run."""
    if not (isinstance(rule.id, str) and isinstance(rule.summary, str) and isinstance(rule.severity, Severity)):
        raise TypeError(f"{type(rule).__name__} needs id and summary as text, and a model.Severity as severity")
    if isinstance(rule.kinds, str) or not all(isinstance(kind, str) for kind in rule.kinds) or not callable(rule.check):
        raise TypeError(f"rule {rule.id} needs kinds as a tuple of text, and a method check")
    found: Rule = rule
    return found


def make_plugins(
    named: Iterable[str] = (),
    *,
    base: str = ".",
    also: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Plugins:
    """Register the hook specifications, our own modules, all installed plugins, and those named.

    Args:
        named: Modules (`acme.guard_rules`) or Python files relative to `base`, from the configuration.
        base: Directory to resolve those files against.
        also: The same from the command line (`-p`), relative to the current directory.
        environment: Where `GITOPS_GUARD_DISABLE_PLUGINS` is looked up; the process's own by default.

    Raises:
        PluginError: A named plugin cannot be loaded, or a hook implementation does not fit any specification.
    """
    environment = os.environ if environment is None else environment
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    sources = [PluginSource(name="gitops_guard", origin="built-in")]
    problems: list[str] = []
    _register(manager, BuiltIn(), sources[0])
    if not environment.get(DISABLE_VARIABLE):
        for point in _entry_points():
            _register_entry_point(manager, point, sources, problems)
    for name, folder in [*((name, base) for name in named), *((name, ".") for name in also)]:
        module, source = _load_named(name, folder)
        _register(manager, module, source)
        sources.append(source)
    return Plugins(manager, sources, problems)


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    found = importlib.metadata.entry_points(group=hookspecs.PROJECT)
    return sorted(found, key=lambda point: (point.name, point.value))


def _register_entry_point(
    manager: pluggy.PluginManager,
    point: importlib.metadata.EntryPoint,
    sources: list[PluginSource],
    problems: list[str],
) -> None:
    origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    source = PluginSource(name=point.name, origin=origin)
    before = set(sys.modules)
    try:
        plugin = point.load()
        stamp = f"{origin} {_stamp(sys.modules[point.module], before)}"
        source = PluginSource(name=point.name, origin=origin, stamp=stamp)
        _register(manager, plugin, source)
    except (Exception, SystemExit) as error:  # a plugin may fail in any way; it must not hide the others
        problems.append(f"plugin {point.name} of {origin} could not be loaded: {type(error).__name__}: {error}")
    else:
        sources.append(source)


def _register(manager: pluggy.PluginManager, plugin: object, source: PluginSource) -> None:
    try:
        manager.register(plugin, name=source.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.get_plugin(source.name) is plugin:
            manager.unregister(plugin)
        raise PluginError(f"plugin {source.name} ({source.origin}): {error}") from error


def _load_named(name: str, base: str) -> tuple[ModuleType, PluginSource]:
    if name.endswith(".py") or os.sep in name:
        return _load_file(name, base)
    before = set(sys.modules)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # a plugin may fail in any way
        raise PluginError(f"plugin module {name} could not be imported: {type(error).__name__}: {error}") from error
    return module, PluginSource(name=name, origin=f"module {name}", stamp=_stamp(module, before), asked_for=True)


def _load_file(path: str, base: str) -> tuple[ModuleType, PluginSource]:
    full = os.path.join(base, path)
    spec = importlib.util.spec_from_file_location(f"gitops_guard_plugin_{abs(hash(os.path.abspath(full)))}", full)
    if spec is None or spec.loader is None or not os.path.isfile(full):
        raise PluginError(f"plugin file {path} does not exist or is no Python file")
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[spec.name] = module
    try:
        # Compiled here, under the path that people know: a trusted revision's files lie in a folder that is gone later.
        with open(full, "rb") as stream:
            exec(compile(stream.read(), path, "exec", dont_inherit=True), vars(module))  # noqa: S102  # a plugin is code
    except (Exception, SystemExit) as error:  # a plugin may fail in any way
        del sys.modules[spec.name]
        raise PluginError(f"plugin file {path} could not be run: {type(error).__name__}: {error}") from error
    return module, PluginSource(name=path, origin=path, stamp=_stamp(module, before), asked_for=True)


def _stamp(module: ModuleType, before: Collection[str]) -> str:
    """Return what changes with a plugin's code.

    Of a package all files count, since an editable one keeps its version; so does every module that the plugin was the
    first to import, Python's own left out.

    Args:
        module: The plugin.
        before: Names of the modules that were there before it was loaded.
    """
    top = sys.modules.get(module.__name__.partition(".")[0], module)
    files = {getattr(module, "__file__", None)}
    for root in getattr(top, "__path__", ()):
        files.update(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    for name in set(sys.modules) - set(before):
        if name.partition(".")[0] not in sys.stdlib_module_names:
            files.add(getattr(sys.modules[name], "__file__", None))
    return _hashed(file for file in files if file is not None and file.endswith(".py"))


def _hashed(paths: Iterable[str]) -> str:
    found: list[str] = []
    for path in sorted(path for path in paths if os.path.isfile(path)):
        with open(path, "rb") as stream:
            found.append(importlib.util.source_hash(stream.read()).hex())
    return " ".join(found)

"""The hooks by which plugins, and our own built-ins, bring rules, formats, renderers and configuration.

A plugin is a module or object with functions marked `@hookimpl`, found by an entry point of the group `gitops_guard`,
by `-p MODULE_OR_PATH`, or by `plugins:` in the configuration. Every hook is called once a run, before any file is
read; what it returns is collected from all plugins and sorted by id, since pluggy calls the last registered first.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pluggy

from gitops_guard.model import Rule
from gitops_guard.model.renderer import Renderer

PROJECT = "gitops_guard"

hookspec = pluggy.HookspecMarker(PROJECT)

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's functions: `from gitops_guard.hookspecs import hookimpl`."""


@hookspec
def gitops_guard_rules() -> Iterable[Rule]:  # type: ignore[empty-body]  # a specification has no body
    """Return rule objects.

    Called once a run, after the configuration is known and before the first file is read. The rules are then called
    directly, resource by resource, perhaps in several processes: they hold no state. A rule that raises becomes an
    error entry that names rule and resource. Two rules of one id are an error. An optional attribute
    `documentation` (Markdown) is the page that `gitops-guard explain` prints.
    """


@hookspec
def gitops_guard_formats() -> Mapping[str, Callable[..., None]]:  # type: ignore[empty-body]
    """Return output formats by name: functions that take `(report, stream, options)` and write the whole report.

    Called once a run, before the first file is read; `--format NAME` chooses one. A name that exists already is an
    error. A format that raises ends the run with exit code 2.
    """


@hookspec
def gitops_guard_renderers() -> Iterable[Renderer]:  # type: ignore[empty-body]
    """Return renderers for files that are no manifests themselves.

    Called once a run before the first file is read. For each file of the tree the first renderer (by name) whose
    `claims` says yes renders it; the resources are judged as if they stood in a manifest.
    """


@hookspec
def gitops_guard_config() -> Mapping[str, Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return JSON Schemas for the plugin's sections of the configuration, by section name.

    Called once a run before the configuration is read. A section stands under `plugin-options:` in
    `.gitops-guard.yaml`; what does not fit its schema is a configuration error with key and line. Rules read their
    own options from `context.options`.
    """

"""`gitops-guard render`: what will really be deployed, as YAML, with where each object comes from."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from gitops_guard.commands.selection import repository_paths
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.errors import UsageError
from gitops_guard.model import CheckError
from gitops_guard.model.unit import RenderedObject, RenderedUnit, Unit
from gitops_guard.render import Options, render
from gitops_guard.repo.tree import Tree, shown

RENDERED, NOT_RENDERED = 0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """The command line."""

    asked: Asked
    path: str | None = None
    """A file or directory; None: all units."""

    allow_network: bool = False
    no_cache: bool = False


def run(request: RenderRequest, environment: Mapping[str, str]) -> int:
    """Render and print.

    Args:
        request: The command line.
        environment: The process's variables.

    Returns:
        0; 2 if a unit, or a part of one, could not be rendered. All others are printed nevertheless.

    Raises:
        UsageError: There is no such path, or nothing is deployed from it.
        GuardError: Tree or configuration cannot be read.
    """
    workspace = open_workspace(request.asked, environment)
    rendering = render(workspace.tree, _options(request, workspace, environment), _wanted(request, workspace))
    if request.path is not None and not rendering.units:
        raise UsageError(
            f"no unit is deployed from or declared in {shown(request.path)}; name its overlay or leave it out"
        )
    for unit in rendering.units:
        _write(unit, sys.stdout)
    errors = [error for unit in rendering.units for error in unit.errors]
    for line in dict.fromkeys(_told(error) for error in errors):
        sys.stderr.write(line)
    return NOT_RENDERED if errors else RENDERED


def _options(request: RenderRequest, workspace: Workspace, environment: Mapping[str, str]) -> Options:
    settings = workspace.settings
    return Options(
        environment=environment,
        clusters=workspace.config.clusters,
        kubernetes_version=settings.kubernetes_versions[-1],
        remotes=workspace.repo.remote_urls if workspace.repo is not None else (),
        allow_network=request.allow_network,
        cache_dir="" if request.no_cache else settings.cache_dir,
        jobs=settings.jobs,
    )


def _wanted(request: RenderRequest, workspace: Workspace) -> Callable[[Unit], bool]:
    if request.path is None:
        return lambda _: True
    path = next(iter(repository_paths([request.path], workspace.root)), "")
    if path and not _exists(workspace.tree, path):
        raise UsageError(f"{shown(request.path)}: no such file or directory in the {workspace.tree.label}")
    return lambda unit: any(not path or place == path or place.startswith(f"{path}/") for place in _places(unit))


def _exists(tree: Tree, path: str) -> bool:
    return any(entry.path == path or entry.path.startswith(f"{path}/") for entry in tree.entries())


def _places(unit: Unit) -> Iterator[str]:
    yield unit.declared_in
    if unit.path:
        yield unit.path


def _write(unit: RenderedUnit, stream: TextIO) -> None:
    stream.writelines(f"---\n{_comment(unit.unit, one)}{one.text}" for one in unit.objects)


def _comment(unit: Unit, one: RenderedObject) -> str:
    """Return one comment line: source, unit, cluster, and what it is where it is no ordinary object."""
    origin = one.resource.origin
    clusters = f" on {', '.join(map(shown, unit.clusters))}" if unit.clusters else ""
    hook = f" [chart {'test' if one.hook.startswith('test') else f'hook {shown(one.hook)}'}]" if one.hook else ""
    return f"# {shown(origin.path)}:{origin.line} ({unit.kind} {shown(unit.name)}{clusters}){hook}\n"


def _told(error: CheckError) -> str:
    place = f"{shown(error.path)}:{error.line}" if error.line else shown(error.path)
    message = "\n".join(shown(line) for line in error.message.splitlines())
    return f"{place}: {message}\n"

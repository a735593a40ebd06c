"""Tree to units to objects: what will really be deployed, rendered by the controllers' own tools.

    files -> discover (kustomizations, charts, Flux, Argo CD) -> jobs -> carry_out (copy, run, substitute) -> units

Nothing runs in the work tree and nothing reaches the network unless allowed. A unit that cannot be rendered is an error
of that unit; the others go on.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gitops_guard.config.model import Cluster
from gitops_guard.model.unit import RenderedUnit, Rendering, Unit, UnitKind
from gitops_guard.render.cache import OutputCache
from gitops_guard.render.carry_out import Bench, carry_out
from gitops_guard.render.clusters import Clusters
from gitops_guard.render.declared import Known
from gitops_guard.render.discover import Discovery, discover
from gitops_guard.render.files import Files
from gitops_guard.render.flux import Surroundings
from gitops_guard.render.process import Limits
from gitops_guard.render.recipe import Job
from gitops_guard.render.repositories import Repositories
from gitops_guard.render.tools import Tools, find_tools
from gitops_guard.repo.tree import Tree

__all__ = ["Limits", "Options", "Tools", "find_tools", "render", "units"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to render."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """The process's variables: tools are found on its PATH; with network they see all of it."""

    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """From the configuration."""

    kubernetes_version: str = ""
    """`1.36`, for clusters whose own version is not configured; empty: helm's own."""

    remotes: tuple[str, ...] = ()
    """URLs of the clone's remotes: which sources of Flux and Argo CD are this repository."""

    allow_network: bool = False
    cache_dir: str = ""
    """Of all our caches; empty: remember nothing."""

    jobs: int = 0
    """Tools that run at the same time; 0: as many as there are processors."""

    limits: Limits = field(default_factory=Limits)
    tools: Tools | None = None
    """None: those that are found."""


def render(tree: Tree, options: Options, wanted: Callable[[Unit], bool] = lambda _: True) -> Rendering:
    """Render the units of a tree.

    Args:
        tree: What is rendered.
        options: How.
        wanted: Which of its units; units that declare others are rendered anyhow.

    Returns:
        The wanted units, sorted; the same whatever the number of workers.
    """
    bench = _bench(tree, options)
    found = _discover(bench, options)
    missing = [index for index, job in enumerate(found.jobs) if wanted(job.unit) and index not in found.rendered]
    made = _all(bench, options, [found.jobs[index] for index in missing])
    results = {**found.rendered, **dict(zip(missing, made, strict=True))}
    bench.cache.trim()
    return Rendering(
        units=tuple(
            results[index] for index in sorted(results) if wanted(found.jobs[index].unit) and _is_any(results[index])
        )
    )


def units(tree: Tree, options: Options) -> tuple[Unit, ...]:
    """Return the units of a tree, sorted; only what declares others is rendered.

    A directory is listed also where its files turn out to hold no objects once they are read.
    """
    return tuple(job.unit for job in _discover(_bench(tree, options), options).jobs)


def _is_any(unit: RenderedUnit) -> bool:
    """Tell whether a unit is one: a directory is by its objects only."""
    return unit.unit.kind is not UnitKind.DIRECTORY or bool(unit.objects or unit.errors)


def _bench(tree: Tree, options: Options) -> Bench:
    return Bench(
        files=Files(tree),
        tools=options.tools or find_tools(options.environment),
        cache=OutputCache(options.cache_dir),
        limits=options.limits,
        environment=options.environment,
        allow_network=options.allow_network,
    )


def _discover(bench: Bench, options: Options) -> Discovery:
    around = Surroundings(
        files=bench.files,
        known=Known(),
        clusters=Clusters(options.clusters),
        repositories=Repositories(bench.files, options.remotes),
        kubernetes_version=options.kubernetes_version,
    )
    return discover(around, lambda jobs: _all(bench, options, jobs))


def _all(bench: Bench, options: Options, jobs: list[Job]) -> list[RenderedUnit]:
    workers = options.jobs or os.cpu_count() or 1
    if len(jobs) < 2 or workers == 1:
        return [carry_out(job, bench) for job in jobs]
    with ThreadPoolExecutor(max_workers=workers) as pool:  # the work is the tools' own, in their processes
        return list(pool.map(lambda job: carry_out(job, bench), jobs))

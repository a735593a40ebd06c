"""The units of one tree: which there are, which a change touches, and each one rendered when it is first asked for."""

import os
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from gitops_guard.model.unit import RenderedUnit, Unit, UnitKind
from gitops_guard.render.cache import OutputCache, key_of
from gitops_guard.render.carry_out import Bench, carry_out
from gitops_guard.render.clusters import Clusters
from gitops_guard.render.declared import Known
from gitops_guard.render.discover import discover
from gitops_guard.render.files import Files
from gitops_guard.render.flux import Surroundings
from gitops_guard.render.needs import needs
from gitops_guard.render.options import Options
from gitops_guard.render.recipe import Job
from gitops_guard.render.repositories import Repositories
from gitops_guard.render.tools import find_tools
from gitops_guard.repo.tree import Tree, path_bytes


class Units:
    """Finds the units of a tree at once, and renders them as they are asked for."""

    def __init__(self, tree: Tree, options: Options, *, beside: "Units | None" = None) -> None:
        """Find the units; what declares others is rendered for that.

        Args:
            tree: What is rendered.
            options: How.
            beside: The units of another tree of the same repository: what both hold is read once.
        """
        self._options = options
        self._bench: Bench = Bench(
            files=Files(tree, None if beside is None else beside._bench.files),
            tools=options.tools or find_tools(options.environment),
            cache=OutputCache(options.cache_dir),
            limits=options.limits,
            environment=options.environment,
            allow_network=options.allow_network,
            settles=options.settles,
        )
        around = Surroundings(
            files=self._bench.files,
            known=Known(),
            clusters=Clusters(options.clusters),
            repositories=Repositories(self._bench.files, options.remotes),
            kubernetes_version=options.kubernetes_version,
        )
        found = discover(around, self._carry_out)
        self._jobs = found.jobs
        self._rendered = found.rendered
        self._numbers: dict[Unit, list[int]] = {}
        for number, job in enumerate(self._jobs):
            self._numbers.setdefault(job.unit, []).append(number)

    @property
    def all(self) -> tuple[Unit, ...]:
        """Return the units, sorted; a directory also where its files turn out to hold no objects."""
        return tuple(job.unit for job in self._jobs)

    def affected(self, paths: Collection[str]) -> tuple[Unit, ...]:
        """Return the units that some of these files have a part in, sorted; nothing is rendered for it.

        Args:
            paths: Repository paths; also of files that are gone, whose names may still be in use.
        """
        wanted = frozenset(paths)
        return tuple(job.unit for job in self._jobs if needs(self._bench.files, job).touches(wanted))

    def stamp(self, unit: Unit) -> str:
        """Return what changes with anything that decides how a unit is rendered; nothing is rendered for it."""
        files, parts = self._bench.files, list[bytes]()
        for number in self._numbers[unit]:
            job = self._jobs[number]
            parts.append(repr((job.sources, job.substitution, job.kubernetes_version, job.api_versions)).encode())
            wanted = needs(files, job)
            below = {path for folder in wanted.folders for path in files.below(folder)}
            for path in sorted(wanted.contents | below):
                blob = files.blob(path) if files.is_file(path) else "none"
                parts += (path_bytes(path), blob.encode())
        return key_of(parts)

    def reads(self, unit: Unit) -> frozenset[str]:
        """Return the files that a unit is made of; nothing is rendered for it."""
        files, found = self._bench.files, set[str]()
        for number in self._numbers[unit]:
            wanted = needs(files, self._jobs[number])
            found |= wanted.contents
            found.update(path for folder in wanted.folders for path in files.below(folder))
        return frozenset(found)

    def render(self, wanted: Iterable[Unit]) -> tuple[RenderedUnit, ...]:
        """Render units, several at a time, each once.

        Args:
            wanted: Among `all`.

        Returns:
            They, sorted, without directories that hold no objects; the same whatever the number of workers.
        """
        numbers = sorted({number for unit in wanted for number in self._numbers[unit]})
        missing = [number for number in numbers if number not in self._rendered]
        made = self._carry_out([self._jobs[number] for number in missing])
        self._rendered.update(zip(missing, made, strict=True))
        if missing:
            self._bench.cache.trim()
        return tuple(self._rendered[number] for number in numbers if _is_any(self._rendered[number]))

    def _carry_out(self, jobs: list[Job]) -> list[RenderedUnit]:
        workers = self._options.jobs or os.cpu_count() or 1
        if len(jobs) < 2 or workers == 1:
            return [carry_out(job, self._bench) for job in jobs]
        with ThreadPoolExecutor(max_workers=workers) as pool:  # the work is the tools' own, in their processes
            return list(pool.map(lambda job: carry_out(job, self._bench), jobs))


def _is_any(unit: RenderedUnit) -> bool:
    """Tell whether a unit is one: a directory is by its objects only."""
    return unit.unit.kind is not UnitKind.DIRECTORY or bool(unit.objects or unit.errors)

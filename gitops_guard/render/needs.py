"""Which files a unit needs, told without running a tool: the edges of the graph from files to units."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from gitops_guard.errors import RepoError
from gitops_guard.render import build_kustomize
from gitops_guard.render.chart import chart_files
from gitops_guard.render.files import Files
from gitops_guard.render.recipe import Helm, Job, Kustomize, Plain, Source, ValuesFile


@dataclass(slots=True)
class Needs:
    """What a unit is made of."""

    contents: set[str] = field(default_factory=set)
    """Files that the rendering reads; also such as are named and not there."""

    makers: set[str] = field(default_factory=set)
    """Files that had a part in making the unit what it is: the one that declares it, variables, generators' files."""

    folders: set[str] = field(default_factory=set)
    """Directories of which every file counts, also one that is gone."""

    def touches(self, paths: Collection[str]) -> bool:
        """Tell whether one of the paths is among them."""
        if not (self.contents.isdisjoint(paths) and self.makers.isdisjoint(paths)):
            return True
        prefixes = tuple(f"{folder}/" if folder else "" for folder in self.folders)
        return bool(prefixes) and any(path.startswith(prefixes) for path in paths)


def needs(files: Files, job: Job) -> Needs:
    """Return what a job's rendering depends on.

    Args:
        files: The tree.
        job: How the unit is rendered.
    """
    found = Needs(makers={job.unit.declared_in, *job.also})
    for source in job.sources:
        found.contents.update(_files(files, source))
        found.folders.update(_folders(files, source))
    return found


def _files(files: Files, source: Source) -> Iterable[str]:
    if isinstance(source, Plain):
        return source.paths
    if isinstance(source, Helm):
        return (one.path for one in (*source.defaults, *source.values) if isinstance(one, ValuesFile))
    try:
        reached = build_kustomize.reach(files, source)
    except RepoError:
        return ()  # rendering it says what is wrong
    return reached.paths | reached.missing


def _folders(files: Files, source: Source) -> Iterator[str]:
    if isinstance(source, Kustomize) and source.generate:
        yield source.folder
    elif isinstance(source, Helm) and isinstance(source.chart, str):
        yield source.chart
        yield from chart_files(files, source.chart, allow_network=True).folders

"""Which units a tree holds.

Controllers' objects come first: what they deploy is theirs. They are read from plain files, and from the rendered
output of whatever holds them (an overlay with Flux objects, an app of apps), wave after wave. What no controller
deploys is a unit by itself: each kustomization that no other one uses, each chart with each values file, each directory
of plain manifests.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from gitops_guard.config.waivers import GROUP, KIND, may_hold_waivers
from gitops_guard.errors import RepoError
from gitops_guard.manifest.classify import is_helm_template, not_a_manifest, unfold
from gitops_guard.manifest.plain import looks_like_manifest
from gitops_guard.model import Body, CheckError, Origin
from gitops_guard.model.resource import resource_id
from gitops_guard.model.unit import RenderedUnit, Unit, UnitKind
from gitops_guard.render import applicationset, argocd, flux
from gitops_guard.render.applicationset import NotGeneratedError
from gitops_guard.render.chart import CHART, charts, is_library, values_files
from gitops_guard.render.declared import (
    ARGO,
    SOURCE_KINDS,
    TELLING,
    UNIT_KINDS,
    Declared,
    declared,
    is_referred_to,
    is_unit,
)
from gitops_guard.render.files import Files, is_within
from gitops_guard.render.flux import Surroundings
from gitops_guard.render.kustomization import NAMES, closure, kustomization_file, line_of, roots
from gitops_guard.render.recipe import Helm, Job, Kustomize, Plain, ValuesFile

RenderAll = Callable[[list[Job]], list[RenderedUnit]]
_YAML = (".yaml", ".yml", ".json")
_KINDS = "|".join(("ConfigMap", "Secret", *UNIT_KINDS, *SOURCE_KINDS))
_DECLARES = re.compile(rf"""kind["']?[ \t]*:[ \t\n]*["']?(?:{_KINDS})""".encode())
"""What a file holds that declares units, or objects that these refer to."""

_MOST_WAVES = 10
_MOST_UNITS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The units of a tree, and what was rendered on the way to find them."""

    jobs: tuple[Job, ...]
    """Sorted by unit."""

    rendered: dict[int, RenderedUnit] = field(default_factory=dict)
    """By index in `jobs`."""


@dataclass(slots=True, kw_only=True)
class _Layout:
    """What the tree's own files say before any controller's object is read."""

    roots: list[str]
    charts: list[str]
    reached: dict[str, set[str]]
    """Files that the build of each root reads."""

    folders: set[str]
    """Directories of all kustomizations."""

    plain: list[str]
    """Manifests that belong to no kustomization and no chart."""


def discover(around: Surroundings, render_all: RenderAll) -> Discovery:
    """Find all units of a tree.

    Args:
        around: The tree and what is known of its surroundings; what is found is added to `around.known`.
        render_all: Renders jobs: objects may be declared by what others deploy.
    """
    return _Search(around, render_all).run()


class _Search:
    """The state of one discovery."""

    def __init__(self, around: Surroundings, render_all: RenderAll) -> None:
        self._around = around
        self._files = around.files
        self._render_all = render_all
        self._rendered: dict[int, tuple[Job, RenderedUnit]] = {}
        self._jobs: list[Job] = []
        self._uses: list[tuple[str, str, str]] = []

    def run(self) -> Discovery:
        layout = self._layout()
        waiting = list(self._of_plain_files(layout.plain))
        own = [*self._root_jobs(layout), *self._chart_jobs(layout)]
        waiting += self._of_output([job for job in own if self._is_telling(job)])
        for _ in range(_MOST_WAVES):
            if not waiting or len(self._jobs) > _MOST_UNITS:
                break
            waiting = self._wave(waiting)
        claimed = _Claims(self._files, self._jobs)
        self._jobs += [job for job in own if not claimed.has_build(job)]
        self._jobs += self._plain_jobs(layout, claimed)
        ordered = sorted(self._jobs, key=lambda job: job.unit)
        rendered = {index: self._rendered[id(job)][1] for index, job in enumerate(ordered) if id(job) in self._rendered}
        return Discovery(jobs=tuple(ordered), rendered=rendered)

    def _wave(self, found: list[Declared]) -> list[Declared]:
        """Turn objects into jobs, and return what these declare in turn."""
        generated = [one for one in found if one.id.kind != "ApplicationSet"]
        for one in found:
            if one.id.kind == "ApplicationSet":
                generated += self._applications(one)
        self._learn(generated)
        jobs = [self._job(one) for one in generated]
        self._jobs += jobs
        return self._of_output([job for job in jobs if self._is_telling(job)])

    def _learn(self, found: Iterable[Declared]) -> None:
        for one in found:
            if one.id.group == ARGO:
                self._uses += argocd.sources_used(one)
            else:
                self._uses += flux.sources_used(one, self._around.known)
        self._around.repositories.learn(self._uses)
        self._uses = []

    def _job(self, one: Declared) -> Job:
        self._around.known.asked_for()
        made = argocd.job(one, self._around) if one.id.group == ARGO else flux.job(one, self._around)
        return replace(made, also=one.also | self._around.known.asked_for())

    def _applications(self, one: Declared) -> list[Declared]:
        self._around.repositories.learn(applicationset.sources_used(one))
        try:
            return [made for made in applicationset.applications(one, self._around) if self._around.known.add(made)]
        except (NotGeneratedError, RepoError) as error:
            place = one.origin
            message = f"not rendered: {error}"
            wrong = CheckError(path=place.path, line=place.line, column=0, message=message)
            unit = Unit(
                kind=UnitKind.APPLICATION_SET,
                name=one.name,
                path="",
                declared_in=place.path,
                declared_line=place.line,
                clusters=one.clusters,
            )
            self._jobs.append(Job(unit=unit, errors=(wrong,)))
            return []

    # What the tree itself says --------------------------------------------------------------------------------------

    def _layout(self) -> _Layout:
        files = self._files
        found_charts = charts(files)
        in_charts = [path for path in files.named(*NAMES) if _outermost(path, found_charts) is None]
        folders = {posixpath.dirname(path): path for path in reversed(in_charts)}
        top = roots(files, folders)
        reached = {folder: closure(files, folder, unrestricted=False).paths for folder in top}
        inside = {path for paths in reached.values() for path in paths}
        inside |= {path for folder in folders for path in closure(files, folder).paths if folder not in reached}
        plain = [
            path
            for path in files.below("")
            if path.endswith(_YAML)
            and path not in inside
            and _outermost(path, found_charts) is None
            and not any(part.startswith(".") for part in path.split("/"))
        ]
        return _Layout(roots=top, charts=found_charts, reached=reached, folders=set(folders), plain=plain)

    def _root_jobs(self, layout: _Layout) -> Iterator[Job]:
        for folder in layout.roots:
            path = kustomization_file(self._files, folder)
            assert path is not None
            unit = Unit(
                kind=UnitKind.KUSTOMIZATION,
                name=folder or ".",
                path=folder,
                declared_in=path,
                declared_line=line_of(self._files, path),
                clusters=self._around.clusters.at(path),
            )
            yield Job(unit=unit, sources=(Kustomize(folder=folder),))

    def _chart_jobs(self, layout: _Layout) -> Iterator[Job]:
        for folder in layout.charts:
            if is_library(self._files, folder):
                continue
            path = f"{folder}/{CHART}".lstrip("/")
            beside = values_files(self._files, folder)
            for values in beside or [""]:
                for clusters in self._alike(self._around.clusters.at(values or path)):
                    yield self._chart_job(folder, values, clusters)

    def _alike(self, clusters: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return clusters in groups for which a chart renders the same."""
        known, groups = self._around.clusters, dict[tuple[str, tuple[str, ...]], list[str]]()
        for name in clusters:
            groups.setdefault((known.version([name], ""), known.api_versions([name])), []).append(name)
        return [tuple(names) for names in groups.values()] or [()]

    def _chart_job(self, folder: str, values: str, clusters: tuple[str, ...]) -> Job:
        path = f"{folder}/{CHART}".lstrip("/")
        name = posixpath.basename(values)
        unit = Unit(
            kind=UnitKind.CHART,
            name=f"{folder or '.'} ({name})" if name else folder or ".",
            path=folder,
            declared_in=path,
            declared_line=line_of(self._files, path),
            clusters=clusters,
        )
        source = Helm(
            chart=folder,
            release=_release_name(posixpath.basename(folder)),
            values=(ValuesFile(path=values),) if values else (),
        )
        return Job(
            unit=unit,
            sources=(source,),
            kubernetes_version=self._around.clusters.version(clusters, self._around.kubernetes_version),
            api_versions=self._around.clusters.api_versions(clusters),
        )

    def _plain_jobs(self, layout: _Layout, claimed: "_Claims") -> Iterator[Job]:
        by_folder: dict[str, list[str]] = {}
        for path in layout.plain:
            if not claimed.has_file(path) and (not self._files.is_file(path) or self._is_deployed(path)):
                by_folder.setdefault(posixpath.dirname(path), []).append(path)
        for folder, paths in by_folder.items():
            unit = Unit(
                kind=UnitKind.DIRECTORY,
                name=folder or ".",
                path=folder,
                declared_in=paths[0],
                declared_line=line_of(self._files, paths[0]) if self._files.is_file(paths[0]) else 0,
                clusters=self._around.clusters.at(paths[0]),
            )
            yield Job(unit=unit, sources=(Plain(paths=tuple(paths)),))

    def _is_deployed(self, path: str) -> bool:
        """Tell whether a file holds manifests, and not waivers alone: those are ours, and no cluster knows the kind."""
        if not self._is_manifest(path):
            return False
        try:
            if not may_hold_waivers(self._files.read(path)):
                return True
            return any((one.group, one.kind) != (GROUP, KIND) for one, _ in self._files.objects(path))
        except RepoError:
            return True  # rendering it says what is wrong

    def _is_manifest(self, path: str) -> bool:
        try:
            data = self._files.read(path)
            if looks_like_manifest(data) and not is_helm_template(path, data):
                return True  # what it really holds shows when it is rendered, which it often is not
            return not_a_manifest(path, data, self._files.documents(path)) is None
        except RepoError:
            return True  # rendering it says what is wrong

    # What is declared -----------------------------------------------------------------------------------------------

    def _of_plain_files(self, paths: Iterable[str]) -> Iterator[Declared]:
        for path in paths:
            if not self._holds(path, lambda data: bool(_DECLARES.search(data))) or not self._is_manifest(path):
                continue
            clusters = self._around.clusters.at(path)
            for origin, body in self._bodies_of(path):
                yield from self._taken(declared(body, origin, clusters))

    def _bodies_of(self, path: str) -> Iterator[tuple[Origin, Body]]:
        plain = self._files.plain(path)
        if plain is not None:
            for index, (line, body) in enumerate(plain):
                yield Origin(path=path, document=index, line=line), body
            return
        for document in self._files.documents(path).documents:
            for place, body in unfold(document.body):
                line = document.locate(place).line if place else document.line
                yield Origin(path=path, document=document.index, line=line, item=place), body

    def _taken(self, one: Declared) -> Iterator[Declared]:
        """Take note of an object; yield it if it makes a unit and is new."""
        if is_unit(one.id):
            if self._around.known.add(one):
                yield one
        elif is_referred_to(one.id):
            self._around.known.add(one)

    def _of_output(self, jobs: list[Job]) -> list[Declared]:
        results = self._render_all(jobs)
        found: list[Declared] = []
        for job, result in zip(jobs, results, strict=True):
            self._rendered[id(job)] = (job, result)
            # Patches, values and the kustomizations themselves; what only gives an object of its own is not for others.
            also = job.also | (
                {path for path, _ in result.reads} - {one.resource.origin.path for one in result.objects}
            )
            for one in result.objects:
                name = resource_id(one.resource.body)
                if is_unit(name) or is_referred_to(name):
                    found += self._taken(declared(one.resource.body, one.resource.origin, job.unit.clusters, also))
        return found

    def _is_telling(self, job: Job) -> bool:
        """Tell whether a job's files speak of Flux or Argo CD: only then is it rendered to see what it declares."""
        return any(self._is_speaking(path) for source in job.sources for path in self._files_of(source))

    def _files_of(self, source: object) -> Iterable[str]:
        if isinstance(source, Kustomize):
            generated = self._files.below(source.folder) if source.generate else ()
            return {*generated, *closure(self._files, source.folder).paths}
        if isinstance(source, Helm):
            return self._files.below(source.chart) if isinstance(source.chart, str) else ()
        return source.paths if isinstance(source, Plain) else ()

    def _is_speaking(self, path: str) -> bool:
        """Tell whether a file may hold objects of Flux or Argo CD, wherever these come from in the end."""
        return self._files.remembered(
            ("speaks", path), lambda: self._holds(path, lambda data: any(word in data for word in TELLING))
        )

    def _holds(self, path: str, test: Callable[[bytes], bool]) -> bool:
        if not self._files.is_file(path):
            return False
        try:
            return test(self._files.read(path))
        except RepoError:
            return False


class _Claims:
    """What controllers deploy."""

    def __init__(self, files: Files, jobs: Iterable[Job]) -> None:
        self._builds: set[str] = set()
        self._charts: set[str] = set()
        self._recursive: set[str] = set()
        self._paths: set[str] = set()
        for source in (source for job in jobs for source in job.sources):
            if isinstance(source, Kustomize):
                self._builds.add(source.folder)
                if source.generate and kustomization_file(files, source.folder) is None:
                    self._recursive.add(source.folder)
            elif isinstance(source, Helm) and isinstance(source.chart, str):
                self._charts.add(source.chart)
            elif isinstance(source, Plain):
                self._paths.update(source.paths)

    def has_build(self, job: Job) -> bool:
        """Tell whether a kustomization or chart is deployed by a controller."""
        if job.unit.kind is UnitKind.CHART:
            return job.unit.path in self._charts
        return job.unit.path in self._builds or any(is_within(job.unit.path, folder) for folder in self._recursive)

    def has_file(self, path: str) -> bool:
        """Tell whether a plain file is deployed by a controller."""
        return path in self._paths or any(is_within(path, folder) for folder in self._recursive)


def _outermost(path: str, folders: Iterable[str]) -> str | None:
    return next((folder for folder in folders if is_within(path, folder)), None)


def _release_name(name: str) -> str:
    cleaned = "".join(char if char.isascii() and (char.isalnum() or char == "-") else "-" for char in name.lower())
    return cleaned.strip("-")[:53] or "release"

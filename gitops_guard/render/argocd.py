"""Argo CD: an Application becomes a job, with what it says in line about kustomize and Helm."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_guard.manifest.loader import load
from gitops_guard.model import CheckError, Json
from gitops_guard.model.unit import Unit, UnitKind
from gitops_guard.render.chart import CHART
from gitops_guard.render.declared import Declared
from gitops_guard.render.files import Files, items, mapping, resolve, text, texts
from gitops_guard.render.flux import Surroundings
from gitops_guard.render.globs import glob_matches
from gitops_guard.render.kustomization import kustomization_file, without_credentials
from gitops_guard.render.recipe import Helm, Job, Kustomize, Plain, RemoteChart, Source, ValuesFile
from gitops_guard.repo.tree import shown

_COMMA = re.compile(r"(?<!\\),")
_IMAGE = re.compile(r"(?:(?P<name>[^=]+)=)?(?P<new>[^@:]*(?::[0-9]+/[^@:]*)?)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?")


class _NotRenderedError(Exception):
    """Why a source of an Application cannot be rendered; becomes an error of its job."""


@dataclass(frozen=True, slots=True)
class _Application:
    """One Application, and the directory that paths of its sources start from."""

    one: Declared
    around: Surroundings
    references: dict[str, str]
    """Directory by the name that another source refers to: `$values`."""


def sources_of(spec: dict[str, Json]) -> list[dict[str, Json]]:
    """Return an Application's sources: `sources` where there are several, else `source`."""
    several = [mapping(source) for source in items(spec.get("sources"))]
    return several or [mapping(spec.get("source"))]


def sources_used(one: Declared) -> Iterator[tuple[str, str, str]]:
    """Yield (URL, path, declaring file) of the Git sources of an Application."""
    for source in sources_of(one.spec):
        if not text(source.get("chart")) and (path := text(source.get("path"))):
            yield text(source.get("repoURL")), path, one.origin.path


def job(one: Declared, around: Surroundings) -> Job:
    """Return how an Application is rendered; a source that cannot be is an error, the others go on."""
    errors: list[CheckError] = []
    found: list[Source] = []
    application = _Application(one, around, _references(one, around))
    path = ""
    for source in sources_of(one.spec):
        try:
            made = _source(application, source)
        except _NotRenderedError as error:
            place = one.origin
            message = f"not rendered: {error}"
            errors.append(CheckError(path=place.path, line=place.line, column=0, message=message))
            continue
        if made is not None:
            found.append(made)
            path = path or _folder_of(made)
    unit = _unit(one, around, path)
    return Job(
        unit=unit,
        sources=tuple(found),
        kubernetes_version=around.clusters.version(unit.clusters, around.kubernetes_version),
        api_versions=around.clusters.api_versions(unit.clusters),
        errors=tuple(errors),
    )


def _unit(one: Declared, around: Surroundings, path: str) -> Unit:
    destination = mapping(one.spec.get("destination"))
    return Unit(
        kind=UnitKind.APPLICATION,
        name=one.name,
        path=path,
        declared_in=one.origin.path,
        declared_line=one.origin.line,
        clusters=around.clusters.destination(
            text(destination.get("name")), text(destination.get("server")), one.clusters
        ),
        namespace=text(destination.get("namespace")),
    )


def _folder_of(source: Source) -> str:
    if isinstance(source, Kustomize):
        return source.folder
    if isinstance(source, Helm):
        return source.chart if isinstance(source.chart, str) else ""
    return posixpath.dirname(source.paths[0]) if source.paths else ""


def _references(one: Declared, around: Surroundings) -> dict[str, str]:
    """Return where `$name` of values files leads: the root of the source of that name, if it is this repository."""
    found: dict[str, str] = {}
    for source in sources_of(one.spec):
        name = text(source.get("ref"))
        if name and around.repositories.is_own(text(source.get("repoURL"))):
            bases = (around.repositories.base(path, one.origin.path) for path in _paths_at(one.spec, name))
            found[name] = next((base for base in bases if base is not None), "")
    return found


def _paths_at(spec: dict[str, Json], name: str) -> Iterator[str]:
    for source in sources_of(spec):
        for path in texts(mapping(source.get("helm")).get("valueFiles")):
            if path.startswith(f"${name}/"):
                yield path.removeprefix(f"${name}/")


def _source(application: _Application, source: dict[str, Json]) -> Source | None:
    if not source:
        raise _NotRenderedError("the Application has no source")
    if source.get("plugin") is not None:
        raise _NotRenderedError("config management plugins are programs of the cluster, which are not run here")
    url = text(source.get("repoURL"))
    if chart := text(source.get("chart")):
        name = f"oci://{url.removeprefix('oci://').rstrip('/')}/{chart}"
        remote = RemoteChart(name=chart, repository=url, version=text(source.get("targetRevision")))
        if "://" not in url or url.startswith("oci://"):
            remote = RemoteChart(name=name, version=text(source.get("targetRevision")))
        return _helm(application, source, remote, "")
    path = text(source.get("path"))
    if not path:
        if text(source.get("ref")):
            return None  # only lends its files to the others
        raise _NotRenderedError("the source has neither path nor chart")
    if not application.around.repositories.is_own(url):
        raise _NotRenderedError(f"{without_credentials(url)} is another repository")
    base = application.around.repositories.base(path, application.one.origin.path)
    folder = None if base is None else resolve(base, path.lstrip("/") or ".")
    if base is None or folder is None or not application.around.files.is_folder(folder):
        raise _NotRenderedError(f"path {shown(path)} is no directory of the {application.around.files.label}")
    return _in_tree(application, source, folder, base)


def _in_tree(application: _Application, source: dict[str, Json], folder: str, base: str) -> Source:
    """Choose the tool as Argo CD does: as the source says, else by Chart.yaml or a kustomization, else plain files."""
    files = application.around.files
    explicit = next((key for key in ("helm", "kustomize", "directory") if source.get(key) is not None), "")
    has_chart = files.is_file(f"{folder}/{CHART}".lstrip("/"))
    if explicit == "helm" or (not explicit and has_chart):
        return _helm(application, source, folder, base)
    if explicit == "kustomize" or (not explicit and kustomization_file(files, folder) is not None):
        return Kustomize(folder=folder, changes=_kustomize_changes(mapping(source.get("kustomize"))))
    return _directory(files, mapping(source.get("directory")), folder)


# Plain directories ----------------------------------------------------------------------------------------------------


def _directory(files: Files, options: dict[str, Json], folder: str) -> Plain:
    recurse = options.get("recurse") is True
    below = [path for path in files.below(folder) if recurse or posixpath.dirname(path) == folder]
    include, exclude = text(options.get("include")), text(options.get("exclude"))
    chosen = [path for path in below if _is_chosen(path[len(folder) :].lstrip("/"), include, exclude)]
    if any(path.endswith(".jsonnet") for path in chosen):
        raise _NotRenderedError(f"{shown(folder)} holds Jsonnet, which is not supported")
    return Plain(paths=tuple(path for path in chosen if path.endswith((".yaml", ".yml", ".json"))))


def _is_chosen(name: str, include: str, exclude: str) -> bool:
    if include and not glob_matches(include, name, braces=True):
        return False
    return not (exclude and glob_matches(exclude, name, braces=True))


# kustomize ------------------------------------------------------------------------------------------------------------


def _kustomize_changes(options: dict[str, Json]) -> dict[str, Json]:
    """Return what Argo CD's in-line options change, as its calls of `kustomize edit` do."""
    changes: dict[str, Json] = {
        key: options[key]
        for key in ("namePrefix", "nameSuffix", "namespace", "commonAnnotations", "patches", "components")
        if options.get(key)
    }
    if images := [_image(entry) for entry in texts(options.get("images"))]:
        changes["images"] = list(images)
    if replicas := [mapping(entry) for entry in items(options.get("replicas"))]:
        changes["replicas"] = [
            {"name": entry.get("name"), "count": int(text(entry.get("count")) or str(entry.get("count") or 0))}
            for entry in replicas
        ]
    if labels := mapping(options.get("commonLabels")):
        if options.get("labelWithoutSelector") is True:
            with_templates = options.get("labelIncludeTemplates") is True
            changes["labels"] = [{"pairs": labels, "includeTemplates": with_templates}]
        else:
            changes["commonLabels"] = labels
    return changes


def _image(written: str) -> dict[str, Json]:
    """Read `name=new:tag@digest`, of which every part but one may be left out."""
    found = _IMAGE.fullmatch(written)
    if found is None:
        raise _NotRenderedError(f"kustomize.images: {written!r} is no image")
    image: dict[str, Json] = {"name": found["name"] or found["new"]}
    if found["name"] and found["new"] not in ("", "*"):
        image["newName"] = found["new"]
    if found["tag"] and found["tag"] != "*":
        image["newTag"] = found["tag"]
    if found["digest"]:
        image["digest"] = found["digest"]
    return image


# Helm -----------------------------------------------------------------------------------------------------------------


def _helm(application: _Application, source: dict[str, Json], chart: str | RemoteChart, base: str) -> Helm:
    options = mapping(source.get("helm"))
    spec = application.one.spec
    folder = chart if isinstance(chart, str) else None
    inline = mapping(options.get("valuesObject")) or _written_values(text(options.get("values")))
    files = tuple(_value_files(application, options, folder, base))
    namespace = text(options.get("namespace")) or text(mapping(spec.get("destination")).get("namespace"))
    if items(options.get("fileParameters")):
        raise _NotRenderedError("helm.fileParameters are not supported")
    return Helm(
        chart=chart,
        release=text(options.get("releaseName")) or application.one.id.name,
        namespace=namespace or "default",
        values=(*files, inline) if inline else files,
        settings=tuple(_parameter(mapping(entry)) for entry in items(options.get("parameters"))),
        include_crds=options.get("skipCrds") is not True,
        skip_tests=options.get("skipTests") is True,
        skip_schema=options.get("skipSchemaValidation") is True,
        kubernetes_version=text(options.get("kubeVersion")),
        api_versions=tuple(texts(options.get("apiVersions"))),
    )


def _written_values(written: str) -> dict[str, Json]:
    documents = load(written.encode()).documents if written.strip() else ()
    if written.strip() and not documents:
        raise _NotRenderedError("helm.values cannot be read as YAML")
    return dict(documents[0].body) if documents else {}


def _value_files(
    application: _Application, options: dict[str, Json], folder: str | None, base: str
) -> Iterator[ValuesFile]:
    optional = options.get("ignoreMissingValueFiles") is True
    for written in texts(options.get("valueFiles")):
        if "://" in written:
            raise _NotRenderedError(f"values file {without_credentials(written)} is remote, which is not supported")
        name, slash, rest = written.partition("/")
        if name.startswith("$"):
            root = application.references.get(name[1:])
            if root is None:
                raise _NotRenderedError(f"values file {shown(written)} is of a source that is not this repository")
            path = resolve(root, rest) if slash else None
        elif written.startswith("/"):
            path = resolve(base, written.lstrip("/"))
        elif folder is None:
            raise _NotRenderedError(f"values file {shown(written)} is inside a chart that is not in this repository")
        else:
            path = resolve(folder, written)
        if path is None:
            raise _NotRenderedError(f"values file {shown(written)} leaves the repository")
        yield ValuesFile(path=path, optional=optional)


def _parameter(entry: dict[str, Json]) -> tuple[str, str]:
    """Return one parameter as helm's flag; a comma would begin the next one, so it is escaped as Argo CD does."""
    flag = "--set-string" if entry.get("forceString") is True else "--set"
    value = _COMMA.sub(r"\\,", text(entry.get("value")))
    return flag, f"{text(entry.get('name'))}={value}"

"""Flux: a Kustomization or HelmRelease becomes a job."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_guard.manifest.loader import load
from gitops_guard.model import CheckError, Json
from gitops_guard.model.unit import Unit, UnitKind
from gitops_guard.render import values
from gitops_guard.render.clusters import Clusters
from gitops_guard.render.declared import FLUX_KUSTOMIZE, FLUX_SOURCE, Declared, Known, string_values
from gitops_guard.render.files import Files, items, mapping, resolve, text, texts
from gitops_guard.render.kustomization import NEEDS_NETWORK, without_credentials
from gitops_guard.render.recipe import Helm, Job, Kustomize, RemoteChart, Substitution, ValuesFile
from gitops_guard.render.repositories import Repositories
from gitops_guard.render.substitution import NAME
from gitops_guard.repo.tree import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What declared objects refer to."""

    files: Files
    known: Known
    clusters: Clusters
    repositories: Repositories
    kubernetes_version: str = ""
    """For clusters whose version the configuration does not say."""


class _NotRenderedError(Exception):
    """Why a unit cannot be rendered; becomes the job's error."""


def sources_used(one: Declared, known: Known) -> Iterator[tuple[str, str, str]]:
    """Yield (URL, path, declaring file) of the Git source that an object uses."""
    chart = mapping(mapping(one.spec.get("chart")).get("spec"))
    holder, path = (one.spec, one.spec.get("path")) if one.id.group == FLUX_KUSTOMIZE else (chart, chart.get("chart"))
    source = _source(one, mapping(holder.get("sourceRef")), known)
    if source is not None and source.id.kind == "GitRepository":
        yield text(source.spec.get("url")), text(path), one.origin.path


def _source(one: Declared, reference: dict[str, Json], known: Known) -> Declared | None:
    namespace = text(reference.get("namespace")) or one.id.namespace
    return known.find(FLUX_SOURCE, text(reference.get("kind")), namespace, text(reference.get("name")), one)


def job(one: Declared, around: Surroundings) -> Job:
    """Return how a Flux Kustomization or HelmRelease is rendered."""
    read = _kustomization if one.id.group == FLUX_KUSTOMIZE else _release
    try:
        return read(one, around)
    except _NotRenderedError as error:
        message = f"not rendered: {error}"
        place = one.origin
        wrong = CheckError(path=place.path, line=place.line, column=0, message=message)
        return Job(unit=_unit(one, ""), errors=(wrong,))


def _unit(one: Declared, path: str) -> Unit:
    depends = sorted(
        f"{text(entry.get('namespace')) or one.id.namespace}/{text(entry.get('name'))}"
        for entry in map(mapping, items(one.spec.get("dependsOn")))
    )
    return Unit(
        kind=UnitKind.FLUX_KUSTOMIZATION if one.id.group == FLUX_KUSTOMIZE else UnitKind.HELM_RELEASE,
        name=one.name,
        path=path,
        declared_in=one.origin.path,
        declared_line=one.origin.line,
        clusters=_clusters(one),
        namespace=text(one.spec.get("targetNamespace")) or ("" if one.id.group == FLUX_KUSTOMIZE else one.id.namespace),
        depends_on=tuple(depends),
        suspended=one.spec.get("suspend") is True,
    )


def _clusters(one: Declared) -> tuple[str, ...]:
    """Return where the objects go: another cluster than Flux's own where a kubeconfig is named."""
    secret = text(mapping(mapping(one.spec.get("kubeConfig")).get("secretRef")).get("name"))
    return (f"kubeConfig {secret}",) if secret else one.clusters


def _base(one: Declared, reference: dict[str, Json], path: str, around: Surroundings) -> str:
    """Return the directory that the source's paths start from.

    Raises:
        _NotRenderedError: The source is not this repository, or has no such path.
    """
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    if kind != "GitRepository":
        raise _NotRenderedError(f"the content of {kind} {name} is not in this repository")
    source = _source(one, reference, around.known)
    if source is not None and not around.repositories.is_own(text(source.spec.get("url"))):
        url = without_credentials(text(source.spec.get("url")))
        raise _NotRenderedError(f"GitRepository {name} is another repository ({url})")
    base = around.repositories.base(path, one.origin.path)
    if base is None:
        raise _NotRenderedError(f"path {shown(path)} is not in the {around.files.label}")
    return base


def _kustomization(one: Declared, around: Surroundings) -> Job:
    spec = one.spec
    path = text(spec.get("path")) or "."
    base = _base(one, mapping(spec.get("sourceRef")), path, around)
    folder = resolve(base, path.lstrip("/") or ".")
    if folder is None or not around.files.is_folder(folder):
        raise _NotRenderedError(f"path {shown(path)} is no directory of the {around.files.label}")
    unit = _unit(one, folder)
    return Job(
        unit=unit,
        sources=(Kustomize(folder=folder, changes=_changes(spec), generate=True, unrestricted=True),),
        substitution=_post_build(one, around),
        kubernetes_version=around.clusters.version(unit.clusters, around.kubernetes_version),
    )


def _changes(spec: dict[str, Json]) -> dict[str, Json]:
    """Return what the controller adds to the kustomization that it builds."""
    changes: dict[str, Json] = {
        target: spec[key]
        for key, target in (
            ("targetNamespace", "namespace"),
            ("namePrefix", "namePrefix"),
            ("nameSuffix", "nameSuffix"),
            ("patches", "patches"),
            ("patchesStrategicMerge", "patchesStrategicMerge"),
            ("patchesJson6902", "patchesJson6902"),
            ("images", "images"),
            ("components", "components"),
        )
        if spec.get(key)
    }
    common = mapping(spec.get("commonMetadata"))
    if labels := mapping(common.get("labels")):
        changes["labels"] = [{"pairs": labels}]
    if annotations := mapping(common.get("annotations")):
        changes["transformers"] = [values.as_file(_annotating(annotations)).decode() + "\n"]
    return changes


def _annotating(annotations: dict[str, Json]) -> dict[str, Json]:
    """Return a transformer that writes an object's own annotations and no pod template's, as the controller does."""
    return {
        "apiVersion": "builtin",
        "kind": "AnnotationsTransformer",
        "metadata": {"name": "common-metadata"},
        "annotations": annotations,
        "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
    }


def _post_build(one: Declared, around: Surroundings) -> Substitution | None:
    post_build = mapping(one.spec.get("postBuild"))
    if not post_build:
        return None
    given = around.clusters.variables(one.clusters)
    found: dict[str, str] = {}
    unknown: list[str] = []
    for reference in map(mapping, items(post_build.get("substituteFrom"))):
        kind, name = text(reference.get("kind")), text(reference.get("name"))
        source = around.known.find("", kind, one.id.namespace, name, one) if kind == "ConfigMap" else None
        if source is not None:
            found.update(string_values(source))
        else:
            unknown.append(f"{kind} {name}")
    if unknown:
        found.update(given)
    found.update({key: _scalar(value) for key, value in mapping(post_build.get("substitute")).items()})
    wrong = sorted(name for name in found if not NAME.fullmatch(name))
    if wrong:
        raise _NotRenderedError(f"postBuild: {wrong[0]!r} is no name of a variable")
    variables = {name: value.replace("\n", "") for name, value in found.items()}
    return Substitution(variables=variables, unknown=tuple(unknown))


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


# HelmRelease ----------------------------------------------------------------------------------------------------------


def _release(one: Declared, around: Surroundings) -> Job:
    spec = one.spec
    chart, base = _chart(one, around)
    unit = _unit(one, chart if isinstance(chart, str) else "")
    template = mapping(mapping(spec.get("chart")).get("spec"))
    release = text(spec.get("releaseName")) or _release_name(one)
    skip_crds = text(mapping(spec.get("install")).get("crds")) == "Skip"
    source = Helm(
        chart=chart,
        release=release,
        namespace=text(spec.get("targetNamespace")) or one.id.namespace,
        defaults=_defaults(template, chart, base),
        values=tuple(_values(one, around)),
        include_crds=not skip_crds,
        include_hooks=mapping(spec.get("install")).get("disableHooks") is not True,
        after=_post_renderers(one),
    )
    return Job(
        unit=unit,
        sources=(source,),
        kubernetes_version=around.clusters.version(unit.clusters, around.kubernetes_version),
        api_versions=around.clusters.api_versions(unit.clusters),
    )


def _release_name(one: Declared) -> str:
    target = text(one.spec.get("targetNamespace"))
    return f"{target}-{one.id.name}" if target else one.id.name


def _chart(one: Declared, around: Surroundings) -> tuple[str | RemoteChart, str]:
    """Return the chart, and the directory that paths of values files start from."""
    if reference := mapping(one.spec.get("chartRef")):
        return _referred_chart(one, reference, around), ""
    template = mapping(mapping(one.spec.get("chart")).get("spec"))
    reference, name = mapping(template.get("sourceRef")), text(template.get("chart"))
    if text(reference.get("kind")) == "HelmRepository":
        source = _source(one, reference, around.known)
        if source is None:
            raise _NotRenderedError(f"HelmRepository {text(reference.get('name'))} is not in the repository")
        url, version = text(source.spec.get("url")), text(template.get("version"))
        if url.startswith("oci://"):
            return RemoteChart(name=f"{url.rstrip('/')}/{name}", version=version), ""
        return RemoteChart(name=name, repository=url, version=version), ""
    base = _base(one, reference, name, around)
    folder = resolve(base, name.lstrip("/") or ".")
    if folder is None:
        raise _NotRenderedError(f"chart {shown(name)} is not in the {around.files.label}")
    return folder, base


def _referred_chart(one: Declared, reference: dict[str, Json], around: Surroundings) -> RemoteChart:
    source = _source(one, reference, around.known)
    if source is None or source.id.kind != "OCIRepository":
        what = f"{text(reference.get('kind'))} {text(reference.get('name'))}"
        raise _NotRenderedError(f"chartRef names {what}, which is not an OCIRepository of this repository")
    tag = mapping(source.spec.get("ref"))
    return RemoteChart(name=text(source.spec.get("url")), version=text(tag.get("tag")) or text(tag.get("semver")))


def _defaults(template: dict[str, Json], chart: str | RemoteChart, base: str) -> tuple[ValuesFile, ...]:
    listed = texts(template.get("valuesFiles"))
    if not listed:
        return ()
    if isinstance(chart, RemoteChart):
        raise _NotRenderedError(f"valuesFiles are files of a chart that is not in this repository: {NEEDS_NETWORK}")
    optional = template.get("ignoreMissingValuesFiles") is True
    found = [(name, resolve(base, name.lstrip("/"))) for name in listed]
    for name, path in found:
        if path is None:
            raise _NotRenderedError(f"values file {shown(name)} leaves the repository")
    return tuple(ValuesFile(path=path, optional=optional) for _, path in found if path is not None)


def _values(one: Declared, around: Surroundings) -> Iterator[dict[str, Json]]:
    merged: dict[str, Json] = {}
    for reference in map(mapping, items(one.spec.get("valuesFrom"))):
        merged = values.merge(merged, _values_from(one, reference, around))
    merged = values.merge(merged, mapping(one.spec.get("values")))
    if merged:
        yield merged


def _values_from(one: Declared, reference: dict[str, Json], around: Surroundings) -> dict[str, Json]:
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    key = text(reference.get("valuesKey")) or "values.yaml"
    source = around.known.find("", kind, one.id.namespace, name, one)
    written = None if source is None else _entry(source, key)
    if written is None:
        if reference.get("optional") is True:
            return {}
        raise _NotRenderedError(f"valuesFrom names {kind} {name}, whose key {key!r} is not in the repository")
    if target := text(reference.get("targetPath")):
        found = values.at_path(target, values.typed(written))
        if found is None:
            raise _NotRenderedError(f"valuesFrom: targetPath {target!r} with list indices is not supported")
        return found
    documents = load(written.encode()).documents
    if not documents and written.strip():
        raise _NotRenderedError(f"valuesFrom: key {key!r} of {kind} {name} cannot be read as YAML")
    return dict(documents[0].body) if documents else {}


def _entry(source: Declared, key: str) -> str | None:
    plain = {**mapping(source.body.get("data")), **mapping(source.body.get("stringData"))}
    written = plain.get(key)
    if not isinstance(written, str):
        return None
    if source.id.kind == "Secret" and key not in mapping(source.body.get("stringData")):
        try:
            return base64.b64decode(written, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
    return written


def _post_renderers(one: Declared) -> dict[str, Json]:
    """Return the patches and images of `postRenderers`, all in one kustomization."""
    entries = [mapping(entry) for entry in items(one.spec.get("postRenderers"))]
    found = [mapping(entry.get("kustomize")) for entry in entries]
    if not any(found):
        return {}
    if len(found) > 1:
        raise _NotRenderedError("more than one entry of postRenderers is not supported")
    known = ("patches", "patchesStrategicMerge", "patchesJson6902", "images")
    return {key: value for key, value in found[0].items() if key in known}

"""Renders one unit: copies, runs, reads, substitutes, finds origins. What fails becomes an error of that unit alone."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitops_guard.errors import RepoError
from gitops_guard.manifest.classify import not_a_manifest, unfold
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.splitter import split
from gitops_guard.model import Body, CheckError, Origin, Resource
from gitops_guard.model.resource import ResourceId, resource_id
from gitops_guard.model.unit import NOT_RENDERED, RenderedObject, RenderedUnit, UnitKind
from gitops_guard.render import build_helm, build_kustomize
from gitops_guard.render.cache import OutputCache, key_of
from gitops_guard.render.files import Files, mapping, text
from gitops_guard.render.made_anew import may_make_anew, settled
from gitops_guard.render.masking import masked
from gitops_guard.render.origin import of_helm, of_kustomize
from gitops_guard.render.output import OutputError, Piece, bodies, helm_pieces, kustomize_pieces, packed, unpacked
from gitops_guard.render.process import Limits, ToolError, isolated_environment, open_environment, run
from gitops_guard.render.recipe import Helm, Job, Kustomize, Plain, RemoteChart, Source, Substitution
from gitops_guard.render.scratch import Scratch
from gitops_guard.render.substitution import SubstitutionError, substitute
from gitops_guard.render.tools import NO_HELM, NO_KUSTOMIZE, Tool, Tools
from gitops_guard.repo.tree import path_bytes

_SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"
_HOOK = "helm.sh/hook"
_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?")
_NEEDS_VALUES = re.compile(r"execution error at|nil pointer evaluating|error calling (?:fail|required)|don't meet the")
"""What helm says of a chart that somebody has to give values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What rendering works with."""

    files: Files
    tools: Tools
    cache: OutputCache
    limits: Limits
    environment: Mapping[str, str]
    """The user's own; tools see it only with network."""

    allow_network: bool = False
    settles: bool = False
    """See `Options.settles`."""


@dataclass(slots=True)
class _Made:
    """What one source gave."""

    objects: list[RenderedObject] = field(default_factory=list)
    errors: list[CheckError] = field(default_factory=list)
    reads: dict[str, str] = field(default_factory=dict)


def carry_out(job: Job, bench: Bench) -> RenderedUnit:
    """Render a unit."""
    made = _Made(errors=list(job.errors))
    for source in job.sources:
        try:
            _one(job, source, bench, made)
        except (RepoError, ToolError, OutputError) as error:
            made.errors.append(_error(job, f"{_excuse(job, str(error))}{error}"))
    objects = list(_last_of_each(made.objects)) if len(job.sources) > 1 else made.objects
    if job.substitution is not None:
        objects = list(_substituted(job, objects, job.substitution, made.errors))
    return RenderedUnit(
        unit=job.unit,
        objects=tuple(objects),
        errors=tuple(sorted(made.errors, key=lambda error: error.sort_key)),
        reads=tuple(sorted(made.reads.items())),
    )


def _excuse(job: Job, message: str) -> str:
    """Return how an error begins: that nobody deploys the chart with these values is a guess of ours."""
    if job.unit.kind is UnitKind.CHART and _NEEDS_VALUES.search(message):
        return f"{NOT_RENDERED}the values beside the chart are not enough: "
    return ""


def _one(job: Job, source: Source, bench: Bench, made: _Made) -> None:
    if isinstance(source, Plain):
        _plain(source, bench, made)
    elif isinstance(source, Kustomize):
        _kustomize(job, source, bench, made)
    else:
        _helm(job, source, bench, made)


def _error(job: Job, message: str, path: str = "", line: int = 0) -> CheckError:
    if not path:
        path, line = job.unit.declared_in, job.unit.declared_line
    return CheckError(path=path, line=line, column=0, message=message)


def _declared(job: Job) -> Origin:
    return Origin(path=job.unit.declared_in, document=0, line=job.unit.declared_line)


def _objects(piece: Piece, place: Callable[[Body], Origin]) -> Iterator[RenderedObject]:
    for item, body in unfold(piece.body):
        written = piece.text if not item else json.dumps(body, ensure_ascii=False) + "\n"
        resource = Resource(id=resource_id(body), body=body, origin=place(body))
        yield RenderedObject(resource=resource, text=written, hook=_hook(body))


def _hook(body: Body) -> str:
    return text(mapping(mapping(body.get("metadata")).get("annotations")).get(_HOOK))


# Plain manifests ------------------------------------------------------------------------------------------------------


def _plain(source: Plain, bench: Bench, made: _Made) -> None:
    for path in source.paths:
        if not bench.files.is_file(path):
            message = "not rendered: a symbolic link or submodule, which is not followed"
            made.errors.append(CheckError(path=path, line=0, column=0, message=message))
            continue
        data = bench.files.read(path)
        made.reads[path] = bench.files.blob(path)
        if _took_plainly(path, data, bench.files, made):
            continue
        stream = bench.files.documents(path)
        if not_a_manifest(path, data, stream) is not None:
            continue
        for problem in stream.problems:
            if problem.unreadable:
                made.errors.append(
                    CheckError(
                        path=path,
                        line=problem.span.line,
                        column=problem.span.column,
                        message=problem.message,
                        rule=problem.rule,
                    )
                )
        chunks = [chunk for chunk, _ in split(data.decode("utf-8", "replace"), dialect=Dialect.KUBECTL)]
        for document in stream.documents:
            written = max((chunk for chunk in chunks if chunk.line <= document.line), key=lambda one: one.line).text
            for item, body in unfold(document.body):
                line = document.locate(item).line if item else document.line
                origin = Origin(path=path, document=document.index, line=line, item=item)
                shown = _ending(written) if not item else json.dumps(body, ensure_ascii=False) + "\n"
                resource = Resource(id=resource_id(body), body=body, origin=origin)
                made.objects.append(RenderedObject(resource=resource, text=shown))


def _took_plainly(path: str, data: bytes, files: Files, made: _Made) -> bool:
    """Take the manifests of a file without anything unusual; False asks for the careful way, which gives the same."""
    manifests = files.plain(path)
    if manifests is None:
        return False
    chunks = [chunk.text for chunk, _ in split(data.decode("utf-8", "replace"), dialect=Dialect.KUBECTL)]
    if len(chunks) != len(manifests):
        return False
    for index, ((line, body), written) in enumerate(zip(manifests, chunks, strict=True)):
        resource = Resource(
            id=resource_id(body), body=body, origin=Origin(path=path, document=index, line=line, item=())
        )
        made.objects.append(RenderedObject(resource=resource, text=_ending(written)))
    return True


def _ending(written: str) -> str:
    return written if written.endswith("\n") else f"{written}\n"


# kustomize ------------------------------------------------------------------------------------------------------------


def _kustomize(job: Job, source: Kustomize, bench: Bench, made: _Made) -> None:
    if bench.tools.kustomize is None:
        made.errors.append(_error(job, NO_KUSTOMIZE))
        return
    prepared = build_kustomize.prepare(bench.files, source, allow_network=bench.allow_network)
    made.reads.update(prepared.reads)
    if prepared.errors:
        made.errors += prepared.errors
        return
    key = _key(bench.tools.kustomize, prepared.arguments, prepared.reads, (prepared.root_text,))

    def build() -> bytes:
        assert bench.tools.kustomize is not None
        with Scratch() as scratch:
            scratch.write(prepared.files)
            os.makedirs(os.path.join(os.fsencode(scratch.tree), path_bytes(source.folder)), exist_ok=True)
            command = (*bench.tools.kustomize.command, *prepared.arguments)
            output = _run(bench, scratch, command, prepared.files, remote=prepared.remote)
        return packed(kustomize_pieces(_decoded(output), keep_origin=prepared.keep_origin))

    for piece in unpacked(_remembered(bench, key, build, remote=prepared.remote)):

        def place(body: Body, piece: Piece = piece) -> Origin:
            return of_kustomize(bench.files, source.folder, piece.origin, body, _declared(job))

        made.objects += _objects(piece, place)


def _decoded(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")


def _key(tool: Tool, arguments: Iterable[str], reads: Iterable[tuple[str, str]], extra: Iterable[bytes]) -> str:
    texts = [tool.stamp, *tool.command, "--", *arguments, "--", *(part for pair in reads for part in pair), "--"]
    return key_of([*(path_bytes(part) for part in texts), *extra])


def _remembered(bench: Bench, key: str, build: Callable[[], bytes], *, remote: bool) -> bytes:
    """Return the remembered output, or build it; what was fetched may be another thing tomorrow."""
    if remote:
        return build()
    found = bench.cache.get(key)
    if found is None:
        found = build()
        bench.cache.put(key, found)
    return found


def _run(
    bench: Bench, scratch: Scratch, command: tuple[str, ...], files: Mapping[str, bytes], *, remote: bool
) -> bytes:
    """Run a tool; its message names repository paths, and no value of a Secret among the files."""
    if remote and bench.allow_network:
        environment = open_environment(scratch.home, bench.environment)
    else:
        environment = isolated_environment(scratch.home)
    try:
        return run(command, folder=scratch.tree, environment=environment, limits=bench.limits)
    except ToolError as error:
        name = os.path.basename(command[0])
        raise ToolError(f"{name}: {masked(scratch.in_repository(str(error)), files)}") from error


# Helm -----------------------------------------------------------------------------------------------------------------


def _helm(job: Job, source: Helm, bench: Bench, made: _Made) -> None:
    if bench.tools.helm is None:
        made.errors.append(_error(job, NO_HELM))
        return
    prepared = build_helm.prepare(
        bench.files,
        source,
        kubernetes_version=job.kubernetes_version,
        api_versions=job.api_versions,
        allow_network=bench.allow_network,
        fetched=_archive(source.chart, bench, bench.tools.helm) if isinstance(source.chart, RemoteChart) else None,
    )
    made.reads.update(prepared.reads)
    if prepared.errors:
        made.errors += (error if error.path else _error(job, error.message) for error in prepared.errors)
        return
    tool = bench.tools.helm
    settles = bench.settles and may_make_anew({**prepared.files, **prepared.extra})
    purpose = (b"settled",) if settles else ()
    key = _key(tool, prepared.arguments, sorted(prepared.reads.items()), [*_contents(prepared), *purpose])

    def build() -> bytes:
        runs = [list(helm_pieces(_decoded(_template(bench, tool, source, prepared)))) for _ in range(1 + settles)]
        return packed(settled(*runs) if settles else runs[0])

    template = _remembered(bench, key, build, remote=prepared.remote)
    chart = source.chart if isinstance(source.chart, str) else None
    pieces = unpacked(template)
    if source.after:
        pieces = list(_post_rendered(source, bench, pieces))
    for piece in pieces:

        def place(body: Body, piece: Piece = piece) -> Origin:
            return of_helm(bench.files, chart, piece.origin, body, _declared(job))

        made.objects += _objects(piece, place)


def _archive(chart: RemoteChart, bench: Bench, tool: Tool) -> bytes | None:
    """Return a remote chart of an exact version: as it was fetched before, or fetched now where that is allowed.

    What was fetched is remembered, so that later runs need no network.
    """
    if not _EXACT.fullmatch(chart.version):
        return None  # which version that is, only the repository knows
    key = key_of(part.encode() for part in ("chart", chart.repository, chart.name, chart.version))
    found = bench.cache.get(key)
    if found is None and bench.allow_network:
        with Scratch() as scratch:
            flags = (*build_helm.where(chart), f"--destination={scratch.tree}")
            _run(bench, scratch, (tool.command[0], "pull", *flags, "--", chart.name), {}, remote=True)
            (name,) = [name for name in os.listdir(scratch.tree) if name.endswith(".tgz")]
            with open(os.path.join(scratch.tree, name), "rb") as stream:
                found = stream.read()
        bench.cache.put(key, found)
    return found


def _contents(prepared: build_helm.Prepared) -> Iterator[bytes]:
    """Yield what decides a run beside blobs: values in line, and files that are not where the repository has them."""
    for name, data in sorted({**prepared.extra, **prepared.files}.items()):
        yield path_bytes(name)
        yield data


def _template(bench: Bench, tool: Tool, source: Helm, prepared: build_helm.Prepared) -> bytes:
    with Scratch() as scratch:
        scratch.write(prepared.files)
        places = {name: scratch.write_extra(name, data) for name, data in prepared.extra.items()}
        written = {f"--values=@{name}": f"--values={place}" for name, place in places.items()}
        written |= {f"@{name}": place for name, place in places.items()}
        arguments = tuple(written.get(argument, argument) for argument in prepared.arguments)
        if prepared.dependencies and isinstance(source.chart, str):
            command = (tool.command[0], "dependency", "build", "--", build_helm.reference(source.chart))
            _run(bench, scratch, command, {}, remote=True)
        files = {**prepared.files, **prepared.extra}
        return _run(bench, scratch, (*tool.command, *arguments), files, remote=prepared.remote)


def _post_rendered(source: Helm, bench: Bench, pieces: list[Piece]) -> Iterator[Piece]:
    """Apply a HelmRelease's own patches and images; origins are found again by each object's id."""
    if bench.tools.kustomize is None:
        raise ToolError(NO_KUSTOMIZE)
    origins: dict[ResourceId, str] = {resource_id(piece.body): piece.origin for piece in pieces}
    kustomization = {"resources": ["all.yaml"], **source.after}
    rendered = "---\n".join(piece.text for piece in pieces)
    with Scratch() as scratch:
        files = {"kustomization.yaml": json.dumps(kustomization).encode(), "all.yaml": rendered.encode("utf-8")}
        scratch.write(files)
        output = _run(bench, scratch, (*bench.tools.kustomize.command, "."), files, remote=False)
    for piece in kustomize_pieces(output.decode(), keep_origin=True):
        yield replace(piece, origin=origins.get(resource_id(piece.body), ""))


# What comes after -----------------------------------------------------------------------------------------------------


def _last_of_each(objects: Iterable[RenderedObject]) -> Iterable[RenderedObject]:
    """Return each object once: where several sources give it, Argo CD takes the last."""
    found: dict[tuple[str, str, str, str], RenderedObject] = {}
    for one in objects:
        name = one.resource.id
        found[(name.group, name.kind, name.namespace, name.name)] = one
    return found.values()


def _substituted(
    job: Job, objects: Iterable[RenderedObject], substitution: Substitution, errors: list[CheckError]
) -> Iterator[RenderedObject]:
    for one in objects:
        if not substitution.variables or _is_disabled(one.resource.body):
            yield one
            continue
        try:
            written = substitute(one.text, substitution.variables)
            made = next(bodies(written, Dialect.KUSTOMIZE), None)
        except (SubstitutionError, OutputError) as error:
            errors.append(_not_substituted(job, one, substitution, str(error)))
            continue
        if made is not None:
            resource = Resource(id=resource_id(made), body=made, origin=one.resource.origin)
            yield replace(one, text=written, resource=resource)


def _is_disabled(body: Body) -> bool:
    metadata = mapping(body.get("metadata"))
    return any(mapping(metadata.get(key)).get(_SUBSTITUTE) == "disabled" for key in ("labels", "annotations"))


def _not_substituted(job: Job, one: RenderedObject, substitution: Substitution, reason: str) -> CheckError:
    origin = one.resource.origin
    hint = ""
    if substitution.unknown:
        where = ", ".join(substitution.unknown)
        hint = f"; {where} is not in the repository: give its values under clusters: variables in .gitops-guard.yaml"
    kind = one.resource.id.kind
    message = f"postBuild of {job.unit.name} on {kind} {one.resource.id.name}: {reason}{hint}"
    return _error(job, message, origin.path, origin.line)

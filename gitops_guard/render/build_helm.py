"""Runs `helm template` on a copy of a chart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gitops_guard.model import CheckError, Json
from gitops_guard.render import values
from gitops_guard.render.chart import CHART, chart_files
from gitops_guard.render.files import Files
from gitops_guard.render.kustomization import NEEDS_NETWORK, without_credentials
from gitops_guard.render.recipe import Helm, RemoteChart, ValuesFile
from gitops_guard.repo.tree import shown

ARCHIVE = "chart.tgz"
"""Name under which a chart that was fetched before is written for the run."""


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A run that only has to be made."""

    arguments: list[str] = field(default_factory=list)
    """Values files stand in it as `--values=@NAME`, to be put where they are written."""

    files: dict[str, bytes] = field(default_factory=dict)
    extra: dict[str, bytes] = field(default_factory=dict)
    """Values files, and the chart's archive, by name."""

    reads: dict[str, str] = field(default_factory=dict)
    """Blob id by repository path."""

    errors: list[CheckError] = field(default_factory=list)
    remote: bool = False
    dependencies: bool = False
    """The chart's dependencies have to be fetched first."""


def prepare(
    files: Files,
    source: Helm,
    *,
    kubernetes_version: str,
    api_versions: tuple[str, ...],
    allow_network: bool,
    fetched: bytes | None = None,
) -> Prepared:
    """Collect what a run reads.

    Args:
        files: The tree.
        source: What is run.
        kubernetes_version: Of the cluster; empty: helm's own.
        api_versions: What the cluster serves besides.
        allow_network: A chart, or a dependency, that is elsewhere will be fetched.
        fetched: The remote chart's archive, where it has been fetched before.

    Raises:
        RepoError: A file cannot be read.
    """
    found = Prepared()
    if fetched is not None:
        found.extra[ARCHIVE] = fetched
    elif isinstance(source.chart, RemoteChart):
        _remote_chart(source.chart, found, allow_network=allow_network)
    else:
        _local_chart(files, source.chart, source, found, allow_network=allow_network)
    # One word for each flag and its value, and the names last behind "--": nothing a repository says becomes a flag.
    found.arguments = [f"--namespace={source.namespace or 'default'}", *_switches(source)]
    version = source.kubernetes_version or kubernetes_version
    if version:  # clusters have a patch version, and charts read it
        version = f"{version}.0" if version.count(".") == 1 else version
        found.arguments.append(f"--kube-version={version}")
    found.arguments += [f"--api-versions={name}" for name in sorted({*source.api_versions, *api_versions})]
    _values(files, source, found)
    found.arguments += [f"{flag}={setting}" for flag, setting in source.settings]
    if isinstance(source.chart, RemoteChart) and fetched is None:
        found.arguments += where(source.chart)
    found.arguments += ["--", source.release, reference(source.chart) if fetched is None else f"@{ARCHIVE}"]
    return found


def reference(chart: "str | RemoteChart") -> str:
    """Return the chart as helm's command line names it."""
    return chart.name if isinstance(chart, RemoteChart) else f"./{chart}"


def where(chart: RemoteChart) -> Iterator[str]:
    """Yield the flags that say where a chart is fetched from."""
    if chart.repository:
        yield f"--repo={chart.repository}"
    if chart.version:
        yield f"--version={chart.version}"


def _remote_chart(chart: RemoteChart, found: Prepared, *, allow_network: bool) -> None:
    found.remote = True
    if not allow_network:
        source = f" of {without_credentials(chart.repository)}" if chart.repository else ""
        message = f"not rendered: chart {without_credentials(chart.name)}{source} is remote: {NEEDS_NETWORK}"
        found.errors.append(CheckError(path="", line=0, column=0, message=message))


def _local_chart(files: Files, folder: str, source: Helm, found: Prepared, *, allow_network: bool) -> None:
    if not files.is_file(f"{folder}/{CHART}".lstrip("/")):
        message = f"not rendered: {shown(folder)} has no Chart.yaml"
        found.errors.append(CheckError(path=folder, line=0, column=0, message=message))
        return
    collected = chart_files(files, folder, allow_network=allow_network)
    found.errors += collected.errors
    found.dependencies = found.remote = collected.remote
    if found.errors:
        return
    for target, path in collected.copies.items():
        found.files[target] = files.read(path)
        found.reads[path] = files.blob(path)
    if source.defaults:
        merged: dict[str, Json] = {}
        for one in source.defaults:
            merged = values.merge(merged, _read_values(files, one, found))
        found.files[f"{folder}/values.yaml".lstrip("/")] = values.as_file(merged)


def _switches(source: Helm) -> Iterator[str]:
    if source.include_crds:
        yield "--include-crds"
    if source.skip_tests:
        yield "--skip-tests"
    if source.skip_schema:
        yield "--skip-schema-validation"
    if not source.include_hooks:
        yield "--no-hooks"


def _values(files: Files, source: Helm, found: Prepared) -> None:
    for number, one in enumerate(source.values):
        name = f"values-{number}.yaml"
        if isinstance(one, Mapping):
            data = values.as_file(one)
        elif files.is_file(one.path):
            data = files.read(one.path)
            found.reads[one.path] = files.blob(one.path)
        elif one.optional and not files.link_in(one.path):
            continue
        else:
            found.errors.append(_missing(files, one))
            continue
        found.extra[name] = data
        found.arguments.append(f"--values=@{name}")


def _missing(files: Files, one: ValuesFile) -> CheckError:
    link = files.link_in(one.path)
    why = f"{shown(link)} is a symbolic link or submodule, which is not followed" if link else "there is no such file"
    return CheckError(path=one.path, line=0, column=0, message=f"not rendered: values file {shown(one.path)}: {why}")


def _read_values(files: Files, one: ValuesFile, found: Prepared) -> Mapping[str, Json]:
    if not files.is_file(one.path):
        if not one.optional:
            found.errors.append(_missing(files, one))
        return {}
    found.reads[one.path] = files.blob(one.path)
    stream = files.documents(one.path)
    if any(problem.unreadable for problem in stream.problems):
        message = f"not rendered: values file {shown(one.path)} cannot be read as YAML"
        found.errors.append(CheckError(path=one.path, line=0, column=0, message=message))
    return stream.documents[0].body if stream.documents else {}

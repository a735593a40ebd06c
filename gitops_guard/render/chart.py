"""What a Helm chart reads: its files, its dependencies, and the values files beside it."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.errors import RepoError
from gitops_guard.model import Body, CheckError
from gitops_guard.render.files import Files, items, mapping, resolve, text
from gitops_guard.render.kustomization import NEEDS_NETWORK, without_credentials
from gitops_guard.repo.tree import shown

CHART: Final = "Chart.yaml"
_VALUES: Final = re.compile(r"(?:values[-_.].+|.+[-_.]values)\.ya?ml")
_DEEPEST: Final = 5


@dataclass(slots=True, kw_only=True)
class ChartFiles:
    """What a run of helm needs of the tree."""

    copies: dict[str, str] = field(default_factory=dict)
    """Where each file is put: path in the copy -> repository path. They differ for `file://` dependencies."""

    errors: list[CheckError] = field(default_factory=list)
    remote: bool = False
    """Dependencies have to be fetched."""

    folders: set[str] = field(default_factory=set)
    """The chart's directory, and those of its `file://` dependencies."""


def charts(files: Files) -> list[str]:
    """Return the directories of all charts but those that lie inside another chart."""
    found = sorted(posixpath.dirname(path) for path in files.named(CHART))
    kept: list[str] = []
    for folder in found:
        if not any(folder.startswith(f"{outer}/") or not outer for outer in kept):
            kept.append(folder)
    return kept


def is_library(files: Files, folder: str) -> bool:
    """Tell whether a chart only lends its templates to others."""
    return _metadata(files, folder).get("type") == "library"


def values_files(files: Files, folder: str) -> list[str]:
    """Return the values files beside a chart's own values.yaml: `values-staging.yaml`, `ci.values.yaml`."""
    return [path for path in files.manifests_in(folder) if _VALUES.fullmatch(posixpath.basename(path))]


def chart_files(files: Files, folder: str, *, allow_network: bool) -> ChartFiles:
    """Collect what a chart reads.

    Args:
        files: The tree.
        folder: The chart's directory.
        allow_network: Dependencies that are not there will be fetched.
    """
    found = ChartFiles()
    _collect(files, folder, folder, found, allow_network=allow_network, depth=0)
    return found


def _collect(files: Files, folder: str, at: str, found: ChartFiles, *, allow_network: bool, depth: int) -> None:
    found.folders.add(folder)
    for path in files.below(folder):
        if files.is_file(path):
            found.copies[f"{at}{path[len(folder) :]}".lstrip("/")] = path
        else:
            message = f"not rendered: {shown(path)} is a symbolic link or submodule, which is not followed"
            found.errors.append(CheckError(path=path, line=0, column=0, message=message))
    for line, name, repository in _dependencies(files, folder):
        if _is_vendored(files, folder, name):
            continue
        local = resolve(folder, repository.removeprefix("file://")) if repository.startswith("file://") else None
        if local is not None and files.is_file(f"{local}/{CHART}") and depth < _DEEPEST:
            target = f"{at}/charts/{name}" if at else f"charts/{name}"
            _collect(files, local, target, found, allow_network=allow_network, depth=depth + 1)
            continue
        found.remote = True
        if not allow_network:
            source = without_credentials(repository) or "nowhere"
            message = (
                f"not rendered: dependency {shown(name)} is not in charts/; fetching it from {source} {NEEDS_NETWORK}"
            )
            found.errors.append(CheckError(path=f"{folder}/{CHART}".lstrip("/"), line=line, column=0, message=message))


def _metadata(files: Files, folder: str, name: str = CHART) -> Body:
    path = f"{folder}/{name}".lstrip("/")
    try:
        documents = files.documents(path).documents if files.is_file(path) else ()
    except RepoError:
        return {}  # the run of helm says why
    return documents[0].body if documents else {}


def _dependencies(files: Files, folder: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and repository of each dependency."""
    for name in (CHART, "requirements.yaml"):
        body = _metadata(files, folder, name)
        entries = items(body.get("dependencies"))
        document = files.documents(f"{folder}/{name}".lstrip("/")).documents[0] if entries else None
        for index, entry in enumerate(entries):
            line = document.locate(("dependencies", index)).line if document else 0
            yield line, text(mapping(entry).get("name")), text(mapping(entry).get("repository"))


def _is_vendored(files: Files, folder: str, name: str) -> bool:
    base = f"{folder}/charts".lstrip("/")
    if files.is_file(f"{base}/{name}/{CHART}"):
        return True
    archives = [posixpath.basename(path) for path in files.below(base) if path.endswith(".tgz")]
    return any(re.fullmatch(rf"{re.escape(name)}-v?[0-9].*\.tgz", archive) for archive in archives)

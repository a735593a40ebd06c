"""What kind of GitOps repository a tree is, told from names and a few telling lines; no file is parsed."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gitops_guard.check.kustomizations import is_kustomization
from gitops_guard.errors import RepoError
from gitops_guard.repo.tree import EntryKind, Tree

_SUFFIXES = (".yaml", ".yml")
_FLUX = re.compile(rb"^apiVersion:\s*[\"']?[a-z.]+\.toolkit\.fluxcd\.io/", re.MULTILINE)
_ARGO = re.compile(rb"^kind:\s*[\"']?(?:Application|ApplicationSet|AppProject)[\"']?\s*$", re.MULTILINE)
_ARGO_GROUP = re.compile(rb"^apiVersion:\s*[\"']?argoproj\.io/", re.MULTILINE)
_CRD = re.compile(rb"^kind:\s*[\"']?CustomResourceDefinition[\"']?\s*$", re.MULTILINE)
_SCHEMA_FILE = re.compile(r"(?:(?P<folder>.+)/)?[a-z0-9.-]+\.[a-z]+/[a-z0-9]+_v\d+(?:(?:alpha|beta)\d+)?\.json")
_SCHEMA_TEMPLATE = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
_VENDORED = frozenset({"vendor", "node_modules", "third_party", "third-party", ".terraform"})
_GENERATED = frozenset({"generated", "_generated", "gen"})
_PLAIN_NAME = re.compile(r"[\w./@+-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What was found; every field holds sorted repository paths, and the root is `.`."""

    kustomizations: tuple[str, ...] = ()
    """Directories with a kustomization."""

    charts: tuple[str, ...] = ()
    """Directories of Helm charts, without those that lie inside another chart."""

    flux: tuple[str, ...] = ()
    """Files with Flux resources."""

    argo: tuple[str, ...] = ()
    """Files with Argo CD applications or projects."""

    crds: tuple[str, ...] = ()
    """Directories with CustomResourceDefinitions."""

    schemas: tuple[str, ...] = ()
    """Templates of schema directories, as the configuration takes them."""

    vendored: tuple[str, ...] = ()
    """Topmost directories of other people's files that hold YAML or JSON."""

    generated: tuple[str, ...] = ()
    """Topmost directories of generated files that hold YAML or JSON."""


def detect(tree: Tree) -> Detected:
    """Look through a tree; a file that cannot be read tells nothing."""
    paths = [entry.path for entry in tree.entries() if entry.kind is EntryKind.FILE]
    charts = sorted({posixpath.dirname(path) for path in paths if posixpath.basename(path) == "Chart.yaml"})
    own_charts = [chart for chart in charts if not _inside(chart, charts)]
    texts = [path for path in paths if path.endswith(_SUFFIXES)]
    manifests = [path for path in texts if not _inside(path, own_charts)]
    dependencies = [chart for chart in charts if chart not in own_charts]
    telling = _Telling(tree, manifests)
    held = [path for path in paths if path.endswith((*_SUFFIXES, ".json"))]
    return Detected(
        kustomizations=_folders(path for path in paths if is_kustomization(path)),
        charts=tuple(chart or "." for chart in own_charts),
        flux=telling.flux,
        argo=telling.argo,
        crds=_folders(telling.crds),
        schemas=tuple(sorted({_template(found) for path in paths if (found := _SCHEMA_FILE.fullmatch(path))})),
        vendored=_plain([*_topmost(held, _VENDORED), *sorted({posixpath.dirname(chart) for chart in dependencies})]),
        generated=_plain(_topmost(held, _GENERATED)),
    )


class _Telling:
    """What single lines of files tell."""

    def __init__(self, tree: Tree, paths: Iterable[str]) -> None:
        flux, argo, crds = [], [], []
        for path in paths:
            try:
                data = tree.read(path)
            except RepoError:
                continue  # `check` says why; here it tells nothing
            if _FLUX.search(data):
                flux.append(path)
            if _ARGO.search(data) and _ARGO_GROUP.search(data):
                argo.append(path)
            if _CRD.search(data):
                crds.append(path)
        self.flux, self.argo, self.crds = tuple(flux), tuple(argo), tuple(crds)


def _inside(path: str, folders: Iterable[str]) -> bool:
    return any(path != folder and (not folder or path.startswith(f"{folder}/")) for folder in folders)


def _folders(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({posixpath.dirname(path) or "." for path in paths}))


def _template(found: re.Match[str]) -> str:
    folder = found["folder"]
    return f"{folder}/{_SCHEMA_TEMPLATE}" if folder else _SCHEMA_TEMPLATE


def _topmost(paths: Iterable[str], names: frozenset[str]) -> list[str]:
    """Return the directories of these names that hold one of the paths and lie in no other such directory."""
    found: set[str] = set()
    for path in paths:
        parts = path.split("/")[:-1]
        at = next((number for number, part in enumerate(parts) if part in names), None)
        if at is not None:
            found.add("/".join(parts[: at + 1]))
    return sorted(found)


def _plain(folders: Iterable[str]) -> tuple[str, ...]:
    """Leave out names that would have to be escaped in a glob."""
    return tuple(sorted({folder for folder in folders if _PLAIN_NAME.fullmatch(folder)}))

"""`gitops-guard diff`: what changes, object by object, between two revisions or in the work tree."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitops_guard.commands.both_sides import BothSides, read_both
from gitops_guard.commands.check import directory_of, terminal_width
from gitops_guard.commands.selection import repository_paths
from gitops_guard.commands.workspace import Asked, Workspace, open_workspace
from gitops_guard.config import Flags, Scopes
from gitops_guard.diff import Conventions, CustomKinds, compare
from gitops_guard.errors import UsageError
from gitops_guard.manifest.classify import SkipReason
from gitops_guard.manifest.loader import load
from gitops_guard.model import ChangeReport, Json, Resource, Skipped
from gitops_guard.repo.memory import MemoryTree
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.tree import Tree
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_formats import DIFF_FORMATS

NOT_RENDERED = (
    "kustomizations and Helm charts are not rendered: bases, overlays and patches are compared as they are written"
)
_DEPLOYED = frozenset(
    (
        SkipReason.HELM_TEMPLATE,
        SkipReason.HELM_VALUES,
        SkipReason.HELM_METADATA,
        SkipReason.KUSTOMIZATION,
        SkipReason.KUSTOMIZE_PATCH,
        "submodule",
        "symbolic link",
    )
)
"""Why files are not compared whose change may well change what is deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRequest:
    """The command line of `diff`."""

    paths: tuple[str, ...] = ()
    from_rev: str | None = None
    to_rev: str | None = None
    format: str = "text"
    exit_code: bool = False
    config: str | None = None
    verbose: bool = False
    flags: Flags = field(default_factory=Flags)


def run(request: DiffRequest, environment: Mapping[str, str]) -> int:
    """Compare, write the comparison to standard output, and return the exit code.

    Raises:
        GuardError: Nothing could be compared.
    """
    if request.to_rev is not None and request.from_rev is None:
        raise UsageError("--to needs --from; to see what a commit changes give --from COMMIT^ --to COMMIT")
    workspace, before = _open(request, environment)
    report = compared(workspace, before, request)
    _write(report, workspace, request)
    if report.errors:
        return 2
    return 1 if request.exit_code and _changes_something(report) else 0


def _open(request: DiffRequest, environment: Mapping[str, str]) -> tuple[Workspace, Tree]:
    """Open the new state with its configuration, and the old one."""
    asked = Asked(
        directory=directory_of(request.paths),
        rev=request.to_rev,
        config=request.config,
        trusted_rev=request.from_rev,
        flags=request.flags,
    )
    workspace = open_workspace(asked, environment)
    if workspace.repo is None:
        raise UsageError("diff compares with a commit, and this is no Git repository")
    return workspace, _before(workspace.repo, request)


def _before(repo: Repo, request: DiffRequest) -> Tree:
    if request.from_rev is not None:
        return repo.commit_tree(repo.merge_base(request.from_rev, request.to_rev or "HEAD"))
    if repo.is_unborn:
        return MemoryTree({}, label="repository before its first commit")
    return repo.commit_tree("HEAD")


def compared(workspace: Workspace, before: Tree, request: DiffRequest) -> ChangeReport:
    """Compare a tree with the workspace's own, as the manifests are written."""
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    sides = read_both(before, workspace.tree, paths=_paths(request, workspace), scopes=scopes)
    kinds = CustomKinds(sides.definitions)
    conventions = Conventions(
        list_keys=kinds.list_keys, default_of=kinds.default_of, read_yaml=_read_yaml, is_whole=_is_whole(sides)
    )
    in_full = request.format == "yaml"  # the only format that shows unchanged parts of an object
    changes = compare(
        sides.before.resources, sides.after.resources, conventions, secrets=sides.secrets, in_full=in_full
    )
    skipped = tuple(sorted({*sides.before.skipped, *sides.after.skipped}))
    errors = (*sides.before.errors, *sides.after.errors)
    return ChangeReport(
        changes=changes,
        before=before.label,
        after=workspace.tree.label,
        identical_files=sides.identical_files,
        skipped=skipped,
        errors=tuple(sorted(errors, key=lambda error: error.sort_key)),
        notes=(NOT_RENDERED,) if needs_rendering(skipped) or sides.before.patches or sides.after.patches else (),
    )


def _paths(request: DiffRequest, workspace: Workspace) -> list[str]:
    if workspace.repo is not None and workspace.repo.is_bare:
        return [path.strip("/") for path in request.paths]
    return repository_paths(request.paths, workspace.root)


def _is_whole(sides: BothSides) -> Callable[[Resource], bool]:
    patches = sides.before.patches | sides.after.patches

    def is_whole(resource: Resource) -> bool:
        return resource.origin.path not in patches

    return is_whole


def _read_yaml(text: str) -> "Json | None":
    """Read the one document of a ConfigMap's value; None for whatever a reader could take in two ways."""
    stream = load(text.encode("utf-8", "surrogatepass"))
    if stream.problems or len(stream.documents) != 1:
        return None
    return dict(stream.documents[0].body)


def needs_rendering(skipped: tuple[Skipped, ...]) -> bool:
    """Tell whether a file is among those not compared whose change may well change what is deployed."""
    return any(entry.reason in _DEPLOYED for entry in skipped)


def _changes_something(report: ChangeReport) -> bool:
    """Tell whether something changes, or may change where we cannot look."""
    return bool(report.effective) or needs_rendering(report.skipped)


def _write(report: ChangeReport, workspace: Workspace, request: DiffRequest) -> None:
    colour = workspace.settings.colour
    terminal = sys.stdout.isatty()
    options = FormatOptions(
        terminal=terminal,
        colour=colour == "always" or (colour == "auto" and terminal),
        verbose=request.verbose,
        width=terminal_width() if terminal else 100,
    )
    DIFF_FORMATS[request.format](report, sys.stdout, options)

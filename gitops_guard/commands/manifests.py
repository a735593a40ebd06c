"""The resources of one side of a comparison: read from a file, or from the plain manifests of a tree."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from gitops_guard.commands.selection import select
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.errors import RepoError, UsageError
from gitops_guard.manifest.classify import not_a_manifest, unfold
from gitops_guard.manifest.document import Document, SourceProblem
from gitops_guard.manifest.loader import load
from gitops_guard.model import CheckError, FieldPath, Location, Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.repo.tree import MAX_BYTES, Tree

STDIN = "-"


def read_file(path: str) -> bytes:
    """Return a file's bytes; `-` is standard input.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: is larger than {MAX_BYTES:,} bytes")
    return data


@dataclass(slots=True)
class Manifests:
    """Resources with the documents that know their lines."""

    resources: list[Resource] = field(default_factory=list)
    errors: list[CheckError] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    """Content by path of the files that hold resources."""

    _documents: dict[tuple[str, int], Document] = field(default_factory=dict)

    @classmethod
    def of_file(cls, path: str, data: bytes) -> "Manifests":
        """Read one file, whatever its name; an empty one (`/dev/null`) holds nothing."""
        found = cls()
        found.add(path, data)
        return found

    def add(self, path: str, data: bytes, *, named: bool = True) -> None:
        """Read a file.

        Args:
            path: Shown in messages.
            data: Its content.
            named: The user means this file; otherwise files that are no manifests are passed over.
        """
        stream = load(data)
        if not named and not_a_manifest(path, data, stream) is not None:
            return
        self.errors.extend(_error(path, problem) for problem in stream.problems if problem.unreadable)
        for document in stream.documents:
            self._documents[path, document.index] = document
            for item, body in unfold(document.body):
                line = document.locate(item).line if item else document.line
                origin = Origin(path=path, document=document.index, line=line, item=item)
                self.resources.append(Resource(id=resource_id(body), body=body, origin=origin))
        self.texts[path] = data

    def locate(self, resource: Resource, path: FieldPath) -> Location:
        """Return where a field of a resource stands."""
        origin = resource.origin
        span = self._documents[origin.path, origin.document].locate((*origin.item, *path))
        return Location(
            path=origin.path, line=span.line, column=span.column, end_line=span.end_line, end_column=span.end_column
        )


def in_namespaces_of(after: Sequence[Resource], before: Sequence[Resource]) -> list[Resource]:
    """Return `before` with the namespaces that `after` uses for the same objects.

    What `kubectl get` prints names its namespace, a manifest often leaves it to whoever applies it. Only where one of
    the two names none are they taken for the same object.
    """
    wanted = {(one.id.group, one.id.kind, one.id.name): one.id.namespace for one in after}
    there = {one.id for one in after}
    found: list[Resource] = []
    for one in before:
        namespace = wanted.get((one.id.group, one.id.kind, one.id.name))
        differs = namespace is not None and one.id not in there and "" in (namespace, one.id.namespace)
        found.append(_moved(one, namespace or "") if differs else one)
    return found


def _moved(resource: Resource, namespace: str) -> Resource:
    metadata = resource.body.get("metadata")
    rest = {key: value for key, value in metadata.items() if key != "namespace"} if isinstance(metadata, dict) else {}
    body = {**resource.body, "metadata": {**rest, "namespace": namespace} if namespace else rest}
    return Resource(id=resource_id(body), body=body, origin=resource.origin)


def read_tree(tree: Tree, workspace: Workspace, paths: Sequence[str]) -> Manifests:
    """Read the plain manifests of a tree: neither charts nor kustomizations are rendered.

    Args:
        tree: A revision.
        workspace: Its configuration says which files count.
        paths: Repository paths to look at; those that this revision does not have are passed over.
    """
    there = [path for path in paths if _exists(tree, path)]
    found = Manifests()
    if paths and not there:
        return found
    scopes = Scopes(workspace.config, workspace.settings.kubernetes_versions)
    for entry in select(tree, paths=there, only=None, scopes=scopes).chosen:
        try:
            found.add(entry.path, tree.read(entry.path), named=entry.path in paths)
        except RepoError as error:
            found.errors.append(CheckError(path=entry.path, line=0, column=0, message=str(error)))
    return found


def _exists(tree: Tree, path: str) -> bool:
    return not path or tree.exists(path) or any(entry.path.startswith(f"{path}/") for entry in tree.entries())


def _error(path: str, problem: SourceProblem) -> CheckError:
    span = problem.span
    return CheckError(path=path, line=span.line, column=span.column, message=problem.message, rule=problem.rule)

"""Rules that look at more than one resource: pointed at the tree, which then takes part in what verdicts depend on.

Nothing is read for rules that ask for nothing: the repository is opened by the first rule that looks at it, and only
its files' names and blob ids are digested for the verdict cache.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gitops_guard.check.circumstances import digest
from gitops_guard.check.clean import MANIFEST_SUFFIXES
from gitops_guard.commands.workspace import Workspace
from gitops_guard.config import Scopes
from gitops_guard.errors import RepoError
from gitops_guard.model import Resource, Rule
from gitops_guard.repo.index import blob_id
from gitops_guard.repo.tree import EntryKind, Tree

if TYPE_CHECKING:
    from gitops_guard.authoring import Repository

_SUFFIXES = tuple(os.fsdecode(suffix) for suffix in MANIFEST_SUFFIXES)


def within_tree(workspace: Workspace, tree: Tree, is_example: Callable[[str], bool]) -> Workspace:
    """Point the rules that look at the repository at a tree; their verdicts then depend on all of it.

    Args:
        workspace: Its rules and its configuration.
        tree: What is checked.
        is_example: Tells of a path whether it is a policy's example, which is no manifest of the repository.
    """
    extensions = workspace.extensions
    if not any(getattr(rule, "needs_repository", False) for _, rule in extensions.rules):
        return workspace
    from gitops_guard.authoring import FunctionRule

    def looking(rule: Rule) -> Rule:
        return rule.within(repository) if isinstance(rule, FunctionRule) and rule.needs_repository else rule

    repository = repository_of(tree, Scopes(workspace.config, workspace.settings.kubernetes_versions), is_example)
    bound = replace(
        extensions,
        rules=tuple((origin, looking(rule)) for origin, rule in extensions.rules),
        stamp=f"{extensions.stamp}\ntree {digest(b'tree 1', *_contents(tree)).hex()}",
    )
    return replace(workspace, extensions=bound)


def repository_of(tree: Tree, scopes: Scopes, is_example: Callable[[str], bool]) -> "Repository":
    """Return a tree as rules see it: every file, and the resources of the manifests that are selected."""
    from gitops_guard.authoring import Repository

    paths = [entry.path for entry in tree.entries() if entry.kind is EntryKind.FILE]

    def resources() -> list[Resource]:
        wanted = [path for path in paths if path.endswith(_SUFFIXES) and scopes.selected(path) and not is_example(path)]
        return [resource for path in wanted for resource in _resources_in(tree, path)]

    return Repository(paths=paths, read=tree.read, resources=resources)


def _resources_in(tree: Tree, path: str) -> Iterator[Resource]:
    """Yield the resources of a file, as far as it holds manifests."""
    from gitops_guard.check.judge import resources_in
    from gitops_guard.manifest.classify import not_a_manifest
    from gitops_guard.manifest.loader import load

    try:
        data = tree.read(path)
    except RepoError:
        return  # it is reported where it is judged
    stream = load(data)
    if not_a_manifest(path, data, stream) is None:
        yield from (resource for resource in resources_in(path, stream) if resource.id.kind)


def _contents(tree: Tree) -> Iterator[bytes]:
    for entry in tree.entries():
        yield os.fsencode(entry.path)
        if entry.blob_id is not None or entry.kind is not EntryKind.FILE:
            yield (entry.blob_id or "").encode()
            continue
        try:
            yield blob_id(tree.read(entry.path))
        except RepoError as error:
            yield str(error).encode("utf-8", "surrogateescape")

"""Policies for a run: reads what the configuration and `--policies` name, and the repository that they look at.

`policies:` takes directories and files of the repository, `pack:NAME` for what comes with gitops-guard, and
`git+PATH@REV` for a directory or file of a repository at a revision, read through Git objects. Policies elsewhere in
the repository count where a binding of the repository names them.
"""

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_guard.check.circumstances import digest
from gitops_guard.check.clean import MANIFEST_SUFFIXES
from gitops_guard.commands.base_objects import BaseObjects
from gitops_guard.commands.pack_policies import PackPolicies, is_on, pack_policies
from gitops_guard.config import Config
from gitops_guard.errors import ConfigError, GuardError, RepoError, UsageError
from gitops_guard.model import Body, CheckError, Json
from gitops_guard.policy.load import PolicySet, PolicySource, load, objects_in
from gitops_guard.policy.pack_rules import PackRule
from gitops_guard.policy.packs import PREFIX, files_below, is_example, is_policy_file
from gitops_guard.policy.request import World
from gitops_guard.policy.rule import PolicyRule
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.tree import EntryKind, Tree

GIT_PREFIX = "git+"
_SUFFIXES = tuple(suffix.decode() for suffix in MANIFEST_SUFFIXES)
_POLICY_WORD = b"ValidatingAdmissionPolicy"
_BINDING_WORD = b"ValidatingAdmissionPolicyBinding"
_NAMESPACE_WORD = re.compile(rb"\bNamespace\b")
_DEFINITION_WORD = re.compile(rb"\bCustomResourceDefinition\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All policies that the configuration and the command line name."""

    sources: tuple[PolicySource, ...] = ()
    found: PolicySet = field(default_factory=PolicySet)
    folders: tuple[str, ...] = ()
    """Directories of the repository that hold policies: their examples are no manifests of it."""

    @property
    def stamp(self) -> bytes:
        """Return a digest of all that was read."""
        return digest(*(part for source in self.sources for part in (source.path.encode(), source.data)))

    packs: PackPolicies = field(default_factory=PackPolicies)
    """Those that come along and that no binding of the repository speaks of."""

    @property
    def rules(self) -> tuple[PolicyRule | PackRule, ...]:
        """Return all rules, on or off."""
        return (*self.found.rules, *self.packs.rules)

    @property
    def errors(self) -> tuple[CheckError, ...]:
        """Return what cannot be used, and why."""
        return self.found.errors

    def active_own(self, config: Config) -> tuple[PolicyRule, ...]:
        """Return the rules that are on, but for packs: those that are off by themselves need a severity."""
        return tuple(rule for rule in self.found.rules if is_on(rule.id, config, is_default=rule.is_default))

    def is_example(self, path: str) -> bool:
        """Tell whether a file of the repository is an example that a policy is tested with."""
        return any(
            path.startswith(f"{folder}/") and is_example(path[len(folder) + 1 :]) for folder in self.folders if folder
        )


def load_policies(
    named: Sequence[str],
    flagged: Sequence[str],
    *,
    tree: Tree | None,
    repo: Repo | None,
    root: str,
    config_path: str,
    versions: Sequence[str],
    known_rules: Iterable[str],
) -> Policies:
    """Read and compile everything that is named.

    Args:
        named: `policies:` of the configuration.
        flagged: `--policies`, relative to the current directory.
        tree: Where directories of the configuration are read; None: on disk.
        repo: The repository, if any.
        root: Directory that paths of the configuration are relative to.
        config_path: For messages.
        versions: Minor versions that have to take the policies.
        known_rules: Ids of rules of other kinds.

    Raises:
        ConfigError: The configuration names something that is not there.
        UsageError: The command line does.
    """
    sources: list[PolicySource] = []
    folders: list[str] = []
    for name in named:
        try:
            sources += sources_of(name, tree, repo, root)
        except GuardError as error:
            raise ConfigError(f"policies: {error}", path=config_path) from error
        if not name.startswith((PREFIX, GIT_PREFIX)):
            folders.append(os.path.normpath(name).replace(os.sep, "/"))
    for name in flagged:
        sources += sources_of(name, None, repo, ".")
        folders += _inside(name, root)
    if tree is not None:
        sources += _elsewhere(tree, {source.path for source in sources})
    known = frozenset(known_rules)
    packs = pack_policies(_packs(named), _packs(flagged), versions, known, config_path=config_path)
    bound = tuple(rule for rule in packs.rules if _speaks_of(sources, rule.id))
    sources += [
        PolicySource(path=rule.path, data=_read(rule.path), origin=rule.source, beside=_beside(rule.path))
        for rule in bound
    ]
    packs = PackPolicies(rules=tuple(rule for rule in packs.rules if rule not in bound))
    found = load(sources, versions=versions, known_rules=known | {rule.id for rule in packs.rules})
    return Policies(sources=tuple(sources), found=found, folders=tuple(folders), packs=packs)


def _packs(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(PREFIX)]


def _speaks_of(sources: Iterable[PolicySource], policy: str) -> bool:
    """Tell whether a binding may be about a policy."""
    name = policy.encode()
    return any(_BINDING_WORD in source.data and name in source.data for source in sources)


def _inside(name: str, root: str) -> list[str]:
    """Return a directory of the command line as a repository path, where it is one."""
    path = os.path.relpath(os.path.realpath(name), os.path.realpath(root)).replace(os.sep, "/")
    return [] if path.startswith("..") or name.startswith((PREFIX, GIT_PREFIX)) else [path]


def sources_of(name: str, tree: Tree | None, repo: Repo | None, root: str) -> list[PolicySource]:
    """Read the files that a name of the configuration or the command line means.

    Args:
        name: A directory or file, `pack:NAME` or `git+PATH@REV`.
        tree: Where directories are read; None: on disk.
        repo: The repository, if any.
        root: Directory that paths are relative to.

    Raises:
        UsageError: There is nothing of that name.
        RepoError: A revision or file cannot be read.
    """
    if name.startswith(PREFIX):
        return []  # they are rules already, unless a binding speaks of them
    if name.startswith(GIT_PREFIX):
        return _at_revision(name, repo, root)
    path = os.path.normpath(name).replace(os.sep, "/")
    if tree is None or os.path.isabs(name):
        return _on_disk(os.path.join(root, name), path, name)
    return _in_tree(tree, path, path, name)


def _on_disk(folder: str, shown: str, origin: str) -> list[PolicySource]:
    if not os.path.exists(folder):
        raise UsageError(f"{origin}: no such file or directory")
    if os.path.isfile(folder):
        return [PolicySource(path=shown, data=_read(folder), origin=origin, beside=_beside(folder))]
    return [
        PolicySource(
            path=path if shown == "." else f"{shown}/{path}", data=_read(full), origin=origin, beside=_beside(full)
        )
        for path, full in files_below(folder)
        if is_policy_file(path)
    ]


def _beside(path: str) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        full = os.path.join(os.path.dirname(path), name)
        return _read(full) if os.path.isfile(full) else None

    return read


def _beside_in(tree: Tree, path: str) -> Callable[[str], bytes | None]:
    def read(name: str) -> bytes | None:
        full = posixpath.join(posixpath.dirname(path), name)
        try:
            return tree.read(full) if tree.exists(full) else None
        except RepoError:
            return None  # a page that is a link, or too large: there is none

    return read


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def _in_tree(tree: Tree, path: str, shown: str, origin: str) -> list[PolicySource]:
    """Read a directory or file of a tree; `.` is all of it."""
    below = "" if path == "." else f"{path}/"
    found: list[PolicySource] = []
    for entry in tree.entries():
        if entry.kind is not EntryKind.FILE:
            continue
        if entry.path == path:
            beside = _beside_in(tree, path)
            return [PolicySource(path=shown, data=tree.read(path), origin=origin, beside=beside)]
        inside = entry.path[len(below) :]
        if entry.path.startswith(below) and is_policy_file(inside):
            place = inside if shown == "." else f"{shown}/{inside}"
            beside = _beside_in(tree, entry.path)
            found.append(PolicySource(path=place, data=tree.read(entry.path), origin=origin, beside=beside))
    if not found:
        raise UsageError(f"{origin}: no policy files there in the {tree.label}")
    return found


def _at_revision(name: str, repo: Repo | None, root: str) -> list[PolicySource]:
    """Read `git+PATH@REV`: PATH leads into this repository, or to another one on this machine."""
    path, at, rev = name.removeprefix(GIT_PREFIX).rpartition("@")
    if not (at and path and rev):
        raise UsageError(f"{name}: write it as git+PATH@REV, such as git+policies@main")
    full = os.path.normpath(os.path.join(os.path.realpath(root), path))
    anchor = full
    while not os.path.isdir(anchor):
        anchor = os.path.dirname(anchor)
    owner = Repo.discover(anchor) or repo
    if owner is None:
        raise UsageError(f"{name}: {path} lies in no Git repository")
    inside = os.path.relpath(full, os.path.realpath(owner.root)).replace(os.sep, "/")
    if owner.is_bare or inside.startswith(".."):
        inside = "."
    return _in_tree(owner.commit_tree(rev), inside, f"{rev}:{inside}", name)


def _elsewhere(tree: Tree, known: set[str]) -> list[PolicySource]:
    """Find policies and bindings anywhere else in the repository."""
    return [
        PolicySource(path=path, data=data)
        for path, data in _manifests(tree)
        if path not in known and _POLICY_WORD in data and not is_example(path)
    ]


def _manifests(tree: Tree) -> Iterator[tuple[str, bytes]]:
    for entry in tree.entries():
        if entry.kind is EntryKind.FILE and entry.path.endswith(_SUFFIXES):
            try:
                yield entry.path, tree.read(entry.path)
            except RepoError:
                continue  # it is reported where it is judged


def build_world(
    policies: Policies,
    rules: Sequence[PolicyRule],
    tree: Tree,
    base: BaseObjects | None,
    identity: Mapping[str, Json],
) -> tuple[World, bytes]:
    """Collect what the rules need of the repository.

    Args:
        policies: All policies; their files may hold params too.
        rules: Those that are on.
        tree: The repository.
        base: What it was before the change, if that is known.
        identity: `request.userInfo`; empty when it is not known.

    Returns:
        The world, and a digest of it for the verdict cache.
    """
    wanted = _wanted(rules)
    bodies: list[Body] = []
    if wanted:
        own = {source.path for source in policies.sources}
        files = [(path, data) for path, data in _manifests(tree) if not policies.is_example(path) and path not in own]
        files += [(source.path, source.data) for source in policies.sources]
        for _, data in files:
            if any(word.search(data) for word in wanted):
                bodies.extend(objects_in(data))
    before = {} if base is None else base.bodies
    stamp = digest(
        b"world 1",
        *(json.dumps(body).encode() for body in bodies),
        *(json.dumps([key, body]).encode() for key, body in sorted(before.items())),
    )
    return World(bodies=bodies, base=before, user=identity or None), stamp


def _wanted(rules: Sequence[PolicyRule]) -> list["re.Pattern[bytes]"]:
    """Return what to look for in files: nothing where no rule needs to know anything."""
    words: list[re.Pattern[bytes]] = []
    if any(rule.needs_namespaces for rule in rules):
        words.append(_NAMESPACE_WORD)
    if any(rule.needs_definitions for rule in rules):
        words.append(_DEFINITION_WORD)
    kinds = {rule.policy.param_kind[1] for rule in rules if rule.policy.param_kind is not None}
    if kinds:
        words.append(_DEFINITION_WORD)
    words += [re.compile(rb"\b" + re.escape(kind.encode()) + rb"\b") for kind in sorted(kinds)]
    return words

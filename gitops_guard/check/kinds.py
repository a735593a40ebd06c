"""What the target Kubernetes versions say about one resource: is its kind served, and does it fit the schema?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gitops_guard.check.setting import FindSchema
from gitops_guard.model import Body, Problem, ResourceId, Severity
from gitops_guard.schema.base import Schema
from gitops_guard.schema.builtin import BuiltinSchemas
from gitops_guard.schema.lifecycle import Identity, is_kind_name, known_group, lifecycle, nearest_kinds


class Checked(Enum):
    """How far a resource was checked."""

    WHOLLY = "wholly"
    SCHEMA_ONLY = "schema only"
    NO_SCHEMA = "no schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The outcome for one resource."""

    problems: tuple[Problem, ...]
    checked: Checked
    custom: bool = False
    """The kind is not built in: what is known of it depends on the tree's definitions."""


class Kinds:
    """Judges resources against every target version; made once a run, used for all its files."""

    def __init__(
        self,
        builtin: Mapping[str, BuiltinSchemas],
        *,
        custom: FindSchema = lambda _group, _version, _kind: None,
        missing_schema_is_error: bool = False,
    ) -> None:
        """Keep what decides.

        Args:
            builtin: Schemas by minor version: `{"1.37": ...}`.
            custom: Finds the schema of a kind that is not built in.
            missing_schema_is_error: Report a kind without a schema, beside counting it as skipped.
        """
        self._builtin = builtin
        self._custom = custom
        self._missing_schema_is_error = missing_schema_is_error

    def examine(self, resource: ResourceId, body: Body, versions: Sequence[str]) -> Examination:
        """Check one resource.

        Args:
            resource: Its identity; kind and version may be anything that a document can hold.
            body: Its content.
            versions: Minor versions to check against, oldest first.
        """
        key = (resource.group, resource.version, resource.kind)
        found = {version: self._builtin[version].find(*key) for version in versions}
        if any(found.values()):
            return self._examine_builtin(resource, body, found)
        custom = self._custom(*key)
        if custom is not None:
            checked = Checked.WHOLLY if custom.complete else Checked.SCHEMA_ONLY
            return Examination(problems=tuple(custom.problems(body)), checked=checked, custom=True)
        if known_group(resource.group) and not _is_somebody_elses(resource):
            return self._unserved(resource, versions)
        problems = (self._missing_schema(resource),) if self._missing_schema_is_error else ()
        return Examination(problems=problems, checked=Checked.NO_SCHEMA, custom=True)

    def _examine_builtin(self, resource: ResourceId, body: Body, found: Mapping[str, Schema | None]) -> Examination:
        by_version = {version: tuple(schema.problems(body)) for version, schema in found.items() if schema is not None}
        missing = [version for version, schema in found.items() if schema is None]
        problems = [*self._gone(resource, missing), *self._going(resource, list(by_version)), *_merged(by_version)]
        complete = all(schema is None or schema.complete for schema in found.values())
        return Examination(problems=tuple(problems), checked=Checked.WHOLLY if complete else Checked.SCHEMA_ONLY)

    def _unserved(self, resource: ResourceId, versions: Sequence[str]) -> Examination:
        return Examination(problems=tuple(self._gone(resource, versions)), checked=Checked.NO_SCHEMA)

    def _gone(self, resource: ResourceId, versions: Sequence[str]) -> Iterable[Problem]:
        """Say why versions do not serve the kind: removed, not yet there, or never heard of."""
        if not versions:
            return
        life = lifecycle(resource.group, resource.version, resource.kind)
        where = _listed(versions)
        if life is None:
            yield Problem(
                rule="unknown-kind",
                field=("kind",),
                severity=Severity.ERROR,
                message=f'no matches for kind "{resource.kind}" in version "{resource.api_version}" in {where}',
                hint=_similar_kind(resource),
            )
        elif life.removed is not None and _minor(versions[-1]) >= life.removed:
            yield Problem(
                rule="removed-api",
                field=("apiVersion",),
                severity=Severity.ERROR,
                message=f"{resource.api_version} {resource.kind} was removed in Kubernetes 1.{life.removed}"
                f" and is not served in {where}",
                hint=_replacement(life.replacement),
            )
        else:
            since = f"is new in Kubernetes 1.{life.introduced} and " if life.introduced else ""
            yield Problem(
                rule="unknown-kind",
                field=("apiVersion",),
                severity=Severity.ERROR,
                message=f"{resource.api_version} {resource.kind} {since}is not served in {where}",
            )

    def _going(self, resource: ResourceId, versions: Sequence[str]) -> Iterable[Problem]:
        """Warn of a version that is served still but deprecated."""
        life = lifecycle(resource.group, resource.version, resource.kind)
        if life is None or life.deprecated is None or _minor(versions[-1]) < life.deprecated:
            return
        end = f" and is removed in 1.{life.removed}" if life.removed else ""
        yield Problem(
            rule="deprecated-api",
            field=("apiVersion",),
            severity=Severity.WARNING,
            message=f"{resource.api_version} {resource.kind} is deprecated since Kubernetes 1.{life.deprecated}{end}",
            hint=_replacement(life.replacement),
        )

    def _missing_schema(self, resource: ResourceId) -> Problem:
        return Problem(
            rule="missing-schema",
            field=("kind",),
            severity=Severity.ERROR,
            message=f"no schema for {resource.api_version} {resource.kind}",
            hint="add its CustomResourceDefinition to the repository, or name it under schemas: in the configuration",
        )


def _is_somebody_elses(resource: ResourceId) -> bool:
    """Tell a configuration file in Kubernetes' style from a mistake: Talos writes `v1alpha1` without a group.

    The core group has only ever had `v1`; another version of a kind that Kubernetes knows is a mistake all the same.
    """
    return not resource.group and resource.version != "v1" and not is_kind_name(resource.kind)


def _merged(by_version: Mapping[str, Sequence[Problem]]) -> Iterable[Problem]:
    """Yield each problem once; one that not all versions have names those that do."""
    versions_of: dict[Problem, list[str]] = {}
    for version, problems in by_version.items():
        for problem in problems:
            versions_of.setdefault(problem, []).append(version)
    for problem, versions in versions_of.items():
        if len(versions) == len(by_version):
            yield problem
        else:
            yield replace(problem, message=f"{problem.message} (in {_listed(versions)})")


def _listed(versions: Sequence[str]) -> str:
    return f"Kubernetes {', '.join(versions)}"


def _similar_kind(resource: ResourceId) -> str:
    found = nearest_kinds(resource.group, resource.version, resource.kind)
    return f"did you mean {_written(found[0])}?" if found else ""


def _replacement(replacement: Identity | None) -> str:
    return f"use {_written(replacement)}" if replacement else ""


def _written(identity: Identity) -> str:
    group, version, kind = identity
    return f"{group}/{version} {kind}" if group else f"{version} {kind}"


def _minor(version: str) -> int:
    return int(version.partition(".")[2])

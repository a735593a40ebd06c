"""Which findings a selector means: a suppression of the configuration, or a waiver."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitops_guard.config import FieldGlob, NameGlob, PathSet, Suppression, Waiver
from gitops_guard.model import Finding, ResourceId

LabelsOf = Callable[[Finding], Mapping[str, str]]
"""Returns the labels of the resource that a finding is about; empty when it has none or they are not known."""


def no_labels(_finding: Finding) -> Mapping[str, str]:
    """Know of no labels."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """All parts that are given must match, each by any of its entries."""

    kinds: tuple[str, ...] = ()
    names: tuple[NameGlob, ...] = ()
    namespaces: tuple[NameGlob, ...] = ()
    paths: PathSet | None = None
    fields: tuple[FieldGlob, ...] = ()
    containers: tuple[NameGlob, ...] = ()
    labels: Mapping[str, NameGlob]
    labels_of: LabelsOf = no_labels

    @classmethod
    def of_suppression(cls, suppression: Suppression) -> "Selector":
        """Return what a suppression of the configuration selects."""
        return cls(
            kinds=_given(suppression.kind),
            names=_names(_given(suppression.name)),
            namespaces=_names(_given(suppression.namespace)),
            paths=_paths(_given(suppression.path)),
            fields=_fields(_given(suppression.field)),
            containers=_names(_given(suppression.container)),
            labels={},
        )

    @classmethod
    def of_waiver(cls, waiver: Waiver, labels_of: LabelsOf) -> "Selector":
        """Return what a waiver selects."""
        return cls(
            kinds=waiver.kinds,
            names=_names(waiver.names),
            namespaces=_names(waiver.namespaces),
            paths=_paths(waiver.paths),
            fields=_fields(waiver.fields),
            containers=_names(waiver.containers),
            labels={key: NameGlob(value) for key, value in waiver.labels.items()},
            labels_of=labels_of,
        )

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding is meant."""
        if self.paths and not self.paths.matches(finding.location.path):
            return False
        if self.fields and not any(one.matches(finding.field) for one in self.fields):
            return False
        if self.containers and not (finding.container and _any(self.containers, finding.container)):
            return False
        return self._covers_resource(finding.resource) and self._has_labels(finding)

    def _covers_resource(self, resource: ResourceId | None) -> bool:
        if resource is None:
            return not (self.kinds or self.names or self.namespaces or self.labels)
        return (
            (not self.kinds or any(_is_kind(kind, resource) for kind in self.kinds))
            and (not self.names or _any(self.names, resource.name))
            and (not self.namespaces or _any(self.namespaces, resource.namespace))
        )

    def _has_labels(self, finding: Finding) -> bool:
        if not self.labels:
            return True
        there = self.labels_of(finding)
        return all(key in there and value.matches(there[key]) for key, value in self.labels.items())


def _given(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _names(texts: Sequence[str]) -> tuple[NameGlob, ...]:
    return tuple(NameGlob(text) for text in texts)


def _fields(texts: Sequence[str]) -> tuple[FieldGlob, ...]:
    return tuple(FieldGlob(text) for text in texts)


def _paths(texts: Sequence[str]) -> PathSet | None:
    return PathSet(tuple(texts)) if texts else None


def _any(globs: Sequence[NameGlob], text: str) -> bool:
    return any(one.matches(text) for one in globs)


def _is_kind(text: str, resource: ResourceId) -> bool:
    kind, _, group = text.partition(".")
    return kind == resource.kind and group in ("", resource.group)

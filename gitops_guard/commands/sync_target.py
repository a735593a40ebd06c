"""Which cluster and which set a command is about, and what its settings under `sync:` mean to the stage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gitops_guard.cluster import Access, Client, load_access
from gitops_guard.config.sync_model import SyncConfig
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.conflicts import ConflictRule, Settlement
from gitops_guard.sync.field_selector import selector
from gitops_guard.sync.health import Check, Expressions, compile_checks
from gitops_guard.sync.ignoring import IgnoreRule, Way
from gitops_guard.sync.windows import Window, window


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The part of the command line that says where."""

    context: str = ""
    kubeconfig: str = ""
    namespace: str = ""
    """Of the set's parent, and of objects that name none; empty: that of the context."""

    name: str = "default"
    """Of the set."""


@contextmanager
def connected(target: Target, environment: Mapping[str, str]) -> Iterator[tuple[Client, Access, SetName]]:
    """Connect to a cluster.

    Raises:
        AccessError: The way to it cannot be found.
    """
    access = load_access(environment, context=target.context, kubeconfig=target.kubeconfig)
    with Client(access) as client:
        yield client, access, SetName(name=target.name, namespace=target.namespace or access.namespace)


def conflict_rules(config: SyncConfig) -> tuple[ConflictRule, ...]:
    """Return what is done about fields of other managers."""
    return tuple(
        ConflictRule(
            settlement=Settlement(one.action),
            manager=one.manager or "*",
            field=one.field or "*",
            kind=one.kind,
        )
        for one in config.conflicts
    )


def ignore_rules(config: SyncConfig) -> tuple[IgnoreRule, ...]:
    """Return what is left to others.

    Raises:
        SyncError: A field cannot be read as a pointer or path.
    """
    return tuple(
        IgnoreRule(
            fields=selector(one.field) if one.field else None,
            manager=one.manager,
            kind=one.kind,
            namespace=one.namespace,
            name=one.name,
            way=Way(one.way),
            until=one.until,
            reason=one.reason,
        )
        for one in config.ignore_drift
    )


def windows(config: SyncConfig) -> tuple[Window, ...]:
    """Return when a run may write.

    Raises:
        SyncError: A window cannot be read.
    """
    return tuple(
        window(one.allow or one.deny, one.duration, is_allowed=bool(one.allow), zone=one.time_zone)
        for one in config.windows
    )


def health_checks(config: SyncConfig) -> dict[tuple[str, str], Check]:
    """Return the user's own expressions.

    Raises:
        SyncError: One is no expression that gives true or false.
    """
    said = []
    for one in config.health:
        kind, _, group = one.kind.partition(".")
        said.append(
            Expressions(group=group, kind=kind, current=one.current, in_progress=one.in_progress, failed=one.failed)
        )
    return compile_checks(said)

"""Several clusters at the same time; one that cannot be asked is an error of its own."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from gitops_guard.cluster import Client, Limits, load_access
from gitops_guard.errors import ClusterError
from gitops_guard.live.preview import LiveOptions, preview
from gitops_guard.model import Resource
from gitops_guard.model.live import ClusterPreview

_MOST_CLUSTERS = 8
_LIMITS = Limits(attempts=3)
"""Somebody waits: a cluster behind a dead address is given up after half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One cluster and what Git deploys to it."""

    name: str
    """For the reader: its name in the configuration, or that of the context."""

    context: str
    """Of the kubeconfig."""

    base: tuple[Resource, ...]
    head: tuple[Resource, ...]
    options: LiveOptions


def preview_all(
    targets: Iterable[Target], environment: Mapping[str, str], *, kubeconfig: str = "", user_agent: str = "gitops-guard"
) -> tuple[ClusterPreview, ...]:
    """Ask several clusters what a merge does to them.

    Args:
        targets: The clusters.
        environment: For finding and reading kubeconfigs.
        kubeconfig: A file that is used instead of those.
        user_agent: For the servers' logs.

    Returns:
        One preview a cluster, in the order of their names.
    """
    ordered = sorted(targets, key=lambda target: target.name)

    def ask(target: Target) -> ClusterPreview:
        try:
            access = load_access(environment, context=target.context, kubeconfig=kubeconfig)
            with Client(access, limits=_LIMITS, user_agent=user_agent) as client:
                found = preview(client, target.base, target.head, target.options)
        except ClusterError as error:
            return ClusterPreview(cluster=target.name, error=str(error))
        return _named(found, target.name)

    if len(ordered) < 2:
        return tuple(map(ask, ordered))
    with ThreadPoolExecutor(max_workers=min(len(ordered), _MOST_CLUSTERS)) as pool:
        return tuple(pool.map(ask, ordered))


def _named(found: ClusterPreview, name: str) -> ClusterPreview:
    return replace(found, cluster=name)

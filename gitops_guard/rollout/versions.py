"""What differs between versions of Kubernetes, as data: gates and behaviours by the version that changed them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

Version: TypeAlias = tuple[int, int, int]

LATEST_PATCH = 1_000_000
"""Stands for the newest patch when only a minor version is known."""

_FIRST: Version = (0, 0, 0)

_GATES: Mapping[str, tuple[tuple[Version, bool], ...]] = {
    # pkg/features/kube_features.go of v1.34.3, v1.35.0, v1.35.4, v1.36.3, v1.37.0
    "MaxUnavailableStatefulSet": (
        (_FIRST, False),
        ((1, 35, 0), True),
        ((1, 35, 4), False),
        ((1, 37, 0), True),
    ),
    "StatefulSetRecreateStrategy": ((_FIRST, False),),
}

_STATEFULSET_WAITS_FOR_AVAILABILITY = ((_FIRST, False), ((1, 34, 0), True))
"""Without the gate stateful_set_control.go waits with isHealthy in v1.33.6, with isUnavailable since v1.34.0."""

_STATEFULSET_REPLACES_BROKEN_PODS = ((_FIRST, False), ((1, 37, 0), True))
"""With the gate: v1.37.0 updateStatefulSetAfterInvariantEstablished; before, a broken old pod used up the budget."""

_STATEFULSET_COMPLETES_ANY_STRATEGY = ((_FIRST, False), ((1, 37, 0), True))
"""v1.37.0 stateful_set_utils.go:completeUpdate; completeRollingUpdate before it left OnDelete out."""


class KubernetesModel(NamedTuple):
    """The rules that one cluster follows."""

    name: str
    """`kubernetes 1.36`."""

    statefulset_max_unavailable: bool
    """Gate MaxUnavailableStatefulSet."""

    statefulset_recreate: bool
    """Gate StatefulSetRecreateStrategy."""

    statefulset_waits_for_availability: bool
    """An update without the gate waits for minReadySeconds, not only for readiness."""

    statefulset_completes_any_strategy: bool
    """The current revision moves on whatever the strategy, once all pods are of the new one."""

    statefulset_replaces_broken_pods: bool
    """With the gate and Parallel, unavailable old pods are replaced whatever the budget."""


def kubernetes_model(version: str, gates: Mapping[str, bool] = MappingProxyType({})) -> KubernetesModel:
    """Return the rules of a version of Kubernetes.

    Args:
        version: `1.36` (then its newest patch) or `v1.35.2`.
        gates: Feature gates set on kube-controller-manager and kube-apiserver, where they differ from the defaults.

    Raises:
        ValueError: The text is no version.
    """
    at = parse_version(version)
    chosen = {name: gates.get(name, _at(changes, at)) for name, changes in _GATES.items()}
    return KubernetesModel(
        name=f"kubernetes {version.removeprefix('v')}",
        statefulset_max_unavailable=chosen["MaxUnavailableStatefulSet"],
        statefulset_recreate=chosen["StatefulSetRecreateStrategy"],
        statefulset_waits_for_availability=_at(_STATEFULSET_WAITS_FOR_AVAILABILITY, at),
        statefulset_completes_any_strategy=_at(_STATEFULSET_COMPLETES_ANY_STRATEGY, at),
        statefulset_replaces_broken_pods=_at(_STATEFULSET_REPLACES_BROKEN_PODS, at),
    )


def parse_version(version: str) -> Version:
    """Return a version as numbers; an absent patch is the newest.

    Raises:
        ValueError: The text is no version.
    """
    match = re.fullmatch(r"v?([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,4}))?(?:[-+].*)?", version, re.ASCII)
    if match is None:
        raise ValueError(f"{version!r} is no version of Kubernetes such as 1.36 or v1.36.3")
    major, minor, patch = match.groups()
    return int(major), int(minor), LATEST_PATCH if patch is None else int(patch)


def _at(changes: tuple[tuple[Version, bool], ...], version: Version) -> bool:
    return [value for since, value in changes if since <= version][-1]

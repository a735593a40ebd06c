"""Which reader's YAML is meant: kubectl's or kustomize's."""

from enum import StrEnum


class Dialect(StrEnum):
    """The reader whose tree is wanted; the differences are few and listed where each of them is decided."""

    KUBECTL = "kubectl"
    """kubectl, the API server, Helm's output, Argo CD's plain directories."""

    KUSTOMIZE = "kustomize"
    """`kustomize build` and what kubectl then reads: files reached through a kustomization, all of Flux."""

"""The only talker to Kubernetes API servers: finds the way, proves who we are, asks, and says what errors mean.

    access = load_access(os.environ, context="prod-eu")
    with Client(access) as client:
        written = client.apply(body, manager="gitops-guard", dry_run=True)

Built on the standard library: see docs/decisions/0015. Knows nothing of Git, manifests, rules or reports. No message
and no `repr` holds a token, a key, or the value of a Secret that was sent.
"""

from gitops_guard.cluster.access import Access, Impersonation
from gitops_guard.cluster.answer import Answer, Call, Limits
from gitops_guard.cluster.client import Client, Listing, PatchType, Propagation, Written
from gitops_guard.cluster.discovery import ApiResource, Resources
from gitops_guard.cluster.errors import (
    AccessError,
    ApiError,
    CancelledError,
    Cause,
    ErrorClass,
    LeaseHeldError,
    UnreachableError,
)
from gitops_guard.cluster.in_cluster import in_cluster_access, is_in_cluster
from gitops_guard.cluster.json_patch import replacements
from gitops_guard.cluster.kubeconfig import context_names, load_access
from gitops_guard.cluster.lease import Lease, give_back_lease, renew_lease, take_lease
from gitops_guard.cluster.limiter import Limiter
from gitops_guard.cluster.parallel import in_parallel
from gitops_guard.cluster.rights import Rules
from gitops_guard.cluster.watch import Event, EventType, Watch

__all__ = [
    "Access",
    "AccessError",
    "Answer",
    "ApiError",
    "ApiResource",
    "Call",
    "CancelledError",
    "Cause",
    "Client",
    "ErrorClass",
    "Event",
    "EventType",
    "Impersonation",
    "Lease",
    "LeaseHeldError",
    "Limiter",
    "Limits",
    "Listing",
    "PatchType",
    "Propagation",
    "Resources",
    "Rules",
    "UnreachableError",
    "Watch",
    "Written",
    "context_names",
    "give_back_lease",
    "in_cluster_access",
    "in_parallel",
    "is_in_cluster",
    "load_access",
    "renew_lease",
    "replacements",
    "take_lease",
]

"""Which kinds something in the cluster may change on their way into it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gitops_guard.cluster import ApiError, ApiResource, Client
from gitops_guard.model import Json

_GROUP: Final = "admissionregistration.k8s.io"
_BY_PLUGINS: Final = frozenset(("Pod",))
"""Kinds whose updates plugins of the server itself change."""

UNSEEN: Final = "webhooks cannot be listed, so every object was dry-run"


def mutated_kinds(client: Client) -> tuple[Callable[[ApiResource], bool], tuple[str, ...]]:
    """Ask which kinds are changed by webhooks or policies.

    Args:
        client: Of the cluster.

    Returns:
        Whether a kind may be changed on its way, and notes for the reader. Selectors of namespaces and objects are
        not looked at: they only make it fewer.
    """
    rules: list[Mapping[str, Json]] = []
    for kind, read in (("MutatingWebhookConfiguration", _of_webhooks), ("MutatingAdmissionPolicy", _of_policy)):
        resource = client.resources().preferred(_GROUP, kind)
        if resource is None:
            continue
        try:
            listed = client.list(resource)
        except ApiError:
            return (lambda _: True), (UNSEEN,)
        rules += [rule for item in listed.items for rule in read(item)]
    return (lambda resource: resource.kind in _BY_PLUGINS or any(_matches(rule, resource) for rule in rules)), ()


def _of_webhooks(configuration: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    for webhook in _structs(configuration.get("webhooks")):
        yield from _structs(webhook.get("rules"))


def _of_policy(policy: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    spec = policy.get("spec")
    constraints = spec.get("matchConstraints") if isinstance(spec, dict) else None
    if isinstance(constraints, dict):
        yield from _structs(constraints.get("resourceRules"))


def _matches(rule: Mapping[str, Json], resource: ApiResource) -> bool:
    """Tell whether a rule is about a kind, in whatever version: a rule of another version matches its equivalents."""
    return (
        _names(rule, "operations", "UPDATE")
        and _names(rule, "apiGroups", resource.group)
        and (_names(rule, "resources", resource.plural) or _names(rule, "resources", "*/*"))
    )


def _names(rule: Mapping[str, Json], key: str, wanted: str) -> bool:
    listed = rule.get(key)
    return isinstance(listed, list) and ("*" in listed or wanted in listed)


def _structs(value: Json) -> Iterator[dict[str, Json]]:
    for one in value if isinstance(value, list) else []:
        if isinstance(one, dict):
            yield one

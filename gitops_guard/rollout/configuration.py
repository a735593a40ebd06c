"""What pods take from ConfigMaps and Secrets, and what of it a running pod never sees change."""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_guard.links.pods import Reference, content, references
from gitops_guard.model import Body
from gitops_guard.rollout.case import struct
from gitops_guard.rollout.change import Change, Pair, template_of

_RELOADERS = ("reloader.stakater.com/", "configmap.reloader.stakater.com/", "secret.reloader.stakater.com/",
              "wave.pusher.com/")  # fmt: skip
"""Annotations by which somebody asked a controller to restart pods when their configuration changes."""


class Stale(NamedTuple):
    """A use of configuration that the change alters without a rollout."""

    reference: Reference
    config: Pair


def stale_references(workload: Pair, change: Change) -> Iterator[Stale]:
    """Yield what running pods go on using although the change replaces it; one for each ConfigMap, Secret and way."""
    if workload.old is None or workload.new is None or workload.rolls or _is_reloaded(workload.new):
        return
    if change.canary_of(workload) is not None:
        return  # Flagger takes changed configuration for a new version
    seen: set[tuple[str, str, str]] = set()
    for reference in references(workload.new):
        name = (reference.kind, reference.name, reference.how)
        config = find_config(change, workload, reference)
        if name in seen or config is None or config.old is None or config.new is None:
            continue
        old, new = content(config.old), content(config.new)
        keys = reference.keys or tuple(sorted(old.keys() | new.keys()))
        if any(old.get(key) != new.get(key) for key in keys):
            seen.add(name)
            yield Stale(reference, config)


def stale_reasons(workload: Pair, change: Change) -> tuple[str, ...]:
    """Say in sentences what the pods of a workload go on using."""
    return tuple(stale_text(one.reference) for one in stale_references(workload, change))


def stale_text(reference: Reference) -> str:
    """Say what becomes of a changed ConfigMap or Secret that rolls nothing."""
    name = f"{reference.kind} {reference.name} changes under the same name and no pod is replaced"
    if reference.how == "file":
        return f"{name}: its files are renewed within minutes, a process that reads them once keeps the old ones"
    what = "environment variables" if reference.how == "environment" else "files mounted by subPath"
    return f"{name}: {what} keep the old values until each pod restarts, so pods will differ"


def uses(change: Change) -> Iterator[tuple[Pair, Reference, Pair]]:
    """Yield (workload, reference, ConfigMap or Secret) of every use that the change knows both ends of."""
    for workload in change.workloads:
        for reference in references(workload.new or {}):
            config = find_config(change, workload, reference)
            if config is not None:
                yield workload, reference, config


def find_config(change: Change, workload: Pair, reference: Reference) -> Pair | None:
    """Return the ConfigMap or Secret that is referred to, if the change knows it."""
    return change.find(reference.kind, workload.scope, reference.name)


def _is_reloaded(body: Body) -> bool:
    for metadata in (struct(body.get("metadata")), struct(template_of(body).get("metadata"))):
        if any(name.startswith(_RELOADERS) for name in struct(metadata.get("annotations"))):
            return True
    return False

"""What the formats of a preview share: sentences about objects, prunes, rights and what a cluster was asked."""

from collections import Counter
from collections.abc import Iterator

from gitops_guard.model import Action, Change
from gitops_guard.model.live import ClusterPreview, Conflict, LiveObject, MissingRight, Prune
from gitops_guard.report.words import count


def summary(changes: tuple[Change, ...]) -> str:
    """Return `1 created, 2 configured`."""
    counted = Counter(change.action for change in changes)
    return ", ".join(f"{counted[action]} {action}" for action in Action if counted[action]) or "nothing"


def drift_summary(changes: tuple[Change, ...]) -> str:
    """Return `1 missing, 2 changed`."""
    missing = sum(change.action is Action.DELETED for change in changes)
    told = [
        f"{number} {word}" for number, word in ((missing, "missing"), (len(changes) - missing, "changed")) if number
    ]
    return ", ".join(told) or "none"


def judged(one: LiveObject) -> str:
    """Say how an object was judged and why: `refused: invalid: ...; the object must be created anew`."""
    anew = "; created anew, the object would be valid" if one.recreate else ""
    return f"{one.preview}: {one.reason}{anew}"


def conflict(one: Conflict) -> str:
    """Return `.spec.replicas is owned by autoscaler`."""
    return f"{one.field} is owned by {one.manager}{', without the merge too' if one.already else ''}"


def prune(one: Prune) -> str:
    """Say why an object would be deleted, or stays."""
    by = f" ({one.inventory})" if one.inventory else ""
    why = "the merge takes it out of Git" if one.by_merge else "it is not in Git, with the merge or without"
    return f"{why}{by}{f'; kept: {one.kept}' if one.kept else ''}"


def right(one: MissingRight) -> str:
    """Return `patch deployments.apps in namespace shop (3 objects)`."""
    place = f" in namespace {one.namespace}" if one.namespace else ""
    return f"{one.verb} {one.resource}{place} ({count(one.objects, 'object')})"


def coverage_lines(preview: ClusterPreview) -> Iterator[str]:
    """Say what the cluster was asked."""
    yield (
        f"{count(preview.compared, 'object')}: {preview.proved} proved to be as Git says without a dry-run,"
        f" {count(preview.dry_runs, 'dry-run')} sent"
    )
    yield from (f"note: {note}" for note in preview.notes)

"""The order in which Argo CD applies objects: the annotation that names a sync wave."""

from gitops_guard.model import Body
from gitops_guard.rollout.case import struct

ANNOTATION = "argocd.argoproj.io/sync-wave"


def wave_of(body: Body) -> int:
    """Return an object's sync wave; 0 where it names none that is a number."""
    value = struct(struct(body.get("metadata")).get("annotations")).get(ANNOTATION)
    try:
        return int(str(value)) if isinstance(value, str) and len(value) < 10 else 0
    except ValueError:
        return 0

"""Fields that the API server writes and a manifest only carries along by accident."""

from typing import Final

from gitops_guard.model import FieldPath

_METADATA: Final = frozenset(("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"))
_ANNOTATIONS: Final = frozenset(
    ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
)


def is_server_owned(path: FieldPath) -> bool:
    """Tell whether a field is the server's to write."""
    if path == ("status",):
        return True
    if len(path) == 2 and path[0] == "metadata":
        return path[1] in _METADATA
    return len(path) == 3 and path[:2] == ("metadata", "annotations") and path[2] in _ANNOTATIONS

"""What a file must hold for a suppression to be in it. Imports nothing: the clean path asks for these bytes."""

COMMENT_MARKER = "gitops-guard:"
"""Starts a suppression comment, after the `#`."""

ANNOTATION = "gitops-guard.io/ignore"
"""Key of the suppression annotation."""


def may_suppress(data: bytes) -> bool:
    """Tell whether a file may hold a suppression: without one of the markers it does not."""
    return COMMENT_MARKER.encode() in data or ANNOTATION.encode() in data

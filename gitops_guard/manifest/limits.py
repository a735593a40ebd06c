"""How large and how deep a manifest may be."""

MAX_BYTES = 3 * 1024 * 1024
"""The API server takes no request body above 3 MiB."""

MAX_DEPTH = 200
"""Deeper trees are refused, far above any real manifest and far below Python's recursion limit."""

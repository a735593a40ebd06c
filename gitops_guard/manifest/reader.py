"""A chunk to nodes, by the parser that fits it."""

from gitops_guard.manifest.composer import Composed, compose
from gitops_guard.manifest.json_reader import read_object
from gitops_guard.manifest.splitter import Chunk


def read_node(chunk: Chunk) -> Composed:
    """Parse a chunk.

    Raises:
        UnreadableError: It is YAML that kubectl could not parse.
    """
    if chunk.is_json:
        return Composed(root=read_object(chunk.text), issues=())
    return compose(chunk.text)

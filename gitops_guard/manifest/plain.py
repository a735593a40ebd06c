"""The quick reader: bodies of a file that holds nothing unusual, or None for "not sure, ask `loader.load`".

It owns speed and nothing else: no places, no messages, no dialects but kubectl's. Two readers are asked in turn:
`lines` takes what is plainly written, a line at a time; `plain_events` takes most of the rest and imports PyYAML.
Whatever the loader would mention at any severity ends in None, and so does much that it would not (tags, JSON).
"""

import re

from gitops_guard.manifest.lines import read_lines


def read_plain(data: bytes) -> "list[object] | None":
    """Read a manifest file that holds nothing unusual.

    Args:
        data: The whole file.

    Returns:
        The bodies of its documents in order, as JSON-pure trees, without those that are empty; None when something in
        it is for `loader.load` to judge.
    """
    bodies = read_lines(data)
    if bodies is not None:
        return bodies
    # PyYAML costs a hook 17 ms to import; most hooks see plainly written files only.
    from gitops_guard.manifest.plain_events import read_events

    return read_events(data)


def looks_like_manifest(data: bytes) -> bool:
    """Tell cheaply whether a file means to be a manifest: `apiVersion` and `kind` stand where a key may stand.

    Returns:
        False only for a file that surely is none; a file that cannot be parsed can still look like one.
    """
    return re.search(_HAS_VERSION, data) is not None and re.search(_HAS_KIND, data) is not None


# At the start of a line for YAML; after a brace, a comma or a blank in quotes for JSON and flow style. Not
# compiled here, since the clean path has no need of them.
_HAS_VERSION = rb"""(?:^|[\n\r{,\t "'])apiVersion["']?[ \t]*:"""
_HAS_KIND = rb"""(?:^|[\n\r{,\t "'])kind["']?[ \t]*:"""

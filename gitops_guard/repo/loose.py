"""Reads a blob that Git keeps as a file of its own, as it does with what has just been staged. Part of the clean path.

Packed objects, other hash functions and damaged files give None: the full path reads them through pygit2 or `git`.
"""

import os
import zlib

from gitops_guard.repo.index import blob_id

_LARGEST_BYTES = 3 << 20
_HEADER_BYTES = 32


def read_loose(common_dir: str, blob: bytes) -> bytes | None:
    """Return a blob's bytes, verified against its id.

    Args:
        common_dir: The repository's Git directory (of a linked work tree, the main one's).
        blob: Raw 20-byte id.

    Returns:
        None when there is no such loose object, it is no blob, or larger than 3 MiB.
    """
    name = blob.hex()
    try:
        with open(os.path.join(common_dir, "objects", name[:2], name[2:]), "rb") as file:
            inflated = zlib.decompressobj().decompress(file.read(_LARGEST_BYTES), _LARGEST_BYTES + _HEADER_BYTES)
    except (OSError, zlib.error):
        return None
    header, end, data = inflated.partition(b"\0")
    if not end or header != b"blob %d" % len(data):
        return None
    return data if blob_id(data) == blob else None

"""Outlines as a by-product of the clean path: the bodies that it has read are outlined in the same breath.

Only for runs that look at a whole tree; a hook never loads this.
"""

import marshal
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gitops_guard.links.outline import packed
from gitops_guard.manifest.classify import unfold

if TYPE_CHECKING:
    from gitops_guard.check.clean import _QuickJudge


class Outlining:
    """A quick judge that keeps what the objects of clean files say about others."""

    def __init__(self, judge: "_QuickJudge") -> None:
        """Listen to a judge."""
        self._judge = judge
        self._found: dict[bytes, bytes] = {}
        judge.on_clean = self._keep

    def chunk(self, start: int, end: int) -> bytes:
        """Return the judge's records of a range, and the outlines by blob id."""
        self._found = {}
        return marshal.dumps((self._judge.chunk(start, end), self._found))

    def _keep(self, blob: bytes, bodies: list[Any]) -> None:
        resources = ((index, item, one) for index, body in enumerate(bodies) for item, one in unfold(body))
        self._found[blob] = packed(resources)


def unpack(parts: Iterable[bytes], learned: dict[bytes, bytes]) -> list[bytes]:
    """Put the outlines of several chunks together and return the records of each."""
    records: list[bytes] = []
    for part in parts:
        record, found = marshal.loads(part)  # noqa: S302  # from our own children
        records.append(record)
        learned.update(found)
    return records

"""The first line of our comments, by which they are found again: `<!-- gitops-guard:v1 key=... gen=... ... -->`.

It counts on the first line only, and only in a comment that we wrote ourselves: anybody can copy it.
"""

import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(
    r"<!-- gitops-guard:v1 key=(?P<key>[A-Za-z0-9._/-]{1,200}) gen=(?P<gen>\d{1,18}) sha=(?P<sha>[0-9a-f]{40,64})"
    r" h=(?P<digest>[0-9a-f]{32,64}) -->"
)
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._/-]+")
_LONGEST_KEY: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a comment says of itself."""

    key: str
    """Whose comment, and which part of it: `default/shop`, `default/shop/2`."""

    generation: int
    """Of two results for the same commit the one with the higher number is newer."""

    head: str
    """Commit that it is about."""

    digest: str
    """Of the text, without what differs between equal results."""

    def __str__(self) -> str:
        return f"<!-- gitops-guard:v1 key={self.key} gen={self.generation} sha={self.head} h={self.digest} -->"


def key_of(text: str, *, part: int = 1) -> str:
    """Return a key that fits into the marker; the first part has no number."""
    key = _UNFIT.sub("-", text)[:_LONGEST_KEY].replace("--", "-").strip("-/") or "default"
    return key if part == 1 else f"{key}/{part}"


def marker_of(body: str) -> Marker | None:
    """Read the marker of a comment; None when its first line is none."""
    first, _, _ = body.partition("\n")
    found = _LINE.fullmatch(first.rstrip("\r "))
    if found is None:
        return None
    return Marker(key=found["key"], generation=int(found["gen"]), head=found["sha"], digest=found["digest"])

"""Images and charts that a pull request moves to another version."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gitops_guard.model import Change, ChangeClass, FieldChange, FieldOp

_DIGEST: Final = re.compile(r"@[a-z0-9+._-]+:[0-9a-fA-F]{32,}\Z")
_MAJOR: Final = re.compile(r"v?(\d{1,9})(?:[.\-+]|\Z)")
_CHARTS: Final = {
    "HelmRelease": frozenset(("version",)),
    "HelmChart": frozenset(("version",)),
    "OCIRepository": frozenset(("tag", "semver", "digest")),
    "Application": frozenset(("targetRevision",)),
    "ApplicationSet": frozenset(("targetRevision",)),
}
"""Last keys of the fields that say which version is deployed."""

_PARTS: Final = frozenset(("tag", "digest", "repository"))
"""Keys below an `image` in a chart's values."""


class Bump(NamedTuple):
    """One move; what it names comes from content."""

    kind: str
    """`image` or `chart`."""

    name: str
    old: str
    new: str
    is_pinned: bool
    """Whether the new version is named by a digest."""

    is_major: bool
    uses: int = 1


def bumps(changes: Iterable[Change]) -> tuple[Bump, ...]:
    """Return the moves of some changes, equal ones counted, in order of their names."""
    counted = Counter(bump for change in changes for bump in _of(change))
    return tuple(bump._replace(uses=number) for bump, number in sorted(counted.items()))


def _of(change: Change) -> Iterator[Bump]:
    in_values: dict[str, Bump] = {}
    for field in change.fields:
        if field.op is not FieldOp.CHANGED or not (isinstance(field.old, str) and isinstance(field.new, str)):
            continue
        last = field.path[-1] if field.path else ""
        if last == "image" and field.change_class is ChangeClass.IMAGE:
            yield _image(field.old, field.new)
        elif last in _CHARTS.get(change.id.kind, ()):
            old, new = field.old, field.new
            is_pinned = last == "digest"
            yield Bump("chart", change.id.name, old, new, is_pinned=is_pinned, is_major=_is_major(old, new))
        elif last in _PARTS and len(field.path) > 1 and _is_image(field.path[-2]):
            bump = _part(change, field, field.old, field.new)
            in_values[bump.name] = _together(in_values[bump.name], bump) if bump.name in in_values else bump
    yield from in_values.values()


def _is_image(key: str | int) -> bool:
    return isinstance(key, str) and key.lower().endswith("image")


def _part(change: Change, field: FieldChange, old: str, new: str) -> Bump:
    """Return the move of an image that a chart's values name in parts: it is called by where it stands."""
    place = field.field.rpartition(".")[0].removeprefix("spec.values.")
    before, after = (text.partition("@")[0] or text for text in (old, new))
    if before == after:  # only the digest behind the tag has moved
        before, after = old, new
    is_pinned = field.path[-1] == "digest" or _is_pinned(f"@{new.rpartition('@')[2]}")
    return Bump(
        "image", f"{change.id.name}: {place}", before, after, is_pinned=is_pinned, is_major=_is_major(before, after)
    )


def _together(one: Bump, other: Bump) -> Bump:
    """Return one move for tag and digest of the same image: the tag tells people more."""
    tag = one if _MAJOR.match(one.new) else other
    return tag._replace(is_pinned=one.is_pinned or other.is_pinned)


def _image(old: str, new: str) -> Bump:
    before, after = _parts(old), _parts(new)
    if before[0] != after[0]:
        return Bump("image", after[0], old, new, is_pinned=_is_pinned(new), is_major=_is_major(before[1], after[1]))
    said = (before[1] or "no tag", after[1] or "no tag")
    return Bump("image", after[0], *said, is_pinned=_is_pinned(new), is_major=_is_major(before[1], after[1]))


def _parts(image: str) -> tuple[str, str]:
    """Return name and tag, or the digest where there is no tag; a registry's port is no tag."""
    name, _, digest = image.partition("@")
    colon = name.rfind(":")
    if colon > name.rfind("/"):
        return name[:colon], name[colon + 1 :]
    return name, digest


def _is_pinned(image: str) -> bool:
    return _DIGEST.search(image) is not None


def _is_major(old: str, new: str) -> bool:
    before, after = _MAJOR.match(old), _MAJOR.match(new)
    return before is not None and after is not None and int(before[1]) != int(after[1])

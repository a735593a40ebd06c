"""The clean path's question about references: is it certain that there is nothing to say?

For a whole tree that is remembered under the tree's state, or found out right here when every file has just been read.
Otherwise the full path follows references.
"""

from gitops_guard.check.clean_store import CleanStore, record
from gitops_guard.check.tree_state import is_beside_templates, tree_name
from gitops_guard.repo.index import blob_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitops_guard.check.clean import Candidate, Sweep

    Reader = Callable[[bytes, bytes | None], bytes | None]

_FEW = 64


class Place:
    """Where what is learned is remembered."""

    __slots__ = ("circumstances", "folder", "has_config", "key", "settings")

    def __init__(self, folder: str, key: bytes, circumstances: bytes, settings: bytes, *, has_config: bool) -> None:
        self.folder = folder
        self.key = key
        self.circumstances = circumstances
        self.settings = settings
        self.has_config = has_config
        """A configuration may switch rules, which only the full path reads."""


def certainly_hold(
    candidates: "Sequence[Candidate]",
    read: "Reader",
    store: "CleanStore",
    swept: "Sweep",
    outlines: "dict[bytes, bytes]",
    place: Place,
) -> bool:
    """Tell whether references are certainly fine.

    Args:
        candidates: Files that are judged.
        read: Returns their bytes.
        store: Where states of trees without such findings are remembered.
        swept: What is known of the files themselves.
        outlines: What was learned while reading the tree, by blob id.
        place: Where what is learned is remembered.
    """
    named = _named(candidates, read)
    if named is None:
        return False
    name = tree_name(named, [path for path, _ in named])
    if store.find(name) is not None:
        return True
    if place.has_config or swept.skipped or any(blob not in outlines for _, blob in named):
        return False
    if not _nothing_wrong(named, outlines, place):
        return False
    # Opened anew: the store may have been written since.
    CleanStore(place.folder, place.circumstances, place.key).add(record(name, 0, 0), place.settings)
    return True


def _nothing_wrong(named: "Sequence[tuple[bytes, bytes]]", outlines: "dict[bytes, bytes]", place: Place) -> bool:
    """Follow the references of a tree of which every file was read just now."""
    from gitops_guard.check.outlines import OutlineStore  # only once for a state of the tree
    from gitops_guard.check.references import follow, plain_groups, scene_of
    from gitops_guard.rules import REFERENCE_RULES

    by_path = {path.decode("utf-8", "surrogateescape"): outlines[blob] for path, blob in named}
    groups = plain_groups(by_path, lambda path: not is_beside_templates(path))
    if follow(groups, scene_of(groups), REFERENCE_RULES).suspects:
        return False
    OutlineStore(place.folder, place.key, place.circumstances).save(outlines)
    return True


def _named(candidates: "Sequence[Candidate]", read: "Reader") -> "list[tuple[bytes, bytes]] | None":
    unknown = sum(blob is None for _, blob, _ in candidates)
    if unknown > _FEW:
        return None
    found = []
    for path, blob, _ in candidates:
        if blob is None:
            data = read(path, None)
            if data is None:
                return None
            blob = blob_id(data)
        found.append((path, blob))
    return found

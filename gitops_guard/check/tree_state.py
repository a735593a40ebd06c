"""What names the state of a tree whose references are fine; part of the clean path, so it imports next to nothing."""

from gitops_guard.check.circumstances import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def tree_name(files: "Iterable[tuple[bytes, bytes]]", chosen: "Sequence[bytes]") -> bytes:
    """Return a name of a tree and of what is judged in it.

    Args:
        files: Path and blob id of everything that may take part.
        chosen: Paths that are judged.
    """
    known = sorted(files)
    paths = sorted(chosen)
    picked = b"all" if paths == [path for path, _ in known] else b"\0".join(paths)
    return digest(b"references 1", b"\0".join([part for file in known for part in file]), picked)


def is_beside_templates(path: str) -> bool:
    """Tell whether a file lies among a chart's templates, which are judged as rendered."""
    return "templates" in path.split("/")[:-1]

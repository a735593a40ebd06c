"""The sentences that end every run, shared by the formats and by the clean path, which may import nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def count(number: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def validated_line(*, files: int, resources: int, validated: int, versions: "Sequence[str]") -> str:
    """Say how many resources were validated, in how many files, by which versions."""
    against = f" against Kubernetes {', '.join(versions)}" if versions else ""
    return f"validated: {validated} of {count(resources, 'resource')} in {count(files, 'file')}{against}"


def rendered_line(*, objects: int, units: int) -> str:
    """Say how many rendered objects were judged, of how many units."""
    return f"rendered: {count(objects, 'object')} of {count(units, 'unit')}"


def skipped_line(reasons: "Iterable[tuple[str, int]]") -> str:
    """Say what was skipped, most frequent reason first; the caller leaves the line out when nothing was."""
    ordered = sorted(reasons, key=lambda pair: (-pair[1], pair[0]))
    listed = ", ".join(f"{reason}: {number}" for reason, number in ordered)
    return f"skipped: {sum(number for _, number in ordered)} ({listed})"

"""The markdown format: a verdict, then a table each of what was done, what drifted and what is not healthy."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from gitops_guard.model.sync import SyncReport
from gitops_guard.report import FormatOptions
from gitops_guard.report.sync import words
from gitops_guard.report.visible import visible

_SPECIAL: Final = "\\`*_{}[]<>|#!~"


def write(report: SyncReport, out: TextIO, options: FormatOptions) -> None:
    """Write the report."""
    out.writelines(f"{line}\n" for line in _lines(report, options.limit))


def _lines(report: SyncReport, limit: int) -> Iterator[str]:
    yield f"**{escape(words.headline(report))}**"
    yield ""
    yield escape(words.tally(report))
    yield ""
    yield from _table(("action", "object", "reason"), list(words.effective(report)), limit)
    edits = [(str(one.id), words.edit(field)) for one in report.changes for field in one.fields]
    yield from _table(("object", "what would change"), edits, limit)
    drift = [
        (one.drift_class, str(one.id), words.difference(one), words.blame(one), one.message) for one in report.drift
    ]
    yield from _table(("drift", "object", "difference", "who", "what was done"), drift, limit)
    yield from _table(("health", "object", "reason"), list(words.unwell(report)), limit)
    for guard in report.guards:
        yield f"- guard {escape(guard.name)}: {escape(guard.message)}"
    for note in report.notes:
        yield f"- {escape(note)}"


def _table(head: tuple[str, ...], rows: Sequence[Sequence[object]], limit: int) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows[:limit]:
        yield f"| {' | '.join(_cells(row))} |"
    if len(rows) > limit:
        yield ""
        yield f"{len(rows) - limit} more are not shown."
    yield ""


def _cells(row: Iterable[object]) -> Iterator[str]:
    return (escape(str(cell)) for cell in row)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in visible(text))

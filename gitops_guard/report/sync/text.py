"""The text format: what was done, what drifted and who did it, what is not healthy, what a guard stopped, the verdict.

+ apps/v1 Deployment shop/web
! drift changed v1 ConfigMap shop/settings  data[a]: wants "1", has "2"  by kubectl-edit (Update) at 2026-11-25T02:00Z
"""

from collections.abc import Iterator
from typing import Final, TextIO

from gitops_guard.model.sync import ObjectChange, SyncAction, SyncReport, SyncVerdict
from gitops_guard.report import FormatOptions
from gitops_guard.report.sync import words
from gitops_guard.report.visible import visible
from gitops_guard.wording import count

_MOST_FIELDS: Final = 10
"""So many fields of an object are shown unless all are asked for."""

_RED: Final = "31"
_GREEN: Final = "32"
_YELLOW: Final = "33"
_BOLD: Final = "1"
_DIM: Final = "2"
_SIGNS: Final = {
    SyncAction.CREATED: ("+", _GREEN),
    SyncAction.CONFIGURED: ("~", _YELLOW),
    SyncAction.UNCHANGED: ("=", _DIM),
    SyncAction.DELETED: ("-", _RED),
    SyncAction.SKIPPED: (".", _DIM),
    SyncAction.BLOCKED: ("x", _RED),
}


def write(report: SyncReport, out: TextIO, options: FormatOptions) -> None:
    """Write a line an object that is not unchanged, then the verdict."""
    out.writelines(f"{line}\n" for line in _Writer(options).lines(report))


class _Writer:
    def __init__(self, options: FormatOptions) -> None:
        self._options = options

    def lines(self, report: SyncReport) -> Iterator[str]:
        for change in report.changes:
            if change.action is not SyncAction.UNCHANGED or self._options.verbose:
                sign, colour = _SIGNS[change.action]
                name = self._paint(f"{sign} {visible(str(change.id))}", colour)
                yield f"{name}  {visible(change.reason)}".rstrip()
                yield from self._fields(change)
        for drift in report.drift:
            parts = (words.difference(drift), words.blame(drift), drift.message)
            told = "  ".join(visible(part) for part in parts if part)
            name = self._paint(f"! drift {drift.drift_class} {visible(str(drift.id))}", _YELLOW)
            yield f"{name}  {told}".rstrip()
        for status, name, reason in words.unwell(report):
            yield f"{self._paint(f'? {status} {visible(name)}', _RED)}  {visible(reason)}".rstrip()
        yield from self._end(report)

    def _fields(self, change: ObjectChange) -> Iterator[str]:
        shown = change.fields if self._options.verbose else change.fields[:_MOST_FIELDS]
        yield from (f"    {visible(words.edit(field))}" for field in shown)
        if len(change.fields) > len(shown):
            yield f"    and {count(len(change.fields) - len(shown), 'more field')}; --verbose shows them"

    def _end(self, report: SyncReport) -> Iterator[str]:
        for guard in report.guards:
            yield f"{self._paint(f'guard {guard.name}', _RED)}: {visible(guard.message)}"
        for note in report.notes:
            yield f"note: {visible(note)}"
        colour = _GREEN if report.verdict is SyncVerdict.SYNCED else _BOLD
        yield self._paint(visible(words.headline(report)), colour)
        yield words.tally(report)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._options.colour and text else text

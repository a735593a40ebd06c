"""The text format: one line a finding in a pipe, a block with the source line on a terminal; coverage ends every run.

apps/web.yaml:12:3: error unknown-field: spec.replcas: unknown field "replcas"
"""

from collections.abc import Iterator
from typing import Final, TextIO

from gitops_guard.model import CheckError, Finding, Report, Severity
from gitops_guard.report import FormatOptions
from gitops_guard.report.excerpt import excerpt
from gitops_guard.report.visible import visible
from gitops_guard.report.words import COULD_NOT_CHECK, coverage_lines, place, sentence, subject, verdict

_RED: Final = "31"
_YELLOW: Final = "33"
_CYAN: Final = "36"
_BOLD: Final = "1"
_DIM: Final = "2"
_COLOURS: Final = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN}


def write(report: Report, out: TextIO, options: FormatOptions) -> None:
    """Write errors first, then findings, then coverage."""
    writer = _Terminal(report, options) if options.terminal else _Pipe(report, options)
    out.writelines(f"{line}\n" for line in writer.lines())


class _Pipe:
    """One line a finding, to be searched and cut."""

    def __init__(self, report: Report, options: FormatOptions) -> None:
        self._report = report
        self._options = options

    def lines(self) -> Iterator[str]:
        for entry in self._report.errors:
            yield from self.error(entry)
        for finding in self._report.findings:
            yield from self.finding(finding)
        yield from self.coverage()

    def error(self, entry: CheckError) -> Iterator[str]:
        rule = f" {entry.rule}" if entry.rule else ""
        yield visible(f"{place(entry)}: {self.paint(COULD_NOT_CHECK, _RED)}{rule}: {entry.message}")

    def finding(self, finding: Finding) -> Iterator[str]:
        at = finding.location
        where = f"{at.path}:{at.line}:{at.column}"
        yield visible(f"{where}: {finding.severity} {finding.rule}: {sentence(finding)}")

    def coverage(self) -> Iterator[str]:
        for line in coverage_lines(self._report, verbose=self._options.verbose):
            yield visible(line)

    def paint(self, text: str, _code: str) -> str:
        return text


class _Terminal(_Pipe):
    """A block a finding, to be read."""

    def error(self, entry: CheckError) -> Iterator[str]:
        rule = f" {visible(entry.rule)}" if entry.rule else ""
        head = self.paint(visible(place(entry)), _BOLD)
        yield f"{head} {self.paint(COULD_NOT_CHECK, _RED)}{rule}"
        yield f"  {visible(entry.message)}"
        yield ""

    def finding(self, finding: Finding) -> Iterator[str]:
        at = finding.location
        where = self.paint(visible(f"{at.path}:{at.line}:{at.column}"), _BOLD)
        yield f"{where} {self.paint(finding.severity, _COLOURS[finding.severity])} {visible(finding.rule)}"
        if name := subject(finding):
            yield self.paint(f"  {visible(name)}", _DIM)
        yield f"  {visible(sentence(finding))}"
        yield from self._excerpt(finding)
        if finding.hint:
            yield f"  {self.paint('hint:', _CYAN)} {visible(finding.hint)}"
        where = finding.doc_url or f"gitops-guard explain {finding.rule}"
        yield self.paint(f"  see: {visible(where)}", _DIM)
        yield ""

    def coverage(self) -> Iterator[str]:
        counts = self._report.counts
        worst = _RED if counts.error or self._report.errors else _YELLOW if counts.warning else _BOLD
        yield self.paint(verdict(self._report), worst)
        yield from super().coverage()

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._options.colour else text

    def _excerpt(self, finding: Finding) -> Iterator[str]:
        shown = excerpt(finding, self._report.sources.get(finding.location.path, ()), self._options.width)
        if shown is None:
            return
        gutter = " " * len(str(finding.location.line))
        yield f"  {self.paint(f'{finding.location.line} |', _DIM)} {visible(shown.line)}"
        yield f"  {self.paint(f'{gutter} |', _DIM)} {self.paint(shown.marks, _COLOURS[finding.severity])}"

"""Output formats, one file each. A format knows `model.Report` and nothing else: not the repository, not the rules.

`FORMATS` is the registry and the choices of `--format` at once. A format's module is imported when it is written, so
that choosing `text` pays for nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TextIO, TypeAlias

from gitops_guard.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOptions:
    """How to write, as far as the command line and the terminal decide it."""

    terminal: bool = False
    """Write for a reader at a terminal (blocks with the source line) instead of a pipe (one line a finding)."""

    colour: bool = False
    """Use ANSI colours; only formats for terminals do."""

    verbose: bool = False
    """Name each skipped file and resource instead of counting them by reason."""

    width: int = 100
    """Columns of the terminal."""

    limit: int = 250
    """Most findings that the markdown format spells out; the rest is counted. Comments have a size limit."""

    summaries: Mapping[str, str] = field(default_factory=dict)
    """One sentence by rule id, for formats that describe rules."""


Formatter: TypeAlias = Callable[[Report, TextIO, FormatOptions], None]
"""Writes a report; the stream stays open."""


def _lazy(module: str) -> Formatter:
    """Return a formatter that imports its module when it is first used."""

    def write(report: Report, out: TextIO, options: FormatOptions) -> None:
        formatter: Formatter = import_module(f"{__name__}.{module}").write
        formatter(report, out, options)

    return write


FORMATS: dict[str, Formatter] = {
    "text": _lazy("text"),
    "json": _lazy("json_report"),
    "sarif": _lazy("sarif"),
    "junit": _lazy("junit"),
    "github": _lazy("github"),
    "gitlab": _lazy("gitlab"),
    "markdown": _lazy("markdown"),
}
"""Formatter by the name that `--format` takes."""

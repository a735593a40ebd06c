"""Output formats of previews by running clusters, one file each."""

from collections.abc import Callable
from importlib import import_module
from typing import TextIO, TypeAlias

from gitops_guard.model.live import LiveReport
from gitops_guard.report import FormatOptions

LiveFormatter: TypeAlias = Callable[[LiveReport, TextIO, FormatOptions], None]
"""Writes a preview; the stream stays open."""


def _lazy(module: str) -> LiveFormatter:
    """Return a formatter that imports its module when it is first used."""

    def write(report: LiveReport, out: TextIO, options: FormatOptions) -> None:
        formatter: LiveFormatter = import_module(f"gitops_guard.report.{module}").write
        formatter(report, out, options)

    return write


LIVE_FORMATS: dict[str, LiveFormatter] = {
    "text": _lazy("live_text"),
    "markdown": _lazy("live_markdown"),
    "json": _lazy("live_json"),
}
"""Formatter by the name that `--format` takes."""

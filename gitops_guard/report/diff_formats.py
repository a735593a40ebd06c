"""Output formats of comparisons, one file each; `DIFF_FORMATS` is also what `--format` of `diff` can be."""

from collections.abc import Callable
from importlib import import_module
from typing import TextIO, TypeAlias

from gitops_guard.model import ChangeReport
from gitops_guard.report import FormatOptions

DiffFormatter: TypeAlias = Callable[[ChangeReport, TextIO, FormatOptions], None]
"""Writes a comparison; the stream stays open."""


def _lazy(module: str) -> DiffFormatter:
    """Return a formatter that imports its module when it is first used."""

    def write(report: ChangeReport, out: TextIO, options: FormatOptions) -> None:
        formatter: DiffFormatter = import_module(f"gitops_guard.report.{module}").write
        formatter(report, out, options)

    return write


DIFF_FORMATS: dict[str, DiffFormatter] = {
    "text": _lazy("diff_text"),
    "markdown": _lazy("diff_markdown"),
    "json": _lazy("diff_json"),
    "yaml": _lazy("diff_yaml"),
}
"""Formatter by the name that `--format` takes."""

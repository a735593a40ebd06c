"""Formats of `sync` and `drift`, one file each. A format knows `model.SyncReport` and nothing else.

`SYNC_FORMATS` is the registry and the choices of `--format` at once; a module is imported when it is written.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TextIO, TypeAlias

from gitops_guard.model.sync import SyncReport
from gitops_guard.report import FormatOptions

SyncFormatter: TypeAlias = Callable[[SyncReport, TextIO, FormatOptions], None]
"""Writes a report; the stream stays open."""


def _lazy(module: str) -> SyncFormatter:
    def write(report: SyncReport, out: TextIO, options: FormatOptions) -> None:
        formatter: SyncFormatter = import_module(f"{__name__}.{module}").write
        formatter(report, out, options)

    return write


SYNC_FORMATS: dict[str, SyncFormatter] = {
    "text": _lazy("text"),
    "json": _lazy("json_format"),
    "markdown": _lazy("markdown"),
}
"""Formatter by the name that `--format` takes."""

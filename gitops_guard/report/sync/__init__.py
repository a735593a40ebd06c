"""Formats of `sync` and `drift`, one file each. A format knows `model.SyncReport` and nothing else.

`SYNC_FORMATS` is the registry and the choices of `--format` at once; a module is imported when it is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCluster:
    """What came of one of several clusters."""

    context: str
    report: SyncReport | None = None
    error: str = ""
    """Why there is no report."""


ClusterFormatter: TypeAlias = Callable[[Sequence[ToldCluster], TextIO, FormatOptions], None]


def _lazy_clusters(name: str) -> ClusterFormatter:
    def write(told: Sequence[ToldCluster], out: TextIO, options: FormatOptions) -> None:
        formatter: ClusterFormatter = getattr(import_module(f"{__name__}.clusters"), f"write_{name}")
        formatter(told, out, options)

    return write


CLUSTER_FORMATS: dict[str, ClusterFormatter] = {name: _lazy_clusters(name) for name in SYNC_FORMATS}
"""The same for several clusters in one report."""

"""Several clusters in one report: each as it would be alone, under its name, and how many came to what."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from gitops_guard.report import FormatOptions
from gitops_guard.report.sync import SYNC_FORMATS, ToldCluster
from gitops_guard.report.sync.json_format import sync_object
from gitops_guard.report.sync.markdown import escape
from gitops_guard.report.visible import visible
from gitops_guard.wording import count


def write_text(told: Sequence[ToldCluster], out: TextIO, options: FormatOptions) -> None:
    """Write a part for each cluster, then one line for all."""
    for one in told:
        out.write(f"== {visible(one.context)}\n")
        if one.report is None:
            out.write(f"error: {visible(one.error)}\n\n")
        else:
            SYNC_FORMATS["text"](one.report, out, options)
            out.write("\n")
    out.write(f"{_tally(told)}\n")


def write_json(told: Sequence[ToldCluster], out: TextIO, _options: FormatOptions) -> None:
    """Write an object with the sync object of each cluster."""
    clusters = [
        {
            "context": one.context,
            "error": one.error,
            "report": None if one.report is None else sync_object(one.report),
        }
        for one in told
    ]
    json.dump({"version": 1, "clusters": clusters}, out, indent=2)
    out.write("\n")


def write_markdown(told: Sequence[ToldCluster], out: TextIO, options: FormatOptions) -> None:
    """Write a section for each cluster."""
    out.write(f"{_tally(told)}\n\n")
    for one in told:
        out.write(f"## {escape(one.context)}\n\n")
        if one.report is None:
            out.write(f"**error**: {escape(one.error)}\n\n")
        else:
            SYNC_FORMATS["markdown"](one.report, out, options)
            out.write("\n")


def _tally(told: Sequence[ToldCluster]) -> str:
    counted = Counter("error" if one.report is None else str(one.report.verdict) for one in told)
    parts = [f"{number} {name}" for name, number in sorted(counted.items())]
    return f"{count(len(told), 'cluster')}: {', '.join(parts)}"

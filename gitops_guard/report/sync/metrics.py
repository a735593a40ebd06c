"""Metrics in Prometheus' text format: what the last run found, and what all runs of a process did."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gitops_guard.model import ResourceId
from gitops_guard.model.sync import Drift, DriftClass, HealthStatus, SyncAction, SyncReport, SyncVerdict

_GOOD: Final = (SyncVerdict.SYNCED, SyncVerdict.GUARDED)
_HELP: Final = {
    "gitops_guard_last_run_timestamp_seconds": ("gauge", "When the last run ended."),
    "gitops_guard_last_success_timestamp_seconds": ("gauge", "When a run last left the cluster as Git wants it."),
    "gitops_guard_sync_duration_seconds": ("gauge", "How long the last run took, rendering not counted."),
    "gitops_guard_sync_info": ("gauge", "1; the labels tell the last run's revision and verdict."),
    "gitops_guard_objects": ("gauge", "Objects of the last run, by what was done with them."),
    "gitops_guard_drifted_objects": ("gauge", "Objects of the last run that differed, by kind and class of drift."),
    "gitops_guard_unhealthy_objects": ("gauge", "Objects of the last run that were looked at and not healthy."),
    "gitops_guard_runs_total": ("counter", "Runs, by verdict; 'error' is a run that could not begin."),
    "gitops_guard_pruned_total": ("counter", "Objects that were deleted because they left Git."),
    "gitops_guard_prune_blocked_total": ("counter", "Runs in which a guard kept something from being deleted."),
    "gitops_guard_api_requests_total": ("counter", "Answers of the API server, by method and status; 0 is none."),
}
_LINE: Final = re.compile(
    r'^(?P<name>gitops_guard_\w+)\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\} (?P<value>[0-9.]+)$', re.MULTILINE
)
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")

Labels: TypeAlias = tuple[tuple[str, str], ...]
Sample: TypeAlias = tuple[str, Labels]
"""A metric's name with its labels."""


@dataclass(slots=True)
class Metrics:
    """The figures of one process, or of all runs that share a file."""

    _totals: Counter[Sample] = field(default_factory=Counter)
    _last: dict[Labels, dict[Sample, float]] = field(default_factory=dict)
    """Gauges of the last run, by cluster and set: they are replaced as a whole."""

    def load(self, text: str) -> None:
        """Go on from what an earlier process wrote; lines that are not ours are passed over."""
        for found in _LINE.finditer(text):
            name, labels = found["name"], _labels(found["labels"])
            kind = _HELP.get(name, ("", ""))[0]
            if kind == "counter":
                self._totals[name, labels] += int(float(found["value"]))
            elif kind == "gauge":
                self._last.setdefault(labels[:2], {})[name, labels] = float(found["value"])

    def ran(self, report: SyncReport, *, cluster: str, at_s: float, answers: Mapping[tuple[str, int], int]) -> None:
        """Take a run in.

        Args:
            report: What it came to.
            cluster: Its context.
            at_s: When it ended, in seconds since 1970.
            answers: Answers of the API server by method and status.
        """
        base: Labels = (("cluster", cluster), ("set", report.set_name))
        gauges = dict(_gauges(report, base, at_s))
        success = ("gitops_guard_last_success_timestamp_seconds", base)
        if report.verdict in _GOOD:
            gauges[success] = at_s
        elif success in (before := self._last.get(base, {})):
            gauges[success] = before[success]
        self._last[base] = gauges
        self._count(report, base, answers)

    def failed(self, *, cluster: str, set_name: str, at_s: float) -> None:
        """Take in a run that could not begin; the other gauges of the last one that did stay."""
        base: Labels = (("cluster", cluster), ("set", set_name))
        self._totals["gitops_guard_runs_total", (*base, ("verdict", "error"))] += 1
        self._last.setdefault(base, {})["gitops_guard_last_run_timestamp_seconds", base] = at_s

    def _count(self, report: SyncReport, base: Labels, answers: Mapping[tuple[str, int], int]) -> None:
        total = self._totals
        total["gitops_guard_runs_total", (*base, ("verdict", str(report.verdict)))] += 1
        total["gitops_guard_pruned_total", base] += report.counts[SyncAction.DELETED]
        total["gitops_guard_prune_blocked_total", base] += any(one.stops == "prune" for one in report.guards)
        for (method, status), number in answers.items():
            total["gitops_guard_api_requests_total", (*base, ("code", str(status)), ("verb", method))] += number

    def text(self) -> str:
        """Return all figures, sorted."""
        samples: dict[str, dict[Labels, float]] = {name: {} for name in _HELP}
        for (name, labels), total in self._totals.items():
            samples[name][labels] = total
        for gauges in self._last.values():
            for (name, labels), value in gauges.items():
                samples[name][labels] = value
        return "".join(_family(name, found) for name, found in samples.items() if found)


def _family(name: str, samples: Mapping[Labels, float]) -> str:
    kind, meaning = _HELP[name]
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_printed(labels)} {_number(value)}" for labels, value in sorted(samples.items())]
    return "\n".join(lines) + "\n"


def _gauges(report: SyncReport, base: Labels, at_s: float) -> Iterator[tuple[Sample, float]]:
    yield ("gitops_guard_last_run_timestamp_seconds", base), at_s
    yield ("gitops_guard_sync_duration_seconds", base), report.duration_s
    yield ("gitops_guard_sync_info", (*base, ("revision", report.revision), ("verdict", str(report.verdict)))), 1
    for action, number in report.counts.items():
        yield ("gitops_guard_objects", (*base, ("action", action))), number
    unwell = [one for one in report.health if one.status not in (HealthStatus.CURRENT, HealthStatus.NO_SIGNAL)]
    yield ("gitops_guard_unhealthy_objects", base), len(unwell)
    # Each class is there from the start, with 0: what is not there cannot be alerted on.
    drifted = Counter({(str(one), ""): 0 for one in DriftClass})
    drifted.update((drift_class, kind) for drift_class, kind, _ in {_drifted(one) for one in report.drift})
    for (drift_class, kind), number in drifted.items():
        yield ("gitops_guard_drifted_objects", (*base, ("class", drift_class), ("kind", kind))), number


def _drifted(one: Drift) -> tuple[str, str, ResourceId]:
    return str(one.drift_class), f"{one.id.kind}.{one.id.group}".rstrip("."), one.id


def _labels(text: str) -> Labels:
    return tuple((name, _unescaped(value)) for name, value in _LABEL.findall(text))


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], value)


def _printed(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"

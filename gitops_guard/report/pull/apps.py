"""Section 6 of the comment: what changes in each app, the most dangerous first; an app is whole or counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gitops_guard.model import Action, Change
from gitops_guard.model.pull import UnitChanges
from gitops_guard.report.diff_markdown import fenced, field_lines
from gitops_guard.report.diff_words import SIGNS, classes, headline, object_lines, written_at
from gitops_guard.report.markdown import code
from gitops_guard.report.pull.escape import folded, name_in_html
from gitops_guard.report.pull.risks import Evidence, Risk, evidence
from gitops_guard.report.pull.words import signed
from gitops_guard.wording import count

_MOST_CHANGES: Final = 200
_MOST_FIELDS: Final = 60
_OPEN_LINES: Final = 60
"""An app of fewer lines is not folded when it is the only one."""

_MOST_CLUSTERS: Final = 5
_ORDER: Final = (Action.DELETED, Action.CONFIGURED, Action.CREATED, Action.UNCHANGED)
_NOT_SHOWN: Final[dict[str, Any]] = dict.fromkeys(("before", "after", "unit", "unit_before"))
_NO_RISK: Final = len(Risk)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A unit with the clusters on which the same happens to it."""

    unit: UnitChanges
    clusters: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def sort_key(self) -> tuple[int, int, str, str, tuple[str, ...]]:
        """Return what apps are ordered by: danger, then size, then name."""
        rank = self.evidence[0].risk.rank if self.evidence else _NO_RISK
        return (rank, -len(self.unit.effective), self.unit.name, self.unit.kind, self.clusters)


def apps_of(units: Sequence[UnitChanges]) -> tuple[App, ...]:
    """Return the apps that change, clusters with the same changes together, the most dangerous first."""
    alike: dict[tuple[object, ...], list[UnitChanges]] = {}
    for unit in units:
        if unit.effective:
            alike.setdefault((unit.name, unit.kind, _signature(unit)), []).append(unit)
    found = [
        App(unit=group[0], clusters=tuple(sorted(one.cluster for one in group if one.cluster)), evidence=_all(group))
        for group in alike.values()
    ]
    return tuple(sorted(found, key=lambda app: app.sort_key))


def _signature(unit: UnitChanges) -> str:
    """Tell units apart by what is shown of them; the cluster, and where it is declared for that, is none of it."""
    return repr([(replace(one, **_NOT_SHOWN), one.unit_before and one.unit_before.name) for one in unit.effective])


def _all(group: Sequence[UnitChanges]) -> tuple[Evidence, ...]:
    found = {one for unit in group for one in evidence(unit)}
    return tuple(sorted(found, key=lambda one: (one.risk.rank, one.what, one.why)))


def app_block(app: App, *, is_open: bool) -> str:
    """Return the folded block of an app."""
    lines = list(_lines(app))
    head = f"{name_in_html(app.unit.name)}{_on(app.clusters)}: {signed([app.unit])}"
    return folded(head, lines, is_open=is_open or False)


def is_short(block: str) -> bool:
    """Tell whether a block is short enough to be shown unfolded."""
    return block.count("\n") < _OPEN_LINES


def _on(clusters: tuple[str, ...]) -> str:
    return on_clusters(clusters, name_in_html)


def on_clusters(clusters: Sequence[str], written: Callable[[str], str]) -> str:
    """Return where something happens, with a blank before it: the first few clusters, and how many more there are."""
    if not clusters:
        return ""
    shown = ", ".join(written(name) for name in clusters[:_MOST_CLUSTERS])
    left = len(clusters) - _MOST_CLUSTERS
    return f" on {shown}{f' and {left} more' if left > 0 else ''}"


def _lines(app: App) -> Iterator[str]:
    ordered = sorted(app.unit.effective, key=_danger)
    for change in ordered[:_MOST_CHANGES]:
        yield from _change(change)
    if len(ordered) > _MOST_CHANGES:
        yield f"{count(len(ordered) - _MOST_CHANGES, 'more change')}, none more dangerous, only in the full report."


def _danger(change: Change) -> tuple[int, int, object]:
    rank = min((one.rank for one in change.classes), default=100)
    return (_ORDER.index(change.action), rank, change.sort_key)


def _change(change: Change) -> Iterator[str]:
    about = f" ({classes(change)})" if change.classes else ""
    yield f"**{SIGNS[change.action]} {change.action}** {code(headline(change))}{about}"
    yield ""
    yield code(written_at(change))
    yield ""
    if change.action in (Action.CREATED, Action.DELETED):
        yield from fenced(object_lines(change))
    for field in change.fields[:_MOST_FIELDS]:
        yield from field_lines(field)
    if len(change.fields) > _MOST_FIELDS:
        yield f"- and {count(len(change.fields) - _MOST_FIELDS, 'more field')}"
    yield ""

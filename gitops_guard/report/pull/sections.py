"""The sections of the comment that are no app: each in versions from the longest to the shortest."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gitops_guard.model import Action, CheckError, Finding, FoldReason, Skipped
from gitops_guard.model.judgement import Judgement
from gitops_guard.model.pull import Accepted, PullPlan, UnitChanges
from gitops_guard.model.rollout import Rollout
from gitops_guard.report.diff_markdown import fenced
from gitops_guard.report.markdown import code
from gitops_guard.report.pull.apps import App, apps_of, on_clusters
from gitops_guard.report.pull.budget import Section
from gitops_guard.report.pull.escape import Links, cell, folded, name_in_html
from gitops_guard.report.pull.images import Bump, bumps
from gitops_guard.report.pull.risks import Evidence, Risk, evidence, of_findings
from gitops_guard.report.pull.words import SIGNS, compared, is_quiet, mode, verdict
from gitops_guard.report.simulation import words as rollout_words
from gitops_guard.report.simulation.text import bars, facts
from gitops_guard.report.words import place
from gitops_guard.wording import count

MOST_BLOCKERS: Final = 5
_MOST_ROWS: Final = 20
_MOST_NAMES: Final = 100
_MOST_EVIDENCE: Final = 3
_MOST_UNSEEN: Final = 20
_MOST_ROLLOUTS: Final = 100
_SHORT: Final = 200
_NAME: Final = 60


@dataclass(frozen=True)
class Story:
    """A plan, its verdict, and what is worked out of both once."""

    plan: PullPlan
    judgement: Judgement
    links: Links

    @cached_property
    def apps(self) -> tuple[App, ...]:
        """Return the apps that change, the most dangerous first."""
        return apps_of(self.plan.units)

    @cached_property
    def is_quiet(self) -> bool:
        """Tell whether one line says it all."""
        return is_quiet(self.plan, self.judgement)

    @cached_property
    def bumps(self) -> tuple[Bump, ...]:
        """Return the images and charts that move."""
        return bumps(change for unit in self.plan.units for change in unit.changes)

    @property
    def deletions(self) -> list[tuple[UnitChanges, str]]:
        """Return what goes, by unit."""
        return [
            (unit, str(change.id))
            for unit in self.plan.units
            for change in unit.changes
            if change.action is Action.DELETED
        ]


def fixed_sections(story: Story) -> list[Section]:
    """Return the sections that are always there, in the comment's order."""
    makers: dict[int, Callable[[Story], tuple[str, ...]]] = {
        1: _head,
        2: _stops,
        3: _watch_out,
        4: _matrix,
        5: _images,
        8: _deletions,
        11: _not_previewed,
        12: _footer,
    }
    return [Section(number, make(story)) for number, make in makers.items()]


def extra_sections(story: Story) -> dict[int, str]:
    """Return the sections that are added while they fit: rollouts, drift, what was folded and ignored."""
    return {7: _rollouts(story), 9: _drift(story), 10: _noise(story)}


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    return f"{text}\n\n" if text else ""


def _rest(shown: int, total: int, noun: str) -> Iterator[str]:
    if total > shown:
        yield f"- and {count(total - shown, f'more {noun}')}, none more dangerous"


def _head(story: Story) -> tuple[str, ...]:
    sign = SIGNS[story.judgement.outcome]
    lines = [f"### {sign} gitops-guard: {verdict(story.plan, story.judgement)}"]
    if story.plan.is_fork:
        lines += ["", "Worked out by the fork's own job: its author could have left things out."]
    return (_block(lines),)


# 2: what stops the merge


def _stops(story: Story) -> tuple[str, ...]:
    judgement = story.judgement
    blocking, stopped = judgement.blocking, judgement.stopped
    if not blocking and not stopped:
        return ("",)
    rollouts = _alike(stopped)
    total = len(blocking) + len(rollouts)
    shown, shown_rollouts = blocking[:MOST_BLOCKERS], rollouts[: max(0, MOST_BLOCKERS - len(blocking))]
    head = "#### Stops the merge"
    full = [*(_blocker(one, story.links) for one in shown), *(_stopped(*one) for one in shown_rollouts)]
    names = [*(one.rule for one in shown), *(f"rollout {rollout.verdict}" for _, rollout in shown_rollouts)]
    rest = list(_rest(len(names), total, "reason"))
    short = [f"- {code(name[:_NAME])}" for name in names]
    counted = Counter(names)
    brief = ", ".join(f"{code(name[:_NAME])} ({number})" for name, number in counted.items())
    return (
        _block([head, "", *full, *rest]),
        _block([head, "", *short, *rest]),
        _block([f"Stops the merge: {brief}{f' and {total - len(names)} more' if total > len(names) else ''}"]),
    )


def _blocker(finding: Finding, links: Links) -> str:
    at = finding.location
    what = code(str(finding.resource)) if finding.resource is not None else code(at.path)
    field = f" {code(finding.field)}" if finding.field else ""
    how = code(finding.hint) if finding.hint else f"{code(f'gitops-guard explain {finding.rule}')} says how"
    return (
        f"- **{finding.severity}** {code(finding.rule)} in {what}, {links.place(at.path, at.line)}"
        f"<br>What happens:{field} {code(finding.message)}<br>How to fix it: {how}"
    )


def _alike(found: Iterable[tuple[str, Rollout]]) -> list[tuple[list[str], Rollout]]:
    """Return rollouts that go the same way together, with their clusters."""
    alike: dict[str, tuple[list[str], Rollout]] = {}
    for cluster, rollout in found:
        clusters, _ = alike.setdefault(repr(rollout), ([], rollout))
        if cluster:
            clusters.append(cluster)
    return list(alike.values())


def _stopped(clusters: Sequence[str], rollout: Rollout) -> str:
    where = on_clusters(clusters, code)
    why = f"<br>What happens: {code('; '.join(rollout.reasons[:3]))}" if rollout.reasons else ""
    return f"- rollout **{rollout.verdict}** of {code(str(rollout.resource))}{where}{why}"


# 3: watch out


def _watch_out(story: Story) -> tuple[str, ...]:
    found: dict[Risk, list[Evidence]] = {}
    all_of_it = {one for app in story.apps for one in app.evidence}
    all_of_it |= set(of_findings((*story.judgement.blocking, *story.judgement.warnings)))
    for one in sorted(all_of_it, key=lambda one: (one.risk.rank, one.what, one.why)):
        found.setdefault(one.risk, []).append(one)
    warnings = story.judgement.warnings
    if not found and not warnings and not story.plan.notes:
        return ("",)
    lines = ["#### Watch out", ""]
    if found:
        lines += ["| risk | what gives it away |", "|---|---|"]
        lines += [f"| **{risk}** | {_cell_of(entries)} |" for risk, entries in found.items()]
        lines.append("")
    lines += [f"- {code(note)}" for note in story.plan.notes]
    told = Counter(_warning(one, story.links) for one in warnings)  # one place may be deployed many times
    lines += [
        f"{line}{f' ({number} times)' if number > 1 else ''}" for line, number in list(told.items())[:MOST_BLOCKERS]
    ]
    lines += _rest(MOST_BLOCKERS, len(told), "warning")
    counted = ", ".join(f"{risk} ({len(entries)})" for risk, entries in found.items())
    brief = "; ".join(part for part in (counted, count(len(warnings), "warning") if warnings else "") if part)
    return _block(lines), _block([f"Watch out: {brief}"] if brief else [])


def _cell_of(entries: Sequence[Evidence]) -> str:
    shown = [f"{cell(one.what)}{f' {one.why}' if one.why else ''}" for one in entries[:_MOST_EVIDENCE]]
    if len(entries) > _MOST_EVIDENCE:
        shown.append(f"and {len(entries) - _MOST_EVIDENCE} more")
    return "<br>".join(shown)


def _warning(finding: Finding, links: Links) -> str:
    at = finding.location
    message = finding.message if len(finding.message) <= _SHORT else f"{finding.message[:_SHORT]}..."
    return f"- {finding.severity} {code(finding.rule)} {links.place(at.path, at.line)}: {code(message)}"


# 4: apps and clusters


def _matrix(story: Story) -> tuple[str, ...]:
    rows = _rows(story.plan.units)
    if not rows:
        return ("",)
    columns = _columns(rows)
    head = [", ".join(cell(name) for name in names) or "changes" for names, _ in columns]
    lines = [f"| app | {' | '.join(head)} |", f"|---|{'---|' * len(columns)}"]
    names = list(rows)
    lines += [_row(name, columns) for name in names[:_MOST_ROWS]]
    if len(names) > _MOST_ROWS:
        more = [*lines[:2], *(_row(name, columns) for name in names[_MOST_ROWS : _MOST_ROWS * 10])]
        left = len(names) - _MOST_ROWS * 10
        tail = [f"and {count(left, 'more app')} in the full report"] if left > 0 else []
        rest = folded(f"{count(len(names) - _MOST_ROWS, 'more app')}", [*more, *tail])
        return _block(lines) + rest, _block(lines), _block([_in_numbers(story)])
    return _block(lines), _block([_in_numbers(story)])


_Rows = dict[tuple[str, str], dict[str, UnitChanges]]


def _rows(units: Sequence[UnitChanges]) -> _Rows:
    rows: _Rows = {}
    for unit in units:
        if unit.effective or unit.errors:
            rows.setdefault((unit.name, unit.kind), {})[unit.cluster] = unit
    return rows


def _columns(rows: _Rows) -> list[tuple[tuple[str, ...], dict[tuple[str, str], str]]]:
    """Return clusters with the same column together, and what stands in it by app."""
    clusters = sorted({cluster for row in rows.values() for cluster in row})
    alike: dict[tuple[str, ...], list[str]] = {}
    for cluster in clusters:
        column = tuple(_cell(row.get(cluster)) for row in rows.values())
        alike.setdefault(column, []).append(cluster)
    return [
        (tuple(name for name in names if name), dict(zip(rows, column, strict=True))) for column, names in alike.items()
    ]


def _row(name: tuple[str, str], columns: list[tuple[tuple[str, ...], dict[tuple[str, str], str]]]) -> str:
    return f"| {cell(name[0][:_SHORT])} | {' | '.join(column[name] for _, column in columns)} |"


def _cell(unit: UnitChanges | None) -> str:
    if unit is None:
        return "-"
    counts = unit.counts
    parts = [f"+{counts[Action.CREATED]} ~{counts[Action.CONFIGURED]} -{counts[Action.DELETED]}"]
    restarts = sum(1 for rollout in unit.rollouts or () if rollout.triggers)
    if restarts:
        parts.append(f"{restarts} rolled")
    worst = any(hazard.severity.rank == 0 for hazard in unit.hazards)
    is_risky = any(one.risk.rank <= Risk.AVAILABILITY.rank for one in evidence(unit))
    sign = "⛔" if worst else "⚠️" if unit.hazards or unit.errors or is_risky else "✅"
    return " · ".join([*parts, sign])


def _in_numbers(story: Story) -> str:
    return f"{count(len(story.apps), 'app')} change; the table is in the full report."


# 5: images and charts


def _images(story: Story) -> tuple[str, ...]:
    moves = story.bumps
    if not moves:
        return ("",)
    lines = ["| image, chart | from | to | pinned | uses |", "|---|---|---|---|---:|"]
    lines += [_move(bump) for bump in moves[:_MOST_ROWS]]
    if len(moves) > _MOST_ROWS:
        lines += ["", f"and {count(len(moves) - _MOST_ROWS, 'more move')} in the full report"]
    major = sum(1 for bump in moves if bump.is_major)
    brief = f"{count(len(moves), 'image or chart')[:-1]}s move{f', {major} by a major version' if major else ''}."
    return _block(lines), _block([brief])


def _move(bump: Bump) -> str:
    to = f"{cell(bump.new)}{' **major**' if bump.is_major else ''}"
    pinned = "by digest" if bump.is_pinned else "no"
    return f"| {cell(bump.name)} | {cell(bump.old)} | {to} | {pinned} | {bump.uses} |"


# 7: rollouts


def _rollouts(story: Story) -> str:
    known = [(unit.cluster, rollout) for unit in story.plan.units for rollout in unit.rollouts or ()]
    if not known:
        return ""
    order = rollout_words.WORST_FIRST
    ordered = sorted(known, key=lambda pair: (order.index(pair[1].verdict), str(pair[1].resource), pair[0]))
    seen = Counter(rollout.verdict for _, rollout in known)
    verdicts = ", ".join(f"{seen[verdict]} {verdict.value}" for verdict in order if seen[verdict])
    alike = _alike(ordered)
    lines = [line for clusters, rollout in alike[:_MOST_ROLLOUTS] for line in _rollout(clusters, rollout)]
    if len(alike) > _MOST_ROLLOUTS:
        left = sum(max(1, len(clusters)) for clusters, _ in alike[_MOST_ROLLOUTS:])
        lines.append(f"and {count(left, 'more rollout')} in the full report")
    return folded(f"Rollouts, simulated: {verdicts}", lines)


def _rollout(clusters: Sequence[str], rollout: Rollout) -> Iterator[str]:
    yield f"**{rollout.verdict}** {code(str(rollout.resource))}{on_clusters(clusters, code)}"
    yield ""
    yield from (f"- {name}: {code(text)}" for name, text in facts(rollout))
    yield ""
    way = rollout_words.likely(rollout)
    if way is not None and len(way.steps) > 1:
        yield from fenced(list(bars(way.steps, rollout.wanted_available)), language="text")


# 8: deletions


def _deletions(story: Story) -> tuple[str, ...]:
    gone = story.deletions
    if not gone:
        return ("",)
    alike: dict[tuple[str, str], list[str]] = {}
    for unit, name in gone:
        alike.setdefault((name, unit.name), []).extend([unit.cluster] if unit.cluster else [])
    lines = [
        f"- {code(name)} of {code(unit)}{on_clusters(clusters, code)}"
        for (name, unit), clusters in list(alike.items())[:_MOST_NAMES]
    ]
    if len(alike) > _MOST_NAMES:
        left = sum(max(1, len(clusters)) for clusters in list(alike.values())[_MOST_NAMES:])
        lines.append(f"- and {count(left, 'more object')}")
    head = f"Deleted from Git, so pruned where pruning is on: {count(len(gone), 'object')}"
    return folded(head, lines), _block([f"{head}."])


def _of(unit: UnitChanges) -> str:
    where = f" on {code(unit.cluster)}" if unit.cluster else ""
    return f" of {code(unit.name)}{where}"


# 9: drift


def _drift(story: Story) -> str:
    drift = [(unit, change) for unit in story.plan.drift or () for change in unit.effective]
    if not drift:
        return ""
    lines = [f"- {code(str(change.id))}{_of(unit)}: {change.action}" for unit, change in drift[:_MOST_NAMES]]
    if len(drift) > _MOST_NAMES:
        lines.append(f"- and {count(len(drift) - _MOST_NAMES, 'more object')}")
    head = f"Drift that is there already, not from this change: {count(len(drift), 'object')}"
    return folded(head, lines)


# 10: noise and what was accepted


def _noise(story: Story) -> str:
    plan = story.plan
    reasons: Counter[FoldReason] = Counter()
    for unit in plan.units:
        reasons.update(unit.folded)
    lines = [f"- folded, {reason}: {number}" for reason, number in sorted(reasons.items(), key=lambda item: -item[1])]
    lines += [f"- accepted by suppressions: {plan.silenced}"] if plan.silenced else []
    lines += [_accepted(one, story.links) for one in plan.accepted[:_MOST_NAMES]]
    lines += [f"- and {len(plan.accepted) - _MOST_NAMES} more waivers"] if len(plan.accepted) > _MOST_NAMES else []
    lines += [f"- findings that the base has, too: {plan.known}"] if plan.known else []
    lines += [f"- could not be checked in the base either: {plan.known_errors}"] if plan.known_errors else []
    total = sum(reasons.values())
    return (
        folded(f"Folded and accepted: {count(total, 'difference')}, {plan.silenced} accepted", lines) if lines else ""
    )


def _accepted(one: Accepted, links: Links) -> str:
    """Say what somebody accepted, why and until when."""
    rules = ", ".join(code(rule) for rule in one.rules[:5])
    owner = f", by {code(one.owner)}" if one.owner else ""
    until = f", until {code(one.expires)}" if one.expires else ", without an end"
    return f"- accepted {one.findings} of {rules}: {code(one.reason)}{owner}{until} {links.place(one.path, one.line)}"


# 11: not previewed


def _not_previewed(story: Story) -> tuple[str, ...]:
    errors, unseen = story.judgement.errors, story.judgement.unseen
    notes = sorted({note for unit in story.plan.units for note in unit.notes})
    if not errors and not unseen and not notes:
        return ("",)
    number = len(errors) + len(unseen)
    lines = ["#### Not previewed", "", *(_error(one) for one in errors[:_MOST_UNSEEN])]
    lines += [_unseen(one) for one in unseen[: max(0, _MOST_UNSEEN - len(errors))]]
    if number > _MOST_UNSEEN:
        lines.append(f"- and {number - _MOST_UNSEEN} more")
    lines += [f"- {code(note)}" for note in notes[:_MOST_ROWS]]
    return _block(lines), _block([f"Not previewed: {number} ({len(errors)} could not be checked)"])


def _error(error: CheckError) -> str:
    first = "\n".join(error.message.split("\n")[:3])
    return f"- {code(place(error))}: {code(first)}"


def _unseen(entry: Skipped) -> str:
    what = f" {code(entry.resource)}" if entry.resource else ""
    return f"- {code(entry.path)}{what}: {code(entry.reason)}"


# 12: footer


def _footer(story: Story) -> tuple[str, ...]:
    plan = story.plan
    versions = f" · Kubernetes {', '.join(code(version) for version in plan.versions)}" if plan.versions else ""
    line = f"{code(plan.head[:12])} against {code(plan.base[:12])} · {mode(plan)} · {compared(plan)}{versions}"
    line += f" · gitops-guard {code(plan.tool)}"
    return _block(["---", f"<sub>{line}</sub>"]), _block([f"{code(plan.head[:12])} against {code(plan.base[:12])}"])


def unit_title(unit: UnitChanges) -> str:
    """Return the head of a unit's block in HTML."""
    return f"{name_in_html(unit.name)}{f' on {name_in_html(unit.cluster)}' if unit.cluster else ''}"

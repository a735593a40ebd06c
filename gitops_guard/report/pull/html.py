"""The full report as one page: it needs no network, can be filtered by cluster, unit and class, and used by keyboard.

All content is escaped; what is not content is our own. Without its script the page shows everything.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gitops_guard.model import Action, Change, CheckError, FieldChange, Finding, Skipped
from gitops_guard.model.judgement import Judgement, Outcome
from gitops_guard.model.pull import PullPlan, UnitChanges
from gitops_guard.model.rollout import Rollout
from gitops_guard.report.diff_words import (
    SIGNS,
    headline,
    hunk,
    is_block,
    looks_same,
    object_lines,
    remark,
    sides,
    written_at,
)
from gitops_guard.report.pull.apps import on_clusters
from gitops_guard.report.pull.escape import Links
from gitops_guard.report.pull.page_parts import POLICY, SCRIPT, STYLE
from gitops_guard.report.pull.risks import Evidence, evidence
from gitops_guard.report.pull.sections import Story
from gitops_guard.report.pull.words import SIGNS as OUTCOME_SIGNS
from gitops_guard.report.pull.words import compared, mode, signed, verdict
from gitops_guard.report.simulation.chart import chart, escape
from gitops_guard.report.simulation.text import facts
from gitops_guard.report.words import place, sentence
from gitops_guard.wording import count

_MOST_LINES: Final = 2_000
_COLOURS: Final = {Outcome.BLOCKED: "blocked", Outcome.PASSED: "passed"}


def page(plan: PullPlan, judgement: Judgement, *, links: Links | None = None) -> str:
    """Return the page.

    Args:
        plan: All shards together.
        judgement: Of it.
        links: Where links may lead.
    """
    story = Story(plan, judgement, links or Links())
    return "".join(f"{line}\n" for line in _lines(story))


def _lines(story: Story) -> Iterator[str]:
    said = f"gitops-guard: {verdict(story.plan, story.judgement)}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield f"<title>{escape(said)}</title>"
    yield f"<style>{STYLE}</style></head>"
    yield "<body><main>"
    yield from _head(story, said)
    yield from _filters(story.plan)
    yield from _list("Stops the merge", [*_findings(story.judgement.blocking), *_stopped(story.judgement)])
    yield from _watch_out(story)
    yield from _list("Not previewed", _unseen(story))
    yield from _list("Accepted", _accepted(story.plan))
    yield from _bumps(story)
    yield from _units("What changes", story.plan.units)
    yield from _rollouts(story.plan.units)
    yield from _units("Drift that is there already, not from this change", story.plan.drift or ())
    yield "</main>"
    yield f"<script>{SCRIPT}</script>"
    yield "</body></html>"


def _head(story: Story, said: str) -> Iterator[str]:
    plan = story.plan
    yield f'<header class="{_COLOURS.get(story.judgement.outcome, "unsure")}">'
    yield f"<h1>{OUTCOME_SIGNS[story.judgement.outcome]} {escape(said)}</h1>"
    yield "<dl>"
    for name, text in (
        ("pull request", f"{plan.repository} {plan.number}" if plan.number else ""),
        ("commit", f"{plan.head} against {plan.base}"),
        ("compared", f"{compared(plan)}; {mode(plan)}"),
        ("Kubernetes", ", ".join(plan.versions)),
        ("accepted", f"{plan.silenced} by suppressions; {plan.known} findings that the base has, too"),
        ("folded", count(sum(sum(unit.folded.values()) for unit in plan.units), "difference")),
        ("gitops-guard", f"{plan.tool}, {plan.duration_s:.1f} s"),
        ("trust", "worked out by the fork's own job: its author could have left things out" if plan.is_fork else ""),
    ):
        if text:
            yield f"<dt>{name}</dt><dd>{escape(text)}</dd>"
    yield "</dl></header>"


def _filters(plan: PullPlan) -> Iterator[str]:
    units = [unit for unit in plan.units if unit.effective or unit.errors]
    classes = sorted(
        {one for unit in units for change in unit.effective for one in change.classes}, key=lambda one: one.rank
    )
    yield '<nav aria-label="Filter" hidden>'
    yield from _select("cluster", sorted({unit.cluster for unit in units if unit.cluster}))
    yield from _select("unit", sorted({unit.name for unit in units}))
    yield from _select("class", [str(one) for one in classes])
    yield '<button type="button" id="open">Open all (o)</button><button type="button" id="close">Close all (c)</button>'
    yield '<span id="shown" role="status"></span><span class="q">j, k: next, previous; f: filter</span></nav>'


def _select(name: str, values: Sequence[str]) -> Iterator[str]:
    yield f'<label>{name}<select id="f-{name}"><option value="">all</option>'
    yield "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)
    yield "</select></label>"


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if found:
        yield f"<section><h2>{title}</h2><ul>"
        yield from (f"<li>{item}</li>" for item in found)
        yield "</ul></section>"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings:
        what = f"{escape(str(one.resource))}: " if one.resource is not None else ""
        hint = f'<br><span class="q">{escape(one.hint)}</span>' if one.hint else ""
        where = f'<span class="q"><code>{escape(f"{one.location.path}:{one.location.line}")}</code></span>'
        badge = f'<span class="badge {one.severity}">{one.severity}</span>'
        yield f"{badge} <strong>{escape(one.rule)}</strong> {what}{escape(sentence(one))} {where}{hint}"


def _stopped(judgement: Judgement) -> Iterator[str]:
    for cluster, rollout in judgement.stopped:
        where = f" on {escape(cluster)}" if cluster else ""
        why = escape("; ".join(rollout.reasons))
        word = rollout.verdict.value
        yield f'<span class="badge {word}">{word}</span> {escape(str(rollout.resource))}{where}: {why}'


def _watch_out(story: Story) -> Iterator[str]:
    seen: dict[tuple[Evidence, str], list[str]] = {}
    for unit in story.plan.units:
        for one in evidence(unit):
            seen.setdefault((one, unit.name), []).extend([unit.cluster] if unit.cluster else [])
    ordered = sorted(seen.items(), key=lambda item: (item[0][0].risk.rank, item[0][0].what, item[0][1]))
    items = [
        f"<strong>{one.risk}</strong>: <code>{escape(one.what)}</code>{f' {one.why}' if one.why else ''}"
        f' <span class="q">{escape(unit)}{on_clusters(sorted(clusters), escape)}</span>'
        for (one, unit), clusters in ordered
    ]
    notes = [escape(note) for note in story.plan.notes]
    yield from _list("Watch out", [*items, *notes, *_findings(story.judgement.warnings)])


def _where(unit: UnitChanges) -> str:
    cluster = f" on {escape(unit.cluster)}" if unit.cluster else ""
    return f'<span class="q">{escape(unit.name)}{cluster}</span>'


def _unseen(story: Story) -> Iterator[str]:
    def error(one: CheckError) -> str:
        return f"<code>{escape(place(one))}</code>: {escape(one.message)}"

    def skipped(one: Skipped) -> str:
        return f"<code>{escape(one.path)}</code> {escape(one.resource)}: {escape(one.reason)}"

    yield from (error(one) for one in story.judgement.errors)
    yield from (skipped(one) for one in story.judgement.unseen)
    yield from (escape(note) for note in sorted({note for unit in story.plan.units for note in unit.notes}))


def _accepted(plan: PullPlan) -> Iterator[str]:
    for one in plan.accepted:
        rules, until = escape(", ".join(one.rules)), f"until {escape(one.expires)}" if one.expires else "without an end"
        who = f" by {escape(one.owner)}" if one.owner else ""
        where = f'<span class="q"><code>{escape(f"{one.path}:{one.line}")}</code></span>'
        yield f"{count(one.findings, 'finding')} of {rules}{who}, {until}: {escape(one.reason)} {where}"


def _bumps(story: Story) -> Iterator[str]:
    if not story.bumps:
        return
    yield "<section><h2>Images and charts</h2><table><thead><tr>"
    yield "".join(f'<th scope="col">{name}</th>' for name in ("what", "from", "to", "pinned", "major", "uses"))
    yield "</tr></thead><tbody>"
    for bump in story.bumps:
        cells = (bump.name, bump.old, bump.new, "by digest" if bump.is_pinned else "no", "yes" if bump.is_major else "")
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in (*cells, str(bump.uses)))}</tr>"
    yield "</tbody></table></section>"


def _units(title: str, units: Sequence[UnitChanges]) -> Iterator[str]:
    told = [unit for unit in units if unit.effective]
    if told:
        yield f"<section><h2>{title}</h2>"
        for unit in told:
            yield from _unit(unit)
        yield "</section>"


def _unit(unit: UnitChanges) -> Iterator[str]:
    data = f'data-cluster="{escape(unit.cluster)}" data-unit="{escape(unit.name)}"'
    yield f'<details class="unit" open {data}>'
    yield f"<summary><code>{escape(unit.name)}</code> {_kind(unit)}: {signed([unit])}</summary>"
    for change in unit.effective:
        yield from _change(change)
    yield "</details>"


def _kind(unit: UnitChanges) -> str:
    parts = [part for part in (unit.kind, f"on {unit.cluster}" if unit.cluster else "") if part]
    return f'<span class="q">{escape(" ".join(parts))}</span>'


def _change(change: Change) -> Iterator[str]:
    classes = " ".join(change.classes)
    badge = f'<span class="badge {change.action}">{SIGNS[change.action]} {change.action}</span>'
    shown = " open" if change.action is Action.CONFIGURED else ""
    yield f'<details class="change" data-classes="{classes}"{shown}>'
    yield f"<summary>{badge} <code>{escape(headline(change))}</code>"
    yield f'<span class="q">{escape(written_at(change))} {classes}</span></summary>'
    if change.action in (Action.CREATED, Action.DELETED):
        yield _pre(object_lines(change))
    if change.fields:
        yield "<ul>"
        for field in change.fields:
            yield from _field(field)
        yield "</ul>"
    yield "</details>"


def _field(field: FieldChange) -> Iterator[str]:
    head = f'<code>{escape(field.field)}</code> <span class="q">{field.op}, {escape(remark(field))}</span>'
    if looks_same(field):
        yield f"<li>{head}</li>"
    elif is_block(field):
        yield f"<li>{head}{_pre(hunk(field))}</li>"
    else:
        old, new = sides(field)
        lines = [f"-{old}"] if old else []
        yield f"<li>{head}{_pre([*lines, *([f'+{new}'] if new else [])])}</li>"


def _pre(lines: Sequence[str]) -> str:
    kinds = {"+": "a", "-": "d", "@": "q"}
    rows = "".join(f'<span class="{kinds.get(line[:1], "")}">{escape(line)}</span>' for line in lines[:_MOST_LINES])
    more = len(lines) - _MOST_LINES
    rest = f'<span class="q">{count(more, "more line")} left out</span>' if more > 0 else ""
    return f'<pre tabindex="0">{rows}{rest}</pre>'


def _rollouts(units: Sequence[UnitChanges]) -> Iterator[str]:
    known = [(unit, rollout) for unit in units for rollout in unit.rollouts or ()]
    if not known:
        return
    yield "<section><h2>Rollouts, simulated</h2>"
    for number, (unit, rollout) in enumerate(known):
        yield from _rollout(unit, rollout, f"r{number}")
    yield "</section>"


def _rollout(unit: UnitChanges, rollout: Rollout, identifier: str) -> Iterator[str]:
    verdict_of_it = rollout.verdict.value
    data = f'data-of-cluster="{escape(unit.cluster)}"'
    badge = f'<span class="badge {verdict_of_it}">{verdict_of_it}</span>'
    yield f"<details {data}{' open' if verdict_of_it not in ('ok', 'no-op') else ''}><summary>{badge}"
    yield f" <code>{escape(str(rollout.resource))}</code> {_where(unit)}</summary><dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(rollout))
    for one in rollout.assumptions:
        yield f"<dt>supposed</dt><dd>{escape(f'{one.name} {one.value} ({one.source}): {one.effect}')}</dd>"
    yield "</dl>"
    yield chart(rollout, f"{identifier}-chart")
    yield "</details>"

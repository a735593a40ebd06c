"""The html format: one page that needs nothing else, with a picture a workload and the same as a table.

No script, no link, nothing loaded: a policy in the page forbids it. All content is escaped.
"""

from collections.abc import Iterator
from typing import Final, TextIO

from gitops_guard.model import Finding
from gitops_guard.model.rollout import Rollout, Step
from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.simulation import words
from gitops_guard.report.simulation.chart import chart, escape
from gitops_guard.report.simulation.text import facts
from gitops_guard.report.words import place, sentence, subject

_ROWS: Final = 60
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2933; --paper: #f7f8fa; --card: #fff; --line: #d5dbe1; --quiet: #56636f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --paper: #14181d; --card: #1d232a; --line: #38424c; --quiet: #a3b0bc; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem;
  margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; margin: .75rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; margin: .35rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: .5rem; }
th, td { text-align: right; padding: .1rem .75rem .1rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { text-align: left; }
summary { cursor: pointer; color: var(--quiet); } summary:focus-visible, a:focus-visible { outline: 2px solid #2f6fdb; }
.verdict { display: inline-block; border-radius: 4px; padding: 0 .5rem; color: #fff; font-size: .9rem; }
.ok { background: #2c6e49; } .no-op { background: #4a5a6a; } .degraded { background: #8a5a00; }
.downtime, .stuck, .error { background: #a3231c; } .warning { background: #8a5a00; } .note { background: #4a5a6a; }
.quiet { color: var(--quiet); }
"""


def write(simulation: Simulation, out: TextIO, _options: FormatOptions) -> None:
    """Write the page."""
    out.writelines(f"{line}\n" for line in _lines(simulation))


def _lines(simulation: Simulation) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>Rollouts: {escape(words.summary(simulation))}</title>"
    yield f"<style>{_STYLE}</style></head>"
    yield "<body><main>"
    yield "<h1>Rollouts</h1>"
    yield f"<p>{escape(words.summary(simulation))}</p>"
    yield from (f'<p class="quiet">{escape(line)}</p>' for line in words.rest(simulation))
    yield from _errors(simulation)
    yield from _hazards(simulation)
    for number, rollout in enumerate(simulation.rollouts):
        yield from _section(rollout, f"r{number}")
    yield "</main></body></html>"


def _errors(simulation: Simulation) -> Iterator[str]:
    if simulation.errors:
        yield "<section><h2>Could not be simulated</h2><ul>"
        yield from (f"<li>{escape(place(error))}: {escape(error.message)}</li>" for error in simulation.errors)
        yield "</ul></section>"


def _hazards(simulation: Simulation) -> Iterator[str]:
    if simulation.hazards:
        yield "<section><h2>Hazards</h2><ul>"
        yield from (_hazard(hazard) for hazard in simulation.hazards)
        yield "</ul></section>"


def _hazard(hazard: Finding) -> str:
    where = f"{hazard.location.path}:{hazard.location.line}"
    hint = f'<br><span class="quiet">{escape(hazard.hint)}</span>' if hazard.hint else ""
    head = f'<span class="verdict {hazard.severity}">{hazard.severity}</span> <strong>{escape(hazard.rule)}</strong>'
    text = f"{escape(subject(hazard))}: {escape(sentence(hazard))}"
    return f'<li>{head} {text} <span class="quiet">{escape(where)}</span>{hint}</li>'


def _section(rollout: Rollout, identifier: str) -> Iterator[str]:
    verdict = rollout.verdict.value
    yield f'<section aria-labelledby="{identifier}">'
    badge = f'<span class="verdict {verdict}">{verdict}</span>'
    yield f'<h2 id="{identifier}">{escape(words.title(rollout.resource))} {badge}</h2>'
    yield "<dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(rollout))
    for one in rollout.assumptions:
        yield f"<dt>supposed</dt><dd>{escape(f'{one.name} {one.value} ({one.source}): {one.effect}')}</dd>"
    yield "</dl>"
    yield chart(rollout, f"{identifier}-chart")
    yield from _table(rollout)
    yield "</section>"


def _table(rollout: Rollout) -> Iterator[str]:
    """Give the picture's numbers to those who cannot see it."""
    way = words.likely(rollout)
    if way is None or len(way.steps) < 2:
        return
    shown = words.sampled(way.steps, _ROWS)
    left_out = f", {len(shown)} of {len(way.steps)} steps" if len(shown) < len(way.steps) else ""
    yield f"<details><summary>The likely way as a table{left_out}</summary><table><thead><tr>"
    names = ("time", "old", "new", "ready", "available", "ending", "what happened")
    yield "".join(f'<th scope="col">{name}</th>' for name in names)
    yield "</tr></thead><tbody>"
    yield from (_table_row(step) for step in shown)
    yield "</tbody></table></details>"


def _table_row(step: Step) -> str:
    share = "" if step.traffic is None else f"{step.traffic:.0%} of the traffic to the new version"
    happened = ", ".join(part for part in (step.cause, share) if part)
    numbers = (step.old, step.new, step.ready, step.available, step.terminating)
    cells = "".join(f"<td>{number}</td>" for number in numbers)
    return f"<tr><td>{words.seconds(step.t_s)}</td>{cells}<td>{escape(happened)}</td></tr>"

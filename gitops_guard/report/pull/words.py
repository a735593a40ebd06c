"""The sentences that comment, status, check-run and page share: our own words and numbers, nothing from content."""

from typing import Final

from gitops_guard.model import Action
from gitops_guard.model.judgement import Judgement, Outcome
from gitops_guard.model.pull import ChangeSource, PullPlan, UnitChanges
from gitops_guard.wording import count

SIGNS: Final = {Outcome.BLOCKED: "⛔", Outcome.UNCHECKED: "⚠️", Outcome.UNSEEN: "⚠️", Outcome.PASSED: "✅"}
"""Repeats what the words say."""

OUTCOMES: Final = {
    Outcome.BLOCKED: "stops the merge",
    Outcome.UNCHECKED: "could not check everything",
    Outcome.UNSEEN: "not everything was previewed",
    Outcome.PASSED: "nothing stops the merge",
}
_MODES: Final = {
    ChangeSource.WRITTEN: "as written, not rendered",
    ChangeSource.RENDERED: "rendered",
    ChangeSource.LIVE: "by dry-run in the cluster",
}


def verdict(plan: PullPlan, judgement: Judgement) -> str:
    """Say the outcome in one line: `stops the merge: 2 blocking · 5 warnings · 3 apps on 2 clusters · +4 ~11 -1`."""
    parts = [*_found(judgement), *_changed(plan)]
    return f"{OUTCOMES[judgement.outcome]}: {' · '.join(parts)}"


def is_quiet(plan: PullPlan, judgement: Judgement) -> bool:
    """Tell whether there is nothing to say: no object changes, nothing was found, everything was looked at."""
    told = (judgement.blocking, judgement.stopped, judgement.warnings, judgement.errors, judgement.unseen, plan.drift)
    return not any(told) and not any(unit.effective for unit in plan.units)


def status(plan: PullPlan, judgement: Judgement, *, longest: int) -> str:
    """Say the outcome in as many characters as a commit status holds; whole parts are left out, never cut."""
    said = f"{OUTCOMES[judgement.outcome]}: "
    for part in (*_found(judgement), *_changed(plan)):
        longer = f"{said}{' · ' if not said.endswith(': ') else ''}{part}"
        if len(longer) > longest:
            break
        said = longer
    return said.removesuffix(": ")


def _found(judgement: Judgement) -> list[str]:
    blocking = len(judgement.blocking) + len(judgement.stopped)
    parts = [f"{blocking} blocking"] if blocking else []
    if judgement.errors:
        parts.append(f"{len(judgement.errors)} could not be checked")
    if judgement.unseen:
        parts.append(f"{len(judgement.unseen)} not previewed")
    if judgement.warnings:
        parts.append(count(len(judgement.warnings), "warning"))
    return parts


def _changed(plan: PullPlan) -> list[str]:
    changed = [unit for unit in plan.units if unit.effective]
    if not changed:
        return ["no object changes"]
    apps = count(len({(unit.name, unit.kind) for unit in changed}), "app")
    clusters = {unit.cluster for unit in changed if unit.cluster}
    where = f" on {count(len(clusters), 'cluster')}" if clusters else ""
    return [f"{apps}{where}", signed(changed)]


def signed(units: list[UnitChanges]) -> str:
    """Return `+4 ~11 -1`: created, configured, deleted; all three, so that a glance finds each in its place."""
    total = {action: sum(unit.counts[action] for unit in units) for action in Action}
    return f"+{total[Action.CREATED]} ~{total[Action.CONFIGURED]} -{total[Action.DELETED]}"


def mode(plan: PullPlan) -> str:
    """Say what was compared: `rendered`."""
    seen = {unit.source for unit in plan.units}
    return ", ".join(_MODES[source] for source in ChangeSource if source in seen) or "nothing changes"


def compared(plan: PullPlan) -> str:
    """Say with what the head was compared."""
    return "the merge's result with its target" if plan.is_merged else "the branch with the commit that it left from"

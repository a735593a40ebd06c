"""The comment on a pull request: twelve sections in a fixed order, within what a forge's comment holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gitops_guard.model.judgement import Judgement
from gitops_guard.model.pull import PullPlan
from gitops_guard.report.pull.apps import app_block, is_short
from gitops_guard.report.pull.budget import Budget, shrink, size_of, take_whole, total
from gitops_guard.report.pull.escape import Links
from gitops_guard.report.pull.sections import Story, extra_sections, fixed_sections
from gitops_guard.report.pull.words import SIGNS, verdict
from gitops_guard.wording import count

GIVING_WAY: Final = (5, 4, 3, 12, 11, 8, 2)
"""Which of the fixed sections give way, the first one first. The verdict never does, and none of these vanishes whose
shortest version says anything."""

_APPS: Final = 6
_EXTRAS: Final = (7, 9, 10)
_TAIL: Final = 400
"""Room for the line that counts the apps left out and for the run's own line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One comment of those that a report fills."""

    text: str
    """Without the marker; ends with a line break."""

    digest: str
    """Of all that does not differ between equal results: two runs with the same result have the same."""


def comment(
    plan: PullPlan, judgement: Judgement, *, budget: Budget | None = None, parts: int = 1, links: Links | None = None
) -> tuple[Part, ...]:
    """Write the comment, and those that follow where more than one is allowed.

    Args:
        plan: All shards together.
        judgement: Of it.
        budget: What one comment may hold, without its marker.
        parts: The most comments.
        links: Where links may lead.
    """
    story = Story(plan, judgement, links or Links())
    whole = budget or Budget()
    if story.is_quiet:
        line = f"{SIGNS[judgement.outcome]} gitops-guard: {verdict(plan, judgement)}\n"
        return (_part(line, ""),)
    texts = _texts(story, whole, parts)
    run = _run_line(story)
    return (_part(texts[0], run), *(_part(text, "") for text in texts[1:]))


def _part(text: str, run: str) -> Part:
    return Part(text=text + run, digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])


def _run_line(story: Story) -> str:
    """Say what differs from run to run; it counts for no digest."""
    links = [f"[{name}]({url})" for name, url in (("full report", story.links.report), ("run", story.links.run)) if url]
    return f"<sub>{' · '.join([*links, f'took {story.plan.duration_s:.1f} s'])}</sub>\n"


def _texts(story: Story, whole: Budget, parts: int) -> list[str]:
    reserved = size_of(_run_line(story))
    room = Budget(whole.characters - reserved.characters - _TAIL, whole.octets - reserved.octets - _TAIL)
    fixed = shrink(fixed_sections(story), GIVING_WAY, room)
    left = room.less(total(fixed.values()))
    blocks = [app_block(app, is_open=False) for app in story.apps]
    if len(blocks) == 1 and is_short(blocks[0]):
        blocks = [app_block(story.apps[0], is_open=True)]
    shown, left = take_whole(blocks, left)
    extras = extra_sections(story)
    taken, left = take_whole([extras[number] for number in _EXTRAS], left)
    more = {_EXTRAS[index]: extras[_EXTRAS[index]] for index in taken}
    followers, also = _followers([index for index in range(len(blocks)) if index not in shown], blocks, whole, parts)
    sections = {**fixed, **more, _APPS: _apps(story, blocks, shown, also)}
    left_out = [number for number in _EXTRAS if extras[number] and number not in more]
    sections[10] = sections.get(10, "") + _left_out(left_out)
    return ["".join(sections.get(number, "") for number in range(1, 13)), *followers]


def _apps(story: Story, blocks: Sequence[str], shown: Sequence[int], also: int) -> str:
    text = "".join(blocks[index] for index in shown)
    missing = len(blocks) - len(shown) - also
    changes = sum(len(app.unit.effective) for index, app in enumerate(story.apps) if index not in shown)
    if also:
        text += f"{count(also, 'more app')} in the next comment.\n\n"
    if missing:
        text += f"{len(shown)} of {count(len(blocks), 'app')} shown; {count(changes, 'change')} of the others"
        text += " only in the full report.\n\n"
    return text


_NAMES: Final = {7: "rollouts", 9: "drift", 10: "folded and accepted"}


def _left_out(numbers: Sequence[int]) -> str:
    return f"Only in the full report: {', '.join(_NAMES[number] for number in numbers)}.\n\n" if numbers else ""


def _followers(waiting: list[int], blocks: Sequence[str], whole: Budget, parts: int) -> tuple[list[str], int]:
    """Fill further comments with the apps that did not fit, as far as they are allowed."""
    texts: list[str] = []
    placed = 0
    while waiting and len(texts) + 1 < parts:
        head = f"### gitops-guard, part {len(texts) + 2}\n\n"
        taken, _ = take_whole([blocks[index] for index in waiting], whole.less(size_of(head)))
        if not taken:
            break
        texts.append(head + "".join(blocks[waiting[index]] for index in taken))
        placed += len(taken)
        waiting = [index for at, index in enumerate(waiting) if at not in taken]
    return texts, placed


def full_report(plan: PullPlan, judgement: Judgement, *, links: Links | None = None) -> str:
    """Write the report without a limit, for the artefact and the job summary."""
    return "".join(part.text for part in comment(plan, judgement, budget=Budget(1 << 40, 1 << 40), links=links))

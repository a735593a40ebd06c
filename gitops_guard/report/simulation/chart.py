"""The picture of one way of a rollout: SVG with stacked areas, the available pods as a line, the wanted as a floor.

A picture stands alone: every colour is an attribute, all text is escaped, nothing is loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gitops_guard.model.rollout import Rollout, Step
from gitops_guard.report.simulation import words
from gitops_guard.report.visible import visible

WIDTH: Final = 720
HEIGHT: Final = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 40, 40
_INK, _FAINT, _PAPER = "#1f2933", "#d5dbe1", "#ffffff"
_AREAS: Final[tuple[tuple[str, str, Callable[[Step], int]], ...]] = (
    ("old", "#9fb3c8", lambda step: step.old),
    ("new", "#3d8b5f", lambda step: step.new),
    ("ending", "#e8d5a3", lambda step: step.terminating),
)
_AVAILABLE, _WANTED = "#1b2a4a", "#b3261e"
_MOST_POINTS: Final = 600


def escape(text: str) -> str:
    """Return text that is safe inside elements and attributes of SVG and HTML."""
    shown = visible(text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        shown = shown.replace(sign, entity)
    return shown


def chart(rollout: Rollout, identifier: str) -> str:
    """Return the picture of the likely way; empty where nothing happens over time.

    Args:
        rollout: What is drawn.
        identifier: Of the picture's title, unique in its page: letters, digits and `-`.
    """
    way = words.likely(rollout)
    if way is None or len(way.steps) < 2 or way.steps[-1].t_s <= 0:
        return ""
    picture = _Chart(words.sampled(way.steps, _MOST_POINTS), rollout, complete=way.complete)
    return "\n".join(picture.lines(identifier)) + "\n"


class _Chart:
    def __init__(self, steps: Sequence[Step], rollout: Rollout, *, complete: bool) -> None:
        self.steps = steps
        self.rollout = rollout
        self.complete = complete
        # Room for the last state, which stays: more of it where that is the point.
        self.end_s = steps[-1].t_s * (1.04 if complete else 1.5)
        most = max(step.old + step.new + step.terminating for step in steps)
        self.most = max(most, rollout.wanted_available, 1)

    def x(self, t_s: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * t_s / self.end_s

    def y(self, pods: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * pods / self.most

    def lines(self, identifier: str) -> Iterator[str]:
        title, description = escape(words.title(self.rollout.resource)), escape(self.description())
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
            f' role="img" aria-labelledby="{identifier}-t {identifier}-d" font-family="system-ui, sans-serif"'
            f' font-size="12" fill="{_INK}">'
        )
        yield f'<title id="{identifier}-t">{title}</title>'
        yield f'<desc id="{identifier}-d">{description}</desc>'
        yield f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{_PAPER}"/>'
        yield from self.grid()
        yield from self.areas()
        yield from self.available()
        yield from self.wanted()
        yield from self.legend()
        yield "</svg>"

    def description(self) -> str:
        rollout = self.rollout
        return f"{rollout.verdict.value}: {words.duration(rollout)}; {words.availability(rollout)}"

    def grid(self) -> Iterator[str]:
        for pods in _ticks(self.most, 4):
            y = self.y(pods)
            yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="{_FAINT}"/>'
            yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{pods}</text>'
        for t_s in _ticks(self.end_s, 6):
            x = self.x(t_s)
            yield f'<path d="M{x:.1f} {HEIGHT - _BOTTOM}v5" stroke="{_INK}"/>'
            yield f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">{words.seconds(t_s)}</text>'
        yield f'<text x="{_LEFT - 6}" y="{_TOP - 12}" text-anchor="end">pods</text>'

    def areas(self) -> Iterator[str]:
        base = [0] * len(self.steps)
        for name, colour, number in _AREAS:
            top = [below + number(step) for below, step in zip(base, self.steps, strict=True)]
            if top != base:
                outline = [*self.stairs(top), *reversed(self.stairs(base))]
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
                yield f'<polygon points="{points}" fill="{colour}"><title>{name} pods</title></polygon>'
            base = top

    def stairs(self, values: Sequence[int]) -> list[tuple[float, float]]:
        """Return the corners of a line that holds each value until the next step."""
        corners: list[tuple[float, float]] = []
        for index, value in enumerate(values):
            until = self.steps[index + 1].t_s if index + 1 < len(values) else self.end_s
            corners += [(self.x(self.steps[index].t_s), self.y(value)), (self.x(until), self.y(value))]
        return corners

    def available(self) -> Iterator[str]:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in self.stairs([step.available for step in self.steps]))
        yield (
            f'<polyline points="{points}" fill="none" stroke="{_AVAILABLE}" stroke-width="2.5">'
            "<title>available pods</title></polyline>"
        )

    def wanted(self) -> Iterator[str]:
        if self.rollout.wanted_available:
            y = self.y(self.rollout.wanted_available)
            yield (
                f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="{_WANTED}" stroke-width="1.5"'
                ' stroke-dasharray="6 4"><title>wanted available pods</title></path>'
            )

    def legend(self) -> Iterator[str]:
        x = _LEFT
        for name, colour, _ in _AREAS:
            yield f'<rect x="{x}" y="12" width="12" height="12" fill="{colour}"/>'
            yield f'<text x="{x + 17}" y="22">{name}</text>'
            x += 34 + 7 * len(name)
        for name, colour, dashes in (("available", _AVAILABLE, ""), ("wanted", _WANTED, ' stroke-dasharray="6 4"')):
            yield (
                f'<path d="M{x} 18h20" stroke="{colour}" stroke-width="2.5"{dashes}/>'
                f'<text x="{x + 25}" y="22">{name}</text>'
            )
            x += 42 + 7 * len(name)
        if not self.complete:
            yield f'<text x="{WIDTH - _RIGHT}" y="22" text-anchor="end" fill="{_WANTED}">does not end by itself</text>'


def _ticks(end: float, most: int) -> list[int]:
    """Return round numbers from 0 to an end."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
    step = next((step for step in steps if end / step <= most), max(1, int(end / most)))
    return list(range(0, int(end) + 1, step))

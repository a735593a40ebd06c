"""How much fits into a comment: whole blocks only, so that whatever is left out, the rest is valid Markdown.

A finished text is never cut. Every section brings shorter versions of itself; the shortest of what stops a merge still
names it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Size(NamedTuple):
    """What a text takes."""

    characters: int
    """Counted in UTF-16, which is never less than code points: no forge says which of the two it counts."""

    octets: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one comment may hold."""

    characters: int = 65_000
    octets: int = 262_000

    def holds(self, size: Size) -> bool:
        """Tell whether a text of this size fits."""
        return size.characters <= self.characters and size.octets <= self.octets

    def less(self, size: Size) -> "Budget":
        """Return what is left beside a text of this size."""
        return Budget(self.characters - size.characters, self.octets - size.octets)


def size_of(text: str) -> Size:
    """Measure a text; lone surrogates count as what would be sent for them."""
    if text.isascii():
        return Size(len(text), len(text))
    return Size(len(text.encode("utf-16-le", "surrogatepass")) // 2, len(text.encode("utf-8", "surrogatepass")))


def total(texts: Iterable[str]) -> Size:
    """Measure several texts together."""
    sizes = [size_of(text) for text in texts]
    return Size(sum(size.characters for size in sizes), sum(size.octets for size in sizes))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the comment that is always there, in versions from the longest to the shortest."""

    number: int
    """Place in the comment, 1 to 12."""

    versions: tuple[str, ...]
    """Markdown that ends with a blank line; an empty one leaves the section out."""


def shrink(sections: Sequence[Section], order: Sequence[int], budget: Budget) -> dict[int, str]:
    """Choose a version of every section, so that together they fit.

    Args:
        sections: Of different numbers.
        order: Numbers of the sections that give way, the first one first; each goes down one version at a time.
        budget: What all together may take.

    Returns:
        Markdown by number; the shortest of everything where even that does not fit.
    """
    chosen = dict.fromkeys((section.number for section in sections), 0)
    versions = {section.number: section.versions for section in sections}
    steps = [number for number in order for _ in versions.get(number, ())[1:]]
    for number in [0, *steps]:
        if number:
            chosen[number] += 1
        if budget.holds(total(versions[one][at] for one, at in chosen.items())):
            break
    return {number: versions[number][at] for number, at in chosen.items()}


def take_whole(blocks: Sequence[str], budget: Budget) -> tuple[list[int], Budget]:
    """Take blocks in their order, each whole, passing over those that do not fit.

    Returns:
        Indices of those taken, and what is left.
    """
    taken: list[int] = []
    for index, block in enumerate(blocks):
        size = size_of(block)
        if budget.holds(size):
            taken.append(index)
            budget = budget.less(size)
    return taken, budget

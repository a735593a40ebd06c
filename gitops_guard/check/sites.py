"""Where in a file suppressions stand, and what each covers there: a line, a resource, a document."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gitops_guard.check.comments import Comment, find_comments
from gitops_guard.check.directive import Directive, parse_annotation, parse_comment
from gitops_guard.check.markers import ANNOTATION, COMMENT_MARKER
from gitops_guard.model import Finding, Location, Resource, ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRange:
    """Findings on some lines of a file, and those of the one resource that starts there."""

    path: str
    first: int
    last: int
    whole: ResourceId | None = None
    """Set where the lines are one resource that has its id alone in the file: an alias may lead out of its lines."""

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding lies here."""
        if finding.location.path != self.path:
            return False
        return self.first <= finding.location.line <= self.last or (
            self.whole is not None and finding.resource == self.whole
        )


class Site(NamedTuple):
    """One suppression in a file."""

    directive: Directive
    place: Location
    """The comment, or the annotation's key."""

    where: LineRange
    """What it covers."""

    resource: ResourceId | None
    """The resource that carries the annotation; None for a comment."""


def find_sites(path: str, text: str, resources: Iterable[Resource]) -> list[Site]:
    """Return the comments and annotations of a file, in that order.

    Args:
        path: Repository path, for the places.
        text: The whole file.
        resources: All resources of the file: they say where a comment covers more than a line.
    """
    file = _File(path, text, resources)
    return [*file.comments(), *file.annotations()]


class _File:
    """A file's lines and where its documents and resources lie in them.

    Everything is worked out once: a hostile file may hold tens of thousands of comments.
    """

    def __init__(self, path: str, text: str, resources: Iterable[Resource]) -> None:
        self._path = path
        self._text = text
        self._lines = text.replace("\r\n", "\n").split("\n")
        self._next_content, self._document_starts, self._document_ends = _layout(self._lines)
        self._ranges = self._resource_ranges(sorted(resources, key=lambda resource: resource.origin.line))
        self._by_line = {where.first: where for _, where in reversed(self._ranges)}

    def comments(self) -> Iterator[Site]:
        for comment in find_comments(self._text, COMMENT_MARKER):
            directive = parse_comment(comment.text.removeprefix(COMMENT_MARKER).strip())
            place = self._place(comment.line, comment.column, comment.end_column)
            yield Site(directive, place, self._target(comment), None)

    def annotations(self) -> Iterator[Site]:
        if ANNOTATION not in self._text:
            return
        for resource, where in self._ranges:
            if directives := parse_annotation(_annotation(resource)):
                place = self._annotation_place(where)
                yield from (Site(directive, place, where, resource.id) for directive in directives)

    def _target(self, comment: Comment) -> LineRange:
        if not comment.alone:
            return LineRange(path=self._path, first=comment.line, last=comment.line)
        line = self._next_content[comment.line]
        if line in self._by_line:
            return self._by_line[line]
        last = self._document_ends[line] if line in self._document_starts else line
        return LineRange(path=self._path, first=line, last=last)

    def _resource_ranges(self, resources: Sequence[Resource]) -> list[tuple[Resource, LineRange]]:
        ids = Counter(resource.id for resource in resources)
        ranges: list[tuple[Resource, LineRange]] = []
        below, at = len(self._lines) + 1, len(self._lines) + 1
        for resource in reversed(resources):
            first = resource.origin.line
            if first < at:
                below, at = at, first
            last = min(self._document_ends.get(first, below), below - 1)
            whole = resource.id if ids[resource.id] == 1 else None
            ranges.append((resource, LineRange(path=self._path, first=first, last=max(first, last), whole=whole)))
        return ranges[::-1]

    def _annotation_place(self, where: LineRange) -> Location:
        for number in range(where.first, min(where.last, len(self._lines)) + 1):
            column = self._lines[number - 1].find(ANNOTATION)
            if column >= 0 and not self._lines[number - 1].lstrip().startswith("#"):
                return self._place(number, column + 1, column + 1 + len(ANNOTATION))
        return self._place(where.first, 1, 1)

    def _place(self, line: int, column: int, end: int) -> Location:
        return Location(path=self._path, line=line, column=column, end_line=line, end_column=end)


def _layout(lines: Sequence[str]) -> tuple[list[int], set[int], dict[int, int]]:
    """Return for each 1-based line the next one with content below it, the first lines of documents, and their ends."""
    following = [0] * (len(lines) + 1)
    ends: dict[int, int] = {}
    starts: set[int] = set()
    content, end = len(lines) + 1, len(lines)
    for number in range(len(lines), 0, -1):
        following[number] = content
        line = lines[number - 1]
        ends[number] = end
        separates = line[:4].rstrip() in ("---", "...")
        bare = _is_marker(line)
        if line.strip() and not line.lstrip().startswith("#") and not line.startswith("%") and not bare:
            content = number
        if separates:
            # What stands here or below begins a document, what stands above ends one.
            starts.add(content)
            end = number - 1
    return following, starts | {content}, ends | {len(lines) + 1: len(lines) + 1}


def _annotation(resource: Resource) -> str:
    metadata = resource.body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def _is_marker(line: str) -> bool:
    """Tell whether a line only separates documents: `---`, `...`, perhaps with a comment."""
    text = line.rstrip()
    return text in ("---", "...") or (text.startswith(("--- ", "... ")) and text[3:].lstrip().startswith("#"))

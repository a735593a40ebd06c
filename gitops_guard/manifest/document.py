"""What the loader gives: documents with places for their values, and what was wrong with the text."""

from dataclasses import dataclass, field

from gitops_guard.manifest.positions import Places, Scalar
from gitops_guard.model import Body, FieldPath, Severity, Span

__all__ = ["Document", "Scalar", "SourceProblem", "Stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """Something about the text itself, whatever the schema says."""

    rule: str
    """`yaml-duplicate-key`; every id has a page in `gitops_guard/rules/`."""

    severity: Severity
    message: str
    """Never holds a value, only keys and words of the YAML language: the text may be a Secret's."""

    hint: str
    """What to do; may be empty."""

    span: Span
    document: int | None
    """Index of the document it belongs to; None for the whole file."""

    field: FieldPath | None
    """The value it is about, for findings that a schema's verdict can make moot; None when there is no tree."""

    unreadable: bool
    """True: the document, or the rest of the file, could not be turned into a tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One object of a file, as kubectl would send it."""

    index: int
    """0-based, among the documents of the file that are not empty; unreadable ones count."""

    line: int
    """1-based line in the file of the first key."""

    body: Body
    places: Places = field(repr=False, compare=False)

    def locate(self, path: FieldPath, *, on_key: bool = False) -> Span:
        """Find where a value is written.

        Args:
            path: From the document's root.
            on_key: The place of the key instead of the value's.

        Returns:
            The value's span; the key's when the value is left empty; the nearest existing parent's key when there is no
            such field. Aliased and merged values are placed where they are used.
        """
        return self.places.locate(path, on_key=on_key)

    def scalar(self, path: FieldPath) -> Scalar | None:
        """Return how a scalar is written, or None when there is no scalar at this path."""
        return self.places.scalar(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A file, read."""

    documents: tuple[Document, ...]
    """In the file's order, without those that could not be read."""

    problems: tuple[SourceProblem, ...]
    """In the file's order."""

"""Bytes to documents, exactly as kubectl or kustomize reads them: the authority on what a file says.

    bytes -> text (encoding) -> chunks (splitter, json_stream) -> nodes (composer, json_reader) -> tree (constructor)

One bad document hides no other: chunks are read one by one, and what is wrong is data, never an exception.
"""

from collections.abc import Iterator

from gitops_guard.manifest.composer import Kind, Node
from gitops_guard.manifest.constructor import Constructor
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.document import Document, SourceProblem, Stream
from gitops_guard.manifest.encoding import decode
from gitops_guard.manifest.issue import Issue, UnreadableError
from gitops_guard.manifest.json_stream import chunks_of
from gitops_guard.manifest.limits import MAX_BYTES
from gitops_guard.manifest.positions import Lines, Places
from gitops_guard.manifest.reader import read_node
from gitops_guard.manifest.splitter import Chunk
from gitops_guard.model import Severity

__all__ = ["Dialect", "Document", "SourceProblem", "Stream", "load"]


def load(data: bytes, *, dialect: Dialect = Dialect.KUBECTL) -> Stream:
    """Read a manifest file.

    Args:
        data: The whole file, YAML or JSON.
        dialect: Whose reading is wanted; kubectl's unless the file is reached through a kustomization.

    Returns:
        Its documents and what is wrong with its text. Nothing is raised: an unreadable file is a problem.
    """
    try:
        text, issues = decode(data, dialect=dialect)
    except UnreadableError as error:
        whole = Chunk(text=data.decode(errors="replace"), line=1)
        return Stream(documents=(), problems=(_problem(error.issue, Lines(whole), None, dialect),))
    return _Loading(text, dialect).run(issues)


def _problem(issue: Issue, lines: Lines, document: int | None, dialect: Dialect) -> SourceProblem:
    return SourceProblem(
        rule=issue.rule,
        severity=issue.severity_in(dialect),
        message=issue.message,
        hint=issue.hint,
        span=lines.span(issue.start, issue.end),
        document=document,
        field=issue.field,
        unreadable=issue.unreadable,
    )


class _Loading:
    """The state of one load: what has been found so far."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._text = text
        self._dialect = dialect
        self._documents: list[Document] = []
        self._problems: list[SourceProblem] = []
        self._index = 0

    def run(self, issues: tuple[Issue, ...]) -> Stream:
        """Read every chunk."""
        self._report(issues, Chunk(text=self._text, line=1), None)
        for chunk, refusal in chunks_of(self._text, dialect=self._dialect):
            if refusal is not None:
                self._report((refusal,), chunk, self._index if refusal.unreadable else None)
            if refusal is None or not refusal.unreadable:
                self._read(chunk)
        if not self._documents and not self._problems:
            empty = Issue(rule="yaml-empty", message="the file holds no object", start=0, end=0)
            self._report((empty,), Chunk(text=self._text, line=1), None)
        self._problems.sort(key=lambda problem: (problem.span.line, problem.span.column, problem.rule))
        return Stream(documents=tuple(self._documents), problems=tuple(self._problems))

    def _report(self, issues: "tuple[Issue, ...] | list[Issue]", chunk: Chunk, document: int | None) -> None:
        if issues:
            lines = Lines(chunk)
            self._problems.extend(_problem(issue, lines, document, self._dialect) for issue in issues)

    def _read(self, chunk: Chunk) -> None:
        """Read one chunk; a chunk without a document is passed over."""
        try:
            _check_size(chunk)
            composed = read_node(chunk)
            root = composed.root
            constructor = Constructor(dialect=self._dialect, is_json=chunk.is_json)
            body = constructor.build(root) if root is not None else None
        except UnreadableError as error:
            self._report((error.issue,), chunk, self._index)
            self._index += 1
            return
        issues = [*_marks(chunk), *composed.issues, *constructor.issues]
        if root is None or body is None:
            self._report(issues, chunk, None)
            return
        if isinstance(body, dict):
            line = Lines(chunk).span(_first_key(root).start, root.end).line
            places = Places(chunk, self._dialect)
            self._documents.append(Document(index=self._index, line=line, body=body, places=places))
        else:
            issues = [_not_object(root, body)]
        self._report(issues, chunk, self._index)
        self._index += 1


def _first_key(root: Node) -> Node:
    return root.pairs[0][0] if root.pairs else root


def _check_size(chunk: Chunk) -> None:
    # Code points first: counting bytes means encoding the text once more.
    if len(chunk.text) > MAX_BYTES or (not chunk.text.isascii() and len(chunk.text.encode()) > MAX_BYTES):
        raise UnreadableError(
            "yaml-too-large",
            "the document is larger than the 3 MiB that the API server accepts",
            0,
            0,
            hint="split it, or keep large data out of manifests",
        )


def _not_object(root: Node, body: object) -> Issue:
    what = "a list" if root.kind is Kind.SEQUENCE or isinstance(body, list) else "a scalar"
    return Issue(
        rule="yaml-not-object",
        message=f"the document is {what}, not an object",
        hint="a manifest is a mapping with apiVersion and kind",
        start=root.start,
        end=root.end,
        unreadable=True,
    )


def _marks(chunk: Chunk) -> Iterator[Issue]:
    """Report byte order marks that are not at the start of the file."""
    position = 0 if chunk.bom else chunk.text.find("\ufeff")
    if position >= 0:
        yield Issue(
            rule="yaml-encoding",
            severity=Severity.WARNING,
            message="an invisible byte order mark (U+FEFF) stands inside the file",
            hint="remove it",
            start=position,
            end=position + 1,
        )

"""Whether a file is JSON, and its objects: kubectl asks the first character, with YAML to fall back on."""

from collections.abc import Iterator

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.issue import Issue
from gitops_guard.manifest.json_reader import JsonTooDeepError, NotJsonError, read_object, skip_blank
from gitops_guard.manifest.limits import MAX_DEPTH
from gitops_guard.manifest.splitter import Chunk, split
from gitops_guard.model import Severity

_Part = tuple[Chunk, Issue | None]


def chunks_of(text: str, *, dialect: Dialect) -> Iterator[_Part]:
    """Cut a file into documents, JSON or YAML.

    Yields:
        Each chunk, with an issue to report. An unreadable one stands for the chunk; any other is beside it.
    """
    if not text.lstrip().startswith("{"):
        yield from split(text, dialect=dialect)
        return
    text = text.replace("\r\n", "\n")
    objects, end, error = _scan(text)
    if dialect is Dialect.KUSTOMIZE:
        # kustomize has no JSON reader; an object that follows without `---` is text after the document's end.
        objects, end = [], 0
    yield from objects
    if error is not None:
        yield _chunk(text, error.start, error.start, is_json=False), _final(error, objects)
    if error is None and dialect is Dialect.KUBECTL:
        return
    if len(objects) < 2 and (error is None or not error.unreadable):
        rest = _chunk(text, end, len(text), is_json=False)
        yield from split(rest.text, dialect=dialect, line=rest.line, column=rest.column)


def _scan(text: str) -> tuple[list[_Part], int, Issue | None]:
    """Read objects until the text or the JSON ends; return them, the offset of the rest, and what stopped it."""
    objects: list[_Part] = []
    end, here = 0, skip_blank(text, 0)
    while here < len(text):
        try:
            node = read_object(text, here)
        except NotJsonError as error:
            return objects, end, _not_json(str(error), error.offset)
        except JsonTooDeepError as error:
            return objects, end, _too_deep(error.offset)
        objects.append((_chunk(text, here, node.end, is_json=True), _second() if len(objects) == 1 else None))
        end, here = node.end, skip_blank(text, node.end)
    return objects, end, None


def _chunk(text: str, start: int, end: int, *, is_json: bool) -> Chunk:
    column = start - (text.rfind("\n", 0, start) + 1)
    return Chunk(text=text[start:end], line=text.count("\n", 0, start) + 1, column=column, is_json=is_json)


def _final(error: Issue, objects: list[_Part]) -> Issue:
    """Place an error at its own empty chunk; after two objects kubectl no longer falls back to YAML."""
    if len(objects) < 2 or error.unreadable:
        return Issue(
            rule=error.rule, message=error.message, hint=error.hint, start=0, end=0, unreadable=error.unreadable
        )
    message = f"{error.message}; after two JSON objects kubectl does not fall back to YAML"
    return Issue(rule="yaml-syntax", message=message, start=0, end=0, unreadable=True)


def _not_json(reason: str, offset: int) -> Issue:
    return Issue(
        rule="yaml-not-json",
        message=f"starts like JSON but is none ({reason}); kubectl before 1.34 refuses this",
        hint="write JSON, or start the file with `---`",
        start=offset,
        end=offset,
    )


def _too_deep(offset: int) -> Issue:
    message = f"nested more than {MAX_DEPTH} levels deep"
    return Issue(rule="yaml-depth", message=message, start=offset, end=offset, unreadable=True)


def _second() -> Issue:
    return Issue(
        rule="yaml-lost-text",
        severity=Severity.WARNING,
        message="a second JSON object without `---`: kubectl reads it, kustomize drops it",
        hint="separate the objects with `---`, or use a List",
        start=0,
        end=1,
    )

"""Where a field of a rendered object is written: in its own file, in a patch, in a kustomization, in a template.

A place that is not known is not made up: the line of the object itself is named instead.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from gitops_guard.errors import RepoError
from gitops_guard.manifest.classify import is_helm_template
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.document import Document, Scalar
from gitops_guard.manifest.loader import load
from gitops_guard.model import Body, FieldPath, Location, Resource, Span, resolve_field_path

_YAML = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MOST_FILES = 200
"""Beyond this many files of a unit only the object's own one is searched."""

_ITEM_KEYS = ("name", "containerPort", "port", "mountPath", "key", "ip", "topologyKey")
"""What list items are told apart by; the first that both have counts."""

Read = Callable[[str], bytes]


class UnitSources:
    """The files that a unit was rendered from; each is read when a finding first asks."""

    def __init__(self, read: Read, paths: Sequence[str]) -> None:
        """Keep what may be read.

        Args:
            read: Returns a file's bytes; raises RepoError.
            paths: The unit's files.
        """
        self._read = read
        self._documents: dict[str, tuple[Document, ...]] = {}
        self._others = [path for path in paths if path.endswith(_YAML)] if len(paths) <= _MOST_FILES else []

    def data(self, path: str) -> bytes:
        """Return a file's bytes; nothing where it cannot be read."""
        try:
            return self._read(path)
        except RepoError:
            return b""

    def documents(self, path: str) -> tuple[Document, ...]:
        """Return a file's documents; none for a template, or where it cannot be read."""
        if path not in self._documents:
            data = self.data(path)
            readable = path.endswith((*_YAML, *_KUSTOMIZATIONS)) and not is_helm_template(path, data)
            self._documents[path] = load(data, dialect=Dialect.KUSTOMIZE).documents if readable else ()
        return self._documents[path]

    def patches(self, resource: Resource) -> Iterator[tuple[str, Document]]:
        """Yield the documents of other files that are about the same object."""
        for path in self._others:
            if path != resource.origin.path:
                yield from ((path, document) for document in self.documents(path) if _is_about(document.body, resource))

    @cached_property
    def kustomizations(self) -> list[tuple[str, Document]]:
        """Return the kustomizations among the files."""
        named = (path for path in self._others if path.rpartition("/")[2] in _KUSTOMIZATIONS)
        return [(path, document) for path in named for document in self.documents(path)]


class ObjectPlaces:
    """Says where the fields of one rendered object are written."""

    def __init__(self, sources: UnitSources, resource: Resource) -> None:
        """Keep the object and the files it may come from."""
        self._sources = sources
        self._resource = resource
        self.index = resource.origin.document
        self.line = resource.origin.line

    def scalar(self, path: FieldPath) -> Scalar | None:
        """Return a text of the object; how it was written is not known."""
        try:
            value = resolve_field_path(self._resource.body, path)
        except LookupError:
            return None
        return Scalar(text=value, plain=False) if isinstance(value, str) else None

    def locate(self, path: FieldPath, *, on_key: bool = False) -> Location:
        """Return where a field is written, or the object where that is not known."""
        found = (
            self._own(path, on_key=on_key)
            or self._patch(path, on_key=on_key)
            or self._setting(path)
            or self._own(path, on_key=on_key, changed=True)
            or self._template(path)
        )
        return found or self._at(Span(line=self.line, column=1, end_line=self.line, end_column=1))

    def _at(self, span: Span, path: str = "") -> Location:
        return Location(
            path=path or self._resource.origin.path,
            line=span.line,
            column=span.column,
            end_line=span.end_line,
            end_column=span.end_column,
        )

    def _own(self, path: FieldPath, *, on_key: bool, changed: bool = False) -> Location | None:
        origin = self._resource.origin
        for document in self._sources.documents(origin.path):
            if document.index == origin.document:
                return self._inside(
                    origin.path, document, origin.item, path, on_key=on_key, partly=True, changed=changed
                )
        return None

    def _patch(self, path: FieldPath, *, on_key: bool) -> Location | None:
        for file, document in self._sources.patches(self._resource):
            if found := self._inside(file, document, (), path, on_key=on_key, partly=False):
                return found
        return None

    def _inside(
        self,
        file: str,
        document: Document,
        item: FieldPath,
        path: FieldPath,
        *,
        on_key: bool,
        partly: bool,
        changed: bool = False,
    ) -> Location | None:
        try:
            written = resolve_field_path(document.body, item)
        except LookupError:
            return None
        place = counterpart(written, self._resource.body, path, partly=partly, changed=changed)
        if place is None:
            return None
        is_missing = len(place) < len(path)
        return self._at(document.locate(item + place, on_key=on_key or is_missing), file)

    def _setting(self, path: FieldPath) -> Location | None:
        """Look among what kustomizations set themselves: inline patches, images, replicas."""
        for file, document in self._sources.kustomizations:
            for place, text in _inline_patches(document.body):
                for inner in load(text.encode("utf-8", "surrogateescape"), dialect=Dialect.KUSTOMIZE).documents:
                    if _is_about(inner.body, self._resource):
                        found = counterpart(inner.body, self._resource.body, path, partly=False)
                        if found is not None:
                            return self._at(document.locate(place), file)
            if path[-1:] == ("image",) and (entry := self._image(document.body, path)) is not None:
                return self._at(document.locate(entry), file)
        return None

    def _image(self, body: Body, path: FieldPath) -> FieldPath | None:
        try:
            image = resolve_field_path(self._resource.body, path)
        except LookupError:
            return None
        entries = body.get("images")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            name = (entry.get("newName") or entry.get("name")) if isinstance(entry, dict) else None
            if (
                isinstance(image, str)
                and isinstance(name, str)
                and re.fullmatch(rf"{re.escape(name)}(?:[:@].*)?", image)
            ):
                return ("images", index)
        return None

    def _template(self, path: FieldPath) -> Location | None:
        """Look for the one line of a chart's template that has the field's key."""
        keys = [element for element in path if isinstance(element, str)]
        data = self._sources.data(self._resource.origin.path)
        if not keys or not is_helm_template(self._resource.origin.path, data):
            return None
        wanted = re.compile(rb"[ \t]*(?:- )?[\"']?" + re.escape(keys[-1].encode()) + rb"[\"']?[ \t]*:")
        lines = [number for number, line in enumerate(data.split(b"\n"), 1) if wanted.match(line)]
        if len(lines) != 1:
            return None
        return self._at(Span(line=lines[0], column=1, end_line=lines[0], end_column=1))


def counterpart(
    written: object, rendered: object, path: FieldPath, *, partly: bool, changed: bool = False
) -> FieldPath | None:
    """Return where a rendered field stands in what was written; None where it was not written there.

    Args:
        written: An object as its file has it, or a patch.
        rendered: The same object as rendered.
        path: A field of the rendered object; it may be missing there.
        partly: For a field that is missing in the rendered object, return what should hold it.
        changed: Another value may stand there: a variable, for which something was put in.
    """
    found: list[str | int] = []
    for element in path:
        try:
            inner = resolve_field_path(rendered, (element,))
        except LookupError:
            return tuple(found) if partly else None
        other = element if isinstance(element, str) else _same_item(written, inner, element)
        try:
            written = resolve_field_path(written, () if other is None else (other,))
        except LookupError:
            return None
        if other is None:
            return None
        rendered = inner
        found.append(other)
    return tuple(found) if changed or isinstance(rendered, (dict, list)) or rendered == written else None


def _same_item(written: object, item: object, index: int) -> int | None:
    """Return which item of the written list a rendered one is."""
    if not isinstance(written, list):
        return None
    if isinstance(item, dict):
        key = next((key for key in _ITEM_KEYS if key in item), None)
        if key is not None:
            same = [at for at, one in enumerate(written) if isinstance(one, dict) and one.get(key) == item[key]]
            return same[0] if len(same) == 1 else None
    if item in written:
        return written.index(item)
    return index if isinstance(item, (dict, list)) and index < len(written) else None


def _is_about(body: Body, resource: Resource) -> bool:
    """Tell whether a document means the object: same kind, and a name that the rendered one holds."""
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return body.get("kind") == resource.id.kind and isinstance(name, str) and bool(name) and name in resource.id.name


def _inline_patches(body: Body) -> Iterator[tuple[FieldPath, str]]:
    for key in ("patches", "patchesStrategicMerge"):
        entries = body.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            text = entry.get("patch") if isinstance(entry, dict) else entry
            if isinstance(text, str) and "\n" in text:
                yield (key, index), text

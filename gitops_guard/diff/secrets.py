"""What must not be seen: values of Secrets, wherever in a set of resources they are repeated, and what looks like one.

A parsed object's kind decides, never its text. What is hidden becomes `MASK`, the same for every value and length.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gitops_guard.model import MASK, Body, FieldPath, Json, Resource, ResourceId

_SHORTEST_WHOLE: Final = 4
"""Shorter values of Secrets are not looked for elsewhere: `1` and `yes` would hide half of every manifest."""

_SHORTEST_PART: Final = 6
"""Values this long are looked for inside of longer texts, too."""

_SHORTEST_NAME: Final = 12
"""As long as this must be what a key calls a name: the user `orders` has a namespace and pods called like it."""

_NAMES: Final = re.compile(
    r"(?:.*[-_.])?(?:user(?:[-_]?name)?|login|host(?:[-_]?name)?|database|db(?:[-_]?name)?|schema)"
)
_SHORTEST_LINE: Final = 16
"""Lines of a value this long (of a key, say) are looked for by themselves."""

_NAME: Final = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential", re.IGNORECASE
)
_NO_SECRET: Final = re.compile(
    r"(?:name|namespace|ref|path|file|dir|url|uri|ttl|expiry|expiration|seconds|enabled|type|mount)s?\Z", re.IGNORECASE
)
_LONGEST_NAME: Final = 128
_SEPARATOR: Final = re.compile(r"[:=]")
_HIDDEN_ANNOTATIONS: Final = frozenset(("openshift.io/token-secret.value",))
_COMMAND_LINES: Final = frozenset(("args", "command"))
_TEXT_KINDS: Final = frozenset(("ConfigMap",))
VALUES: Final = ("data", "stringData")
"""Fields of a Secret that hold its values."""


class Shown(NamedTuple):
    """A value as it may be shown."""

    value: Json
    masked: bool
    """Whether something in it is hidden."""


def is_secret(owner: ResourceId) -> bool:
    """Tell whether an object is a Secret; a misspelt one holds a secret all the same."""
    return owner.kind.casefold() == "secret"


def looks_secret(name: str) -> bool:
    """Tell whether a variable, key or flag is named as one that holds a secret: `DB_PASSWORD`, not `secretName`."""
    short = name[:_LONGEST_NAME]
    return _NAME.search(short) is not None and _NO_SECRET.search(short) is None


def values_of(body: Body) -> dict[str, object]:
    """Return a Secret's values by key as the server stores them: bytes where they can be decoded, else as written."""
    found: dict[str, object] = {}
    data, text = body.get("data"), body.get("stringData")
    for key, value in (data if isinstance(data, dict) else {}).items():
        decoded = _decoded(value)
        found[key] = value if decoded is None else decoded
    for key, value in (text if isinstance(text, dict) else {}).items():
        found[key] = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return found


def _decoded(value: Json) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


class Mask:
    """Hides what the Secrets of one comparison hold; made from both sides, so that neither shows the other's."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        """Collect the values of all Secrets among the resources."""
        self._whole: set[str] = set()
        self._inside: set[str] = set()
        self._parts: dict[str, list[str]] = {}
        for resource in resources:
            if is_secret(resource.id):
                for text, shortest_part in _texts(resource.body):
                    self._add(text, shortest_part)
        for parts in self._parts.values():
            parts.sort(key=lambda part: (-len(part), part))

    def _add(self, text: str, shortest_part: int) -> None:
        if len(text) < _SHORTEST_WHOLE:
            return
        self._whole.add(text)
        if len(text) >= shortest_part and text not in self._inside:
            self._inside.add(text)
            self._parts.setdefault(text[:_SHORTEST_PART], []).append(text)

    def text(self, text: str) -> str:
        """Return a text without any Secret's value in it."""
        if not self._whole:
            return text
        if text in self._whole:
            return MASK
        if not self._parts or len(text) < _SHORTEST_PART:
            return text
        return "".join(self._pieces(text))

    def _pieces(self, text: str) -> Iterator[str]:
        start = position = 0
        while position <= len(text) - _SHORTEST_PART:
            candidates = self._parts.get(text[position : position + _SHORTEST_PART], ())
            hit = next((part for part in candidates if text.startswith(part, position)), None)
            if hit is None:
                position += 1
                continue
            yield text[start:position]
            yield MASK
            start = position = position + len(hit)
        yield text[start:]

    def value(self, owner: ResourceId, path: FieldPath, value: Json, *, secretive: bool = False) -> Shown:
        """Return what may be shown of a value.

        Args:
            owner: The object that holds it.
            path: Where in the object.
            value: Any tree.
            secretive: Whether the name beside it says that it is secret, as that of an environment variable does.
        """
        shown = self._tree(owner, path, value, secretive=secretive)
        return Shown(shown, masked=shown != value)

    def body(self, owner: ResourceId, body: Body) -> Body:
        """Return a whole object as it may be shown."""
        return {key: self._tree(owner, (key,), value, secretive=False) for key, value in body.items()}

    def _tree(self, owner: ResourceId, path: FieldPath, value: Json, *, secretive: bool) -> Json:
        if value is None or value == {} or value == []:
            return value
        if _is_hidden(owner, path):
            return _hidden_tree(value, path)
        if isinstance(value, dict) and _may_hide_below(owner, path):
            return {key: self._tree(owner, (*path, key), item, secretive=False) for key, item in value.items()}
        assigned = owner.kind in _TEXT_KINDS or not _COMMAND_LINES.isdisjoint(path[-2:])
        return self._plain(value, secretive=secretive, assigned=assigned)

    def _plain(self, value: Json, *, secretive: bool, assigned: bool) -> Json:
        """Hide what does not depend on the place: repeated values, and those whose name says that they are secret."""
        if isinstance(value, str):
            return MASK if secretive else self.text(_without_assignments(value) if assigned else value)
        if isinstance(value, dict):
            named = is_named_secret(value)
            return {
                key: item
                if item is None
                else self._plain(item, secretive=named and key == "value", assigned=assigned or key in _COMMAND_LINES)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._plain(item, secretive=False, assigned=assigned) for item in value]
        return MASK if secretive else value


def _may_hide_below(owner: ResourceId, path: FieldPath) -> bool:
    """Tell whether some place below is hidden for where it is."""
    if owner.kind in _TEXT_KINDS and path[0] == "data":
        return True
    return path in (("metadata",), ("metadata", "annotations"), ("spec",))


def _is_hidden(owner: ResourceId, path: FieldPath) -> bool:
    if path[0] == "sops":
        return True
    if path[:2] == ("metadata", "annotations") and len(path) == 3:
        return path[2] in _HIDDEN_ANNOTATIONS or str(path[2]).endswith("/last-applied-configuration")
    if is_secret(owner):
        return path[0] in VALUES
    if owner.kind in _TEXT_KINDS:
        return len(path) > 1 and path[0] == "data" and looks_secret(str(path[-1]))
    return path[:2] == ("spec", "encryptedData")


def is_named_secret(struct: Body) -> bool:
    """Tell whether a struct with a name and a value, as environment variables are, holds a secret by its name."""
    name = struct.get("name")
    return "value" in struct and isinstance(name, str) and looks_secret(name)


def _hidden_tree(value: Json, path: FieldPath) -> Json:
    """Hide the values of a map by key, so that the keys can still be seen; anything else as a whole."""
    if isinstance(value, dict) and len(path) < 3:
        hidden: dict[str, Json] = dict.fromkeys(value, MASK)
        return hidden
    return MASK


def _without_assignments(text: str) -> str:
    """Hide what stands behind `password=`, `token: ` and the like, line by line."""
    return "\n".join(_without_assignment(line) for line in text.split("\n"))


def _without_assignment(line: str) -> str:
    match = _SEPARATOR.search(line)
    if match is None or not line[match.end() :].strip():
        return line
    name = line[: match.start()].strip().strip("\"'")
    if not name or len(name) > _LONGEST_NAME or not looks_secret(name):
        return line
    blank = " " if line[match.end()] == " " else ""
    return f"{line[: match.end()]}{blank}{MASK}"


def _texts(body: Body) -> Iterator[tuple[str, int]]:
    """Yield every spelling of a Secret's values that may turn up elsewhere, and how long it must be to be a part."""
    for field in VALUES:
        entries = body.get(field)
        for key, value in entries.items() if isinstance(entries, dict) else [("", entries)]:
            if isinstance(value, str):
                shortest_part = _SHORTEST_NAME if _NAMES.fullmatch(key[:_LONGEST_NAME].lower()) else _SHORTEST_PART
                yield from ((text, shortest_part) for text in _spellings(value, encoded=field == "data"))


def _spellings(value: str, *, encoded: bool) -> Iterator[str]:
    yield value.strip()
    decoded = _decoded(value) if encoded else None
    try:
        plain = (decoded or b"").decode() if encoded else value
    except UnicodeDecodeError:
        return  # bytes that are no text: only their base64 form can be repeated in a manifest
    if encoded:
        yield value.rstrip("=")
    else:
        yield base64.b64encode(plain.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    yield plain.strip()
    yield from (line.strip() for line in plain.split("\n") if len(line.strip()) >= _SHORTEST_LINE)

"""Waivers: suppressions as documents of the repository, in the spirit of Kyverno's PolicyException.

A document of `apiVersion: gitops-guard.io/v1`, `kind: Waiver` says which findings of which resources are accepted, why,
who answers for it and until when. No cluster knows the kind: it is read, never deployed. The JSON Schema for editors is
`gitops_guard/waiver.schema.json`; a test keeps it in step with the tables below.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml

from gitops_guard.config.document import Document
from gitops_guard.config.globs import FieldGlob, NameGlob, PathSet
from gitops_guard.config.model import Waiver
from gitops_guard.config.reading import is_day
from gitops_guard.errors import ConfigError

GROUP: Final = "gitops-guard.io"
VERSION: Final = "v1"
KIND: Final = "Waiver"


class WaiverFile(NamedTuple):
    """What a file holds."""

    waivers: tuple[Waiver, ...]
    errors: tuple[ConfigError, ...]
    """Waivers that cannot be used; each hides no other."""


def may_hold_waivers(data: bytes) -> bool:
    """Tell whether a file may hold a waiver: without the words it does not."""
    return GROUP.encode() in data and KIND.encode() in data


def read_waivers(data: bytes, path: str) -> WaiverFile:
    """Read all waivers of a file; documents of other kinds are passed over.

    Args:
        data: The file's bytes.
        path: Its repository path, for the messages.
    """
    waivers: list[Waiver] = []
    errors: list[ConfigError] = []
    try:
        for document in Document.all(data.decode("utf-8", "surrogateescape"), path):
            if not _is_waiver(document.root):
                continue
            try:
                waivers.append(_waiver(document))
            except ConfigError as error:
                errors.append(error)
    except ConfigError as error:  # no YAML: what comes before cannot be trusted to be what was meant
        return WaiverFile((), (error,))
    return WaiverFile(tuple(waivers), tuple(errors))


def _is_waiver(root: yaml.Node | None) -> bool:
    if not isinstance(root, yaml.MappingNode):
        return False
    words = {key.value: value.value for key, value in root.value if isinstance(value, yaml.ScalarNode)}
    return str(words.get("apiVersion", "")).startswith(f"{GROUP}/") and words.get("kind") == KIND


def _waiver(document: Document) -> Waiver:
    root = document.root
    assert root is not None
    found = document.entries(root, "the waiver", ("apiVersion", "kind", "metadata", "spec"))
    document.word(found["apiVersion"][1], "apiVersion", (f"{GROUP}/{VERSION}",))
    for needed in ("metadata", "spec"):
        if needed not in found:
            document.fail(f'a waiver must have "{needed}"', root)
    names = document.entries(found["metadata"][1], "metadata", None)  # labels and annotations are its author's
    if "name" not in names:
        document.fail('metadata must have "name"', found["metadata"][1])
    spec = _read(document, found["spec"][1], "spec", _SPEC)
    if not spec.get("rules"):
        document.fail('spec must have "rules" with at least one id', found["spec"][1])
    match = spec.pop("match", {})
    return Waiver(
        name=document.text(names["name"][1], "metadata.name"),
        path=document.path,
        line=root.start_mark.line + 1,
        **spec,
        **match,
    )


_Read = Callable[[Document, yaml.Node, str], Any]


def _read(document: Document, node: yaml.Node, key: str, table: Mapping[str, _Read]) -> dict[str, Any]:
    entries = document.entries(node, key, list(table))
    return {name: table[name](document, value, f"{key}.{name}") for name, (_, value) in entries.items()}


def _globs(compile_glob: Callable[[str], object]) -> _Read:
    """Return a reader of a list of globs that are none until they compile."""

    def read(document: Document, node: yaml.Node, key: str) -> tuple[str, ...]:
        for index, item in enumerate(document.items(node, key)):
            _compiled(document, item, f"{key}[{index}]", compile_glob)
        return document.texts(node, key)

    return read


def _labels(document: Document, node: yaml.Node, key: str) -> dict[str, str]:
    return dict(_label_globs(document, node, key))


def _label_globs(document: Document, node: yaml.Node, key: str) -> Iterator[tuple[str, str]]:
    for name, (_, value) in document.entries(node, key, None).items():
        yield name, _compiled(document, value, f"{key}.{name}", NameGlob)


def _compiled(document: Document, node: yaml.Node, key: str, compile_glob: Callable[[str], object]) -> str:
    text = document.text(node, key)
    try:
        compile_glob(text)
    except ValueError as error:
        document.fail(f"{key}: {error}", node)
    return text


def _day(document: Document, node: yaml.Node, key: str) -> str:
    text = document.plain(node, key)
    if not is_day(text):
        document.fail(f"{key} must be a day such as 2027-01-31, not {text!r}", node)
    return text


def _match(document: Document, node: yaml.Node, key: str) -> dict[str, Any]:
    return _read(document, node, key, _MATCH)


_MATCH: Final[Mapping[str, _Read]] = {
    "kinds": Document.texts,
    "namespaces": _globs(NameGlob),
    "names": _globs(NameGlob),
    "labels": _labels,
    "paths": _globs(lambda text: PathSet((text,))),
}
_SPEC: Final[Mapping[str, _Read]] = {
    "rules": _globs(NameGlob),
    "match": _match,
    "containers": _globs(NameGlob),
    "fields": _globs(FieldGlob),
    "reason": Document.text,
    "owner": Document.text,
    "expires": _day,
}

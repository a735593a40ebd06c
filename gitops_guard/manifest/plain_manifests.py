"""The manifests of a file that holds nothing unusual, with their lines: what rendering and comparing read mostly.

The careful way is `loader.load`; whatever is not certainly the same there is left to it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gitops_guard.manifest.classify import is_helm_template
from gitops_guard.manifest.plain import read_plain
from gitops_guard.model import Body

_DOCUMENT_START = re.compile(rb"(?:\A|^---[^\n]*\n)(?:[ \t\r]*(?:#[^\n]*)?\n|%[^\n]*\n|---[^\n]*\n)*", re.MULTILINE)
"""What stands before the first line of a document: separators, directives, blank lines and comments."""


class PlainManifest(NamedTuple):
    """One document."""

    line: int
    """1-based line of its first key; 0 where it could not be told."""

    body: Body


def plain_manifests(path: str, data: bytes) -> Sequence[PlainManifest] | None:
    """Return the manifests of a file; None asks for the careful way.

    Args:
        path: Of the file, which decides whether it may be a template.
        data: Its content.
    """
    if is_helm_template(path, data):
        return None
    bodies = read_plain(data)
    if not bodies or not all(_is_one_manifest(body) for body in bodies):
        return None
    lines = _first_lines(data)
    places = lines if len(lines) == len(bodies) else [0] * len(bodies)
    return [PlainManifest(line, body) for line, body in zip(places, bodies, strict=True) if isinstance(body, dict)]


def _is_one_manifest(body: object) -> bool:
    """Tell whether a document is one manifest, and neither a list of them nor kustomize's own file."""
    if not isinstance(body, dict) or isinstance(body.get("items"), list):
        return False
    version, kind = body.get("apiVersion"), body.get("kind")
    return isinstance(version, str) and isinstance(kind, str) and not version.startswith("kustomize.config.k8s.io/")


def _first_lines(data: bytes) -> list[int]:
    """Return the 1-based lines on which the documents of a plainly written file start."""
    found: list[int] = []
    line, position = 1, 0
    starts = _DOCUMENT_START.finditer(data) if b"\n---" in data else [_DOCUMENT_START.match(data)]
    for match in starts:
        if match is not None and match.end() < len(data):
            line += data.count(b"\n", position, match.end())
            position = match.end()
            found.append(line)
    return found

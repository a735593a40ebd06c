"""What a YAML or JSON file of a repository is: manifests, or one of a few things that are not checked, by name.

`apiVersion` and `kind` decide, never the name of a file alone: a manifest called values.yaml is a manifest. What means
to be a manifest and cannot be read is never skipped.
"""

import posixpath
import re
from collections.abc import Iterator
from enum import StrEnum

from gitops_guard.manifest.document import Stream
from gitops_guard.manifest.plain import looks_like_manifest
from gitops_guard.model import Body, FieldPath, Json


class SkipReason(StrEnum):
    """Why a file is not checked: a closed set, so that skipped files can be counted."""

    HELM_TEMPLATE = "Helm template"
    HELM_VALUES = "Helm values"
    HELM_METADATA = "Helm chart metadata"
    KUSTOMIZATION = "kustomization"
    KUSTOMIZE_PATCH = "kustomize patch"
    CI_CONFIGURATION = "CI configuration"
    NOT_A_MANIFEST = "not a Kubernetes manifest"
    EMPTY = "empty"


_ACTION_LINE = re.compile(rb"[ \t]*(?:- )?\{\{[-\s]*[\w.$(\"`/]")
_TOP_LEVEL_VERSION = re.compile(rb"""^["']?apiVersion["']?[ \t]*:""", re.MULTILINE)
_TOP_LEVEL_KIND = re.compile(rb"""^["']?kind["']?[ \t]*:""", re.MULTILINE)
_JSON_PATCH = re.compile(rb"""(?:^|[\s{\[,-])["']?op["']?[ \t]*:\s*["']?(?:add|remove|replace|move|copy|test)\b""")
_CI_DIRECTORIES = frozenset((".github", ".gitlab", ".gitea", ".forgejo", ".circleci", ".woodpecker", ".buildkite"))
_CI_FILES = re.compile(
    r"\.?(?:gitlab-ci|azure-pipelines|bitbucket-pipelines|travis|drone|woodpecker|appveyor|cloudbuild|buildspec"
    r"|pre-commit-config|pre-commit-hooks)[-.\w]*\.(?:ya?ml|json)\Z"
)
_VALUES = re.compile(r"(?:.*[-_.])?values(?:[-_.].*)?\.(?:ya?ml|json)\Z")
_CHART = re.compile(r"Chart\.ya?ml\Z")
_KUSTOMIZATION = re.compile(r"(?:kustomization\.ya?ml|Kustomization)\Z")
_KUSTOMIZE_GROUP = "kustomize.config.k8s.io/"
_KUSTOMIZE_PLUGIN = "builtin"
"""The version under which kustomize reads its own generators and transformers; no cluster ever sees them."""

_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?|[{}\[\]]')
_KEYS = frozenset((b'"apiVersion"', b'"kind"'))


def not_a_manifest(path: str, data: bytes, stream: Stream) -> SkipReason | None:
    """Say why a file is not checked.

    Args:
        path: Repository path with `/`.
        data: The file.
        stream: What `load` made of it.

    Returns:
        None for manifests, and for what means to be one and cannot be read: its problems are errors.
    """
    if is_helm_template(path, data):
        return SkipReason.HELM_TEMPLATE
    if any(problem.unreadable for problem in stream.problems):
        return _unreadable(path, data, stream)
    if not stream.documents:
        return SkipReason.EMPTY
    bodies = [document.body for document in stream.documents]
    if all(is_kustomization(path, body) for body in bodies):
        return SkipReason.KUSTOMIZATION
    return None if any(_is_meant(body) for body in bodies) else _by_name(path)


def is_helm_template(path: str, data: bytes) -> bool:
    """Tell whether a file lies among a chart's templates and holds template actions."""
    return "templates" in path.split("/")[:-1] and b"{{" in data


def is_kustomization(path: str, body: Body) -> bool:
    """Tell whether a document is kustomize's own file, not a resource; Flux's kind of the same name is a resource."""
    version = body.get("apiVersion")
    if version == _KUSTOMIZE_PLUGIN:
        return True
    if isinstance(version, str) and version.startswith(_KUSTOMIZE_GROUP):
        return body.get("kind") in {"Kustomization", "Component"}
    return bool(_KUSTOMIZATION.match(posixpath.basename(path))) and "kind" not in body and version is None


def _is_meant(body: Body) -> bool:
    """Tell whether a document means to be a manifest: it has both fields, or one of them and metadata."""
    known = ("apiVersion" in body) + ("kind" in body)
    return known == 2 or (known == 1 and isinstance(body.get("metadata"), dict))


def _unreadable(path: str, data: bytes, stream: Stream) -> SkipReason | None:
    if _breaks_on_actions(data, stream):
        return SkipReason.HELM_TEMPLATE
    if any(_is_meant(document.body) for document in stream.documents) or _looks_meant(data):
        return None
    only_lists = all(problem.rule == "yaml-not-object" for problem in stream.problems if problem.unreadable)
    if only_lists and _JSON_PATCH.search(data):
        return SkipReason.KUSTOMIZE_PATCH
    return _by_name(path)


def _breaks_on_actions(data: bytes, stream: Stream) -> bool:
    """Tell whether template actions are why a file cannot be read: one stands where reading stopped, or just before.

    An action further up did not stop the reader, so it is text of a value: a notification's template, a dashboard.
    """
    lines = data.split(b"\n")
    stops = [problem.span.line for problem in stream.problems if problem.unreadable]
    return _inside_action(b"\n".join(lines[: min(stops) - 1])) or any(
        any(b"{{" in line for line in lines[stop - 1 : stop])
        or any(_ACTION_LINE.match(line) for line in lines[max(0, stop - 2) : stop - 1])
        for stop in stops
    )


def _inside_action(before: bytes) -> bool:
    return before.rfind(b"{{") > before.rfind(b"}}")


_FLOW = re.compile(rb"[ \t\r\n\xef\xbb\xbf]*(?:---[ \t]*\n?[ \t]*)?\{")
"""How a file begins whose first document stands in braces, behind a separator or, wrongly, on its line."""

_ON_SEPARATOR = re.compile(rb"(?:^|\n)---[ \t]*\{(?=[^{}\n]*\bapiVersion[ \t]*:)(?=[^\n]*\bkind[ \t]*:)")
"""A manifest in braces on the line of a separator, where no splitter takes it."""


def _looks_meant(data: bytes) -> bool:
    """Tell whether an unreadable file has both keys where a manifest has them; UTF-16 hides its keys behind zeros."""
    data = data.replace(b"\0", b"") if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else data
    if _ON_SEPARATOR.search(data):
        return True
    if _FLOW.match(data):
        return looks_like_manifest(data) and _has_outer_keys(data)
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n")
    return bool(_TOP_LEVEL_VERSION.search(text) and _TOP_LEVEL_KIND.search(text))


def _has_outer_keys(data: bytes) -> bool:
    """Tell whether JSON that cannot be read has both keys in an outermost object: a schema has them deep inside."""
    depth = 0
    found: set[bytes] = set()
    for token in _JSON_TOKEN.finditer(data):
        text = token.group()
        if text in {b"{", b"["}:
            depth += 1
        elif text in {b"}", b"]"}:
            depth -= 1
        elif depth == 1 and token["key"]:
            found |= _KEYS & {text[: text.rindex(b'"') + 1]}
            if found == _KEYS:
                return True
    return False


def _by_name(path: str) -> SkipReason:
    """Name what a file without apiVersion and kind is."""
    *directories, name = path.split("/")
    if _CI_DIRECTORIES.intersection(directories) or _CI_FILES.match(name):
        return SkipReason.CI_CONFIGURATION
    if _CHART.match(name):
        return SkipReason.HELM_METADATA
    if _VALUES.match(name):
        return SkipReason.HELM_VALUES
    return SkipReason.NOT_A_MANIFEST


def patch_paths(kustomization_path: str, body: Body) -> set[str]:
    """Collect the files that a kustomization names as patches.

    Args:
        kustomization_path: Repository path of the kustomization.
        body: Its content.

    Returns:
        Repository paths, normalised; inline patches, URLs and paths that leave the repository are left out.
    """
    names = [_path_of(entry) for field in ("patches", "patchesJson6902") for entry in _entries(body, field)]
    # Before `patches` held objects it held names, and old kustomizations still do.
    names += [
        entry
        for field in ("patches", "patchesStrategicMerge")
        for entry in _entries(body, field)
        if isinstance(entry, str)
    ]
    base = posixpath.dirname(kustomization_path)
    found = (_inside(base, name) for name in names if name)
    return {path for path in found if path is not None}


def _entries(body: Body, field: str) -> list[Json]:
    value = body.get(field)
    return value if isinstance(value, list) else []


def _path_of(entry: Json) -> str | None:
    path = entry.get("path") if isinstance(entry, dict) else None
    return path if isinstance(path, str) else None


def _inside(base: str, name: str) -> str | None:
    # An inline patch is a YAML text where a path may stand, too.
    if "\n" in name or ": " in name or "://" in name or name.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(base, name))
    return None if path == "." or path == ".." or path.startswith("../") else path


def unfold(body: Body) -> Iterator[tuple[FieldPath, Body]]:
    """Yield the objects that kubectl makes of a document.

    For kubectl every object with a list in `items` is a list, whatever its kind. An item without apiVersion and kind
    takes the list's: `ConfigMapList` gives `ConfigMap`. Lists inside lists stay what they are; kubectl opens none.

    Yields:
        Where the object stands in the document, and the object: `((), body)` for everything that is no list. A list
        with an item that is no object is yielded whole, as kubectl refuses it whole.
    """
    items = body.get("items")
    if not isinstance(items, list):
        yield (), body
        return
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) < len(items):
        yield (), body
        return
    for index, item in enumerate(objects):
        yield ("items", index), _with_type(item, body)


def _with_type(item: dict[str, Json], parent: Body) -> Body:
    kind = parent.get("kind")
    if item.get("kind") or item.get("apiVersion") or not isinstance(kind, str):
        return item
    kind = kind.removesuffix("List")
    return {**item, "apiVersion": parent.get("apiVersion"), "kind": kind} if kind else item

"""Runs kustomize on a copy of what a kustomization needs."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.model import Body, CheckError, Json
from gitops_guard.render.files import Files, texts
from gitops_guard.render.kustomization import (
    NAMES,
    Closure,
    closure,
    kustomization_file,
    read_kustomization,
    with_changes,
)
from gitops_guard.render.recipe import Kustomize

_METADATA = "buildMetadata"
_ASKED = "originAnnotations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A build that only has to be run."""

    arguments: tuple[str, ...]
    files: Mapping[str, bytes]
    """What is copied, by repository path; the built kustomization as the controller changes it."""

    reads: tuple[tuple[str, str], ...]
    """Sorted (repository path, blob id)."""

    root_text: bytes
    keep_origin: bool
    errors: tuple[CheckError, ...] = ()
    remote: bool = False


def reach(files: Files, source: Kustomize) -> Closure:
    """Walk all that a build reads.

    Raises:
        RepoError: A file cannot be read.
    """
    changed = _changed_body(files, source, kustomization_file(files, source.folder))
    return closure(files, source.folder, body=changed, unrestricted=source.unrestricted)


def prepare(files: Files, source: Kustomize, *, allow_network: bool) -> Prepared:
    """Collect what a build reads, and ask kustomize for origins in the copy of the built kustomization.

    Raises:
        RepoError: A file cannot be read.
    """
    path = kustomization_file(files, source.folder)
    changed = _changed_body(files, source, path)
    found = closure(files, source.folder, body=changed, allow_network=allow_network, unrestricted=source.unrestricted)
    errors = found.errors
    if not found.folders:
        message = "not rendered: the directory has no kustomization.yaml"
        errors = [CheckError(path=source.folder, line=0, column=0, message=message)]
    root = path or posixpath.join(source.folder, NAMES[0])
    text, keep = _root_text(files, path, changed)
    copies = {} if errors else {name: files.read(name) for name in sorted(found.paths)}
    flags = ("--load-restrictor", "LoadRestrictionsNone") if source.unrestricted and found.leaves_root else ()
    return Prepared(
        arguments=(*flags, f"./{source.folder}"),
        files={**copies, root: text},
        reads=tuple((name, files.blob(name)) for name in sorted(found.paths)),
        root_text=text,
        keep_origin=keep,
        errors=tuple(errors),
        remote=found.remote,
    )


def _changed_body(files: Files, source: Kustomize, path: str | None) -> Body | None:
    """Return the kustomization as the controller changes it; None where it stays as it is."""
    if path is None:
        if not source.generate:
            return None
        made: Body = {"resources": list(_generated(files, source.folder))}
        return with_changes(made, source.changes)
    return with_changes(read_kustomization(files, path), source.changes) if source.changes else None


def _generated(files: Files, folder: str) -> Iterator[str]:
    """Yield what Flux puts into a kustomization that it makes: manifests, and directories that have one."""
    own = {posixpath.dirname(path) for path in files.named(*NAMES)}
    inner = sorted(name for name in own if name != folder and (not folder or name.startswith(f"{folder}/")))
    outermost = [name for name in inner if not any(name.startswith(f"{other}/") for other in inner)]
    for name in outermost:
        yield _relative(name, folder)
    for path in files.below(folder):
        hidden = any(part.startswith(".") for part in _relative(path, folder).split("/"))
        inside = any(path.startswith(f"{name}/") for name in outermost)
        if path.endswith((".yaml", ".yml")) and not hidden and not inside:
            yield _relative(path, folder)


def _relative(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip("/") if folder else path


def _root_text(files: Files, path: str | None, changed: Body | None) -> tuple[bytes, bool]:
    """Return the built kustomization's text with origins asked for, and whether the repository itself asks for them."""
    body = changed if changed is not None else read_kustomization(files, path or "")
    keep = _ASKED in texts(body.get(_METADATA))
    if changed is not None:
        return _dumped(changed), keep
    data = files.read(path) if path is not None else b""
    return (data if keep else _asking(data, body)), keep


def _asking(data: bytes, body: Body) -> bytes:
    """Ask for origins with as small a change as possible: kustomize's own messages name lines of this text."""
    wanted = _with_origins(body)
    if _METADATA not in body:
        appended = data + (b"" if data.endswith(b"\n") else b"\n") + f"{_METADATA}: [{_ASKED}]\n".encode()
        if _reads_as(appended, wanted):
            return appended
    return _dumped(body) if _reads_as(data, dict(body)) else data


def _with_origins(body: Body) -> dict[str, Json]:
    return {**body, _METADATA: [*texts(body.get(_METADATA)), _ASKED]}


def _dumped(body: Body) -> bytes:
    asked = dict(body) if _ASKED in texts(body.get(_METADATA)) else _with_origins(body)
    return json.dumps(asked, ensure_ascii=True).encode()


def _reads_as(data: bytes, wanted: Mapping[str, Json]) -> bool:
    """Tell whether a text is one document with nothing wrong and this content."""
    stream = load(data, dialect=Dialect.KUSTOMIZE)
    wrong = any(problem.unreadable or problem.severity == "error" for problem in stream.problems)
    return not wrong and [dict(document.body) for document in stream.documents] == [wanted]

"""What a kustomization reads: every file of the tree that its build needs, found before any tool is started.

Only these files are copied for the tool, so this walk is also the fence: a reference that leaves the repository, goes
through a symbolic link or needs the network is refused here, with the line that makes it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.errors import RepoError
from gitops_guard.manifest.loader import Dialect, load
from gitops_guard.model import Body, CheckError, FieldPath, Json
from gitops_guard.render.files import Files, is_within, items, mapping, resolve, text
from gitops_guard.repo.tree import shown

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""How a kustomization's file may be called; kustomize refuses a directory with two of them."""

NEEDS_NETWORK: Final = "needs --allow-network"

_PLACES: Final = ("resources", "bases", "components", "generators", "transformers", "validators")
"""Fields whose entries are files, directories, URLs or, for the last three, objects written in line."""

_PLUGINS: Final = ("generators", "transformers", "validators")
_FILE_LISTS: Final = ("crds", "configurations", "patchesStrategicMerge")
_FREE_TEXT: Final = frozenset(
    (
        *("commonAnnotations", "annotations", "commonLabels", "labels", "images", "literals"),
        *("namePrefix", "nameSuffix", "namespace"),
    )
)
_HELM: Final = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_REMOTE: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://|git::|[\w.-]+@[\w.-]+:|(?:www\.)?(?:github|gitlab)\.com[/:]|bitbucket\.org[/:]|gh:"
    r"|.*[?&](?:ref|version|timeout|submodules)=|.*\.git(?:/|$)",
    re.IGNORECASE,
)
_WEB: Final = re.compile(r"https?:", re.IGNORECASE)
_ONLY_LISTS: Final = frozenset(("apiVersion", "kind", "metadata", "resources"))
_MOST_FOLDERS: Final = 1000
_KNOWN: Final = {name.lower(): name for name in (*_PLACES, *_FILE_LISTS, *_HELM, "buildMetadata", "openapi", "patches")}
"""Fields that decide what is read, by their name in lower case."""


def kustomization_file(files: Files, folder: str) -> str | None:
    """Return the path of a directory's kustomization, if it has one."""
    for name in NAMES:
        path = f"{folder}/{name}" if folder else name
        if files.is_file(path):
            return path
    return None


def read_kustomization(files: Files, path: str) -> Body:
    """Return a kustomization's content; an empty one where it cannot be read: the tool says why."""
    try:
        return files.first_body(path, Dialect.KUSTOMIZE)
    except RepoError:
        return {}


def line_of(files: Files, path: str, place: FieldPath = ()) -> int:
    """Return the 1-based line of a value, of the nearest that holds it, or of the first key; 0 without any."""
    try:
        if not place and (line := files.only_line(path)):
            return line
        documents = files.documents(path, Dialect.KUSTOMIZE).documents
    except RepoError:
        return 0
    if not documents:
        return 0
    return documents[0].locate(place).line if place else documents[0].line


@dataclass(slots=True, kw_only=True)
class Closure:
    """What a build needs."""

    paths: set[str] = field(default_factory=set)
    """Files, by repository path."""

    folders: dict[str, str] = field(default_factory=dict)
    """Directories of kustomizations that take part, with each one's file."""

    errors: list[CheckError] = field(default_factory=list)
    """Why it must not be built."""

    remote: bool = False
    """Something has to be fetched."""

    missing: set[str] = field(default_factory=set)
    """What is named and not there; whoever deletes it changes the build."""

    leaves_root: bool = False
    """A file outside the directory of its kustomization is read, which kustomize allows only when told."""


def closure(
    files: Files, folder: str, *, body: Body | None = None, allow_network: bool = False, unrestricted: bool = False
) -> Closure:
    """Walk a kustomization and all that it uses.

    Args:
        files: The tree.
        folder: The kustomization's directory.
        body: Its content, where the controller changes it before the build.
        allow_network: URLs are no error.
        unrestricted: The controller lets kustomize read files outside the kustomization's directory, as Flux does.
    """
    if body is not None:
        return _Walk(files, allow_network=allow_network, unrestricted=unrestricted).run(folder, body)
    return files.remembered(
        ("closure", folder, allow_network, unrestricted),
        lambda: _Walk(files, allow_network=allow_network, unrestricted=unrestricted).run(folder, None),
    )


def _is_ordinary(data: bytes) -> bool:
    """Tell that a file surely holds no generator of kustomize's own, however it is written; told without parsing."""
    return b"builtin" not in data and b"\\" not in data and b"\0" not in data


class _Walk:
    """The state of one walk."""

    def __init__(self, files: Files, *, allow_network: bool, unrestricted: bool, plugins: bool = False) -> None:
        """Start a walk; `plugins`: what it finds are generators or transformers, not resources."""
        self._files = files
        self._plugins = plugins
        self._allow_network = allow_network
        self._unrestricted = unrestricted
        self._found = Closure()
        self._waiting: list[str] = []
        self._suspects: list[tuple[str, FieldPath, str]] = []
        """Texts that would be paths outside of the repository if they were paths, and where they stand."""

    def run(self, folder: str, body: Body | None) -> Closure:
        self._visit(folder, body)
        while self._waiting:
            self._visit(self._waiting.pop(), None)
            if len(self._found.folders) > _MOST_FOLDERS:
                self._refuse(folder, (), f"uses more than {_MOST_FOLDERS} kustomizations")
                break
        if self._unrestricted and self._found.leaves_root:
            # Only now is kustomize told to read wherever it is sent, so no text may send it out.
            for place in self._suspects:
                self._refuse(*place)
        return self._found

    def _visit(self, folder: str, body: Body | None) -> None:
        if folder in self._found.folders:
            return
        path = kustomization_file(self._files, folder)
        if path is None and body is None:
            return
        self._found.folders[folder] = path or f"{folder}/{NAMES[0]}".lstrip("/")
        if path is not None:
            self._found.paths.update(self._all_named(folder))
        self._read(folder, body if body is not None else read_kustomization(self._files, path or ""))

    def _all_named(self, folder: str) -> Iterator[str]:
        for name in NAMES:  # kustomize complains about two of them, so it must see both
            path = f"{folder}/{name}" if folder else name
            if self._files.is_file(path):
                yield path

    def _read(self, folder: str, body: Body) -> None:
        for key in _HELM:
            if key in body:
                self._refuse(folder, (key,), f"{key} makes kustomize run helm (--enable-helm), which is not allowed")
        for key in _PLACES:
            for index, entry in enumerate(items(body.get(key))):
                self._place(folder, (key, index), text(entry))
        for key in body:
            # kustomize reads keys whatever their case; only one spelling is understood here, so the others are refused.
            if key.lower() in _KNOWN and key not in _KNOWN.values():
                self._refuse(folder, (key,), f"write {shown(key)} as {_KNOWN[key.lower()]}")
        for key, value in body.items():
            if key not in _PLACES and key not in _HELM and key not in _FREE_TEXT:
                self._values(folder, (key,), value)

    def _place(self, folder: str, place: FieldPath, reference: str) -> None:
        """Take one entry of a field whose entries may be directories."""
        if "\n" in reference:
            self._inline(folder, place, reference)
            return
        path = resolve(folder, reference)
        if path is not None and self._files.is_file(path):
            self._file(folder, path)
            if self._plugins or place[0] in _PLUGINS or self._unrestricted:
                self._configuration(folder, place, path)
        elif path is not None and self._files.is_folder(path):
            if place[0] in _PLUGINS:
                self._plugin_folder(folder, place, path)
            else:
                self._waiting.append(path)
        elif place[0] in _PLUGINS and ":" in reference and not _REMOTE.match(reference):
            self._inline(folder, place, reference)
        elif _REMOTE.match(reference):
            self._remote(folder, place, reference)
        elif path is None:
            self._refuse(folder, place, f"{shown(reference)} leaves the repository")
        else:
            self._link(folder, place, path)

    def _plugin_folder(self, folder: str, place: FieldPath, path: str) -> None:
        """Take a directory whose kustomization gives generators or transformers.

        What they name has to be known, so that kustomization may list them and not change them.
        """
        inner = _Walk(self._files, allow_network=self._allow_network, unrestricted=self._unrestricted, plugins=True)
        found = inner.run(path, None)
        for used, file in found.folders.items():
            changes = sorted(set(read_kustomization(self._files, file)) - _ONLY_LISTS)
            if changes:
                self._refuse(folder, place, f"{shown(used)} changes {place[0]} ({changes[0]}), which is not supported")
        self._suspects += inner._suspects
        self._found.paths |= found.paths
        self._found.folders |= found.folders
        self._found.errors += found.errors
        self._found.missing |= found.missing
        self._found.remote |= found.remote
        self._found.leaves_root |= found.leaves_root

    def _configuration(self, folder: str, place: FieldPath, path: str) -> None:
        """Take the files that a generator or transformer in a file of its own names; an ordinary object names none."""
        if not (self._plugins or place[0] in _PLUGINS) and _is_ordinary(self._files.read(path)):
            return
        for document in self._files.documents(path, Dialect.KUSTOMIZE).documents:
            if self._plugins or place[0] in _PLUGINS or document.body.get("apiVersion") == "builtin":
                self._values(folder, place, dict(document.body), nested=True)

    def _inline(self, folder: str, place: FieldPath, written: str) -> None:
        """Take the files that a generator's or transformer's own fields name."""
        for document in load(written.encode("utf-8", "surrogateescape"), dialect=Dialect.KUSTOMIZE).documents:
            self._values(folder, place, dict(document.body), nested=True)

    def _values(self, folder: str, place: FieldPath, value: Json, *, nested: bool = False) -> None:
        """Take every text that names a file: whichever field it is in, kustomize can read no more than that."""
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in _FREE_TEXT:
                    self._values(folder, place if nested else (*place, key), inner, nested=nested)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._values(folder, place if nested else (*place, index), inner, nested=nested)
        elif isinstance(value, str) and value and "\n" not in value:
            self._maybe_file(folder, place, value)

    def _maybe_file(self, folder: str, place: FieldPath, value: str) -> None:
        for reference in sorted({value, value.partition("=")[2]} - {""}):
            path = resolve(folder, reference)
            if _WEB.match(reference) and (self._plugins or place[0] in _PLUGINS or _is_file_field(place)):
                self._remote(folder, place, reference)
            elif path is None:
                where = (folder, place, f"{shown(reference)} leaves the repository")
                if _is_file_field(place):
                    self._refuse(*where)
                elif reference == value or self._plugins or place[0] in _PLUGINS:
                    self._suspects.append(where)
            elif self._files.is_file(path):
                self._file(folder, path)
            elif _is_file_field(place):
                self._named_file(folder, place, reference, path)

    def _named_file(self, folder: str, place: FieldPath, reference: str, path: str) -> None:
        if _REMOTE.match(reference):
            self._remote(folder, place, reference)
        else:
            self._link(folder, place, path)

    def _file(self, folder: str, path: str) -> None:
        self._found.paths.add(path)
        if not is_within(path, folder):
            self._found.leaves_root = True

    def _remote(self, folder: str, place: FieldPath, reference: str) -> None:
        self._found.remote = True
        if not self._allow_network:
            self._refuse(folder, place, f"{without_credentials(reference)} is remote: {NEEDS_NETWORK}")

    def _link(self, folder: str, place: FieldPath, path: str) -> None:
        link = self._files.link_in(path)
        if link:
            self._refuse(folder, place, f"{shown(link)} is a symbolic link or submodule, which is not followed")
        else:
            self._found.missing.add(path)

    def _refuse(self, folder: str, place: FieldPath, message: str) -> None:
        path = self._found.folders.get(folder, folder)
        line = line_of(self._files, path, place) if self._files.is_file(path) else 0
        self._found.errors.append(CheckError(path=path, line=line, column=0, message=f"not rendered: {message}"))


def _is_file_field(place: FieldPath) -> bool:
    """Tell whether a place of a kustomization holds a file's name and nothing else."""
    last = place[-1] if place else ""
    if place and place[0] in _FILE_LISTS:
        return True
    return last in ("path", "env") if isinstance(last, str) else place[-2:-1] in (("files",), ("envs",))


def without_credentials(reference: str) -> str:
    """Return a URL for a message: without a user and password, without a query, and printable."""
    bare = re.sub(r"//[^/@]*@", "//", reference)
    return shown(re.sub(r"[?].*", "", bare))


def is_component(body: Body) -> bool:
    """Tell whether a kustomization is a Component, which is never built alone."""
    return body.get("kind") == "Component"


def used_folders(files: Files, folder: str, body: Body) -> set[str]:
    """Return the directories of kustomizations that one kustomization names."""
    named = (resolve(folder, text(entry)) for key in _PLACES for entry in items(body.get(key)))
    return {path for path in named if path is not None and path != folder and files.is_folder(path)}


def roots(files: Files, folders: Mapping[str, str]) -> list[str]:
    """Return the directories of kustomizations that are built by themselves.

    Not those that another one uses, and no components. Where kustomizations use each other in a circle none would be
    left, so the first of the circle is taken: kustomize explains it.

    Args:
        files: The tree.
        folders: Directories of all kustomizations, with each one's file.
    """
    bodies = {folder: read_kustomization(files, path) for folder, path in folders.items()}
    uses = {folder: used_folders(files, folder, body) & folders.keys() for folder, body in bodies.items()}
    candidates = sorted(folder for folder in folders if not is_component(bodies[folder]))
    used = {other for others in uses.values() for other in others}
    found = [folder for folder in candidates if folder not in used]
    reached = _reach(found, uses)
    for folder in candidates:
        if folder not in reached and folder in _reach(uses[folder], uses):
            found.append(folder)
            reached |= _reach([folder], uses)
    return sorted(found)


def _reach(starts: Iterable[str], uses: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        folder = waiting.pop()
        if folder not in reached:
            reached.add(folder)
            waiting.extend(uses[folder])
    return reached


def with_changes(body: Body, changes: Mapping[str, Json]) -> dict[str, Json]:
    """Return a kustomization with what a controller's object adds to it.

    Text replaces text; `images` and `replicas` replace the entry of the same name, as the controllers do; other lists
    are appended to, mappings are merged.
    """
    result = dict(body)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(value, dict):
            result[key] = {**mapping(old), **value}
        elif isinstance(value, list):
            kept = items(old)
            if key in ("images", "replicas"):
                names = {text(mapping(entry).get("name")) for entry in value}
                kept = [entry for entry in kept if text(mapping(entry).get("name")) not in names]
            result[key] = [*kept, *value]
        else:
            result[key] = value
    return result

"""From what a tool says of an object's origin to a line of the repository; an unknown line is never made up."""

import re

from gitops_guard.errors import RepoError
from gitops_guard.manifest.loader import load
from gitops_guard.model import Body, Origin
from gitops_guard.model.resource import ResourceId, resource_id
from gitops_guard.render.files import Files, is_within, items, mapping, resolve, text
from gitops_guard.render.kustomization import kustomization_file, line_of, read_kustomization

_KIND = re.compile(r"^(?:- )?kind:[ \t]*[\"']?([A-Za-z]+)[\"']?[ \t]*(?:#.*)?$")
_GENERATORS = {"ConfigMapGenerator": "configMapGenerator", "SecretGenerator": "secretGenerator"}


def of_kustomize(files: Files, folder: str, origin: str, body: Body, declared: Origin) -> Origin:
    """Return where an object of a kustomize build is written.

    Args:
        files: The tree.
        folder: Directory of the kustomization that was built.
        origin: The text of its origin annotation.
        body: The object as built; names and namespaces may have been changed on the way.
        declared: What makes the unit, where nothing better is known.
    """
    told = _told(origin)
    source = resolve(folder, text(told.get("path"))) if told.get("path") and not told.get("repo") else None
    if source is not None and files.is_file(source):
        found = _object_in(files, source, resource_id(body))
        return found or _entry(files, folder, source, declared)
    maker = resolve(folder, text(told.get("configuredIn"))) if told.get("configuredIn") else None
    if maker is not None and files.is_file(maker):
        return _generator(files, maker, text(mapping(told.get("configuredBy")).get("kind")), body)
    return declared


def _told(origin: str) -> Body:
    documents = load(origin.encode()).documents if origin else ()
    return documents[0].body if documents else {}


def _object_in(files: Files, path: str, wanted: ResourceId) -> Origin | None:
    """Find an object in its file: by kind and name, else by kind and a name that the built one holds."""
    if line := files.only_line(path):
        return Origin(path=path, document=0, line=line)
    same_kind = [found for found in files.objects(path) if _same_kind(found[0], wanted)]
    for candidates in (
        [found for found in same_kind if found[0].name == wanted.name],
        [found for found in same_kind if found[0].name and found[0].name in wanted.name],
        same_kind,
    ):
        if len(candidates) == 1:
            return candidates[0][1]
    return None


def _same_kind(one: ResourceId, other: ResourceId) -> bool:
    return (one.group, one.kind) == (other.group, other.kind)


def _entry(files: Files, folder: str, source: str, declared: Origin) -> Origin:
    """Return the entry of the built kustomization through which a file came in."""
    path = kustomization_file(files, folder)
    if path is None:
        return declared
    body = read_kustomization(files, path)
    for key in ("resources", "bases", "components"):
        for index, entry in enumerate(items(body.get(key))):
            target = resolve(folder, text(entry))
            if target is not None and is_within(source, target):
                return Origin(path=path, document=0, line=line_of(files, path, (key, index)))
    return Origin(path=path, document=0, line=line_of(files, path, ("resources",)))


def _generator(files: Files, path: str, kind: str, body: Body) -> Origin:
    """Return the generator's entry that made an object, whose name then ends in a hash."""
    key = _GENERATORS.get(kind, "generators")
    name = resource_id(body).name
    entries = items(read_kustomization(files, path).get(key))
    named = [
        (len(own), index)
        for index, entry in enumerate(entries)
        if (own := text(mapping(entry).get("name"))) and own in name
    ]
    place = (key, max(named)[1]) if named else (key,)
    return Origin(path=path, document=0, line=line_of(files, path, place))


def of_helm(files: Files, chart: str | None, source: str, body: Body, declared: Origin) -> Origin:
    """Return where a chart writes an object.

    The line is known where the template has one object of that kind, written out; else what made the unit is named.

    Args:
        files: The tree.
        chart: The chart's directory; None where it was fetched.
        source: Text of the `# Source:` comment: `catalog/templates/service.yaml`.
        body: The object.
        declared: What makes the unit.
    """
    _, _, inside = source.partition("/")
    path = f"{chart}/{inside}" if chart else inside
    if chart is None or not inside or not files.is_file(path):
        return declared
    try:
        lines = files.read(path).decode(errors="replace").split("\n")
    except RepoError:
        return declared
    kind = resource_id(body).kind
    found = [number for number, line in enumerate(lines, 1) if (match := _KIND.match(line)) and match[1] == kind]
    return Origin(path=path, document=0, line=found[0]) if len(found) == 1 else declared

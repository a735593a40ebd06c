"""Argo CD: an ApplicationSet becomes the Applications that its generators make."""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gitops_guard.model import Json
from gitops_guard.render.declared import Declared, declared
from gitops_guard.render.files import items, mapping, text
from gitops_guard.render.flux import Surroundings
from gitops_guard.render.globs import glob_matches
from gitops_guard.render.kustomization import without_credentials

_SIMPLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_GO: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_GO_PATH: Final = re.compile(r"(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_GO_INDEX: Final = re.compile(r"index\s+((?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s+(?:(\d+)|\"([^\"]*)\")")
_GO_NORMALIZE: Final = re.compile(r"((?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s*\|\s*normalize")
_MOST: Final = 1000
_FILE: Final = "\0"
"""Before the path of a file among the parameters that it gave; no template can name such a parameter."""

Parameters = Mapping[str, Json]


class NotGeneratedError(Exception):
    """Why the Applications of an ApplicationSet are not known; a sentence for the user."""


def sources_used(one: Declared) -> Iterator[tuple[str, str, str]]:
    """Yield (URL, path, declaring file) of the Git generators of an ApplicationSet."""
    for generator in map(mapping, items(one.spec.get("generators"))):
        inner = map(mapping, items(mapping(generator.get("matrix")).get("generators")))
        for git in (mapping(found.get("git")) for found in (generator, *inner)):
            if git:
                yield text(git.get("repoURL")), ".", one.origin.path


def applications(one: Declared, around: Surroundings) -> list[Declared]:
    """Return the Applications that an ApplicationSet makes, each as if it stood in its place.

    Raises:
        NotGeneratedError: A generator or a template that is not supported, or too many Applications.
    """
    spec = one.spec
    if spec.get("templatePatch"):
        raise NotGeneratedError("templatePatch is not supported")
    go = spec.get("goTemplate") is True
    found: dict[str, Declared] = {}
    for generator in map(mapping, items(spec.get("generators"))):
        for parameters in _generate(generator, one, around, go=go):
            template = _merged(mapping(spec.get("template")), mapping(next(_templates(generator), {})))
            also = one.also | {key[1:] for key in parameters if key.startswith(_FILE)}
            body = _application(template, one, parameters, go=go)
            made = declared(body, one.origin, one.clusters, also)
            found.setdefault(made.name, made)
            if len(found) > _MOST:
                raise NotGeneratedError(f"makes more than {_MOST} Applications")
    return list(found.values())


def _templates(generator: Mapping[str, Json]) -> Iterator[Json]:
    return (mapping(inner).get("template") for inner in generator.values() if mapping(inner).get("template"))


def _merged(below: dict[str, Json], above: dict[str, Json]) -> dict[str, Json]:
    result = dict(below)
    for key, value in above.items():
        result[key] = _merged(mapping(result.get(key)), value) if isinstance(value, dict) else value
    return result


def _application(template: dict[str, Json], one: Declared, parameters: Parameters, *, go: bool) -> dict[str, Json]:
    metadata = {"namespace": one.id.namespace, **mapping(template.get("metadata"))}
    body: dict[str, Json] = {
        "apiVersion": one.id.api_version,
        "kind": "Application",
        "metadata": metadata,
        "spec": template.get("spec"),
    }
    return mapping(_filled(body, parameters, go=go))


# Generators -----------------------------------------------------------------------------------------------------------


def _generate(generator: dict[str, Json], one: Declared, around: Surroundings, *, go: bool) -> Iterator[Parameters]:
    makers: dict[str, Callable[[dict[str, Json]], Iterator[Parameters]]] = {
        "list": lambda options: _list(options, go=go),
        "git": lambda options: _git(options, one, around, go=go),
        "clusters": lambda options: _clusters(options, around, go=go),
        "matrix": lambda options: _matrix(options, one, around, go=go),
    }
    kinds = [key for key in generator if key != "selector"]
    if len(kinds) != 1 or kinds[0] not in makers:
        raise NotGeneratedError(f"generator {', '.join(sorted(kinds)) or '(none)'} is not supported")
    selector = mapping(generator.get("selector"))
    for parameters in makers[kinds[0]](mapping(generator[kinds[0]])):
        if not selector or _selected(selector, _flat(parameters)):
            yield parameters


def _selected(selector: dict[str, Json], labels: Mapping[str, str]) -> bool:
    if set(selector) - {"matchLabels", "matchExpressions"}:
        raise NotGeneratedError("a selector has other keys than matchLabels and matchExpressions")
    wanted = all(labels.get(key) == value for key, value in mapping(selector.get("matchLabels")).items())
    return wanted and all(_holds(mapping(rule), labels) for rule in items(selector.get("matchExpressions")))


def _holds(rule: dict[str, Json], labels: Mapping[str, str]) -> bool:
    key, operator, values = text(rule.get("key")), text(rule.get("operator")), items(rule.get("values"))
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    raise NotGeneratedError(f"selector operator {operator!r} does not exist")


def _list(options: dict[str, Json], *, go: bool) -> Iterator[Parameters]:
    if options.get("elementsYaml"):
        raise NotGeneratedError("elementsYaml is not supported")
    for element in map(mapping, items(options.get("elements"))):
        yield element if go else _flat(element)


def _clusters(options: dict[str, Json], around: Surroundings, *, go: bool) -> Iterator[Parameters]:
    configured = around.clusters.all()
    if not configured:
        raise NotGeneratedError("the clusters generator needs clusters: in .gitops-guard.yaml")
    selector = mapping(options.get("selector"))
    for name, cluster in sorted(configured.items()):
        labels = dict(cluster.labels)
        if selector and not _selected(selector, labels):
            continue
        metadata: dict[str, Json] = {"labels": dict(labels.items()), "annotations": {}}
        parameters: dict[str, Json] = {
            "name": name,
            "nameNormalized": _normalized(name),
            "server": cluster.server,
            "metadata": metadata,
        }
        values = _filled(mapping(options.get("values")), parameters if go else _flat(parameters), go=go)
        parameters["values"] = values
        yield parameters if go else _flat(parameters)


def _matrix(options: dict[str, Json], one: Declared, around: Surroundings, *, go: bool) -> Iterator[Parameters]:
    children = [mapping(child) for child in items(options.get("generators"))]
    if len(children) != 2:
        raise NotGeneratedError("a matrix has exactly two generators")
    for first in _generate(children[0], one, around, go=go):
        filled = mapping(_filled(children[1], first, go=go, partly=True))
        for second in _generate(filled, one, around, go=go):
            yield _merged(dict(first), dict(second))


def _git(options: dict[str, Json], one: Declared, around: Surroundings, *, go: bool) -> Iterator[Parameters]:
    url = text(options.get("repoURL"))
    if not around.repositories.is_own(url):
        raise NotGeneratedError(f"git generator: {without_credentials(url)} is another repository")
    values = mapping(options.get("values"))
    prefix = text(options.get("pathParamPrefix"))
    if items(options.get("directories")):
        found = _git_directories(items(options.get("directories")), one, around)
    else:
        found = _git_files(items(options.get("files")), one, around)
    for path, content in found:
        placed = _path_parameters(path, is_file=bool(items(options.get("files"))), go=go)
        named: dict[str, Json] = placed if not prefix else _prefixed(placed, prefix, go=go)
        parameters = {**(content if go else _flat(content)), **named}
        if values:
            filled = _filled(values, parameters, go=go)
            parameters = {**parameters, **({"values": filled} if go else _flat({"values": filled}))}
        yield parameters


def _prefixed(placed: dict[str, Json], prefix: str, *, go: bool) -> dict[str, Json]:
    return {prefix: placed} if go else {f"{prefix}.{key}": value for key, value in placed.items()}


def _base(patterns: list[str], one: Declared, around: Surroundings) -> str:
    """Return the directory that patterns start from: the root, or where the fixed part of the first one exists."""
    for pattern in patterns:
        fixed = re.split(r"[*?\[{]", pattern, maxsplit=1)[0]
        if base := around.repositories.base(posixpath.dirname(fixed) or ".", one.origin.path):
            return base
    return ""


def _git_directories(entries: list[Json], one: Declared, around: Surroundings) -> Iterator[tuple[str, dict[str, Json]]]:
    rows = [mapping(entry) for entry in entries]
    wanted = [text(row.get("path")) for row in rows if row.get("exclude") is not True]
    excluded = [text(row.get("path")) for row in rows if row.get("exclude") is True]
    base = _base(wanted, one, around)
    for folder in around.files.folders():
        path = folder[len(base) :].lstrip("/") if base else folder
        if (base and not folder.startswith(f"{base}/")) or any(part.startswith(".") for part in path.split("/")):
            continue
        if any(glob_matches(pattern, path) for pattern in excluded):
            continue
        if any(glob_matches(pattern, path) for pattern in wanted):
            yield path, {}


def _git_files(entries: list[Json], one: Declared, around: Surroundings) -> Iterator[tuple[str, dict[str, Json]]]:
    rows = [mapping(entry) for entry in entries]
    wanted = [text(row.get("path")) for row in rows if row.get("exclude") is not True]
    excluded = [text(row.get("path")) for row in rows if row.get("exclude") is True]
    base = _base(wanted, one, around)
    for full in around.files.below(base):
        path = full[len(base) :].lstrip("/") if base else full
        matched = any(glob_matches(pattern, path) for pattern in wanted)
        if not matched or any(glob_matches(pattern, path) for pattern in excluded):
            continue
        for content in _contents(full, around):
            yield path, {**content, f"{_FILE}{full}": ""}


def _contents(path: str, around: Surroundings) -> Iterator[dict[str, Json]]:
    """Yield a file's parameters: those of each entry where it holds a list."""
    if not around.files.is_file(path):
        raise NotGeneratedError(f"{path} is a symbolic link or submodule, which is not followed")
    data = around.files.read(path)
    if data.lstrip().startswith(b"["):
        try:
            entries = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise NotGeneratedError(f"{path} cannot be read as JSON") from error
        yield from (entry for entry in entries if isinstance(entry, dict))
        return
    stream = around.files.documents(path)
    if any(problem.unreadable for problem in stream.problems):
        raise NotGeneratedError(f"{path} cannot be read as one object")
    for document in stream.documents:
        yield dict(document.body)


def _path_parameters(path: str, *, is_file: bool, go: bool) -> dict[str, Json]:
    folder = posixpath.dirname(path) if is_file else path
    segments = folder.split("/") if folder else []
    basename = posixpath.basename(folder)
    named: dict[str, Json] = {"basename": basename, "basenameNormalized": _normalized(basename)}
    if is_file:
        filename = posixpath.basename(path)
        named |= {"filename": filename, "filenameNormalized": _normalized(filename)}
    if go:
        return {"path": {"path": folder, "segments": list(segments), **named}}
    flat: dict[str, Json] = {"path": folder, **{f"path.{key}": value for key, value in named.items()}}
    return {**flat, **{f"path[{index}]": segment for index, segment in enumerate(segments)}}


def _normalized(name: str) -> str:
    """Return a name as DNS allows it, the way Argo CD does."""
    return re.sub(r"[^a-z0-9.-]", "-", name.lower())[:253].strip("-.")


# Templates ------------------------------------------------------------------------------------------------------------


def _flat(parameters: Mapping[str, Json], prefix: str = "") -> dict[str, str]:
    """Return parameters with dotted names, every value a text, as templates without Go's syntax know them."""
    flat: dict[str, str] = {}
    for key, value in parameters.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = _as_text(value)
    return flat


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _filled(value: Json, parameters: Parameters, *, go: bool, partly: bool = False) -> Json:
    """Return a value with its templates filled in, keys included."""
    if isinstance(value, dict):
        return {
            str(_filled(key, parameters, go=go, partly=partly)): _filled(inner, parameters, go=go, partly=partly)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_filled(inner, parameters, go=go, partly=partly) for inner in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    if go:
        return _GO.sub(lambda found: _go(found[1], parameters, found[0], partly=partly), value)
    return _SIMPLE.sub(lambda found: _as_text(parameters.get(found[1], found[0])), value)


def _go(written: str, parameters: Parameters, whole: str, *, partly: bool) -> str:
    """Evaluate what Go templates of ApplicationSets mostly hold: a field, an index, a field made a DNS name."""
    if _GO_PATH.fullmatch(written):
        return _found(_follow(written, parameters), whole, partly=partly)
    if found := _GO_INDEX.fullmatch(written):
        return _found(_indexed(_follow(found[1], parameters), found[2], found[3]), whole, partly=partly)
    if found := _GO_NORMALIZE.fullmatch(written):
        return _normalized(_found(_follow(found[1], parameters), whole, partly=partly))
    raise NotGeneratedError(f"Go template {whole!r} is not supported; fields, index and normalize are")


def _follow(path: str, parameters: Parameters) -> Json:
    value: Json = dict(parameters)
    for part in path[1:].split("."):
        value = mapping(value).get(part)
    return value


def _indexed(value: Json, number: str | None, key: str | None) -> Json:
    if number is None:
        return mapping(value).get(key or "")
    entries = items(value)
    return entries[int(number)] if int(number) < len(entries) else None


def _found(value: Json, whole: str, *, partly: bool) -> str:
    if value is not None:
        return _as_text(value)
    if partly:
        return whole
    raise NotGeneratedError(f"Go template {whole!r} names nothing that the generators give")

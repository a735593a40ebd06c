"""Standalone schemas for other validators, cut from the data that we use ourselves, so that both sides check the same."""

import importlib.util
import json
from pathlib import Path
from typing import Any


def data_folder(version: str) -> Path:
    """Return the strict schemas of one minor version, as bundled by kubernetes-validate."""
    spec = importlib.util.find_spec("kubernetes_validate")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"].rsplit("/", 1)[1]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_references(child) for child in node.values())) if node else own
    if isinstance(node, list):
        return set().union(*(_references(child) for child in node)) if node else set()
    return set()


def _localised(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: f"#/definitions/{value.rsplit('/', 1)[1]}"
            if key == "$ref" and isinstance(value, str)
            else _localised(value)
            for key, value in node.items()
            if key != "description"
        }
    return [_localised(child) for child in node] if isinstance(node, list) else node


def write_standalone_schemas(target: Path, version: str) -> int:
    """Write `kind-group-version.json` for every kind, each with the definitions it reaches; return how many."""
    definitions = json.loads((data_folder(version) / "_definitions.json").read_text())["$defs"]
    target.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        if len(kinds) != 1:
            continue
        reached: set[str] = set()
        waiting = {name}
        while waiting:
            current = waiting.pop()
            reached.add(current)
            waiting |= _references(definitions[current]) - reached
        schema = {
            **_localised(definition),
            "definitions": {key: _localised(definitions[key]) for key in sorted(reached)},
        }
        group = kinds[0]["group"].split(".")[0]
        parts = [kinds[0]["kind"].lower(), *([group] if group else []), kinds[0]["version"]]
        (target / f"{'-'.join(parts)}.json").write_text(json.dumps(schema))
        written += 1
    return written

"""Write the index of the bundled schema data: which kinds there are, and what the data gets wrong.

    PYTHONPATH=. python tools/schema_index.py

Reads the installed kubernetes-validate and `lifecycle.json` (see `schema_facts.py`); a test checks that the committed
files are what this
writes for the installed data.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from gitops_guard.schema import bundle
from gitops_guard.schema.build import children, references

DATA = Path(__file__).resolve().parent.parent / "gitops_guard" / "schema" / "data"
MINORS = range(25, 38)

# Nothing accepts these on create: options, answers of the API, and bodies of subresources.
NOT_CREATED = {
    "v1 APIGroup",
    "v1 APIGroupList",
    "v1 APIResourceList",
    "v1 APIVersions",
    "v1 ComponentStatus",
    "v1 Status",
    "authentication.k8s.io/v1 TokenRequest",
    "autoscaling/v1 Scale",
    "policy/v1 Eviction",
    "policy/v1beta1 Eviction",
}

# Required in the data because the Go field lacks `omitempty`; the server takes the zero value.
OPTIONAL: dict[str, list[str]] = {
    "io.k8s.api.core.v1.Sysctl": ["value"],
    "io.k8s.api.core.v1.HTTPHeader": ["value"],
    "io.k8s.api.core.v1.LimitRangeSpec": ["limits"],
    "io.k8s.api.core.v1.PreferredSchedulingTerm": ["preference"],
    "io.k8s.api.storage.v1.CSIDriver": ["spec"],
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion": ["served", "storage"],
}


def kinds(definitions: dict[str, Any]) -> dict[str, str]:
    """Return the definition of every kind that can be created, by `<apiVersion> <kind>`."""
    found = {}
    for name, schema in definitions.items():
        identities = schema.get("x-kubernetes-group-version-kind", [])
        if len(identities) != 1:  # DeleteOptions and WatchEvent claim dozens
            continue
        group, version, kind = (identities[0][key] for key in ("group", "version", "kind"))
        key = f"{group}/{version} {kind}" if group else f"{version} {kind}"
        if key not in NOT_CREATED and not (kind.endswith("List") and "items" in schema["properties"]):
            found[key] = name
    return dict(sorted(found.items()))


def status_only(definitions: dict[str, Any], roots: set[str]) -> list[str]:
    """Return the definitions that are reached through a `status` field only: the server resets those on create."""
    spec_side: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in spec_side:
            continue
        spec_side.add(name)
        schema = definitions[name]
        if name in roots:
            properties = {key: value for key, value in schema.get("properties", {}).items() if key != "status"}
            schema = {**schema, "properties": properties}
        waiting.extend(target for child in children(schema) for target in references(child))
    return sorted(name for name in definitions if name not in spec_side and definitions[name].get("required"))


def optional(definitions: dict[str, Any], roots: set[str]) -> dict[str, list[str] | None]:
    """Return the fields that the data requires and the server does not; None means every one of a definition."""
    found: dict[str, list[str] | None] = {name: fields for name, fields in OPTIONAL.items() if name in definitions}
    for name in roots:
        if name.startswith("io.k8s.api.resource.") and "spec" in definitions[name].get("required", []):
            found[name] = ["spec"]
    found |= dict.fromkeys(status_only(definitions, roots))
    return dict(sorted(found.items()))


def deprecated(keys: dict[str, str], minor: int, lifecycles: dict[str, dict[str, Any]]) -> list[str]:
    """Return the kinds that are deprecated (or should be gone) in a minor version."""
    return [
        key
        for key in keys
        if any(lifecycles.get(key, {}).get(event, 999) <= minor for event in ("deprecated", "removed"))
    ]


def index(minor: int) -> dict[str, Any]:
    """Return the content of `kinds/<minor>.json` and `fixes/<minor>.json`, by folder."""
    definitions = bundle.load_definitions(f"1.{minor}")
    found = kinds(definitions)
    digest = hashlib.sha256(Path(bundle.definitions_path(f"1.{minor}")).read_bytes()).hexdigest()
    return {
        "kinds": {
            "data": digest,
            "deprecated": deprecated(found, minor, bundle.load_lifecycle()["kinds"]),
            "kinds": found,
        },
        "fixes": {"data": digest, "optional": optional(definitions, set(found.values()))},
    }


def render(content: object) -> str:
    """Return JSON in which a diff shows one fact a line."""
    return json.dumps(content, indent=0, sort_keys=True) + "\n"


def main() -> None:
    """Write the index of every minor version."""
    for minor in MINORS:
        for folder, content in index(minor).items():
            path = DATA / folder / f"1.{minor}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(content))


if __name__ == "__main__":
    main()

"""The cases of `definitions.yaml` as CustomResourceDefinitions and objects."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from controlplane.api import Answer, Api, wait_for

Body = dict[str, Any]

HERE = Path(__file__).parent
RECORDED = HERE / "recorded_definitions.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionCase:
    """One definition, and the objects that it is asked about."""

    name: str
    definition: Body
    requests: tuple[tuple[Body | None, Body], ...]
    """Old object and new one."""


def definition_cases() -> Iterator[DefinitionCase]:
    """Yield all cases, in the order of the file."""
    for name, raw in yaml.safe_load((HERE / "definitions.yaml").read_text()).items():
        requests = []
        for number, request in enumerate(raw["requests"]):
            old, new = request.get("update", (None, request.get("create")))
            objects = [None if spec is None else _object(name, number, spec) for spec in (old, new)]
            requests.append((objects[0], objects[1] or {}))
        yield DefinitionCase(name=name, definition=_definition(name, raw), requests=tuple(requests))


def recorded_definitions() -> Mapping[str, Any]:
    """Return what the real API server answered, by case."""
    answers: Mapping[str, Any] = json.loads(RECORDED.read_text())["cases"]
    return answers


def ask_definitions(api: Api) -> dict[str, Any]:
    """Create all definitions, send all objects, and return the complaints by case."""
    cases = list(definition_cases())
    for case in cases:
        api.expect("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", case.definition)
    return {case.name: [_asked(api, old, new) for old, new in case.requests] for case in cases}


def _asked(api: Api, old: Body | None, new: Body) -> list[list[str]]:
    collection = f"/apis/{new['apiVersion']}/namespaces/default/things"
    wait_for(lambda: api.request("GET", collection).status == 200, what=collection)
    if old is None:
        return _complaints(api.request("POST", collection, new, query={"dryRun": "All"}))
    stored = api.expect("POST", collection, old)
    new = {**new, "metadata": {**new["metadata"], "resourceVersion": stored["metadata"]["resourceVersion"]}}
    return _complaints(api.request("PUT", f"{collection}/{new['metadata']['name']}", new, query={"dryRun": "All"}))


def _complaints(answer: Answer) -> list[list[str]]:
    assert answer.status in (200, 201, 422), (answer.status, answer.message)
    return sorted([cause["field"], cause["message"]] for cause in answer.causes)


def _definition(name: str, raw: Body) -> Body:
    schema = {"type": "object", "properties": {"spec": raw["spec"]}}
    if "rules" in raw:
        schema["x-kubernetes-validations"] = raw["rules"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{name}.example.com"},
        "spec": {
            "group": f"{name}.example.com",
            "names": {"kind": "Thing", "plural": "things"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _object(name: str, number: int, spec: Body) -> Body:
    metadata = {"name": f"object-{number}", "namespace": "default"}
    return {"apiVersion": f"{name}.example.com/v1", "kind": "Thing", "metadata": metadata, "spec": spec}

"""The cases of `cases.yaml` as objects, for our engine and for the real API server alike."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Body = dict[str, Any]

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"
NAMESPACES: list[Body] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "policy-test", "labels": {"env": "test"}}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "policy-prod", "labels": {"env": "prod"}}},
]
_SIZE = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
DEFINITION: Body = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "geese.policy.example.com"},
    "spec": {
        "group": "policy.example.com",
        "names": {"kind": "Goose", "plural": "geese"},
        "scope": "Namespaced",
        "versions": [
            {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": _SIZE}}
            for name in ("v1", "v2")
        ],
    },
}
_CONFIG_MAPS = {
    "resourceRules": [
        {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": ["configmaps"],
        }
    ]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One policy, where it holds, and what is sent."""

    name: str
    is_refused: bool
    policy: Body
    bindings: tuple[Body, ...]
    existing: tuple[Body, ...]
    requests: tuple[tuple[str, Body], ...]


def cases() -> Iterator[Case]:
    """Yield all cases, in the order of the file."""
    raw = yaml.safe_load((HERE / "cases.yaml").read_text())
    for name, case in raw.items():
        yield _case(name, case)


def recorded() -> Mapping[str, Any]:
    """Return what the real API server answered, by case."""
    answers: Mapping[str, Any] = json.loads(RECORDED.read_text())["cases"]
    return answers


def _case(name: str, raw: Body) -> Case:
    isolated = raw.get("isolated", True)
    bindings = raw.get("bindings", [{"validationActions": ["Deny"]}])
    return Case(
        name=name,
        is_refused=raw.get("refused", False),
        policy=_admission("ValidatingAdmissionPolicy", name, {"matchConstraints": _CONFIG_MAPS, **raw["policy"]}),
        bindings=tuple(
            _admission("ValidatingAdmissionPolicyBinding", f"{name}-{number}", _binding(name, spec, isolated))
            for number, spec in enumerate(bindings)
        ),
        existing=tuple(_object(name, body) for body in raw.get("existing", ())),
        requests=tuple(
            (operation, _object(name, body))
            for request in raw.get("requests", ())
            for operation, body in request.items()
        ),
    )


def _admission(kind: str, name: str, spec: Body) -> Body:
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _binding(name: str, spec: Body, isolated: bool) -> Body:
    """Keep a case's policy to the case's own objects, so that all cases can share one server."""
    spec = {**spec, "policyName": name}
    if isolated:
        spec["matchResources"] = {**spec.get("matchResources", {}), "objectSelector": {"matchLabels": {"case": name}}}
    return spec


def _object(name: str, body: Body) -> Body:
    metadata = {"name": f"{name}-object", **body.get("metadata", {})}
    metadata["labels"] = {"case": name, **metadata.get("labels", {})}
    kind = body.get("kind", "ConfigMap")
    if kind not in ("Namespace", "ClusterRole"):
        metadata.setdefault("namespace", "policy-test")
    return {"apiVersion": "v1", "kind": kind, **body, "metadata": metadata}

"""The CEL rules of a CustomResourceDefinition itself: one that does not compile is refused with the definition."""

from collections.abc import Iterator
from typing import Any

from gitops_guard.model import FieldPath, Problem, Resource, RuleContext, Severity

_VALIDATIONS = "x-kubernetes-validations"


class DefinitionRule:
    """Compiles the rules of definitions, at their own lines; the engine is loaded when there is one."""

    id = "invalid-crd"
    severity = Severity.ERROR
    kinds = ("CustomResourceDefinition.apiextensions.k8s.io",)
    summary = "A CustomResourceDefinition that the API server refuses."

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem]:
        """Yield every rule and message expression that does not compile in the oldest target version."""
        versions = _dict(resource.body.get("spec")).get("versions")
        for index, version in enumerate(versions if isinstance(versions, list) else []):
            schema = _dict(_dict(version).get("schema")).get("openAPIV3Schema")
            yield from _visit(
                schema, ("spec", "versions", index, "schema", "openAPIV3Schema"), context.kubernetes_versions[0]
            )


def _visit(schema: object, field: FieldPath, version: str) -> Iterator[Problem]:
    if not isinstance(schema, dict):
        return
    rules = schema.get(_VALIDATIONS)
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        yield from _compiled(_dict(rule), (*field, _VALIDATIONS, index), version)
    for name, child in _dict(schema.get("properties")).items():
        yield from _visit(child, (*field, "properties", name), version)
    for name in ("items", "additionalProperties"):
        yield from _visit(schema.get(name), (*field, name), version)


def _compiled(rule: dict[str, Any], field: FieldPath, version: str) -> Iterator[Problem]:
    from gitops_guard.policy.crd_rules import compile_one  # the engine of expressions costs 60 ms to import

    for key, result in (("rule", "bool"), ("messageExpression", "string")):
        text = rule.get(key)
        if not isinstance(text, str) or not text.strip():
            continue  # that it has none is for the definition's own schema to say
        error = compile_one(text, version, result)
        if error is not None:
            place = f" at line {error.line}, column {error.column}" if error.line > 0 else ""
            yield Problem(field=(*field, key), message=f"Invalid value: compilation failed{place}: {error.message}")


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

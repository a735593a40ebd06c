"""`x-kubernetes-validations` of CustomResourceDefinitions, evaluated as the API server does after the schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gitops_guard.cel import NONE, CelBudgetError, CelError, Opt, Profile, Program, compile_expression, profile
from gitops_guard.model import Body, FieldPath, MapKey, Problem
from gitops_guard.policy.crd_values import JsonSchema, properties_of, to_cel
from gitops_guard.schema.wording import show, type_name

_ABSENT = object()
_RULES = {
    "FieldValueInvalid": ("invalid-value", "Invalid value{value}: {text}"),
    "FieldValueForbidden": ("invalid-value", "Forbidden: {text}"),
    "FieldValueRequired": ("missing-field", "Required value: {text}"),
    "FieldValueDuplicate": ("invalid-value", "Duplicate value{value}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CrdRule:
    """One rule of one place in a schema."""

    program: Program
    message: Program | None
    text: str
    """What it says when it fails."""

    rule: str
    """Its own text, for messages."""

    reason: str
    field: FieldPath
    """Below the place; empty for the place itself."""

    optional_old: bool

    @property
    def is_transition(self) -> bool:
        """Tell whether it compares with the old value, so that it says nothing without one."""
        return "oldSelf" in self.program.variables and not self.optional_old


@dataclass(frozen=True, slots=True, kw_only=True)
class CrdNode:
    """A place of a schema that has rules, or has places below that have."""

    schema: JsonSchema
    rules: tuple[CrdRule, ...]
    properties: Mapping[str, "CrdNode"]
    items: "CrdNode | None" = None
    additional: "CrdNode | None" = None
    is_root: bool = False


class CrdRules:
    """All rules of one version of a custom resource."""

    def __init__(self, root: CrdNode) -> None:
        """Keep the rules; `compile_rules` makes them."""
        self._root = root

    def problems(self, body: Body, old: Body | None = None) -> Iterator[Problem]:
        """Yield what the rules say.

        Args:
            body: The resource: valid, pruned, defaults filled in.
            old: What it replaces; None when it is new.
        """
        yield from _visit(self._root, dict(body), _ABSENT if old is None else dict(old), ())


def compile_rules(schema: JsonSchema, version: str) -> CrdRules | None:
    """Compile the rules of a schema.

    Args:
        schema: `openAPIV3Schema`.
        version: Minor version of the API server that has to take it.

    Returns:
        The rules; None when the API server would not take one of them, so that nothing can be said.
    """
    try:
        node = _node(schema, _environment(version), is_root=True)
    except (CelError, _BadRuleError):
        return None
    return CrdRules(node or CrdNode(schema=schema, rules=(), properties={}, is_root=True))


def compile_one(text: str, version: str, result: str) -> CelError | None:
    """Compile one rule or message expression; return what is wrong with it.

    Args:
        text: The expression.
        version: Minor version of the API server that has to take it.
        result: `bool` for a rule, `string` for a message.
    """
    try:
        compile_expression(text, environment=_environment(version), result=result)
    except CelError as error:
        return error
    return None


class _BadRuleError(Exception):
    """A rule is not written as rules are."""


@lru_cache(maxsize=16)
def _environment(version: str) -> Profile:
    own = profile("crd", version)
    offered = profile("crd", f"1.{int(version.partition('.')[2]) - 1}")
    return replace(offered, version=own.version, or_on_concrete=own.or_on_concrete)


def _node(schema: JsonSchema, environment: Profile, *, is_root: bool = False) -> CrdNode | None:
    below = {
        name: node
        for name, child in properties_of(schema, embedded=False).items()
        if (node := _node(child, environment)) is not None
    }
    items, extra = schema.get("items"), schema.get("additionalProperties")
    node = CrdNode(
        schema=schema,
        rules=tuple(_rule(raw, environment) for raw in schema.get("x-kubernetes-validations") or ()),
        properties=below,
        items=_node(items, environment) if isinstance(items, dict) else None,
        additional=_node(extra, environment) if isinstance(extra, dict) else None,
        is_root=is_root,
    )
    return node if node.rules or below or node.items or node.additional else None


def _rule(raw: object, environment: Profile) -> CrdRule:
    if not isinstance(raw, dict) or not isinstance(raw.get("rule"), str):
        raise _BadRuleError
    text, computed = str(raw.get("message") or "").strip(), raw.get("messageExpression")
    return CrdRule(
        program=compile_expression(raw["rule"], environment=environment, result="bool"),
        message=compile_expression(computed, environment=environment, result="string") if computed else None,
        text=text or f"failed rule: {raw['rule'].strip()}",
        rule=text or raw["rule"].strip(),
        reason=str(raw.get("reason") or "FieldValueInvalid"),
        field=_field(str(raw.get("fieldPath") or "")),
        optional_old=raw.get("optionalOldSelf") is True,
    )


def _field(text: str) -> FieldPath:
    """Read `.a.b['c.d']`."""
    path: list[str] = []
    rest = text
    while rest:
        if rest.startswith("['"):
            name, _, rest = rest[2:].partition("']")
        else:
            body = rest.removeprefix(".")
            end = min((found for mark in ".[" if (found := body.find(mark)) >= 0), default=len(body))
            name, rest = body[:end], body[end:]
        if not name:
            raise _BadRuleError
        path.append(name)
    return tuple(path)


def _visit(node: CrdNode, value: Any, old: Any, field: FieldPath) -> Iterator[Problem]:
    if value is None:
        return
    yield from _own(node, value, old, field)
    if isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            yield from _visit(node.items, item, _counterpart(node.schema, item, old), (*field, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            child, place = node.properties.get(name), (*field, name)
            if child is None and node.additional is not None:
                child, place = node.additional, (*field, MapKey(name))
            if child is not None:
                yield from _visit(child, item, old.get(name, _ABSENT) if isinstance(old, dict) else _ABSENT, place)


def _counterpart(schema: JsonSchema, item: Any, old: Any) -> Any:
    """Find the old item of the same key: only the items of `map` lists have one."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if not isinstance(old, list) or schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, dict):
        return _ABSENT
    wanted = [item.get(key) for key in keys]
    same = (other for other in old if isinstance(other, dict) and [other.get(key) for key in keys] == wanted)
    return next(same, _ABSENT)


def _own(node: CrdNode, value: Any, old: Any, field: FieldPath) -> Iterator[Problem]:
    if not node.rules:
        return
    try:
        new_value = to_cel(node.schema, value, embedded=node.is_root)
        old_value = _ABSENT if old is _ABSENT or old is None else to_cel(node.schema, old, embedded=node.is_root)
    except CelError:
        return  # a value that is not of its format: the schema's part has said so
    for rule in node.rules:
        if rule.is_transition and old_value is _ABSENT:
            continue
        activation = {"self": new_value, "oldSelf": _old_self(rule, old_value)}
        problem = _judge(rule, activation, value, field)
        if problem is not None:
            yield problem


def _old_self(rule: CrdRule, old: Any) -> object:
    if not rule.optional_old:
        return old
    return NONE if old is _ABSENT else Opt(old)


def _judge(rule: CrdRule, activation: dict[str, object], value: object, field: FieldPath) -> Problem | None:
    # the API server names scalars only
    named = "" if isinstance(value, (dict, list)) else f": {show(value)}"
    try:
        if rule.program.evaluate(activation) is True:
            return None
    except CelError as error:
        text = _error_text(rule, error)
        return Problem(field=field, rule="invalid-value", message=f'Invalid value: "{type_name(value)}": {text}')
    name, form = _RULES.get(rule.reason, _RULES["FieldValueInvalid"])
    message = form.format(value=named, text=_message(rule, activation))
    return Problem(field=(*field, *rule.field), rule=name, message=message)


def _error_text(rule: CrdRule, error: CelError) -> str:
    if isinstance(error, CelBudgetError):
        why = "no further validation rules will be run due to call cost exceeds limit for rule"
        return f"'{error.message}': {why}: {rule.rule}"
    if error.message.startswith("no such overload"):
        why = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error.message}': {why}: {rule.rule}"
    return f"{error.message} evaluating rule: {rule.rule}"


def _message(rule: CrdRule, activation: dict[str, object]) -> str:
    if rule.message is None:
        return rule.text
    try:
        text = rule.message.evaluate(activation)
    except CelError:
        return rule.text
    text = text.strip() if isinstance(text, str) else ""
    return text if text and "\n" not in text and len(text.encode()) <= 5 * 1024 else rule.text

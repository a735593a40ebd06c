"""What a ValidatingAdmissionPolicy and its binding say, read from their bodies. Expressions are still text here."""

from dataclasses import dataclass
from typing import Any

from gitops_guard.model import Body, FieldPath, Severity
from gitops_guard.model.resource import resource_id
from gitops_guard.policy.match import Match, read_match
from gitops_guard.policy.reading import BadPolicyError, as_dict, as_items, as_optional_text, as_text, as_texts, as_word
from gitops_guard.policy.selectors import LabelSelector, read_selector

GROUP = "admissionregistration.k8s.io"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
VERSIONS = ("v1", "v1beta1")

RULE_ANNOTATION = "gitops-guard.io/rule"
SEVERITY_ANNOTATION = "gitops-guard.io/severity"
FIELD_ANNOTATION = "gitops-guard.io/field"
_DENY_AND_WARN = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)
ANNOTATION_PREFIX = "gitops-guard.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression's text and where it stands."""

    text: str
    field: FieldPath
    """Of the policy's body: `("spec", "validations", 0, "expression")`."""

    name: str = ""
    """Of a variable, condition or audit annotation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """One of `validations`."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySpec:
    """A ValidatingAdmissionPolicy."""

    name: str
    annotations: dict[str, str]
    """Ours, without their prefix: `{"severity": "warning"}`."""

    match: Match
    fails: bool
    """`failurePolicy: Fail`: what cannot be evaluated is denied."""

    param_kind: tuple[str, str] | None
    """apiVersion and kind of the params."""

    conditions: tuple[Expression, ...]
    variables: tuple[Expression, ...]
    validations: tuple[Validation, ...]
    audits: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamRef:
    """Which objects a binding gives to its policy."""

    name: str
    namespace: str
    selector: LabelSelector | None
    """Used when there is no name."""

    allows_none: bool
    """`parameterNotFoundAction: Allow`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSpec:
    """A ValidatingAdmissionPolicyBinding, or what stands for one where a policy holds without."""

    name: str
    policy: str
    match: Match
    param_ref: ParamRef | None
    actions: tuple[str, ...]
    """`Deny`, `Warn`, `Audit`; empty where the policy's own severity decides."""


def is_kind(body: Body, kind: str) -> bool:
    """Tell whether a body is a policy or binding in a version that can be read."""
    identity = resource_id(body)
    return (identity.group, identity.kind) == (GROUP, kind) and identity.version in VERSIONS


def read_policy(body: Body) -> PolicySpec:
    """Read a policy.

    Raises:
        BadPolicyError: It is malformed.
    """
    spec = as_dict(body.get("spec"), ("spec",))
    policy = PolicySpec(
        name=_name(body),
        annotations=_annotations(body),
        match=read_match(spec.get("matchConstraints"), ("spec", "matchConstraints"), needs_rules=True),
        fails=as_word(spec.get("failurePolicy"), ("spec", "failurePolicy"), ("Fail", "Ignore"), "Fail") == "Fail",
        param_kind=_param_kind(spec.get("paramKind")),
        conditions=_expressions(spec, "matchConditions", "name", "expression"),
        variables=_expressions(spec, "variables", "name", "expression"),
        validations=tuple(
            _validation(as_dict(item, place), place)
            for place, item in as_items(spec.get("validations"), ("spec", "validations"))
        ),
        audits=_expressions(spec, "auditAnnotations", "key", "valueExpression"),
    )
    if not (policy.validations or policy.audits):
        raise BadPolicyError(
            ("spec", "validations"), "Required value: validations or auditAnnotations must contain at least one item"
        )
    return policy


def severity_of(policy: PolicySpec) -> Severity:
    """Return the severity that a policy's annotation asks for.

    Raises:
        BadPolicyError: There is no such severity.
    """
    field = ("metadata", "annotations", SEVERITY_ANNOTATION)
    return Severity(as_word(policy.annotations.get("severity"), field, tuple(str(word) for word in Severity), "error"))


def read_binding(body: Body) -> BindingSpec:
    """Read a binding.

    Raises:
        BadPolicyError: It is malformed.
    """
    spec = as_dict(body.get("spec"), ("spec",))
    actions = as_texts(spec.get("validationActions"), ("spec", "validationActions"))
    if not actions:
        raise BadPolicyError(("spec", "validationActions"), "Required value: must specify at least one action")
    for index, action in enumerate(actions):
        as_word(action, ("spec", "validationActions", index), ("Audit", "Deny", "Warn"), "")
    if {"Deny", "Warn"} <= set(actions):
        raise BadPolicyError(
            ("spec", "validationActions"),
            _DENY_AND_WARN,
        )
    return BindingSpec(
        name=_name(body),
        policy=as_text(spec.get("policyName"), ("spec", "policyName")),
        match=read_match(spec.get("matchResources"), ("spec", "matchResources"), needs_rules=False),
        param_ref=_param_ref(spec.get("paramRef")),
        actions=actions,
    )


def _name(body: Body) -> str:
    metadata = as_dict(body.get("metadata"), ("metadata",))
    return as_text(metadata.get("name"), ("metadata", "name"))


def _annotations(body: Body) -> dict[str, str]:
    metadata = as_dict(body.get("metadata"), ("metadata",))
    field = ("metadata", "annotations")
    found = as_dict(metadata.get("annotations"), field)
    return {
        name.removeprefix(ANNOTATION_PREFIX): as_optional_text(value, (*field, name))
        for name, value in found.items()
        if name.startswith(ANNOTATION_PREFIX)
    }


def _param_kind(value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    field = ("spec", "paramKind")
    body = as_dict(value, field)
    return as_text(body.get("apiVersion"), (*field, "apiVersion")), as_text(body.get("kind"), (*field, "kind"))


def _param_ref(value: object) -> ParamRef | None:
    if value is None:
        return None
    field = ("spec", "paramRef")
    body = as_dict(value, field)
    name, selector = as_optional_text(body.get("name"), (*field, "name")), body.get("selector")
    if bool(name) == (selector is not None):
        raise BadPolicyError(
            field, "name and selector are mutually exclusive" if name else "one of name or selector must be specified"
        )
    missing = (*field, "parameterNotFoundAction")
    action = as_text(body.get("parameterNotFoundAction"), missing)
    return ParamRef(
        name=name,
        namespace=as_optional_text(body.get("namespace"), (*field, "namespace")),
        selector=None if selector is None else read_selector(selector, (*field, "selector")),
        allows_none=as_word(action, missing, ("Allow", "Deny"), "") == "Allow",
    )


def _expressions(spec: dict[str, Any], key: str, name_key: str, text_key: str) -> tuple[Expression, ...]:
    found: list[Expression] = []
    for place, item in as_items(spec.get(key), ("spec", key)):
        body = as_dict(item, place)
        name = as_text(body.get(name_key), (*place, name_key))
        text = as_text(body.get(text_key), (*place, text_key))
        # of two variables of one name the API server takes the later one
        if key != "variables" and any(other.name == name for other in found):
            raise BadPolicyError((*place, name_key), f'Duplicate value: "{name}"')
        found.append(Expression(text=text, field=(*place, text_key), name=name))
    return tuple(found)


def _validation(body: dict[str, Any], field: FieldPath) -> Validation:
    place = (*field, "messageExpression")
    computed = as_optional_text(body.get("messageExpression"), place)
    return Validation(
        expression=Expression(
            text=as_text(body.get("expression"), (*field, "expression")), field=(*field, "expression")
        ),
        message=as_optional_text(body.get("message"), (*field, "message")).strip(),
        message_expression=Expression(text=computed, field=place) if computed.strip() else None,
        reason=as_optional_text(body.get("reason"), (*field, "reason")) or "Invalid",
    )

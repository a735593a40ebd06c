"""What the API server refuses in a CustomResourceDefinition although its fields and types are right.

Source: apiextensions-apiserver, `pkg/apis/apiextensions/validation/validation.go`. The schemas inside are
judged in `crd_schema.py`. CEL rules are not compiled here.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gitops_guard.model import Body, FieldPath, MapKey, Problem
from gitops_guard.schema.crd_schema import schema_problems
from gitops_guard.schema.wording import show

RULE = "invalid-crd"

_LABEL = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_LABEL_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_APPROVAL = "api-approved.kubernetes.io"
_PROTECTED = ("k8s.io", "kubernetes.io")
_MOST_SELECTABLE = 8

_Found = Iterator[tuple[FieldPath, str]]


def crd_problems(body: Body) -> Iterator[Problem]:
    """Yield what is wrong with a CRD that decodes: names, versions, conversion, columns, paths and schemas."""
    spec = _dict(body.get("spec"))
    for field, message in _definition(body, spec):
        yield Problem(field=field, rule=RULE, message=message)
    for index, version in enumerate(_list(spec.get("versions"))):
        schema = _dict(_dict(version).get("schema")).get("openAPIV3Schema")
        if isinstance(schema, dict):
            yield from schema_problems(schema, ("spec", "versions", index, "schema", "openAPIV3Schema"))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _definition(body: Body, spec: dict[str, Any]) -> _Found:
    metadata, names = _dict(body.get("metadata")), _dict(spec.get("names"))
    group = spec.get("group")
    wanted = f"{names.get('plural', '')}.{group}"
    if isinstance(metadata.get("name"), str) and metadata["name"] != wanted:
        yield ("metadata", "name"), f'Invalid value: {show(metadata["name"])}: must be spec.names.plural+"."+spec.group'
    if isinstance(group, str):
        yield from _group(group, _dict(metadata.get("annotations")))
    if spec.get("preserveUnknownFields") is True:
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
        yield ("spec", "preserveUnknownFields"), f"Invalid value: true: {detail}"
    yield from _enum(("spec", "scope"), spec.get("scope"), ("Cluster", "Namespaced"))
    yield from _names(names)
    yield from _versions(_list(spec.get("versions")))
    if "conversion" in spec:
        yield from _conversion(_dict(spec["conversion"]))


def _enum(field: FieldPath, value: Any, words: tuple[str, ...]) -> _Found:
    if isinstance(value, str) and value not in words:
        yield field, f"Unsupported value: {show(value)}: supported values: {', '.join(map(show, words))}"


def _group(group: str, annotations: dict[str, Any]) -> _Found:
    if not _SUBDOMAIN.fullmatch(group):
        yield ("spec", "group"), f"Invalid value: {show(group)}: {_SUBDOMAIN_WORDS}"
    elif "." not in group:
        yield ("spec", "group"), f"Invalid value: {show(group)}: should be a domain with at least one dot"
    if not any(group == owner or group.endswith(f".{owner}") for owner in _PROTECTED):
        return
    field, approval = ("metadata", "annotations", MapKey(_APPROVAL)), annotations.get(_APPROVAL)
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    if not approval:
        yield field, f'Required value: protected groups must have approval annotation "{_APPROVAL}", {see}'
    elif isinstance(approval, str) and not approval.startswith("unapproved") and not _is_url(approval):
        words = (
            f'protected groups must have approval annotation "{_APPROVAL}" '
            'with either a URL or a reason starting with "unapproved"'
        )
        yield field, f"Invalid value: {show(approval)}: {words}, {see}"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def _label(field: FieldPath, value: Any, *, prefix: str = "") -> _Found:
    if isinstance(value, str) and value:
        text = value.lower() if prefix else value
        if len(text) > 63:
            yield field, f"Invalid value: {show(value)}: {prefix}must be no more than 63 bytes"
        if not _LABEL.fullmatch(text):
            yield field, f"Invalid value: {show(value)}: {prefix}{_LABEL_WORDS}"


def _names(names: dict[str, Any]) -> _Found:
    field = ("spec", "names")
    mixed = "may have mixed case, but should otherwise match: "
    yield from _label((*field, "plural"), names.get("plural"))
    yield from _label((*field, "singular"), names.get("singular"))
    yield from _label((*field, "kind"), names.get("kind"), prefix=mixed)
    yield from _label((*field, "listKind"), names.get("listKind"), prefix=mixed)
    for key in ("shortNames", "categories"):
        for index, word in enumerate(_list(names.get(key))):
            yield from _label((*field, key, index), word)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield (*field, "listKind"), f"Invalid value: {show(names['kind'])}: kind and listKind may not be the same"


def _versions(versions: list[Any]) -> _Found:
    field: FieldPath = ("spec", "versions")
    versions = [_dict(version) for version in versions]
    names = [version.get("name") for version in versions if isinstance(version.get("name"), str)]
    for index, version in enumerate(versions):
        yield from _version(version, (*field, index))
    if len(set(names)) != len(names):
        yield field, "Invalid value: must contain unique version names"
    if sum(version.get("storage") is True for version in versions) != 1:
        yield field, "Invalid value: must have exactly one version marked as storage version"


def _version(version: dict[str, Any], field: FieldPath) -> _Found:
    yield from _label((*field, "name"), version.get("name"))
    if not isinstance(_dict(version.get("schema")).get("openAPIV3Schema"), dict):
        yield (*field, "schema", "openAPIV3Schema"), "Required value"
    warning = version.get("deprecationWarning")
    if isinstance(warning, str):
        for words in _warning(version, warning):
            yield (*field, "deprecationWarning"), f"Invalid value: {show(warning)}: {words}"
    for index, column in enumerate(_list(version.get("additionalPrinterColumns"))):
        yield from _column(_dict(column), (*field, "additionalPrinterColumns", index))
    if "scale" in _dict(version.get("subresources")):
        yield from _scale(_dict(_dict(version["subresources"])["scale"]), (*field, "subresources", "scale"))
    yield from _selectable(_list(version.get("selectableFields")), (*field, "selectableFields"))


def _warning(version: dict[str, Any], warning: str) -> Iterator[str]:
    if version.get("deprecated") is not True:
        yield "can only be set for deprecated versions"
        return
    if not warning:
        yield "must not be an empty string"
    if len(warning.encode("utf-8", "replace")) > 256:
        yield "must be <= 256 characters long"


def _column(column: dict[str, Any], field: FieldPath) -> _Found:
    if column.get("type") and column["type"] not in _COLUMN_TYPES:
        yield (*field, "type"), f"Invalid value: {show(column['type'])}: must be one of {','.join(_COLUMN_TYPES)}"
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        yield (*field, "format"), f"Invalid value: {show(column['format'])}: must be one of {','.join(_COLUMN_FORMATS)}"
    path = column.get("jsonPath")
    if isinstance(path, str) and path and not path.startswith("."):
        yield (*field, "jsonPath"), f"Invalid value: {show(path)}: must be a simple json path starting with ."


def _scale(scale: dict[str, Any], field: FieldPath) -> _Found:
    allowed = {
        "specReplicasPath": ((".spec.",), "should be a json path under .spec"),
        "statusReplicasPath": ((".status.",), "should be a json path under .status"),
        "labelSelectorPath": ((".spec.", ".status."), "should be a json path under either .spec or .status"),
    }
    for name, (starts, words) in allowed.items():
        path = scale.get(name)
        if not isinstance(path, str) or not path:
            continue
        if not path.startswith("."):
            yield (*field, name), f"Invalid value: {show(path)}: must be a simple json path starting with ."
        elif not path.startswith(starts):
            yield (*field, name), f"Invalid value: {show(path)}: {words}"


def _selectable(fields: list[Any], field: FieldPath) -> _Found:
    paths = [_dict(entry).get("jsonPath") for entry in fields]
    for index, path in enumerate(paths):
        if path and path in paths[:index]:
            yield (*field, index, "jsonPath"), f"Duplicate value: {show(path)}"
        if isinstance(path, str) and path.startswith(".metadata."):
            yield (*field, index, "jsonPath"), f"Invalid value: {show(path)}: must not point to fields in metadata"
    if len(paths) > _MOST_SELECTABLE:
        yield field, f"Too many: {len(paths)}: must have at most {_MOST_SELECTABLE} items"


def _conversion(conversion: dict[str, Any]) -> _Found:
    field: FieldPath = ("spec", "conversion")
    webhook = conversion.get("webhook")
    yield from _enum((*field, "strategy"), conversion.get("strategy"), ("None", "Webhook"))
    if conversion.get("strategy") == "Webhook":
        yield from _webhook(_dict(webhook), (*field, "webhook"))
    elif isinstance(webhook, dict) and webhook.get("clientConfig") is not None:
        yield (*field, "webhook", "clientConfig"), "Forbidden: should not be set when strategy is not set to Webhook"


def _webhook(webhook: dict[str, Any], field: FieldPath) -> _Found:
    client = webhook.get("clientConfig")
    if not isinstance(client, dict):
        yield (*field, "clientConfig"), "Required value: required when strategy is set to Webhook"
    elif (client.get("url") is None) == (client.get("service") is None):
        yield (*field, "clientConfig"), "Required value: exactly one of url or service is required"
    accepted = _list(webhook.get("conversionReviewVersions"))
    if not accepted:
        yield (*field, "conversionReviewVersions"), "Required value"
    elif not {"v1", "v1beta1"}.intersection(word for word in accepted if isinstance(word, str)):
        yield (
            (*field, "conversionReviewVersions"),
            f"Invalid value: {show(accepted)}: must include at least one of v1, v1beta1",
        )

"""A directory of JSON schemas laid out as for kubeconform, read through a function that cannot leave it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_guard.errors import SchemaError
from gitops_guard.model import Body, FieldPath, Problem
from gitops_guard.schema.base import Schema
from gitops_guard.schema.structural import all_schemas, properties
from gitops_guard.schema.wording import Wording, plain_path, type_name

DEFAULT_TEMPLATE = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
_FIELD = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


class SchemaDirectory:
    """Schemas by a path made from group, version and kind; each is read once."""

    def __init__(
        self,
        template: str,
        read: Callable[[str], bytes | None],
        *,
        kubernetes_version: str = "master",
        strict: bool = True,
    ) -> None:
        """Describe where schemas lie.

        Args:
            template: Path with kubeconform's fields: `{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`.
            read: Returns a file's bytes by its path in the directory, None when there is none.
            kubernetes_version: What `{{.NormalizedKubernetesVersion}}` stands for: `1.37` becomes `v1.37.0`.
            strict: Whether `{{.StrictSuffix}}` is `-strict` or nothing.

        Raises:
            SchemaError: The template names a field that does not exist, or leaves the directory.
        """
        unknown = sorted(set(_FIELD.findall(template)) - set(_fields("g", "v1", "K", "1.30", strict=strict)))
        if unknown:
            raise SchemaError(f"schema template {template!r}: unknown field {{{{.{unknown[0]}}}}}")
        if template.startswith("/") or ".." in template.split("/"):
            raise SchemaError(f"schema template {template!r}: must stay inside its directory")
        self._template = template
        self._read = read
        self._kubernetes_version = kubernetes_version
        self._strict = strict
        self._found: dict[tuple[str, str, str], Schema | None] = {}

    def find(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a kind; None when the directory has none, or the words could be no API's.

        Raises:
            SchemaError: The file is no JSON Schema.
        """
        key = (group, version, kind)
        if key not in self._found:
            self._found[key] = self._load(group, version, kind)
        return self._found[key]

    def _load(self, group: str, version: str, kind: str) -> Schema | None:
        words = [kind, version, *([group] if group else [])]
        if not all(_SAFE.fullmatch(word) and ".." not in word for word in words):
            return None  # no API has such a name, and no path is made from it
        fields = _fields(group, version, kind, self._kubernetes_version, strict=self._strict)
        path = _FIELD.sub(lambda match: fields[match[1]], self._template)
        content = self._read(path)
        if content is None:
            return None
        try:
            schema = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"{path}: no JSON: {error}") from error
        if not isinstance(schema, dict):
            raise SchemaError(f"{path}: a JSON Schema is an object")
        return JsonSchemaFile(schema, path=path)


def _fields(group: str, version: str, kind: str, kubernetes_version: str, *, strict: bool) -> dict[str, str]:
    number = kubernetes_version.removeprefix("v")
    normalized = f"v{number}.0" if number.count(".") == 1 else f"v{number}" if number[:1].isdigit() else number
    first_label = f"-{group.partition('.')[0]}" if group else ""
    return {
        "Group": group,
        "KindSuffix": f"{first_label}-{version}".lower(),
        "NormalizedKubernetesVersion": normalized,
        "ResourceAPIVersion": version,
        "ResourceKind": kind.lower(),
        "StrictSuffix": "-strict" if strict else "",
    }


class JsonSchemaFile:
    """A schema file of somebody else's making, judged by jsonschema."""

    def __init__(self, schema: dict[str, Any], *, path: str) -> None:
        """Wrap a schema.

        Args:
            schema: Of any draft that jsonschema knows; references must stay inside the file.
            path: Named when the schema itself is wrong.
        """
        self._schema = schema
        self._path = path
        self.complete = not any(node.get("x-kubernetes-validations") for node in all_schemas(schema))

    def problems(self, body: Body) -> Iterator[Problem]:
        """Yield everything that does not fit, in document order.

        Raises:
            SchemaError: The schema cannot be used: it is wrong itself or refers to another file.
        """
        from jsonschema import Draft7Validator, validators  # 76 ms: only when a file needs it
        from jsonschema.exceptions import SchemaError as BadSchemaError
        from referencing import Registry
        from referencing.exceptions import Unresolvable

        checker = validators.validator_for(self._schema, default=Draft7Validator)
        secret = body.get("kind") == "Secret"
        try:
            checker.check_schema(self._schema)
            found = sorted(
                checker(self._schema, registry=Registry()).iter_errors(_without_nulls(body)),
                key=lambda error: [str(part) for part in error.absolute_path],
            )
        except BadSchemaError as error:
            raise SchemaError(f"{self._path}: no valid JSON Schema: {error.validator} at {error.json_path}") from error
        except Unresolvable as error:
            raise SchemaError(
                f"{self._path}: cannot follow the reference {error.ref!r}; only references inside the file work"
            ) from error
        for one in found:
            yield from _problems(Wording(secret=secret), one)


def _problems(say: Wording, error: Any) -> Iterator[Problem]:
    """Put one of jsonschema's errors into our words: its own message prints the value."""
    field: FieldPath = tuple(error.absolute_path)
    keyword, limit, value = error.validator, error.validator_value, error.instance
    if keyword == "additionalProperties" and limit is False:
        known = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        for name in value:
            if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                yield say.unknown((*field, name), known)
    elif keyword == "required":
        absent = (name for name in limit if name not in value and repr(name) in error.message)
        yield from (
            say.missing((*field, name)) for name in absent if not _may_be_absent(properties(error.schema).get(name, {}))
        )
    elif keyword == "type":
        kinds = [limit] if isinstance(limit, str) else list(limit)
        yield say.wrong_type(field, [kind for kind in kinds if kind != "null"], value)
    elif keyword in ("enum", "const"):
        yield say.unsupported(field, value, limit if keyword == "enum" else [limit])
    else:
        shown = value if isinstance(value, (str, int, float, bool)) else type_name(value)
        yield say.invalid(field, shown, f"{plain_path(field)} in body does not meet {keyword}{_limit(limit)}")


def _without_nulls(value: Any) -> Any:
    """Copy a tree without null fields: the API server drops them before it validates, a JSON Schema cannot say so."""
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value


def _may_be_absent(schema: dict[str, Any]) -> bool:
    """Tell whether a required field is filled in by the server, or may have been the null that was left out."""
    return "default" in schema or "null" in (schema.get("type") or ()) or schema.get("nullable") is True


def _limit(limit: Any) -> str:
    return f" {limit}" if isinstance(limit, (str, int, float)) else ""

"""Custom resources against the structural schema of their CRD, in the API server's order.

Unknown fields first, then pruning, nulls, defaults, validation and list types. The body is judged on a copy; paths
stay those of the document.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitops_guard.model import Body, FieldPath, MapKey, Problem
from gitops_guard.schema.custom_formats import FORMATS, NOT_EVALUATED
from gitops_guard.schema.formats import INT32, INT64
from gitops_guard.schema.patterns import BadPatternError, ForeignPatternError, compile_pattern
from gitops_guard.schema.walk import Walk, is_type, value_token
from gitops_guard.schema.wording import Wording, plain_path, show, type_name

JsonSchema = dict[str, Any]

JudgeRules = Callable[[Body], Iterable[Problem]]
"""Yields what the CEL rules of a schema say about a body that fits the schema, defaults filled in."""

CompileRules = Callable[[JsonSchema], JudgeRules | None]
"""Compiles the CEL rules of a schema; None when they cannot be evaluated. This package knows no CEL itself."""

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META_FIELDS = ("apiVersion", "kind", "metadata")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_JUNCTORS = ("allOf", "anyOf", "oneOf")


def sub_schema(schema: JsonSchema, key: str) -> JsonSchema | None:
    """Return the schema under `items`, `additionalProperties` or `not`; None when there is none."""
    inner = schema.get(key)
    return inner if isinstance(inner, dict) else None


def properties(schema: JsonSchema) -> dict[str, JsonSchema]:
    """Return the properties that are schemas."""
    found = schema.get("properties")
    return {name: child for name, child in found.items() if isinstance(child, dict)} if isinstance(found, dict) else {}


def branches(schema: JsonSchema, junctor: str) -> list[JsonSchema]:
    """Return the schemas under `allOf`, `anyOf` or `oneOf`."""
    found = schema.get(junctor)
    return [child for child in found if isinstance(child, dict)] if isinstance(found, list) else []


def all_schemas(schema: JsonSchema) -> Iterator[JsonSchema]:
    """Yield a schema and every schema inside it."""
    yield schema
    inner = [*properties(schema).values(), *(child for junctor in _JUNCTORS for child in branches(schema, junctor))]
    inner += [
        child for key in ("items", "additionalProperties", "not") if (child := sub_schema(schema, key)) is not None
    ]
    for child in inner:
        yield from all_schemas(child)


def has_rules(schema: JsonSchema) -> bool:
    """Tell whether a schema has CEL rules anywhere."""
    return any(node.get("x-kubernetes-validations") for node in all_schemas(schema))


def is_evaluated(schema: JsonSchema) -> bool:
    """Tell whether everything in a schema but its CEL rules is judged here: no foreign pattern, no format left out."""
    for node in all_schemas(schema):
        if node.get("format") in NOT_EVALUATED:
            return False
        try:
            compile_pattern(str(node.get("pattern", "")))
        except (BadPatternError, ForeignPatternError):
            return False
    return True


class CustomSchema:
    """The schema of one version of a custom resource."""

    def __init__(
        self,
        schema: JsonSchema,
        *,
        metadata: dict[str, Any],
        drops_status: bool = False,
        compile_rules: CompileRules | None = None,
    ) -> None:
        """Wrap a schema.

        Args:
            schema: The version's `openAPIV3Schema`.
            metadata: Definitions of a slice that holds ObjectMeta.
            drops_status: The status subresource is on, so `status` is thrown away on create.
            compile_rules: Compiles the schema's CEL rules; None: they are not evaluated.
        """
        self._schema = {**schema, _EMBEDDED: True}
        self._metadata = Walk(metadata, Wording())
        self._drops_status = drops_status
        self._say = Wording()
        rules = compile_rules(schema) if compile_rules is not None and has_rules(schema) else None
        self._judge_rules = rules
        self.complete = is_evaluated(schema) and (rules is not None or not has_rules(schema))

    def problems(self, body: Body) -> Iterator[Problem]:
        """Yield everything that does not fit, in document order."""
        found = list(self._unknown(self._schema, body, ()))
        found += self._embedded_metadata(self._schema, body, ())
        pruned = prune(self._schema, _unshared(body))
        if self._drops_status:
            pruned.pop("status", None)
        _drop_nulls(self._schema, pruned)
        _set_defaults(self._schema, pruned)
        judge = Validation(self._say)
        found += judge.value({key: item for key, item in self._schema.items() if key != _EMBEDDED}, pruned, ())
        found += judge.list_types(self._schema, pruned, ())
        if self._judge_rules is not None and not any(_blocks_rules(problem) for problem in found):
            found += self._judge_rules(pruned)
        yield from sorted(found, key=lambda problem: _position(body, problem.field))

    def _unknown(self, schema: JsonSchema | None, value: Any, field: FieldPath) -> Iterator[Problem]:
        keeps = schema is not None and schema.get(_PRESERVE) is True
        schema = schema or {}
        if isinstance(value, list):
            items = sub_schema(schema, "items")
            for index, item in enumerate(value):
                if items is not None or not keeps:
                    yield from self._unknown(items, item, (*field, index))
        elif isinstance(value, dict) or not field:
            known, extra = properties(schema), schema.get("additionalProperties")
            for name, item in value.items():
                if schema.get(_EMBEDDED) and name in _META_FIELDS:
                    continue
                if name in known:
                    yield from self._unknown(known[name], item, (*field, name))
                elif isinstance(extra, dict):
                    yield from self._unknown(extra, item, (*field, MapKey(name)))
                elif not keeps and extra is not True:
                    yield self._say.unknown((*field, name), [*known, *(_META_FIELDS if schema.get(_EMBEDDED) else ())])

    def _embedded_metadata(self, schema: JsonSchema, value: Any, field: FieldPath) -> Iterator[Problem]:
        if isinstance(value, list):
            items = sub_schema(schema, "items")
            for index, item in enumerate(value if items else ()):
                yield from self._embedded_metadata(items or {}, item, (*field, index))
        elif isinstance(value, dict) or not field:
            if schema.get(_EMBEDDED):
                yield from self._type_meta(value, field)
            extra = sub_schema(schema, "additionalProperties")
            for name, item in value.items():
                child = properties(schema).get(name)
                if child is not None:
                    yield from self._embedded_metadata(child, item, (*field, name))
                elif extra is not None:
                    yield from self._embedded_metadata(extra, item, (*field, MapKey(name)))

    def _type_meta(self, value: Any, field: FieldPath) -> Iterator[Problem]:
        for name in ("apiVersion", "kind"):
            if value.get(name) is None:
                yield self._say.missing((*field, name))
            elif not isinstance(value[name], str):
                yield self._say.invalid((*field, name), value[name], "must be a string")
            elif not value[name]:
                yield self._say.invalid((*field, name), "", "must not be empty")
        metadata = value.get("metadata")
        if isinstance(metadata, dict):
            for problem in self._metadata.problems(OBJECT_META, metadata):
                yield _below((*field, "metadata"), problem)
        elif metadata is not None:
            yield self._say.wrong_type((*field, "metadata"), ["object"], metadata)


def _blocks_rules(problem: Problem) -> bool:
    """Tell whether the API server evaluates no CEL rules because of a problem: the value's type is in doubt."""
    return problem.rule in ("missing-field", "unsupported-value", "wrong-type") or problem.message.startswith(
        ("Too long", "Too many")
    )


def _unshared(value: Any) -> Any:
    """Copy a tree so that no two places share a part: aliases do, but each place is pruned by its own schema."""
    if isinstance(value, list):
        return [_unshared(item) for item in value]
    return {name: _unshared(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _below(parent: FieldPath, problem: Problem) -> Problem:
    field = (*parent, *problem.field)
    message = f'unknown field "{plain_path(field)}"' if problem.rule == "unknown-field" else problem.message
    return Problem(
        field=field,
        message=message,
        hint=problem.hint,
        on_key=problem.on_key,
        severity=problem.severity,
        rule=problem.rule,
    )


def _position(body: Any, field: FieldPath) -> list[int]:
    """Return where a field stands in its document; what is absent comes after its siblings."""
    position: list[int] = []
    node = body
    for part in field:
        keys: list[Any] = _keys(node)
        if part not in keys:
            return [*position, len(keys)]
        position.append(keys.index(part))
        node = node[part]
    return position


def _keys(node: Any) -> list[Any]:
    if isinstance(node, list):
        return list(range(len(node)))
    return list(node) if isinstance(node, dict) else []


def prune(schema: JsonSchema | None, value: Any) -> Any:
    """Drop fields that the schema does not have, in place."""
    keeps = schema is not None and schema.get(_PRESERVE) is True
    schema = schema or {}
    if isinstance(value, list):
        for item in value:
            if not keeps or "items" in schema:
                prune(sub_schema(schema, "items"), item)
    elif isinstance(value, dict):
        known, extra = properties(schema), schema.get("additionalProperties")
        for name in list(value):
            if schema.get(_EMBEDDED) and name in _META_FIELDS:
                continue
            if name in known:
                prune(known[name], value[name])
            elif isinstance(extra, dict):
                prune(extra, value[name])
            elif not keeps and extra is not True:
                del value[name]
    return value


def _child(schema: JsonSchema, name: str) -> JsonSchema | None:
    return properties(schema).get(name) or sub_schema(schema, "additionalProperties")


def _drop_nulls(schema: JsonSchema | None, value: Any) -> None:
    """Drop nulls that are neither allowed nor replaced by a default, in place."""
    if isinstance(value, list):
        for item in value:
            _drop_nulls(sub_schema(schema or {}, "items"), item)
    elif isinstance(value, dict):
        for name in list(value):
            child = _child(schema or {}, name)
            if value[name] is None and child is not None and not child.get("nullable") and "default" not in child:
                del value[name]
            else:
                _drop_nulls(child, value[name])


def _set_defaults(schema: JsonSchema | None, value: Any) -> None:
    """Fill in defaults at every level, in place."""
    if schema is None:
        return
    if isinstance(value, list):
        items = sub_schema(schema, "items")
        for index, item in enumerate(value):
            if item is None and items is not None and not items.get("nullable") and "default" in items:
                value[index] = copy.deepcopy(items["default"])
            _set_defaults(items, value[index])
    elif isinstance(value, dict):
        for name, child in properties(schema).items():
            if "default" in child and (name not in value or (value[name] is None and not child.get("nullable"))):
                value[name] = copy.deepcopy(child["default"])
        for name, item in value.items():
            _set_defaults(_child(schema, name), item)


class Validation:
    """The value validations of a schema, with kube-openapi's words."""

    def __init__(self, wording: Wording) -> None:
        """Say problems with `wording`."""
        self._say = wording

    def value(self, schema: JsonSchema, value: Any, field: FieldPath) -> list[Problem]:
        """Return what is wrong with one value."""
        kinds = ["integer", "string"] if schema.get(_INT_OR_STRING) else [schema["type"]] if schema.get("type") else []
        found: list[Problem] = []
        if value is None:
            if kinds and not schema.get("nullable"):
                return [self._wrong_type(field, kinds, value)]
            return self._enum(schema, value, field)
        if kinds and not any(is_type(value, kind) for kind in kinds):
            return [self._wrong_type(field, kinds, value)]
        found += self._enum(schema, value, field)
        if isinstance(value, str):
            found += self._string(schema, value, field)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found += self._number(schema, value, field)
        elif isinstance(value, list):
            found += self._array(schema, value, field)
        elif isinstance(value, dict):
            found += self._object(schema, value, field)
        found += self._junctors(schema, value, field)
        return found

    def _wrong_type(self, field: FieldPath, kinds: list[str], value: Any) -> Problem:
        got = type_name(value)
        detail = f'{plain_path(field)} in body must be of type {",".join(kinds)}: "{got}"'
        return Problem(field=field, rule="wrong-type", message=f'Invalid value: "{got}": {detail}')

    def _in_body(self, field: FieldPath, value: Any, detail: str) -> Problem:
        return self._say.invalid(field, value, f"{plain_path(field)} in body {detail}")

    def _enum(self, schema: JsonSchema, value: Any, field: FieldPath) -> list[Problem]:
        words = schema.get("enum")
        if not isinstance(words, list) or any(_same(value, word) for word in words):
            return []
        return [self._say.unsupported(field, value, [word if isinstance(word, str) else show(word) for word in words])]

    def _string(self, schema: JsonSchema, value: str, field: FieldPath) -> Iterator[Problem]:
        least, most, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
        if most is not None and len(value) > most:
            unit = "byte" if most == 1 else "bytes"
            yield Problem(field=field, rule="invalid-value", message=f"Too long: may not be more than {most} {unit}")
        if least is not None and len(value) < least:
            yield self._in_body(field, value, f"should be at least {least} chars long")
        if pattern and not _matches(pattern, value):
            yield self._in_body(field, value, f"should match '{pattern}'")
        fits = FORMATS.get(schema.get("format", ""))
        if fits is not None and not fits(value):
            yield self._in_body(field, value, f"must be of type {schema['format']}: {show(value)}")

    def _number(self, schema: JsonSchema, value: float, field: FieldPath) -> Iterator[Problem]:
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and (value <= low if schema.get("exclusiveMinimum") else value < low):
            words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
            yield self._in_body(field, value, f"should be {words} {low}")
        if high is not None and (value >= high if schema.get("exclusiveMaximum") else value > high):
            words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
            yield self._in_body(field, value, f"should be {words} {high}")
        factor = schema.get("multipleOf")
        if factor and not _is_multiple(value, factor):
            yield self._in_body(field, value, f"should be a multiple of {factor}")
        if schema.get("type") == "integer":
            first, last = INT32 if schema.get("format") == "int32" else INT64
            if not first <= value <= last:
                form = schema.get("format", "int64")
                yield self._say.invalid(field, value, f"must be of type integer with format {form} in body")

    def _array(self, schema: JsonSchema, value: list[Any], field: FieldPath) -> Iterator[Problem]:
        least, most = schema.get("minItems"), schema.get("maxItems")
        if least is not None and len(value) < least:
            yield self._in_body(field, len(value), f"should have at least {least} items")
        if most is not None and len(value) > most:
            yield self._too_many(field, len(value), most)
        if schema.get("uniqueItems") and len({value_token(item) for item in value}) < len(value):
            yield self._in_body(field, "", "shouldn't contain duplicates")
        items = sub_schema(schema, "items")
        for index, item in enumerate(value):
            if items is not None:
                yield from self.value(items, item, (*field, index))

    def _object(self, schema: JsonSchema, value: dict[str, Any], field: FieldPath) -> Iterator[Problem]:
        least, most = schema.get("minProperties"), schema.get("maxProperties")
        if least is not None and len(value) < least:
            yield self._in_body(field, len(value), f"should have at least {least} properties")
        if most is not None and len(value) > most:
            yield self._too_many(field, len(value), most)
        for name in schema.get("required") or ():
            if name not in value:
                yield self._say.missing((*field, name))
        known, extra = properties(schema), sub_schema(schema, "additionalProperties")
        for name, item in value.items():
            if name in known:
                yield from self.value(known[name], item, (*field, name))
            elif extra is not None:
                yield from self.value(extra, item, (*field, MapKey(name)))

    def _too_many(self, field: FieldPath, count: int, most: int) -> Problem:
        unit = "item" if most == 1 else "items"
        return Problem(field=field, rule="invalid-value", message=f"Too many: {count}: must have at most {most} {unit}")

    def _junctors(self, schema: JsonSchema, value: Any, field: FieldPath) -> Iterator[Problem]:
        for branch in branches(schema, "allOf"):
            yield from self.value(branch, value, field)
        any_of, one_of, never = branches(schema, "anyOf"), branches(schema, "oneOf"), sub_schema(schema, "not")
        if any_of and all(self.value(branch, value, field) for branch in any_of):
            yield self._composite(field, "must validate at least one schema (anyOf)")
        if one_of:
            fitting = sum(not self.value(branch, value, field) for branch in one_of)
            if fitting != 1:
                tail = "Found none valid" if not fitting else f"Found {fitting} valid alternatives"
                yield self._composite(field, f"must validate one and only one schema (oneOf). {tail}")
        if never is not None and not self.value(never, value, field):
            yield self._composite(field, "must not validate the schema (not)")

    def _composite(self, field: FieldPath, detail: str) -> Problem:
        return self._say.invalid(field, "", f'"{plain_path(field)}" {detail}')

    def list_types(self, schema: JsonSchema, value: Any, field: FieldPath) -> Iterator[Problem]:
        """Yield the items of sets and maps that repeat another."""
        if isinstance(value, list):
            yield from self._list_type(schema, value, field)
            items = sub_schema(schema, "items")
            for index, item in enumerate(value if items else ()):
                yield from self.list_types(items or {}, item, (*field, index))
        elif isinstance(value, dict):
            known, extra = properties(schema), sub_schema(schema, "additionalProperties")
            for name, item in value.items():
                if name in known:
                    yield from self.list_types(known[name], item, (*field, name))
                elif extra is not None:
                    yield from self.list_types(extra, item, (*field, MapKey(name)))

    def _list_type(self, schema: JsonSchema, value: list[Any], field: FieldPath) -> Iterator[Problem]:
        kind = schema.get("x-kubernetes-list-type")
        keys: list[Any]
        if kind == "map":
            if not all(item is None or isinstance(item, dict) for item in value):
                return  # the type check has said it
            names = schema.get("x-kubernetes-list-map-keys") or ()
            keys = [{name: item[name] for name in names if name in item} for item in (item or {} for item in value)]
        elif kind == "set":
            keys = value
        else:
            return
        count: Counter[str] = Counter()
        for index, key in enumerate(keys):
            token = value_token(key)
            count[token] += 1
            if count[token] == 2:  # the server names the first repetition only
                yield self._say.duplicate((*field, index), key)


def _same(left: Any, right: Any) -> bool:
    """Compare as JSON: true is not 1, but 1.0 is."""
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _matches(pattern: str, value: str) -> bool:
    try:
        return compile_pattern(pattern).search(value) is not None
    except (BadPatternError, ForeignPatternError):
        return True  # not evaluated: the schema says so by `complete`


def _is_multiple(value: float, factor: float) -> bool:
    quotient = value / factor
    return quotient == int(quotient)

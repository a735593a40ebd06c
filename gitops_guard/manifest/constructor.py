"""Nodes to a JSON-pure tree: keys become strings, merges are merged, aliases share what they name."""

import math

from gitops_guard.manifest.composer import Kind, Node
from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.issue import Issue, UnreadableError
from gitops_guard.manifest.keys import key_text
from gitops_guard.manifest.limits import MAX_DEPTH
from gitops_guard.manifest.readings import candidate
from gitops_guard.manifest.scalars import UndecodableError, is_date, resolve, resolve_tagged, to_json
from gitops_guard.model import FieldPath, Severity

_MERGE_TAG = "tag:yaml.org,2002:merge"
_STRING_TAG = "tag:yaml.org,2002:str"
_MERGE = "<<"


class _Worth:
    """What a node has been made into, and what go-yaml's alias budget and the depth limit count of it."""

    __slots__ = ("height", "size", "value")

    def __init__(self, value: object, size: int, height: int) -> None:
        self.value = value
        self.size = size
        self.height = height


def is_merge(key: Node) -> bool:
    """Tell whether a key is YAML 1.1's merge key."""
    return key.kind is Kind.SCALAR and key.text == _MERGE and (key.plain or key.tag == _MERGE_TAG)


def key_of(node: Node, *, dialect: Dialect) -> str | None:
    """Return the string that a key node becomes, or None for a key that no Kubernetes reader takes."""
    if node.kind is Kind.ALIAS and node.alias_of is not None:
        node = node.alias_of
    if node.kind is not Kind.SCALAR:
        return None
    return key_text(_resolved(node, dialect))


def _resolved(node: Node, dialect: Dialect) -> object:
    if node.tag is not None:
        return resolve_tagged(node.text, node.tag, dialect=dialect)
    return resolve(node.text, dialect=dialect) if node.plain else node.text


class Constructor:
    """Builds the tree of one document and collects what must be said about it.

    Recursion is safe: the composer has bounded the depth, and an alias reuses what its anchor was made into.
    """

    def __init__(self, *, dialect: Dialect, is_json: bool) -> None:
        self._dialect = dialect
        self._is_json = is_json
        self._decodes = 0
        self._aliased = 0
        self.issues: list[Issue] = []

    def build(self, root: Node) -> object:
        """Build a document.

        Raises:
            UnreadableError: kubectl could not make a tree of it.
        """
        return self._value(root, (), 1).value

    def _value(self, node: Node, path: FieldPath, depth: int) -> _Worth:
        self._decodes += 1
        if node.kind is Kind.ALIAS:
            return self._alias(node, path, depth)
        if node.kind is Kind.MAPPING:
            worth = self._mapping(node, path, depth)
        elif node.kind is Kind.SEQUENCE:
            parts = [self._value(item, (*path, index), depth + 1) for index, item in enumerate(node.items)]
            worth = _collected([part.value for part in parts], parts)
        else:
            worth = _Worth(self._scalar(node, path), 1, 0)
        node.worth = worth
        return worth

    def _alias(self, node: Node, path: FieldPath, depth: int) -> _Worth:
        target = node.alias_of
        assert target is not None, "the composer refuses unknown anchors"
        # The anchor of a key has no worth as a value yet; it is a scalar, so building it here costs nothing.
        worth = target.worth if isinstance(target.worth, _Worth) else self._value(target, path, depth)
        self._decodes += worth.size
        self._aliased += worth.size
        if _excessive(self._aliased, self._decodes):
            raise UnreadableError("yaml-alias-budget", "the document contains excessive aliasing", node.start, node.end)
        if depth + worth.height > MAX_DEPTH:
            raise UnreadableError(
                "yaml-depth", f"nested more than {MAX_DEPTH} levels deep with its aliases", node.start, node.end
            )
        return _Worth(worth.value, worth.size + 1, worth.height)

    def _scalar(self, node: Node, path: FieldPath) -> object:
        try:
            value = to_json(_resolved(node, self._dialect))
        except UndecodableError as error:
            raise UnreadableError("yaml-syntax", str(error), node.start, node.end, hint="correct the tag") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise UnreadableError("yaml-not-finite", "JSON has no infinity and no NaN", node.start, node.end)
        if self._is_json and node.plain and isinstance(value, str):
            raise UnreadableError("yaml-not-finite", "the number is too large for a float", node.start, node.end)
        if node.plain:
            self._remark(node, value, path)
        return value

    def _remark(self, node: Node, value: object, path: FieldPath) -> None:
        issue = candidate(node.text, value, path, node.start, node.end, dialect=self._dialect)
        # JSON's numbers mean one thing to all readers; only their range is in question.
        if issue is not None and (not self._is_json or issue.rule == "yaml-number-rounded"):
            self.issues.append(issue)
        if node.text.endswith("---") and node.text[:3] != "---" and not self._is_json:
            self.issues.append(
                Issue(
                    rule="yaml-separator",
                    severity=Severity.WARNING,
                    message="`---` is part of this value, it separates nothing",
                    hint="write the separator at the start of the line, or quote the value",
                    start=node.start,
                    end=node.end,
                    field=path,
                )
            )

    def _mapping(self, node: Node, path: FieldPath, depth: int) -> _Worth:
        body: dict[str, object] = {}
        explicit: dict[str, Node] = {}
        parts: list[_Worth] = []
        merges = 0
        for key_node, value_node in node.pairs:
            if is_merge(key_node):
                merges += 1
                if merges > 1:
                    self._report_duplicate(_MERGE, key_node, path)
                self._merge(key_node, value_node, body, explicit, parts, path, depth)
                continue
            key = self._key(key_node, path)
            if key in explicit:
                self._report_duplicate(key, key_node, path)
            if key == _MERGE and self._dialect is Dialect.KUSTOMIZE:
                continue  # reported with the key
            part = self._entry(value_node, (*path, key), depth + 1, in_flow=node.flow)
            parts.append(part)
            explicit[key] = key_node
            body[key] = part.value
        return _collected(body, parts)

    def _entry(self, node: Node, path: FieldPath, depth: int, *, in_flow: bool) -> _Worth:
        is_missing = node.kind is Kind.SCALAR and node.plain and not node.text
        if self._dialect is Dialect.KUSTOMIZE and in_flow and is_missing:
            self._decodes += 1
            return _Worth("", 1, 0)
        return self._value(node, path, depth)

    def _key(self, node: Node, path: FieldPath) -> str:
        self._decodes += 1
        try:
            key = key_of(node, dialect=self._dialect)
        except UndecodableError as error:
            raise UnreadableError("yaml-syntax", str(error), node.start, node.end, hint="correct the tag") from None
        if key is None:
            raise UnreadableError(
                "yaml-key-type", "a key must be a string: this one is null, a collection or beyond 64 bits",
                node.start, node.end, hint="quote the key",
            )  # fmt: skip
        if self._is_no_string(node):
            self._report_key(key, node, path)
        elif key == _MERGE and self._dialect is Dialect.KUSTOMIZE:
            self.issues.append(
                Issue(
                    rule="yaml-lost-text",
                    message='kustomize takes the quoted key "<<" for a merge and drops it',
                    start=node.start,
                    end=node.end,
                    field=(*path, key),
                )
            )
        return key

    def _is_no_string(self, node: Node) -> bool:
        """Tell whether a key is a string only because kubectl makes it one."""
        if node.kind is Kind.ALIAS and node.alias_of is not None:
            node = node.alias_of
        if node.tag is not None:
            # kustomize takes no key with a tag but the one that says string.
            is_odd = self._dialect is Dialect.KUSTOMIZE and node.tag not in {"!", _STRING_TAG}
            return is_odd or not isinstance(_resolved(node, self._dialect), str)
        if not node.plain or self._is_json:
            return False
        return is_date(node.text) or not isinstance(_resolved(node, self._dialect), str)

    def _report_key(self, key: str, node: Node, path: FieldPath) -> None:
        self.issues.append(
            Issue(
                rule="yaml-key-not-string",
                message=f'the unquoted key `{node.text}` is no string; kubectl makes it "{key}"',
                hint="quote the key",
                start=node.start,
                end=node.end,
                field=(*path, key),
            )
        )

    def _report_duplicate(self, key: str, node: Node, path: FieldPath) -> None:
        self.issues.append(
            Issue(
                rule="yaml-duplicate-key",
                message=f'the key "{key}" is written twice in one mapping; only the last one counts',
                hint="remove one of them",
                start=node.start,
                end=node.end,
                field=(*path, key),
            )
        )

    def _merge(
        self,
        key_node: Node,
        value_node: Node,
        body: dict[str, object],
        explicit: dict[str, Node],
        parts: list[_Worth],
        path: FieldPath,
        depth: int,
    ) -> None:
        """Merge into `body`; what is merged later wins, but for explicit keys in kustomize's dialect."""
        sources = value_node.items if value_node.kind is Kind.SEQUENCE else [value_node]
        late: set[str] = set()
        for source in reversed(sources):
            target = source.alias_of if source.kind is Kind.ALIAS else source
            if target is None or target.kind is not Kind.MAPPING:
                raise UnreadableError(
                    "yaml-merge-value", "a merge wants a mapping, or a list of mappings", source.start, source.end
                )
            part = self._value(source, path, depth)
            assert isinstance(part.value, dict), "a mapping node is worth a dict"
            parts.append(part)
            for key, value in part.value.items():
                if key in explicit:
                    late.add(key)
                if key not in explicit or self._dialect is Dialect.KUBECTL:
                    body[key] = value
        for key in sorted(late):
            self._report_late_merge(key, key_node, path)

    def _report_late_merge(self, key: str, node: Node, path: FieldPath) -> None:
        self.issues.append(
            Issue(
                rule="yaml-merge-after-key",
                message=f'the merge comes after the key "{key}": it wins in kubectl, the key wins in kustomize',
                hint="put `<<` first in its mapping",
                start=node.start,
                end=node.end,
                field=(*path, key),
            )
        )


def _collected(value: object, parts: list[_Worth]) -> _Worth:
    size = 1 + sum(part.size for part in parts)
    return _Worth(value, size, 1 + max((part.height for part in parts), default=0))


def _excessive(aliased: int, decodes: int) -> bool:
    """go-yaml's rule: the bigger the document, the smaller the share that aliases may have."""
    if aliased <= 100 or decodes <= 1000:
        return False
    low, high = 400_000, 4_000_000
    share = min(max((decodes - low) / (high - low), 0.0), 1.0)
    return aliased / decodes > 0.99 - 0.89 * share

"""YAML text as nodes that know their line, read with strict types.

Nodes, not constructed values: `1.30` keeps its zero, `off` stays a word, `2026-12-31` stays text, and every complaint
can name a line. Hostile text is bounded: size, depth, and the number of nodes visited through aliases.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NoReturn, TypeVar

import yaml

from gitops_guard.errors import ConfigError
from gitops_guard.model import Json

_MAX_SIZE: Final = 1_048_576
_MAX_DEPTH: Final = 50
_MAX_VISITS: Final = 100_000
# A leading zero means octal to some readers of YAML and nothing to others.
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)", re.ASCII)
_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = {"map": "a mapping", "seq": "a list", "str": "text", "null": "nothing", "bool": "a truth value"}

_Composed = TypeVar("_Composed")
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document:
    """One configuration text; all reading goes through it, so that every error names path and line."""

    def __init__(self, text: str, path: str) -> None:
        """Parse the text.

        Raises:
            ConfigError: It is no YAML, too large, too deep or more than one document.
        """
        self.path = path
        self._visits = 0
        self.root = self._compose(text)

    @classmethod
    def all(cls, text: str, path: str) -> "Iterator[Document]":
        """Read every document of a text that may hold several.

        Raises:
            ConfigError: It is no YAML, too large or too deep.
        """
        for root in cls("", path)._compose_all(text):
            one = cls("", path)
            one.root = root
            yield one

    def fail(self, message: str, node: yaml.Node | None) -> NoReturn:
        """Raise a ConfigError that points at the node."""
        raise ConfigError(message, path=self.path, line=_line(node))

    def entries(
        self, node: yaml.Node, key: str, allowed: Sequence[str] | None
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Read a mapping.

        Args:
            node: What should be one.
            key: Its name for messages: `overrides[0]`; empty for the whole file.
            allowed: The keys it may have; None: any.

        Returns:
            Key node and value node by key. Keys written here win over those merged in by `<<`.
        """
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for name_node, value in self._mapping(node, key):
            if name_node.tag == f"{_TAG}merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    for name, entry in self.entries(source, "<<", allowed).items():
                        merged.setdefault(name, entry)
                continue
            name = self._key(name_node, key, allowed)
            if name in found:
                self.fail(f'duplicate key "{name}" (first on line {_line(found[name][0])})', name_node)
            found[name] = (name_node, value)
        return merged | found

    def items(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        """Read a list's items."""
        self._visit(node)
        if not isinstance(node, yaml.SequenceNode):
            self.fail(f"{key} must be a list, not {describe(node)}", node)
        return list(node.value)

    def text(self, node: yaml.Node, key: str) -> str:
        """Read text that is not empty."""
        self._visit(node)
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}str":
            quote = "; put it in quotes" if isinstance(node, yaml.ScalarNode) and node.tag != f"{_TAG}null" else ""
            self.fail(f"{key} must be text, not {describe(node)}{quote}", node)
        if not node.value.strip():
            self.fail(f"{key} must not be empty", node)
        return str(node.value)

    def texts(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(self.text(item, f"{key}[{index}]") for index, item in enumerate(self.items(node, key)))

    def word(self, node: yaml.Node, key: str, allowed: Sequence[str]) -> str:
        """Read one of a few words, whatever YAML takes them for (`off` is a truth value there)."""
        self._visit(node)
        choices = ", ".join(allowed)
        if not isinstance(node, yaml.ScalarNode):
            self.fail(f"{key} must be one of {choices}, not {describe(node)}", node)
        if node.value not in allowed:
            self.fail(f"{key} must be one of {choices}, not {node.value!r}{nearest(node.value, allowed)}", node)
        return str(node.value)

    def plain(self, node: yaml.Node, key: str) -> str:
        """Read a scalar as it is written: a version, a date."""
        self._visit(node)
        if not isinstance(node, yaml.ScalarNode) or node.tag == f"{_TAG}null":
            self.fail(f"{key} must be a single value, not {describe(node)}", node)
        return str(node.value)

    def json(self, node: yaml.Node, key: str, depth: int = 0) -> Json:
        """Read any value as JSON."""
        if depth > _MAX_DEPTH:
            self.fail(f"{key} is nested more than {_MAX_DEPTH} deep", node)
        if isinstance(node, yaml.MappingNode):
            pairs = self.entries(node, key, None)
            return {name: self.json(value, f"{key}.{name}", depth + 1) for name, (_, value) in pairs.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.json(item, f"{key}[{index}]", depth + 1) for index, item in enumerate(self.items(node, key))]
        return self._scalar(node, key)

    def _compose(self, text: str) -> yaml.Node | None:
        return self._composed(text, lambda: yaml.compose(text, Loader=_Loader))

    def _compose_all(self, text: str) -> list[yaml.Node | None]:
        return self._composed(text, lambda: list(yaml.compose_all(text, Loader=_Loader)))

    def _composed(self, text: str, compose: Callable[[], _Composed]) -> _Composed:
        if len(text) > _MAX_SIZE:
            raise ConfigError(f"longer than {_MAX_SIZE} characters", path=self.path)
        try:
            text.encode("utf-8")
            # The composer recurses in C: the depth must be known to be harmless before it starts.
            self._check_depth(text)
            return compose()
        except UnicodeEncodeError:
            raise ConfigError("not readable as YAML: it is no UTF-8 text", path=self.path) from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = error.problem or error.context
            raise ConfigError(
                f"not readable as YAML: {what}", path=self.path, line=mark.line + 1 if mark else 0
            ) from None
        except yaml.YAMLError as error:
            raise ConfigError(f"not readable as YAML: {error}", path=self.path) from None

    def _check_depth(self, text: str) -> None:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                mark = event.start_mark
                line = mark.line + 1 if mark else 0
                raise ConfigError(f"nested more than {_MAX_DEPTH} deep", path=self.path, line=line)

    def _mapping(self, node: yaml.Node, key: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        self._visit(node)
        if not isinstance(node, yaml.MappingNode):
            what = key or "the configuration"
            self.fail(f"{what} must be a mapping, not {describe(node)}", node)
        return iter(node.value)

    def _key(self, node: yaml.Node, key: str, allowed: Sequence[str] | None) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.fail("a key must be text", node)
        name = str(node.value)
        if allowed is not None and name not in allowed:
            place = f" in {key}" if key else ""
            self.fail(f'unknown key "{name}"{place}{nearest(name, allowed)}', node)
        return name

    def _visit(self, node: yaml.Node) -> None:
        self._visits += 1
        if self._visits > _MAX_VISITS:
            self.fail("too many values; aliases (`*name`) multiply them", node)

    def _scalar(self, node: yaml.Node, key: str) -> Json:
        self._visit(node)
        text, tag = str(node.value), node.tag.removeprefix(_TAG)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("true", "yes", "on")
        try:
            if tag == "int" and _DECIMAL.fullmatch(text):
                return int(text)
            if tag == "float" and math.isfinite(number := float(text)):
                return number
        except ValueError:
            pass
        if tag in ("int", "float"):
            self.fail(f"{key}: {text!r} is no number that JSON has; write it in decimal or put it in quotes", node)
        return text


def nearest(word: str, allowed: Collection[str]) -> str:
    """Return `; did you mean "..."?` for the nearest allowed word, or nothing where none is near."""
    close = get_close_matches(word, list(allowed), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def describe(node: yaml.Node) -> str:
    """Say what a node is: `a list`, `the number 3`."""
    kind = node.tag.removeprefix(_TAG)
    if kind in ("int", "float"):
        return f"the number {node.value}"
    return _KINDS.get(kind, f"a {kind}")


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 0

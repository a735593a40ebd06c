"""The section `sync:` of a configuration into a `SyncConfig`, key by key."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import yaml

from gitops_guard.config.document import Document
from gitops_guard.config.sync_model import HealthExpression, IgnoreDrift, SyncConfig, SyncConflict, SyncWindow

_ACTIONS: Final = ("take", "yield", "fail")
_WAYS: Final = ("adopt", "strip", "report")


class _Reads(Protocol):
    """What the reader of the whole file can do."""

    def text(self, node: yaml.Node, key: str) -> str: ...

    def day(self, node: yaml.Node, key: str) -> str: ...

    def fields(self, node: yaml.Node | None, key: str, table: Any) -> dict[str, Any]: ...


_Read = Callable[[Any, yaml.Node, str], object]


def read_sync(reader: _Reads, document: Document, node: yaml.Node, key: str) -> SyncConfig:
    """Read the section.

    Args:
        reader: Of the whole file.
        document: The file.
        node: The section.
        key: Its name, for messages.

    Raises:
        ConfigError: Anything is unknown, of the wrong type, or contradicts itself.
    """
    return _Section(reader, document).sync(node, key)


class _Section:
    def __init__(self, reader: _Reads, document: Document) -> None:
        self._reader = reader
        self._document = document

    def sync(self, node: yaml.Node, key: str) -> SyncConfig:
        table: dict[str, _Read] = {
            "suspend": self._text,
            "windows": self._windows,
            "conflicts": self._conflicts,
            "ignore-drift": self._ignored,
            "health": self._health,
        }
        return SyncConfig(**self._reader.fields(node, key, table))

    def _text(self, _reader: _Reads, node: yaml.Node, key: str) -> str:
        return self._reader.text(node, key)

    def _day(self, _reader: _Reads, node: yaml.Node, key: str) -> str:
        return self._reader.day(node, key)

    def _action(self, _reader: _Reads, node: yaml.Node, key: str) -> str:
        return self._document.word(node, key, _ACTIONS)

    def _way(self, _reader: _Reads, node: yaml.Node, key: str) -> str:
        return self._document.word(node, key, _WAYS)

    def _entries(
        self, node: yaml.Node, key: str, table: dict[str, _Read], needed: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        found = []
        for index, item in enumerate(self._document.items(node, key)):
            values = self._reader.fields(item, f"{key}[{index}]", table)
            for name in needed:
                if not values.get(name):
                    self._document.fail(f'{key}[{index}] must have "{name}"', item)
            found.append(values)
        return found

    def _windows(self, _reader: _Reads, node: yaml.Node, key: str) -> tuple[SyncWindow, ...]:
        table = dict.fromkeys(("allow", "deny", "duration", "time-zone"), self._text)
        found = self._entries(node, key, dict(table), ("duration",))
        for index, (values, item) in enumerate(zip(found, self._document.items(node, key), strict=True)):
            if bool(values.get("allow")) == bool(values.get("deny")):
                self._document.fail(f'{key}[{index}] must have one of "allow" and "deny"', item)
        return tuple(SyncWindow(**values) for values in found)

    def _conflicts(self, _reader: _Reads, node: yaml.Node, key: str) -> tuple[SyncConflict, ...]:
        table: dict[str, _Read] = {
            "action": self._action,
            "manager": self._text,
            "field": self._text,
            "kind": self._text,
        }
        return tuple(SyncConflict(**values) for values in self._entries(node, key, table, ("action",)))

    def _ignored(self, _reader: _Reads, node: yaml.Node, key: str) -> tuple[IgnoreDrift, ...]:
        texts = dict.fromkeys(("field", "manager", "kind", "namespace", "name", "reason"), self._text)
        found = self._entries(node, key, {**texts, "way": self._way, "until": self._day}, ("reason",))
        for index, (values, item) in enumerate(zip(found, self._document.items(node, key), strict=True)):
            if not values.get("field") and not values.get("manager"):
                self._document.fail(f'{key}[{index}] must have "field" or "manager"', item)
        return tuple(IgnoreDrift(**values) for values in found)

    def _health(self, _reader: _Reads, node: yaml.Node, key: str) -> tuple[HealthExpression, ...]:
        table = dict.fromkeys(("kind", "current", "in-progress", "failed"), self._text)
        return tuple(
            HealthExpression(**values) for values in self._entries(node, key, dict(table), ("kind", "current"))
        )

"""The options of a rule: declared with their defaults, set under `rules:` in the configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gitops_guard.errors import PluginError
from gitops_guard.model import Json

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
_TYPES: Final = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """An option of which the default does not say enough."""

    default: Json
    """What holds where the configuration says nothing."""

    schema: Mapping[str, Json]
    """JSON Schema of its values: `{"enum": ["any", "all"]}`."""

    help: str = ""
    """One sentence for the rule's page."""


def settled(options: "Mapping[str, Json | Option]") -> dict[str, Option]:
    """Return options with a schema each: the default's own type where none is given.

    Raises:
        PluginError: A name cannot be an argument, or a default is no value that a configuration can hold.
    """
    found: dict[str, Option] = {}
    for name, option in options.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise PluginError(f"option {name!r} needs a name such as max-replicas")
        found[name] = option if isinstance(option, Option) else Option(option, _schema(name, option))
    return found


def argument(option: str) -> str:
    """Return the name of the argument that an option comes in."""
    return option.replace("-", "_")


def _schema(name: str, default: Json) -> Mapping[str, Json]:
    kind = next((word for kind, word in _TYPES if isinstance(default, kind)), None)
    if kind is None:
        raise PluginError(f"the default of option {name} is a {type(default).__name__}; give an Option with a schema")
    if isinstance(default, list) and default and all(isinstance(one, str) for one in default):
        return {"type": "array", "items": {"type": "string"}}
    return {"type": kind}

"""The configuration: text in, frozen values out; nothing here touches a disk.

`load` reads a file's text, `settle` decides between flag, environment, file and default. The JSON Schema for editors
is `gitops_guard/config.schema.json`; a test keeps it in step with the dataclasses.
"""

from typing import TYPE_CHECKING, Any

from gitops_guard.config.globs import FieldGlob, NameGlob, PathSet
from gitops_guard.config.model import Config, MissingSchema, Override, Suppression, Waiver
from gitops_guard.config.scope import Scope, Scopes
from gitops_guard.config.settle import Flags, Settings, settle

if TYPE_CHECKING:
    from gitops_guard.config.reading import load

DEFAULT_PATH = ".gitops-guard.yaml"
"""Where the configuration lies in a repository."""

__all__ = [
    "DEFAULT_PATH",
    "Config",
    "FieldGlob",
    "Flags",
    "MissingSchema",
    "NameGlob",
    "Override",
    "PathSet",
    "Scope",
    "Scopes",
    "Settings",
    "Suppression",
    "Waiver",
    "load",
    "settle",
]


def __getattr__(name: str) -> Any:
    """Import the reader when `load` is first asked for: it needs PyYAML, and many repositories need no reader."""
    if name != "load":
        raise AttributeError(name)
    from gitops_guard.config.reading import load

    return load

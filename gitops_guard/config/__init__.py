"""The configuration: text in, frozen values out; nothing here touches a disk.

`load` reads a file's text, `settle` decides between flag, environment, file and default. The JSON Schema for editors
is `gitops_guard/config.schema.json`; a test keeps it in step with the dataclasses.
"""

from gitops_guard.config.globs import FieldGlob, NameGlob, PathSet
from gitops_guard.config.load import load
from gitops_guard.config.model import Config, MissingSchema, Override, Suppression
from gitops_guard.config.scope import Scope, Scopes
from gitops_guard.config.settle import Flags, Settings, settle

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
    "load",
    "settle",
]

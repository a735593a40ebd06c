"""Where in a plugin something stands, as people find it: `tools/guard_rules.py:12`."""

import os
import sys
from collections.abc import Callable
from traceback import walk_tb
from types import TracebackType
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PYTHON = os.path.dirname(os.__file__) + os.sep


def place_of(function: Callable[..., Any]) -> str:
    """Return file and line of a function's definition."""
    code = function.__code__
    return f"{shown(code.co_filename)}:{code.co_firstlineno}"


def shown(path: str) -> str:
    """Return a file as its package names it; one that the repository carries is compiled under its repository path."""
    folders = sorted((folder for folder in sys.path if folder), key=len, reverse=True)
    folder = next((one for one in folders if path.startswith(one.rstrip(os.sep) + os.sep)), "")
    return path[len(folder) :].lstrip(os.sep) if folder else path


def failed_at(traceback: TracebackType | None) -> str:
    """Return the line of a plugin at which an exception passed through it; empty when none of its code took part.

    The deepest line of the first file that is neither ours nor Python's: what it calls elsewhere is not its author's.
    """
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(traceback)]
    theirs = [(name, line) for name, line in frames if not name.startswith(_OURS) and not _is_python(name)]
    if not theirs:
        return ""
    line = next(line for name, line in reversed(theirs) if name == theirs[0][0])
    return f"{shown(theirs[0][0])}:{line}"


def _is_python(name: str) -> bool:
    return name.startswith("<") or (name.startswith(_PYTHON) and "site-packages" not in name)

"""The log that a bug of ours leaves behind: where it happened, never what the manifests said."""

import os
import platform
import tempfile
import traceback
from collections.abc import Mapping

from gitops_guard import __version__


def write_log(error: BaseException, environment: Mapping[str, str]) -> str:
    """Write a log of an unexpected exception.

    The log holds the exception's type and the stack's files, lines and functions. It holds neither messages nor
    values: both may quote a manifest, and a manifest may be a Secret.

    Returns:
        A sentence that names the log and says what to do with it.
    """
    lines = [
        f"gitops-guard {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        *_chain(error),
    ]
    folder = environment.get("GITOPS_GUARD_CACHE_DIR") or tempfile.gettempdir()
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor, path = tempfile.mkstemp(prefix="gitops-guard-", suffix=".log", dir=folder)
        with os.fdopen(descriptor, "w") as stream:
            stream.write("\n".join(lines) + "\n")
    except OSError as failure:
        return f"no log could be written ({failure.strerror}); set GITOPS_GUARD_CACHE_DIR to a writable folder"
    return f"please report it with the log {path} (it holds no content of your files)"


def _chain(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    while error is not None:
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
        frames = traceback.extract_tb(error.__traceback__)
        lines.extend(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        error = error.__cause__ or error.__context__
    return lines

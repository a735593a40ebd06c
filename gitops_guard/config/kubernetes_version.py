"""How Kubernetes versions are written by people."""

import re
from typing import Final

_VERSION: Final = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,5})?", re.ASCII)


def read_version(text: str) -> str | None:
    """Return the minor version that a text names (`v1.36`, `1.36.4` -> `1.36`), or None when it names none."""
    match = _VERSION.fullmatch(text.strip())
    return f"{int(match[1])}.{int(match[2])}" if match else None

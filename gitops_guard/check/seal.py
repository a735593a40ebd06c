"""A key of this user's own that seals what the cache holds, so that a cache from elsewhere proves nothing.

A poisoned verdict cache would be a false pass. Each block is sealed with keyed BLAKE2; the key lies outside the cache
folder (in the state folder), so a cache that was restored from an untrusted place, or written by somebody else, is
ignored.

Part of the clean path: imports os and the built-in hash module only.
"""

import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY_BYTES = 32
SEAL_BYTES = 16
"""Length of a seal."""


def cache_directory(environment: "Mapping[str, str]") -> str:
    """Return the folder of what can be made again: `GITOPS_GUARD_CACHE_DIR`, else below the user's cache folder."""
    own = environment.get("GITOPS_GUARD_CACHE_DIR")
    if own:
        return os.path.abspath(own)
    base = environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "gitops-guard")


def _key_path(environment: "Mapping[str, str]") -> str:
    base = environment.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "gitops-guard", "key")


def load_key(environment: "Mapping[str, str]") -> bytes | None:
    """Read the user's key, making it on first use.

    Returns:
        32 bytes; None when there is no key and none can be written, which means: no cache.
    """
    path = _key_path(environment)
    return _read_key(path) or _make_key(path)


def _read_key(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        key = os.read(descriptor, _KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    return key if len(key) == _KEY_BYTES else None


def _make_key(path: str) -> bytes | None:
    """Write a key under a temporary name and link it into place, so that two first runs agree on one."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, os.urandom(_KEY_BYTES))
        finally:
            os.close(descriptor)
        _publish(temporary, path)
    except OSError:
        return None
    return _read_key(path)


def _publish(temporary: str, path: str) -> None:
    try:
        if os.path.exists(path) and _read_key(path) is None:
            os.replace(temporary, path)  # a truncated key seals nothing: make a new one
        else:
            os.link(temporary, path)
    except FileExistsError:
        pass  # another first run was faster: its key counts
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def seal(key: bytes, *parts: bytes) -> bytes:
    """Return the 16-byte seal of some bytes under a key."""
    state = blake2b(digest_size=SEAL_BYTES, key=key)
    for part in parts:
        state.update(part)
    return state.digest()

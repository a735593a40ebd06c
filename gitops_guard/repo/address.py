"""Where a repository elsewhere lies: its URL, without what must not be seen of it."""

import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from gitops_guard.errors import UsageError

_SCP: Final = re.compile(r"(?:(?P<user>[^@/:\s]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|[^/:@\s]+):(?P<path>[^:].*)")
"""`git@example.com:shop/deploy.git`, as Git takes it for SSH when no slash comes before the colon."""

_SCHEMES: Final = ("https", "http", "ssh")
_LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A repository elsewhere."""

    scheme: str
    """`https`, `http` or `ssh`."""

    host: str
    url: str
    """What may be shown, written down and given to libgit2: without user and password, except the user of SSH."""

    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_private_line(self) -> bool:
        """Tell whether a password can be sent there: not over plain HTTP to another machine."""
        return self.scheme != "http" or self.host in _LOOPBACK


def is_elsewhere(source: str) -> bool:
    """Tell whether a source is meant as a URL: it has a scheme other than `file`, or is written as SSH's short form."""
    scheme, separator, _ = source.partition("://")
    if separator:
        return scheme != "file"
    return _SCP.fullmatch(source) is not None


def read_address(source: str) -> Address:
    """Read the URL of a repository.

    Args:
        source: `https://host/path`, `ssh://user@host/path` or `user@host:path`.

    Raises:
        UsageError: It is none of them; nothing of it that may be secret is in the message.
    """
    if "://" not in source:
        found = _SCP.fullmatch(source)
        if found is None:
            raise UsageError("--source is no URL of a repository; write https://host/path or ssh://user@host/path")
        return read_address(f"ssh://{found['user'] or 'git'}@{found['host']}/{found['path']}")
    try:
        parts = urlsplit(source)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("--source is a URL that cannot be read; check its host and port") from None
    if parts.scheme not in _SCHEMES:
        raise UsageError(f"--source: {parts.scheme}:// is not supported; use https:// or ssh://")
    if not host or not parts.path.strip("/"):
        raise UsageError("--source is a URL without a host or a path; write https://host/path")
    return _address(parts.scheme, host, port, parts.path, unquote(parts.username or ""), unquote(parts.password or ""))


def _address(scheme: str, host: str, port: int | None, path: str, username: str, password: str) -> Address:
    place = f"[{host}]" if ":" in host else host
    place = f"{place}:{port}" if port is not None else place
    shown = Address(scheme=scheme, host=host, url=urlunsplit((scheme, place, path, "", "")))
    if scheme != "ssh":
        return replace(shown, username=username, password=password)
    user = username or "git"
    return replace(shown, url=urlunsplit((scheme, f"{user}@{place}", path, "", "")), username=user, password=password)

"""What a fetch proves itself with: a directory with one file a value, as a mounted Secret is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gitops_guard.errors import UsageError
from gitops_guard.repo.address import Address
from gitops_guard.repo.tree import shown

TOKEN_VARIABLE: Final = "GITOPS_GUARD_GIT_TOKEN"  # noqa: S105 (its name, not its value)
"""Variable with a password or token for HTTPS, for machines where no file is mounted."""

_MAX_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who we are, and whom we believe."""

    username: str = ""
    password: str = field(default="", repr=False)
    """Of the user; with SSH, of the identity."""

    bearer_token: str = field(default="", repr=False)
    identity: str = ""
    """File with a private key."""

    known_hosts: bytes = b""
    """Keys of SSH servers, as OpenSSH writes them; empty: those of the user."""

    ca_file: str = ""
    """File with certificates of authorities to believe beside the system's."""


def read_credentials(directory: str | None, address: Address, environment: Mapping[str, str]) -> Credentials:
    """Return what there is for an address.

    Args:
        directory: With the files `username`, `password`, `bearerToken`, `identity`, `known_hosts` and `ca.crt`, each of
            which may be missing: the keys of the Secret that Flux's GitRepository takes. None: there is none.
        address: Where it is for; what its URL holds itself is taken unless a file says otherwise.
        environment: The process's variables; `GITOPS_GUARD_GIT_TOKEN` is taken unless a file says otherwise.

    Raises:
        UsageError: There is no such directory, a file cannot be read, or it would be sent where others can read it.
    """
    found = Credentials(username=address.username, password=address.password or environment.get(TOKEN_VARIABLE, ""))
    if directory is not None:
        found = _from_directory(directory, found)
    if (found.password or found.bearer_token) and not address.is_private_line:
        raise UsageError(f"{address.url}: a password is not sent over plain http; use https")
    return found


def _from_directory(directory: str, otherwise: Credentials) -> Credentials:
    if not os.path.isdir(directory):
        raise UsageError(f"--git-auth {shown(directory)}: no such directory; name the one where the Secret is mounted")
    word = {name: _line(directory, name) for name in ("username", "password", "bearerToken")}
    return replace(
        otherwise,
        username=word["username"] or otherwise.username,
        password=word["password"] or otherwise.password,
        bearer_token=word["bearerToken"],
        identity=_file(directory, "identity"),
        known_hosts=_content(directory, "known_hosts"),
        ca_file=_file(directory, "ca.crt"),
    )


def _file(directory: str, name: str) -> str:
    path = os.path.join(directory, name)
    return path if os.path.exists(path) else ""


def _line(directory: str, name: str) -> str:
    try:
        return _content(directory, name).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{shown(os.path.join(directory, name))}: is not UTF-8; write it anew") from None


def _content(directory: str, name: str) -> bytes:
    path = os.path.join(directory, name)
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"{shown(path)}: cannot be read ({error.strerror}); check who may read it") from None

"""Who we are for a cluster: what is sent to prove it, and where it comes from again when it has run out.

Nothing here is ever printed: neither `repr` nor an error's text holds a token, a key or a password.
"""

import base64
import binascii
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from gitops_guard.cluster.errors import AccessError

_REREAD_S: Final = 60.0
_HEADER_SAFE: Final = re.compile(r"[\x21-\x7e]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What proves who we are; any part may be empty."""

    token: str = field(default="", repr=False)
    user: str = ""
    """For basic authentication, which only a gateway before the server may want."""

    password: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    """Client certificate with its chain, PEM."""

    key: bytes = field(default=b"", repr=False)
    """Its private key, PEM."""

    @property
    def authorization(self) -> str:
        """Return the Authorization header; empty when a certificate alone says it, or nothing does."""
        if self.token:
            return f"Bearer {self.token}"
        if self.user:
            pair = f"{self.user}:{self.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return ""


class Credentials(Protocol):
    """Gives the identity for the next request; used by many threads at once."""

    def identity(self) -> Identity:
        """Return what to send now.

        Raises:
            AccessError: There is nothing valid.
        """
        ...

    def renew(self, refused: Identity) -> bool:
        """Get another identity after the server has refused one; return whether there is one to try."""
        ...


class FixedCredentials:
    """An identity that never changes."""

    def __init__(self, identity: Identity) -> None:
        self._identity = checked(identity)

    def identity(self) -> Identity:
        """Return it."""
        return self._identity

    def renew(self, refused: Identity) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: there is no other."""
        return False


class TokenFile:
    """A token that somebody else keeps fresh in a file, as kubelet does for a service account."""

    def __init__(
        self, path: str, beside: Identity | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read nothing yet.

        Args:
            path: Of the file.
            beside: What is sent with the token, such as a certificate.
            clock: Seconds that only grow.
        """
        self._path = path
        self._beside = beside or Identity()
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Identity | None = None
        self._read_at = 0.0

    def identity(self) -> Identity:
        """Return the token of the file, read again every minute.

        Raises:
            AccessError: The file cannot be read or is empty.
        """
        with self._lock:
            if self._known is None or self._clock() - self._read_at > _REREAD_S:
                self._read()
            assert self._known is not None
            return self._known

    def renew(self, refused: Identity) -> bool:
        """Read the file at once; return whether it holds another token than the refused one."""
        with self._lock:
            self._read()
            return self._known != refused

    def _read(self) -> None:
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                token = file.read(1 << 20).strip()
        except OSError as error:
            raise AccessError(f"{self._path}: the token cannot be read: {error.strerror}") from error
        if not token:
            raise AccessError(f"{self._path}: holds no token")
        self._known = checked(replace(self._beside, token=token))
        self._read_at = self._clock()


def checked(identity: Identity) -> Identity:
    """Return an identity that can be put into a header.

    Raises:
        AccessError: It cannot; http.client would say so too, and print the token.
    """
    if not _HEADER_SAFE.match(identity.token):
        raise AccessError("the token holds characters that no token may have")
    return identity


def expiry_of(token: str) -> float | None:
    """Return when a JSON Web Token expires, in seconds since 1970; None when it does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return float(expiry) if isinstance(expiry, (int, float)) else None

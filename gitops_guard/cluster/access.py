"""The way to one cluster: where its API server is, how to trust it, as whom to speak. Found, never guessed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.identity import Credentials

DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """Whom the server shall take us for; it checks that we may."""

    user: str
    """`system:serviceaccount:shop:deployer`."""

    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a cluster, and as whom."""

    name: str
    """Of the context, for messages: `prod-eu`; `in-cluster`."""

    server: str
    """URL of the API server, without credentials: `https://10.0.0.1:6443`; a path is kept in front of every request."""

    credentials: Credentials = field(repr=False)
    namespace: str = DEFAULT_NAMESPACE
    """For objects that name none."""

    ca: bytes = field(default=b"", repr=False)
    """Authorities to trust, PEM; empty: those of the system."""

    tls_server_name: str = ""
    """Name that the certificate must have; empty: the host of the URL."""

    insecure: bool = False
    """Trust any certificate: only where the kubeconfig says so."""

    proxy: str = field(default="", repr=False)
    """URL of an HTTP proxy; empty: none. May hold a password, so it is never printed."""

    impersonation: Impersonation | None = None
    compressed: bool = True
    """Long lists may come compressed; not worth it next to the server."""

    def __post_init__(self) -> None:
        """Refuse a server that cannot be one.

        Raises:
            AccessError: The URL is no http or https URL with a host, or holds a password.
        """
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AccessError(f"context {self.name}: the server must be an https URL with a host")
        if parts.username or parts.password:
            raise AccessError(f"context {self.name}: the server's URL holds a user or password; name a user instead")


def expand(directory: str, path: str) -> str:
    """Return a file's path as a kubeconfig means it: relative to the directory that the kubeconfig is in."""
    return os.path.join(directory, path)

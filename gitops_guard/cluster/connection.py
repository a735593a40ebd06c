"""Connections to one server that are kept open, and what is read from them."""

import contextlib
import http.client
import select
import socket
import ssl
import threading
import time
import zlib
from typing import Final
from urllib.parse import unquote, urlsplit

from gitops_guard.cluster.access import Access
from gitops_guard.cluster.answer import Limits
from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.identity import Identity
from gitops_guard.cluster.tls import tls_context

_CHUNK: Final = 1 << 20
_OLDEST_S: Final = 600.0
"""After this time a connection is made anew, so that a long run finds servers that were added behind a balancer."""


class TooLongError(Exception):
    """An answer is longer, or takes longer, than we take; the text says which."""


class Connection(http.client.HTTPConnection):
    """One connection: TLS with the name that the certificate must have, through a proxy if there is one."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        limits: Limits,
        context: ssl.SSLContext | None,
        server_name: str,
    ) -> None:
        super().__init__(host, port, timeout=limits.connect_s)
        self._read_s = limits.read_s
        self._context = context
        self._server_name = server_name
        self.opened_at = 0.0
        """On the monotonic clock."""

    def connect(self) -> None:
        """Connect, through the proxy if one is set, and shake hands."""
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._server_name)
        self.sock.settimeout(self._read_s)
        self.opened_at = time.monotonic()

    @property
    def is_stale(self) -> bool:
        """Tell whether the server has closed it, or it is due to be made anew."""
        if self.sock is None or time.monotonic() - self.opened_at > _OLDEST_S:
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))  # an idle connection has nothing to say: what can be read is its end

    def hurry(self, within_s: float) -> None:
        """Give the server so many seconds for each step from now on."""
        self.timeout = self._read_s = within_s
        if self.sock is not None:
            self.sock.settimeout(within_s)

    def reset(self) -> None:
        """Wake whoever reads from it, in any thread; they see its end."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class Pool:
    """The idle connections to one server; a connection belongs to one thread at a time."""

    def __init__(self, access: Access, limits: Limits) -> None:
        """Connect to nothing yet."""
        self._access = access
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._context: ssl.SSLContext | None = None
        self._presented: tuple[bytes, bytes] = (b"", b"")

    def take(self, identity: Identity) -> Connection:
        """Return a connection on which the identity's certificate was shown: an idle one, or a new one.

        Raises:
            AccessError: The certificates cannot be used.
        """
        with self._lock:
            context = self._context_for(identity)
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_stale:
                    return connection
                connection.close()
        return self._new(context)

    def give(self, connection: Connection, identity: Identity) -> None:
        """Take a connection back whose answer has been read to the end."""
        with self._lock:
            if (identity.certificate, identity.key) == self._presented:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _context_for(self, identity: Identity) -> ssl.SSLContext | None:
        if urlsplit(self._access.server).scheme == "http":
            if identity != Identity():
                raise AccessError(f"context {self._access.name}: credentials are not sent without TLS")
            return None
        presented = (identity.certificate, identity.key)
        if self._context is None or presented != self._presented:
            self._context, self._presented = tls_context(self._access, identity), presented
            for connection in self._idle:
                connection.close()
            self._idle.clear()
        return self._context

    def _new(self, context: ssl.SSLContext | None) -> Connection:
        server = urlsplit(self._access.server)
        host, port = server.hostname or "", server.port or (443 if server.scheme == "https" else 80)
        name = self._access.tls_server_name or host
        if not self._access.proxy:
            return Connection(host, port, limits=self._limits, context=context, server_name=name)
        proxy = urlsplit(self._access.proxy)
        if proxy.scheme != "http" or not proxy.hostname:
            raise AccessError(
                f"context {self._access.name}: only HTTP proxies can be used (http://...), not {proxy.scheme or 'this'}"
            )
        connection = Connection(
            proxy.hostname, proxy.port or 80, limits=self._limits, context=context, server_name=name
        )
        login = Identity(user=unquote(proxy.username or ""), password=unquote(proxy.password or ""))
        headers = {"Proxy-Authorization": login.authorization} if login.user else {}
        connection.set_tunnel(host, port, headers)
        return connection


def read_body(response: http.client.HTTPResponse, limits: Limits) -> bytes:
    """Read an answer to its end, unpacked if it came compressed.

    Raises:
        TooLongError: It is larger, or takes longer, than the limits allow.
        OSError: The connection was lost, or
        http.client.HTTPException: it ended in the middle.
        zlib.error: It is not compressed as it says.
    """
    encoding = response.getheader("Content-Encoding", "identity")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    deadline = time.monotonic() + limits.answer_s
    parts: list[bytes] = []
    size = received = 0
    while data := response.read1(_CHUNK):
        received += len(data)
        if unpack is not None:
            data = unpack.decompress(data, limits.answer_bytes - size + 1)
        size += len(data)
        if size > limits.answer_bytes:
            raise TooLongError(f"the answer is larger than {limits.answer_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise TooLongError(f"the answer took longer than {limits.answer_s:g} s")
        parts.append(data)
    announced = response.getheader("Content-Length", "")
    # read1 takes a connection that ended early for the end of the body
    if (unpack is not None and not unpack.eof) or (announced.isdigit() and received != int(announced)):
        raise http.client.IncompleteRead(b"")
    response.close()  # frees the connection for the next request
    return parts[0] if len(parts) == 1 else b"".join(parts)

"""A proxy on loopback, between a client under test and a real API server, with faults to order.

It speaks HTTP/1.1 over TLS with the server's own certificate, so a client only needs another port. What no fault touches is the
server's answer, byte for byte in the body. A bearer token passes; a client certificate cannot.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import enum
import http.client
import http.server
import json
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from controlplane.api import Api, lines_of
from controlplane.server import ADMIN, ControlPlane

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
_HANDSHAKE_S = 10.0
_REASONS = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


class Cut(enum.Enum):
    """When a connection is reset."""

    BEFORE = "before the request reaches the server"
    AFTER = "after the server acted, before its answer reaches the client"
    MIDDLE = "in the middle of the answer's body"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, with which requests. All of several parts happen, in the order delay, cut or answer."""

    method: str = ""
    """Only requests of this method, "PATCH"; "" is any."""
    path: str = ""
    """Only requests in whose path and query this regular expression is found, "/configmaps/"."""
    skip: int = 0
    """How many matching requests pass first."""
    times: int | None = 1
    """How many matching requests it hits after those; None is all."""
    delay_s: float = 0.0
    """How long the request waits before it goes on, in seconds."""
    cut: Cut | None = None
    """Reset the connection at this moment."""
    status: int = 0
    """Answer with this status, without asking the server; 0 asks it."""
    retry_after_s: int | None = None
    """The Retry-After header of that answer, in seconds; None leaves it out."""
    text: str = ""
    """That answer's body as plain text, as API Priority and Fairness sends it; "" sends a Status object."""
    watch_events: int | None = None
    """Reset a watch after this many events; None lets it run."""

    def matches(self, method: str, target: str) -> bool:
        """Tell whether a request is one of those."""
        return self.method in ("", method) and re.search(self.path, target) is not None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One request that reached the proxy."""

    method: str
    target: str
    """Path and query, "/api/v1/nodes?limit=500"."""
    status: int
    """What the client was answered; 0 when the connection was cut before any answer."""


class FaultProxy:
    """The proxy: a context manager that listens while it is entered."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_context.load_cert_chain(*control_plane.server_certificate)
        self._client_context = ssl.create_default_context(cafile=str(control_plane.authority.certificate))
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._seen: collections.Counter[int] = collections.Counter()
        self._expired_tokens: set[str] = set()
        self._links: set[_Link] = set()
        self._server: _Server | None = None
        self.port = 0
        """Where it listens on 127.0.0.1."""
        self.passed: list[Passed] = []
        """The requests so far, in the order of their answers."""
        self.begun: list[str] = []
        """Path and query of the requests so far, in the order of their coming."""
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_listening()

    def kubeconfig(self, user: str = ADMIN, *, namespace: str = "") -> Path:
        """Write a kubeconfig that leads through the proxy; return its path."""
        return self._control_plane.kubeconfig(user, port=self.port, namespace=namespace)

    def api(self, user: str = ADMIN, *, timeout_s: float = 60.0) -> Api:
        """Return a client that goes through the proxy."""
        return self._control_plane.api(user, port=self.port, timeout_s=timeout_s)

    def order(self, *faults: Fault) -> None:
        """Order faults; for each request the first that matches and is not used up happens."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Take back all faults, and let expired tokens be good again."""
        with self._lock:
            self._faults.clear()
            self._seen.clear()
            self._expired_tokens.clear()

    def expire_token(self, user: str = ADMIN) -> None:
        """Let the server refuse a user's token from now on; the answer is the server's own 401."""
        with self._lock:
            self._expired_tokens.add(self._control_plane.credentials(user).token)

    def drop_watches(self) -> int:
        """Reset all watches that run now; return how many there were."""
        with self._lock:
            running = [link for link in self._links if link.is_watch]
        for link in running:
            link.reset()
        return len(running)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections and reset the open ones, for as long as the context lasts; the port stays the same."""
        self._stop_listening()
        try:
            yield
        finally:
            self._listen()

    def _listen(self) -> None:
        self._ended.clear()
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="fault-proxy").start()

    def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server:
            self._ended.set()
            server.shutdown()
            with self._lock:
                links = list(self._links)
            for link in links:
                link.reset()
            server.server_close()  # waits for the threads, which end now that their connections are reset

    # What follows is for the handler's threads.

    @contextlib.contextmanager
    def link(self, connection: socket.socket) -> Iterator[_Link]:
        """Do the TLS handshake with a client, and keep its connection in the books while the context lasts."""
        connection.settimeout(_HANDSHAKE_S)
        client = self._server_context.wrap_socket(connection, server_side=True)
        client.settimeout(None)
        upstream = http.client.HTTPSConnection("127.0.0.1", self._control_plane.port, context=self._client_context)
        with client, contextlib.closing(upstream):
            link = _Link(client, upstream)
            with self._lock:
                self._links.add(link)
            try:
                yield link
            finally:
                with self._lock:
                    self._links.discard(link)

    def fault_for(self, method: str, target: str) -> Fault:
        """Return the fault that happens to a request, and count it; one that does nothing if there is none."""
        with self._lock:
            for number, fault in enumerate(self._faults):
                if not fault.matches(method, target):
                    continue
                self._seen[number] += 1
                seen = self._seen[number] - fault.skip
                if seen > 0 and (fault.times is None or seen <= fault.times):
                    return fault
        return Fault()

    def begin(self, target: str, delay_s: float) -> None:
        """Keep a request in `begun`, and let it lie for a while, unless the proxy is switched off."""
        with self._lock:
            self.begun.append(target)
        self._ended.wait(delay_s)

    def relayed(self, name: str, value: str) -> str:
        """Return a request header's value as the server gets it: an expired token is made one that it does not know."""
        with self._lock:
            expired = name.lower() == "authorization" and value.removeprefix("Bearer ") in self._expired_tokens
        return "Bearer expired" if expired else value

    def note(self, method: str, target: str, status: int) -> None:
        """Keep a request in `passed`."""
        with self._lock:
            self.passed.append(Passed(method=method, target=target, status=status))


class _CutError(Exception):
    """The connection is to be reset now."""


class _Link:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, client: ssl.SSLSocket, upstream: http.client.HTTPSConnection) -> None:
        self.client, self.upstream = client, upstream
        self.is_watch = self.is_cut = False

    def reset(self) -> None:
        """Let closing send a reset, as a crashed peer or a firewall does, and wake a thread that reads either side."""
        self.is_cut = True
        with contextlib.suppress(OSError):
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # not SSLSocket's own method, which would pull the TLS state away from the reading thread; not SHUT_WR, which sends a FIN
            socket.socket.shutdown(self.client, socket.SHUT_RD)
        if self.upstream.sock:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.upstream.sock, socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def __init__(self, request: socket.socket, address: Any, server: _Server) -> None:
        with server.proxy.link(request) as self._link:
            super().__init__(self._link.client, address, server)

    def handle(self) -> None:
        try:
            super().handle()
        except (_CutError, OSError, http.client.HTTPException):
            self._link.reset()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def do_request(self) -> None:
        proxy, self._status = self.server.proxy, 0
        fault = proxy.fault_for(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            proxy.begin(self.path, fault.delay_s)
            if fault.cut is Cut.BEFORE:
                raise _CutError
            if fault.status:
                self._answer(fault)
            else:
                self._relay(fault, body)
        finally:
            proxy.note(self.command, self.path, self._status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_request

    def _answer(self, fault: Fault) -> None:
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f"ordered by a test: {fault.status}",
            "reason": _REASONS.get(fault.status, ""),
            "code": fault.status,
        }
        headers = {"Content-Type": "text/plain; charset=utf-8" if fault.text else "application/json"}
        if fault.retry_after_s is not None:
            headers["Retry-After"] = str(fault.retry_after_s)
        data = (fault.text or json.dumps(status)).encode()
        self._send_head(fault.status, {**headers, "Content-Length": str(len(data))})
        self.wfile.write(data)

    def _relay(self, fault: Fault, body: bytes) -> None:
        proxy = self.server.proxy
        headers = {
            name: proxy.relayed(name, value) for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP
        }
        self._link.upstream.request(self.command, self.path, body or None, headers)
        with self._link.upstream.getresponse() as response:
            if fault.cut is Cut.AFTER:
                response.read()
                raise _CutError
            answered = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
            if re.search(r"[?&]watch=(1|true)", self.path) and response.status == http.HTTPStatus.OK:
                self._relay_watch(fault, response, answered)
            else:
                self._relay_body(fault, response, answered)

    def _relay_body(self, fault: Fault, response: http.client.HTTPResponse, headers: dict[str, str]) -> None:
        data = response.read()
        has_length = self.command != "HEAD" and response.status not in (
            http.HTTPStatus.NO_CONTENT,
            http.HTTPStatus.NOT_MODIFIED,
        )
        self._send_head(response.status, {**headers, **({"Content-Length": str(len(data))} if has_length else {})})
        if fault.cut is Cut.MIDDLE:
            self.wfile.write(data[: len(data) // 2])
            raise _CutError
        self.wfile.write(data)

    def _relay_watch(self, fault: Fault, response: http.client.HTTPResponse, headers: dict[str, str]) -> None:
        self._send_head(response.status, {**headers, "Transfer-Encoding": "chunked"})
        self._link.is_watch = True
        if fault.watch_events == 0:
            raise _CutError
        for number, line in enumerate(lines_of(response), start=1):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            if number == fault.watch_events:
                raise _CutError
        self._link.is_watch = False
        if self._link.is_cut:
            raise _CutError
        self.wfile.write(b"0\r\n\r\n")

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self._status = status
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], proxy: FaultProxy) -> None:
        super().__init__(address, _Handler)
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that left in the middle of a handshake: faults make that happen."""

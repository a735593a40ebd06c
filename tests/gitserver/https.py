"""A Git server over HTTP or HTTPS on loopback: Git's own `git http-backend` behind the standard library's server."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
import weakref
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar


class GitOverHttp:
    """Serves all repositories below a folder.

    Attributes:
        password: Of the user `git`; None: everybody may read.
        bearer_token: Taken instead.
        redirect_to: Every request is sent there instead.
        is_down: Every request is answered by 503.
        seen: Of each request its path and its Authorization header.
    """

    def __init__(self, folder: Path, *, certificate: Path | None = None) -> None:
        """Start it.

        Args:
            folder: Of the repositories.
            certificate: File with certificate and key; makes it HTTPS.
        """
        self.folder = folder
        self.password: str | None = None
        self.bearer_token: str | None = None
        self.redirect_to: str | None = None
        self.is_down = False
        self.seen: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        _Handler.owners[self._server] = self
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self._server.server_address[1])

    def url(self, name: str, *, host: str = "127.0.0.1", login: str = "") -> str:
        """Return a repository's URL."""
        return f"{self._scheme}://{login}{host}:{self.port}/{name}"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def may_read(self, authorization: str) -> bool:
        """Tell whether a request is let in."""
        if self.password is None and self.bearer_token is None:
            return True
        wanted = [f"Bearer {self.bearer_token}"] if self.bearer_token else []
        if self.password is not None:
            wanted.append("Basic " + base64.b64encode(f"git:{self.password}".encode()).decode())
        return authorization in wanted


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    owners: ClassVar[weakref.WeakKeyDictionary[Any, GitOverHttp]] = weakref.WeakKeyDictionary()

    @property
    def owner(self) -> GitOverHttp:
        return self.owners[self.server]

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self, body: bytes) -> None:
        owner, authorization = self.owner, self.headers.get("Authorization") or ""
        owner.seen.append((self.path, authorization))
        if owner.redirect_to is not None:
            self._answer(302, {"Location": owner.redirect_to + self.path})
        elif owner.is_down:
            self._answer(503, {})
        elif not owner.may_read(authorization):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._backend(body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.owner.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self._answer(int(headers.pop("Status", "200")[:3]), headers, rest)

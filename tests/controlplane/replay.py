"""An HTTP server on loopback that answers as the recorded API server did; for fast tests, without any control plane.

Each request of a recording is answered in the order in which it was recorded. Anything else is a defect of the test or of the client:
it is answered with 501, and `Replay.unexpected` names it.
"""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from controlplane.api import Body
from controlplane.exchanges import Exchange, load


class Replay:
    """The server: a context manager that listens while it is entered."""

    def __init__(self, name: str) -> None:
        """Load a recording of exchanges.

        Args:
            name: "exchange-config-map".
        """
        self.exchanges: list[Exchange] = load(name)["exchanges"]
        """All of the recording."""
        self.unexpected: list[str] = []
        """What was asked but not recorded."""
        self.port = 0
        """Where it listens on 127.0.0.1, without TLS."""
        self._left = list(self.exchanges)
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="replay").start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def unasked(self) -> list[str]:
        """The recorded requests that nobody sent."""
        with self._lock:
            return [_title(exchange["request"]) for exchange in self._left]

    def kubeconfig(self, directory: Path, *, user: str = "admin") -> Path:
        """Write a kubeconfig that leads to it; return its path."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "replay",
            "clusters": [{"name": "replay", "cluster": {"server": self.url}}],
            "users": [{"name": user, "user": {}}],
            "contexts": [{"name": "replay", "context": {"cluster": "replay", "user": user}}],
        }
        path = directory / "replay.kubeconfig"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def response(self, request: Body) -> Body:
        """Return the next recorded response to a request, and count it as asked."""
        with self._lock:
            for number, exchange in enumerate(self._left):
                if _is_same(exchange["request"], request):
                    return dict(self._left.pop(number)["response"])
            self.unexpected.append(_title(request))
        return {"status": 501, "headers": {"content-type": "text/plain"}, "body": f"not recorded: {_title(request)}"}


def _title(request: Body) -> str:
    query = "&".join(f"{name}={value}" for name, value in sorted(request["query"].items()))
    return f"{request['method']} {request['path']}{'?' + query if query else ''}"


def _is_same(recorded: Body, asked: Body) -> bool:
    """Compare what decides the answer: headers do by their Accept and Content-Type alone."""
    if any(recorded[part] != asked[part] for part in ("method", "path", "query", "body")):
        return False
    return all(asked["headers"].get(name.lower()) == value for name, value in recorded["headers"].items())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def log_message(self, *_: object) -> None:
        pass

    def do_request(self) -> None:
        url = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = {
            "method": self.command,
            "path": url.path,
            "query": dict(parse_qsl(url.query)),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": json.loads(data) if data else None,
        }
        self._answer(self.server.replay.response(request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_request

    def _answer(self, response: Body) -> None:
        body: Any = response["body"]
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response_only(response["status"])
        for name, value in {**response["headers"], "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True  # a client that keeps its connection does not hold up the test's end

    def __init__(self, replay: Replay) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replay = replay

"""A webhook server on loopback, over TLS, for a real API server to call."""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from controlplane.server import ControlPlane

Body = dict[str, Any]
Review = Callable[[Body], Body]


def deny(message: str, code: int = 403) -> Review:
    """Return a webhook that refuses everything."""
    return lambda _: {"allowed": False, "status": {"code": code, "message": message}}


def add_annotation(key: str, value: str) -> Review:
    """Return a webhook that adds an annotation."""

    def review(request: Body) -> Body:
        known = request["object"]["metadata"].get("annotations") or {}
        patch = [{"op": "add", "path": "/metadata/annotations", "value": {**known, key: value}}]
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}

    return review


@contextmanager
def serving(plane: ControlPlane, review: Review) -> Iterator[tuple[str, list[Body]]]:
    """Serve a webhook; yield its URL, and the list of requests that it gets."""
    asked: list[Body] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(told["request"])
            told["response"] = {"uid": told["request"]["uid"], **review(told["request"])}
            data = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*plane.server_certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(plane: ControlPlane, namespace: str, url: str, *, kind: str, side_effects: str = "None") -> Body:
    """Return a webhook configuration for the ConfigMaps of one namespace."""
    authority = base64.b64encode(plane.authority.certificate.read_bytes()).decode()
    webhook = {
        "name": "judge.test.example",
        "clientConfig": {"url": url, "caBundle": authority},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": side_effects,
        "timeoutSeconds": 5,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": namespace},
        "webhooks": [webhook],
    }

"""A thin client of the Kubernetes API for tests: `http.client`, JSON, and what the server really answered.

Tests judge `gitops_guard.cluster` with it, so it shares no code with that package.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Body = dict[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered to one request."""

    status: int
    """The HTTP status, 409."""
    headers: Mapping[str, str]
    """By lower-case name; several of one name are joined by ", "."""
    body: Any
    """The parsed JSON, or the text when it is no JSON (such as "404 page not found")."""

    @property
    def reason(self) -> str:
        """The reason of a Status body, "AlreadyExists"; "" when there is none."""
        return self.body.get("reason", "") if isinstance(self.body, dict) else ""

    @property
    def message(self) -> str:
        """The message of a Status body, or the text itself."""
        return self.body.get("message", "") if isinstance(self.body, dict) else str(self.body)

    @property
    def causes(self) -> list[Body]:
        """The causes of a Status body."""
        details = self.body.get("details") or {} if isinstance(self.body, dict) else {}
        return list(details.get("causes", []))


class RefusedError(Exception):
    """The server answered with an error to a request that was expected to succeed."""

    def __init__(self, request: str, answer: Answer) -> None:
        super().__init__(request, answer)
        self.request = request
        self.answer = answer

    def __str__(self) -> str:
        return f"{self.request}: {self.answer.status} {self.answer.reason} {self.answer.message}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How a user proves who it is: a bearer token, a client certificate, or neither."""

    user: str
    """The name the server knows, "admin"."""
    token: str = ""
    certificate: Path | None = None
    key: Path | None = None


class Watch(Iterator[Body]):
    """The events of one watch, as they arrive."""

    def __init__(self, connection: http.client.HTTPSConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._lines = lines_of(response)
        self._is_cancelled = False

    def __next__(self) -> Body:
        """Return the next event.

        Raises:
            OSError: The connection was cut, or
            http.client.IncompleteRead: it was closed before the end of the body.
        """
        try:
            event: Body = json.loads(next(self._lines))
        except (OSError, http.client.IncompleteRead):
            if self._is_cancelled:
                raise StopIteration from None
            raise
        return event

    def cancel(self) -> None:
        """End it for a reader in another thread, to whom it then looks like the end of the events."""
        self._is_cancelled = True
        if self._connection.sock:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)


class Api:
    """One user's way to one server. Not for use by several threads at once."""

    def __init__(self, port: int, authority: Path, credentials: Credentials, *, timeout_s: float = 60.0) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context(cafile=str(authority))
        if credentials.certificate and credentials.key:
            self._context.load_cert_chain(credentials.certificate, credentials.key)
        self._token = credentials.token
        self._connection: http.client.HTTPSConnection | None = None
        self._resources: dict[tuple[str, str], Body] = {}

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        Args:
            path: With its leading slash, without the query.
            body: Sent as JSON when it is not None; bytes are sent as they are.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            response = self._send(method, target, body, headers or {})
            return _answer(response, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def expect(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Send one request and return the body of its 2xx answer.

        Raises:
            RefusedError: The answer is no 2xx.
        """
        answer = self.request(method, path, body, **options)
        if not 200 <= answer.status < 300:
            raise RefusedError(f"{method} {path}", answer)
        return answer.body

    def apply(self, body: Body, *, manager: str = "test", force: bool = False, dry_run: bool = False) -> Answer:
        """Apply one object server-side."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.request("PATCH", self.path_of(body), body, query=query, headers={"Content-Type": APPLY})

    def create(self, body: Body, **query: str) -> Answer:
        """Create one object with a POST to its collection."""
        return self.request("POST", self.path_of(body).rpartition("/")[0], body, query=query)

    def path_of(self, body: Body) -> str:
        """Return the path of an object, from what the server's discovery says about its kind."""
        version, kind, metadata = body["apiVersion"], body["kind"], body["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._resources:
            served = self.expect("GET", root)["resources"]
            self._resources |= {(version, one["kind"]): one for one in served if "/" not in one["name"]}
        resource = self._resources.get((version, kind))
        if not resource:
            raise LookupError(f"the server does not serve {version} {kind}")
        inner = f"/namespaces/{metadata.get('namespace', 'default')}" if resource["namespaced"] else ""
        return f"{root}{inner}/{resource['name']}/{metadata['name']}"

    @contextlib.contextmanager
    def watch(self, path: str, *, since: str = "", timeout_s: int = 60, **query: str) -> Iterator[Watch]:
        """Yield a watch, on a connection of its own; leaving the context ends it.

        Args:
            since: The resourceVersion of the list it goes on from; "" begins with what exists.
            timeout_s: When the server ends the watch, in seconds.
        """
        connection = self._connect()
        try:
            asked = {"watch": "1", "resourceVersion": since, "timeoutSeconds": str(timeout_s), **query}
            connection.request("GET", f"{path}?{urlencode(asked)}", headers=self._headers({}))
            response = connection.getresponse()
            if response.status != 200:
                raise RefusedError(f"watch {path}", _answer(response, response.read()))
            with response:
                yield Watch(connection, response)
        finally:
            connection.close()

    def _send(self, method: str, target: str, body: object, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        is_kept = self._connection is not None
        self._connection = self._connection or self._connect()
        try:
            self._connection.request(method, target, data, self._headers(headers))
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            self.close()
            if not is_kept:
                raise
            # the server closed a kept connection meanwhile: once more, on a new one
            return self._send(method, target, data, headers)

    def _connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=self._timeout_s, context=self._context)

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"Accept": "application/json", "Content-Type": "application/json", **authorization, **headers}


def lines_of(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of a body as they arrive, each with its line feed.

    Iterating over the response itself would do, but takes a connection that was cut for the end of the body.

    Raises:
        OSError: The connection was cut, or
        http.client.IncompleteRead: it was closed before the end of the body.
    """
    rest = b""
    while data := response.read1(65536):
        *whole, rest = (rest + data).splitlines(keepends=True)
        if rest.endswith(b"\n"):
            whole, rest = [*whole, rest], b""
        yield from whole


def _answer(response: http.client.HTTPResponse, data: bytes) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(status=response.status, headers=headers, body=json.loads(data) if is_json and data else data.decode())


def wait_for(ask: Callable[[], Any], *, what: str, timeout_s: float = 30.0) -> Any:
    """Ask every 20 ms until the answer is true, and return it.

    Raises:
        TimeoutError: The time is up; names what was waited for and the last answer.
    """
    deadline = time.monotonic() + timeout_s
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}; the last answer was {answer!r}")
        time.sleep(0.02)
    return answer

"""Servers that are no API servers, or hostile ones: everything has a limit, and no credential goes where it must not."""

from __future__ import annotations

import dataclasses
import gzip
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitops_guard.cluster import (
    Access,
    AccessError,
    ApiError,
    ApiResource,
    Client,
    ErrorClass,
    Limits,
    UnreachableError,
)
from gitops_guard.cluster.identity import FixedCredentials, Identity

SMALL = Limits(attempts=1, answer_bytes=100_000, read_s=30)
SHORT = dataclasses.replace(SMALL, answer_s=0.3)
Answering = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.answering(self)

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.answer(407, b"", "text/plain")

    def answer(self, status: int, data: bytes, content_type: str = "application/json", **headers: str) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answering: Answering) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answering = answering
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        pass  # a client that has had enough hangs up


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], Server]]:
    running: list[Server] = []

    def start(answering: Answering) -> Server:
        server = Server(answering)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def client_of(url: str, **more: Any) -> Client:
    credentials, limits = FixedCredentials(more.pop("identity", Identity())), more.pop("limits", SMALL)
    return Client(Access(name="odd", server=url, credentials=credentials, **more), limits=limits)


def drip(handler: Handler) -> None:
    handler.send_response_only(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b"1\r\n \r\n")
        threading.Event().wait(0.02)


def bomb(handler: Handler) -> None:
    handler.answer(200, gzip.compress(b"[" * 5_000_000, 1), Content_Encoding="gzip")


@pytest.mark.parametrize(
    ("answering", "message"),
    [
        pytest.param(lambda one: one.answer(200, b"<html>"), "speaks no JSON object", id="no JSON"),
        pytest.param(lambda one: one.answer(200, b"[]"), "speaks no JSON object", id="a list"),
        pytest.param(lambda one: one.answer(200, b"[" * 90_000), "speaks no JSON object", id="deep"),
        pytest.param(lambda one: one.answer(200, b" " * 100_001), "larger than 100,000 bytes", id="large"),
        pytest.param(bomb, "larger than 100,000 bytes", id="gzip bomb"),
        pytest.param(lambda one: one.answer(200, b"x", Content_Encoding="gzip"), "cannot be reached", id="no gzip"),
        pytest.param(drip, "took longer than 0.3 s", id="drop by drop"),
        pytest.param(lambda one: one.wfile.write(b"SSH-2.0-x\r\n"), "BadStatusLine", id="no HTTP"),
        pytest.param(lambda one: one.wfile.write(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_999), "LineTooLong", id="header"),
    ],
)  # fmt: skip
def test_answer_when_it_is_none_then_unreachable(
    serve: Callable[[Answering], Server], answering: Answering, message: str
) -> None:
    limits = SHORT if answering is drip else SMALL
    with client_of(serve(answering).url, limits=limits) as client, pytest.raises(UnreachableError, match=message):
        client.version()


def test_redirect_when_answered_then_it_is_not_followed(serve: Callable[[Answering], Server]) -> None:
    other = serve(lambda one: one.answer(200, b"{}"))
    server = serve(lambda one: one.answer(302, b"{}", Location=other.url))
    with client_of(server.url) as client, pytest.raises(ApiError) as caught:
        client.version()
    assert caught.value.error_class is ErrorClass.BAD_REQUEST
    assert other.asked == []


def test_credentials_when_there_is_no_tls_then_they_are_not_sent(serve: Callable[[Answering], Server]) -> None:
    server = serve(lambda one: one.answer(200, b"{}"))
    client = client_of(server.url, identity=Identity(token="secret-token"))
    with client, pytest.raises(AccessError, match="not sent without TLS"):
        client.version()
    assert server.asked == []


def test_server_when_its_url_has_a_path_then_it_is_in_front(serve: Callable[[Answering], Server]) -> None:
    server = serve(lambda one: one.answer(200, b'{"gitVersion": "v1"}'))
    with client_of(f"{server.url}/clusters/c-1/") as client:
        assert client.version() == "v1"
    assert [path for path, _ in server.asked] == ["/clusters/c-1/version"]


def test_proxy_when_it_refuses_then_its_password_is_not_shown(serve: Callable[[Answering], Server]) -> None:
    proxy = serve(lambda one: one.answer(200, b"{}"))
    access = {"proxy": proxy.url.replace("http://", "http://me:pass%40word@")}
    with client_of("https://api.test:6443", **access) as client, pytest.raises(UnreachableError) as caught:
        client.version()
    assert "407" in str(caught.value)
    assert "word" not in repr(caught.value)
    path, headers = proxy.asked[0]
    assert ("api.test:6443", "Basic bWU6cGFzc0B3b3Jk") == (path, headers["Proxy-Authorization"])
    assert "Authorization" not in headers


def test_proxy_when_it_is_of_another_kind_then_an_error(serve: Callable[[Answering], Server]) -> None:
    with client_of("https://api.test", proxy="socks5://h:1") as client, pytest.raises(AccessError, match="only HTTP"):
        client.version()


def test_warning_when_it_is_odd_then_the_answer_counts(serve: Callable[[Answering], Server]) -> None:
    server = serve(lambda one: one.answer(200, b'{"gitVersion": "v1"}', Warning='299 - "say \\"no\\"", 299 - "x", bad'))
    with client_of(server.url) as client:
        client.version()
        assert client.warnings == ('say "no"', "x")


CONFIG_MAPS = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True)
GOOD = b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}\n'


def events(*lines: bytes) -> Answering:
    return lambda one: one.answer(200, b"".join(lines))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(b"{}\n", "what is no event", id="nothing in it"),
        pytest.param(b"x\n", "what is no event", id="no JSON"),
        pytest.param(b"[" * 50_000 + b"\n", "what is no event", id="deep"),
        pytest.param(b'{"type":"ADDED","object":[]}\n', "what is no event", id="no object"),
        pytest.param(b'{"type":"MOVED","object":{}}\n', "an unknown type", id="unknown type"),
        pytest.param(GOOD[:-9], "was cut", id="half an event"),
    ],
)
def test_watch_when_it_tells_nonsense_then_an_error_after_what_was_good(
    serve: Callable[[Answering], Server], line: bytes, message: str
) -> None:
    with client_of(serve(events(GOOD, line)).url) as client, client.watch(CONFIG_MAPS) as watch:
        assert (next(watch).object["metadata"]["name"], watch.resource_version) == ("a", "7")
        with pytest.raises(UnreachableError, match=message):
            next(watch)


def test_watch_when_the_server_reports_an_error_then_it_has_its_class(serve: Callable[[Answering], Server]) -> None:
    status = b'{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}'
    line = b'{"type":"ERROR","object":' + status + b"}\n"
    client = client_of(serve(events(line)).url)
    with client, client.watch(CONFIG_MAPS) as watch, pytest.raises(ApiError, match="too old") as caught:
        next(watch)
    assert caught.value.error_class is ErrorClass.EXPIRED

"""Code hosts on a socket of this machine that keep the real ones' limits: GitHub's face and GitLab's.

They answer what the documentation says, in pages of the documented size, and refuse what it refuses. Faults are given to them in
advance. What was asked is kept, so that it can be held against the hosts' own descriptions.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "t0ken-for-tests"
STAMP = "2026-11-01T12:00:00Z"


@dataclass
class Fault:
    """What happens to the next call instead of an answer."""

    status: int = 0
    """0: the connection is cut."""
    headers: dict[str, str] = field(default_factory=dict)
    data: Any = None
    only: str = ""
    """Method and path that it is for: `POST .*comments`; empty for any."""
    is_done: bool = False
    """Whether the call is carried out all the same, and only its answer is lost."""


class RefusedError(Exception):
    """The host refuses a call."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Host:
    """What one host knows of one repository."""

    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, str, dict[str, str], Any, int, Any]] = field(default_factory=list)
    """(method, template, query, body, status, answer)."""
    me: dict[str, Any] = field(default_factory=lambda: {"id": 1, "login": "guard[bot]"})
    may_ask_user: bool = True
    may_check: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)
    last_id: int = 0

    def next_id(self) -> int:
        """Return the next number."""
        self.last_id += 1
        return self.last_id

    def add_comment(self, number: int, body: str, author: dict[str, Any]) -> dict[str, Any]:
        """Write a comment as somebody."""
        found = {"id": self.next_id(), "body": body, "user": author}
        self.comments.setdefault(number, []).append(found)
        return found

    def writes(self) -> list[str]:
        """Return the calls that changed something."""
        return [f"{method} {template}" for method, template, *_ in self.calls if method != "GET"]


Route = Callable[["Host", dict[str, str], dict[str, str], Any], tuple[int, Any]]


def refuse_unless(condition: bool, message: str, status: int = 422) -> None:
    """Refuse what the host would."""
    if not condition:
        raise RefusedError(status, message)


# GitHub


def gh_user(user: dict[str, Any]) -> dict[str, Any]:
    return {
        "login": user["login"],
        "id": user["id"],
        "type": "Bot" if user["login"].endswith("[bot]") else "User",
        "site_admin": False,
    }


def gh_comment(comment: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": comment["id"], "node_id": f"IC_{comment['id']}", "url": "https://api.github.com/c", "html_url": "https://github.com/c",
        "issue_url": "https://api.github.com/i", "body": comment["body"], "user": gh_user(comment["user"]), "created_at": STAMP,
        "updated_at": STAMP, "author_association": "NONE",
    }  # fmt: skip


def gh_checked_body(body: Any) -> str:
    refuse_unless(
        isinstance(body, dict) and isinstance(body.get("body"), str) and body["body"] != "", "body is missing"
    )
    refuse_unless(
        len(body["body"].encode("utf-8", "surrogatepass")) <= 262_144, "body is too long (maximum is 65536 characters)"
    )
    return str(body["body"])


def gh_pull(host: Host, at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["pull_number"]) in host.pulls, "Not Found", 404)
    pull = host.pulls[int(at["pull_number"])]
    head = {
        "sha": pull["head"],
        "ref": "feature",
        "repo": None if pull.get("fork_gone") else {"id": 2 if pull.get("fork") else 1},
    }
    return 200, {
        "number": int(at["pull_number"]), "state": pull["state"], "head": head, "base": {"sha": "0" * 40, "ref": "main", "repo": {"id": 1}},
    }  # fmt: skip


def gh_comments(host: Host, at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["issue_number"]) in host.pulls, "Not Found", 404)
    return 200, [gh_comment(one) for one in host.comments.get(int(at["issue_number"]), [])]


def gh_create(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["issue_number"]) in host.pulls, "Not Found", 404)
    return 201, gh_comment(host.add_comment(int(at["issue_number"]), gh_checked_body(body), host.me))


def _find(host: Host, number: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    for comments in host.comments.values():
        for comment in comments:
            if comment["id"] == number:
                return comments, comment
    raise RefusedError(404, "Not Found")


def gh_update(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    _, comment = _find(host, int(at["comment_id"]))
    refuse_unless(comment["user"] == host.me, "Resource not accessible", 403)
    comment["body"] = gh_checked_body(body)
    return 200, gh_comment(comment)


def gh_delete(host: Host, at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    comments, comment = _find(host, int(at["comment_id"]))
    refuse_unless(comment["user"] == host.me, "Resource not accessible", 403)
    comments.remove(comment)
    return 204, None


def gh_status(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(body.get("state") in ("error", "failure", "pending", "success"), "state")
    refuse_unless(len(body.get("description", "")) <= 140, "description is too long (maximum is 140 characters)")
    same = [one for one in host.statuses if (one["sha"], one["context"]) == (at["sha"], body["context"])]
    refuse_unless(len(same) < 1000, "This SHA and context has reached the maximum number of statuses")
    host.statuses.append({"sha": at["sha"], **body})
    known = {key: body[key] for key in ("state", "context", "description")}
    return 201, {
        **known,
        "id": host.next_id(),
        "node_id": "S",
        "url": "https://api.github.com/s",
        "target_url": body.get("target_url"),
    }


def gh_check_output(body: dict[str, Any]) -> None:
    output = body.get("output")
    if output is None:
        return
    refuse_unless({"title", "summary"} <= output.keys(), "output")
    refuse_unless(all(len(output.get(key, "")) <= 65_535 for key in ("summary", "text")), "output is too long")
    annotations = output.get("annotations", [])
    refuse_unless(len(annotations) <= 50, "no more than 50 annotations")
    for one in annotations:
        refuse_unless({"path", "start_line", "end_line", "annotation_level", "message"} <= one.keys(), "annotation")
        refuse_unless(
            len(one["message"].encode()) <= 65_536 and len(one.get("title", "")) <= 255, "annotation is too long"
        )
        refuse_unless("start_column" not in one or one["start_line"] == one["end_line"], "columns")


def gh_create_check(host: Host, _at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(host.may_check, "Resource not accessible by personal access token", 403)
    refuse_unless({"name", "head_sha"} <= body.keys(), "name and head_sha")
    gh_check_output(body)
    number = host.next_id()
    host.checks[number] = {**body, "annotations": list(body.get("output", {}).get("annotations", []))}
    return 201, {
        "id": number,
        "name": body["name"],
        "head_sha": body["head_sha"],
        "status": body.get("status", "queued"),
        "conclusion": None,
    }


def gh_update_check(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["check_run_id"]) in host.checks, "Not Found", 404)
    gh_check_output(body)
    check = host.checks[int(at["check_run_id"])]
    check["annotations"] += body.get("output", {}).get("annotations", [])
    check |= {key: value for key, value in body.items() if key != "annotations"}
    return 200, {
        "id": int(at["check_run_id"]),
        "name": check["name"],
        "head_sha": check["head_sha"],
        "status": check["status"],
        "conclusion": check.get("conclusion"),
    }


def gh_me(host: Host, _at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    refuse_unless(host.may_ask_user, "Resource not accessible by integration", 403)
    return 200, gh_user(host.me)


GITHUB: dict[str, Route] = {
    "GET /user": gh_me,
    "POST /graphql": lambda host, *_: (200, {"data": {"viewer": {"login": host.me["login"]}}}),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": gh_pull,
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": gh_comments,
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": gh_create,
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": gh_update,
    "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}": gh_delete,
    "POST /repos/{owner}/{repo}/statuses/{sha}": gh_status,
    "POST /repos/{owner}/{repo}/check-runs": gh_create_check,
    "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": gh_update_check,
    "GET /repos/{owner}/{repo}/installation": lambda *_: (200, {"id": 99, "app_slug": "guard"}),
    "GET /app": lambda *_: (200, {"id": 5, "slug": "guard", "name": "Guard"}),
    "POST /app/installations/{installation_id}/access_tokens": lambda *_: (201, {"token": TOKEN, "expires_at": STAMP}),
}


# GitLab


def gl_note(note: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": note["id"], "body": note["body"], "author": {"id": note["user"]["id"], "username": note["user"]["login"]}, "created_at": STAMP,
        "updated_at": STAMP, "system": note.get("system", False), "noteable_type": "MergeRequest",
    }  # fmt: skip


def gl_body(body: Any) -> str:
    refuse_unless(
        isinstance(body, dict) and isinstance(body.get("body"), str) and body["body"] != "", "body is missing", 400
    )
    refuse_unless(len(body["body"]) <= 1_000_000, "Note is too long (maximum is 1000000 characters)", 400)
    return str(body["body"])


def gl_request(host: Host, at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["merge_request_iid"]) in host.pulls, "404 Not found", 404)
    pull = host.pulls[int(at["merge_request_iid"])]
    return 200, {
        "iid": int(at["merge_request_iid"]), "state": "opened" if pull["state"] == "open" else pull["state"], "sha": pull["head"],
        "target_branch": "main", "source_project_id": 2 if pull.get("fork") else 1, "target_project_id": 1,
    }  # fmt: skip


def gl_notes(host: Host, at: dict[str, str], query: dict[str, str], _body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["merge_request_iid"]) in host.pulls, "404 Not found", 404)
    notes = [gl_note(one) for one in host.comments.get(int(at["merge_request_iid"]), [])]
    return 200, notes if query.get("sort") == "asc" else notes[::-1]


def gl_create(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(int(at["merge_request_iid"]) in host.pulls, "404 Not found", 404)
    return 201, gl_note(host.add_comment(int(at["merge_request_iid"]), gl_body(body), host.me))


def gl_update(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    _, note = _find(host, int(at["note_id"]))
    refuse_unless(note["user"] == host.me, "403 Forbidden", 403)
    note["body"] = gl_body(body)
    return 200, gl_note(note)


def gl_delete(host: Host, at: dict[str, str], _query: dict[str, str], _body: Any) -> tuple[int, Any]:
    notes, note = _find(host, int(at["note_id"]))
    refuse_unless(note["user"] == host.me, "403 Forbidden", 403)
    notes.remove(note)
    return 204, None


def gl_status(host: Host, at: dict[str, str], _query: dict[str, str], body: Any) -> tuple[int, Any]:
    refuse_unless(body.get("state") in ("pending", "running", "success", "failed", "canceled", "skipped"), "state", 400)
    refuse_unless(
        len(body.get("description", "")) <= 255 and len(body.get("target_url", "")) <= 255, "is too long", 400
    )
    same = [one for one in host.statuses if (one["sha"], one["name"]) == (at["sha"], body["name"])]
    again = same and same[-1]["state"] == body["state"]
    refuse_unless(not again, f"Cannot transition status via :enqueue from :{body['state']}", 400)
    host.statuses.append({"sha": at["sha"], **body})
    return 201, {
        "id": host.next_id(),
        "sha": at["sha"],
        "status": body["state"],
        "name": body["name"],
        "target_url": body.get("target_url"),
    }


def gl_statuses(host: Host, at: dict[str, str], query: dict[str, str], _body: Any) -> tuple[int, Any]:
    found = [one for one in host.statuses if one["sha"] == at["sha"] and query.get("name") in (None, one["name"])]
    return 200, [{"id": 1, "sha": at["sha"], "status": one["state"], "name": one["name"]} for one in found[-1:]]


GITLAB: dict[str, Route] = {
    "GET /user": lambda host, *_: (200, {"id": host.me["id"], "username": host.me["login"]}),
    "GET /projects/{id}/merge_requests/{merge_request_iid}": gl_request,
    "GET /projects/{id}/merge_requests/{merge_request_iid}/notes": gl_notes,
    "POST /projects/{id}/merge_requests/{merge_request_iid}/notes": gl_create,
    "PUT /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}": gl_update,
    "DELETE /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}": gl_delete,
    "POST /projects/{id}/statuses/{sha}": gl_status,
    "GET /projects/{id}/repository/commits/{sha}/statuses": gl_statuses,
}


# The socket


def _compiled(routes: dict[str, Route]) -> list[tuple[re.Pattern[str], str, str, Route]]:
    found = []
    for name, route in routes.items():
        method, _, template = name.partition(" ")
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        found.append((re.compile(pattern), method, template, route))
    return found


class Double:
    """One host, listening."""

    def __init__(self, routes: dict[str, Route], *, default_page: int, header: str) -> None:
        """Keep which face it shows; `start` opens the port."""
        self.host = Host()
        self._routes = _compiled(routes)
        self._default_page = default_page
        self._header = header
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                double.handle(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _do

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one call."""
        length = int(request.headers.get("content-length") or 0)
        raw = request.rfile.read(length)
        parts = urlsplit(request.path)
        with self.host.lock:
            fault = self._fault(request.command, parts.path)
            if fault is None or fault.is_done:
                status, data, headers = self._answer(request, parts.path, dict(parse_qsl(parts.query)), raw)
            if fault is not None:
                if fault.status == 0:
                    request.close_connection = True
                    request.connection.shutdown(2)
                    return
                status, data, headers = fault.status, fault.data, fault.headers
        self._send(request, status, data, headers)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.host.faults:
            if re.search(fault.only, f"{method} {path}"):
                self.host.faults.remove(fault)
                return fault
        return None

    def _answer(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str], raw: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        sent = request.headers.get(self._header, "")
        if TOKEN not in sent and "/app" not in path and "/installation" not in path:
            return 401, {"message": "Bad credentials"}, {}
        body = json.loads(raw) if raw else None
        for pattern, method, template, route in self._routes:
            found = pattern.fullmatch(path)
            if found and method == request.command:
                try:
                    status, data = route(
                        self.host, {key: unquote(value) for key, value in found.groupdict().items()}, query, body
                    )
                except RefusedError as refused:
                    status, data = refused.status, {"message": str(refused)}
                headers = {}
                if isinstance(data, list):
                    data, headers = self._page(data, query)
                self.host.calls.append((method, template, query, body, status, data))
                return status, data, headers
        return 404, {"message": "Not Found"}, {}

    def _page(self, items: list[Any], query: dict[str, str]) -> tuple[list[Any], dict[str, str]]:
        size = min(int(query.get("per_page", self._default_page)), 100)
        page = int(query.get("page", 1))
        has_more = len(items) > page * size
        if self._header == "PRIVATE-TOKEN":
            headers = {"X-Next-Page": str(page + 1) if has_more else "", "X-Page": str(page)}
        else:
            headers = {"Link": f'<{self.address}/next>; rel="next"'} if has_more else {}
        return items[(page - 1) * size : page * size], headers

    def _send(self, request: BaseHTTPRequestHandler, status: int, data: Any, headers: dict[str, str]) -> None:
        raw = b"" if data is None else json.dumps(data).encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(raw)


def github() -> Double:
    """Return a host with GitHub's face."""
    return Double(GITHUB, default_page=30, header="Authorization")


def gitlab() -> Double:
    """Return a host with GitLab's face."""
    return Double(GITLAB, default_page=20, header="PRIVATE-TOKEN")


def comments_of(double: Double, number: int) -> Iterator[str]:
    """Yield the texts of a pull request's comments."""
    return (comment["body"] for comment in double.host.comments.get(number, []))

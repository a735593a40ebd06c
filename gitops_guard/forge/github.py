"""GitHub, github.com and GitHub Enterprise Server: comments, statuses, check-runs."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from gitops_guard.errors import ForgeError
from gitops_guard.forge.answers import number_of, object_of, text_of
from gitops_guard.forge.host import Annotation, Check, Comment, Limits, Pull, State, Status
from gitops_guard.forge.transport import Clock, Transport

API: Final = "https://api.github.com"
_VERSION: Final = "2022-11-28"
_PAGE: Final = 100
_WRITE_GAP_S: Final = 1.0
_ANNOTATIONS: Final = 50
"""In one request; further requests append."""

_OUTPUT: Final = 65_000
_TITLE: Final = 255
_MESSAGE: Final = 16_000
_STATES: Final = {
    State.PENDING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "error",
    State.NEUTRAL: "error",
}
_CONCLUSIONS: Final = {
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "failure",
    State.NEUTRAL: "neutral",
}


class GitHub:
    """One repository on GitHub."""

    limits = Limits()

    def __init__(
        self, repository: str, token: str, *, api: str = API, web: str = "", me: str = "", clock: Clock | None = None
    ) -> None:
        """Keep where and as whom.

        Args:
            repository: `owner/name`.
            token: Of a user, an App's installation, or the job.
            api: `https://HOST/api/v3` for GitHub Enterprise Server.
            web: Address of the pages, for links; empty: none.
            me: Login that our comments are written by; asked for where it is empty.
            clock: Real time by default.
        """
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        self._http = Transport(api, headers, clock=clock, write_gap_s=_WRITE_GAP_S)
        self._graph = Transport(api.rstrip("/").removesuffix("/v3"), headers, clock=clock)
        self._repo = f"/repos/{quote(repository)}"
        self._web = f"{web.rstrip('/')}/{quote(repository)}" if web else ""
        self._me = me

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now."""
        pull = object_of(self._http.get(f"{self._repo}/pulls/{number}").data)
        head, base = object_of(pull.get("head")), object_of(pull.get("base"))
        repo = head.get("repo")  # null when the fork is gone
        return Pull(
            number=number,
            head=text_of(head.get("sha")),
            target=text_of(base.get("ref")),
            is_open=pull.get("state") == "open",
            is_fork=repo is None or object_of(repo).get("id") != object_of(base.get("repo")).get("id"),
        )

    def me(self) -> str:
        """Return our login. The REST API does not tell it to an App's or a job's token, the GraphQL API does."""
        if not self._me:
            try:
                self._me = text_of(object_of(self._http.get("/user").data).get("login"))
            except ForgeError as error:
                if error.status != 403:
                    raise
                self._me = self._viewer()
        return self._me

    def _viewer(self) -> str:
        try:
            answer = self._graph.call("POST", "/graphql", body={"query": "query{viewer{login}}"}, is_repeatable=True)
            viewer = object_of(object_of(object_of(answer.data).get("data")).get("viewer"))
            return text_of(viewer.get("login"))
        except ForgeError as error:
            raise ForgeError(
                "GitHub does not say who we are: set GITOPS_GUARD_FORGE_USER to the login that our comments are by",
                status=error.status,
            ) from error

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first."""
        pages = self._http.pages(f"{self._repo}/issues/{number}/comments", size=_PAGE, per_page=_PAGE)
        return tuple(sorted((_comment(item) for item in pages), key=lambda comment: comment.id))

    def create_comment(self, number: int, body: str) -> None:
        """Write a new comment."""
        self._http.call("POST", f"{self._repo}/issues/{number}/comments", body={"body": body})

    def update_comment(self, number: int, comment: int, body: str) -> None:  # noqa: ARG002  # GitHub's ids need no number
        """Replace a comment's text."""
        self._http.call("PATCH", f"{self._repo}/issues/comments/{comment}", body={"body": body})

    def delete_comment(self, number: int, comment: int) -> None:  # noqa: ARG002  # GitHub's ids need no number
        """Delete a comment."""
        try:
            self._http.call("DELETE", f"{self._repo}/issues/comments/{comment}")
        except ForgeError as error:
            if error.status != 404:
                raise

    def set_status(self, commit: str, status: Status) -> None:
        """Give a commit a status."""
        body = {"state": _STATES[status.state], "context": status.context, "description": status.description}
        body |= {"target_url": status.url} if status.url else {}
        self._http.call("POST", f"{self._repo}/statuses/{commit}", body=body, is_repeatable=True)

    def publish_check(self, commit: str, check: Check) -> bool:
        """Give a commit a check-run; only Apps and the job's own token may."""
        batches = [check.annotations[at : at + _ANNOTATIONS] for at in range(0, len(check.annotations), _ANNOTATIONS)]
        first: dict[str, Any] = {"name": check.name, "head_sha": commit, "status": "in_progress"}
        first |= {"details_url": check.url} if check.url else {}
        try:
            answer = self._http.call("POST", f"{self._repo}/check-runs", body=first)
        except ForgeError as error:
            if error.status in (403, 404):
                return False
            raise
        run = number_of(object_of(answer.data).get("id"))
        output = {"title": check.title[:_TITLE], "summary": check.summary, "text": check.text}
        for batch in batches:
            body = {"output": {**output, "annotations": [_annotation(one) for one in batch]}}
            self._http.call("PATCH", f"{self._repo}/check-runs/{run}", body=body)
        last = {"status": "completed", "conclusion": _CONCLUSIONS[check.state], "output": output}
        self._http.call("PATCH", f"{self._repo}/check-runs/{run}", body=last)
        return True

    def file_link(self, commit: str) -> str:
        """Return the address of a file's line."""
        return f"{self._web}/blob/{commit}/{{path}}#L{{line}}" if self._web else ""


def _comment(item: Any) -> Comment:
    comment = object_of(item)
    author = text_of(object_of(comment.get("user") or {}).get("login"))
    return Comment(id=number_of(comment.get("id")), author=author, body=text_of(comment.get("body") or ""))


def _annotation(one: Annotation) -> Mapping[str, object]:
    return {
        "path": one.path,
        "start_line": max(one.line, 1),
        "end_line": max(one.end_line, one.line, 1),
        "annotation_level": str(one.level),
        "title": one.title[:_TITLE],
        "message": one.message[:_MESSAGE],
    }

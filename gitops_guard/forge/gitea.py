"""Gitea and Forgejo: comments and statuses; there are no check-runs."""

from typing import Any, Final
from urllib.parse import quote

from gitops_guard.errors import ForgeError
from gitops_guard.forge.answers import number_of, object_of, text_of
from gitops_guard.forge.host import Check, Comment, Limits, Pull, State, Status
from gitops_guard.forge.transport import Clock, Transport

_STATES: Final = {
    State.PENDING: "pending",
    State.SUCCESS: "success",
    State.FAILURE: "failure",
    State.ERROR: "error",
    State.NEUTRAL: "warning",
}


class Gitea:
    """One repository on a Gitea or Forgejo server."""

    limits = Limits(comment_characters=65_000, comment_octets=65_000, status_description=255)

    def __init__(self, repository: str, token: str, *, server: str, me: str = "", clock: Clock | None = None) -> None:
        """Keep where and as whom.

        Args:
            repository: `owner/name`.
            token: With the scopes `write:issue` and `write:repository`.
            server: Address of the pages: `https://git.example.com`.
            me: Login that our comments are written by; asked for where it is empty.
            clock: Real time by default.
        """
        self._http = Transport(f"{server.rstrip('/')}/api/v1", {"Authorization": f"token {token}"}, clock=clock)
        self._repo = f"/repos/{quote(repository)}"
        self._web = f"{server.rstrip('/')}/{quote(repository)}"
        self._me = me

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now."""
        pull = object_of(self._http.get(f"{self._repo}/pulls/{number}").data)
        head, base = object_of(pull.get("head")), object_of(pull.get("base"))
        return Pull(
            number=number,
            head=text_of(head.get("sha")),
            target=text_of(base.get("ref")),
            is_open=pull.get("state") == "open",
            is_fork=head.get("repo_id") != base.get("repo_id"),
        )

    def me(self) -> str:
        """Return our login; a token without `read:user` may not ask for it."""
        if not self._me:
            try:
                self._me = text_of(object_of(self._http.get("/user").data).get("login"))
            except ForgeError as error:
                if error.status != 403:
                    raise
                raise ForgeError(
                    "the forge does not say who we are: give the token the scope read:user, or set"
                    " GITOPS_GUARD_FORGE_USER to the login that our comments are by",
                    status=403,
                ) from error
        return self._me

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first; Gitea gives them all at once."""
        items = self._http.get(f"{self._repo}/issues/{number}/comments").data
        found = [_comment(item) for item in (items if isinstance(items, list) else [])]
        return tuple(sorted(found, key=lambda comment: comment.id))

    def create_comment(self, number: int, body: str) -> None:
        """Write a new comment."""
        self._http.call("POST", f"{self._repo}/issues/{number}/comments", body={"body": body})

    def update_comment(self, number: int, comment: int, body: str) -> None:  # noqa: ARG002  # Gitea's ids need no number
        """Replace a comment's text."""
        self._http.call("PATCH", f"{self._repo}/issues/comments/{comment}", body={"body": body})

    def delete_comment(self, number: int, comment: int) -> None:  # noqa: ARG002  # Gitea's ids need no number
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

    def publish_check(self, commit: str, check: Check) -> bool:  # noqa: ARG002  # there is no such thing
        """Say that there are no check-runs."""
        return False

    def file_link(self, commit: str) -> str:
        """Return the address of a file's line."""
        return f"{self._web}/src/commit/{commit}/{{path}}#L{{line}}"


def _comment(item: Any) -> Comment:
    comment = object_of(item)
    author = text_of(object_of(comment.get("user") or {}).get("login") or "")
    return Comment(id=number_of(comment.get("id")), author=author, body=text_of(comment.get("body") or ""))

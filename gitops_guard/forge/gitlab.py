"""GitLab, gitlab.com and self-managed: notes and statuses; findings on lines are the Code Quality artefact's part."""

from typing import Any, Final
from urllib.parse import quote

from gitops_guard.errors import ForgeError
from gitops_guard.forge.answers import number_of, object_of, text_of
from gitops_guard.forge.host import Check, Comment, Limits, Pull, State, Status
from gitops_guard.forge.transport import Clock, Transport

_PAGE: Final = 100
_LONGEST_URL: Final = 255
_STATES: Final = {
    State.PENDING: "running",
    State.SUCCESS: "success",
    State.FAILURE: "failed",
    State.ERROR: "failed",
    State.NEUTRAL: "failed",
}


class GitLab:
    """One project on GitLab."""

    limits = Limits(comment_characters=900_000, comment_octets=900_000, status_description=255)

    def __init__(
        self,
        project: str,
        token: str,
        *,
        api: str,
        web: str = "",
        pipeline: int = 0,
        me: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Keep where and as whom.

        Args:
            project: Number, or path with its groups.
            token: Of a project or a user, with the scope `api` and the role Developer; a job's own may not write notes.
            api: `https://gitlab.com/api/v4`.
            web: The project's address, for links; empty: none.
            pipeline: Number of the pipeline that statuses belong to; without it an external one appears.
            me: Number of the user that our notes are written by; asked for where it is empty.
            clock: Real time by default.
        """
        self._http = Transport(api, {"PRIVATE-TOKEN": token}, clock=clock)
        self._project = f"/projects/{quote(project, safe='')}"
        self._web = web.rstrip("/")
        self._pipeline = pipeline
        self._me = me

    def pull(self, number: int) -> Pull:
        """Return a merge request as it is now."""
        request = object_of(self._http.get(f"{self._project}/merge_requests/{number}").data)
        return Pull(
            number=number,
            head=text_of(request.get("sha")),
            target=text_of(request.get("target_branch")),
            is_open=request.get("state") == "opened",
            is_fork=request.get("source_project_id") != request.get("target_project_id"),
        )

    def me(self) -> str:
        """Return our user's number."""
        if not self._me:
            self._me = str(number_of(object_of(self._http.get("/user").data).get("id")))
        return self._me

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all notes that people or bots wrote, the oldest first."""
        path = f"{self._project}/merge_requests/{number}/notes"
        notes = [object_of(item) for item in self._http.pages(path, size=_PAGE, per_page=_PAGE, sort="asc")]
        found = [_comment(note) for note in notes if note.get("system") is not True]
        return tuple(sorted(found, key=lambda comment: comment.id))

    def create_comment(self, number: int, body: str) -> None:
        """Write a new note."""
        self._http.call("POST", f"{self._project}/merge_requests/{number}/notes", body={"body": body})

    def update_comment(self, number: int, comment: int, body: str) -> None:
        """Replace a note's text."""
        self._http.call("PUT", f"{self._project}/merge_requests/{number}/notes/{comment}", body={"body": body})

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a note."""
        try:
            self._http.call("DELETE", f"{self._project}/merge_requests/{number}/notes/{comment}")
        except ForgeError as error:
            if error.status != 404:
                raise

    def set_status(self, commit: str, status: Status) -> None:
        """Give a commit a status; one that stays the same is refused by GitLab, and is what we want."""
        body: dict[str, Any] = {
            "state": _STATES[status.state],
            "name": status.context,
            "description": status.description,
        }
        body |= {"target_url": status.url} if status.url and len(status.url) <= _LONGEST_URL else {}
        body |= {"pipeline_id": self._pipeline} if self._pipeline else {}
        try:
            # 409: another update of this status is in progress, in GitLab's words
            self._http.call("POST", f"{self._project}/statuses/{commit}", body=body, is_repeatable=True, busy=(409,))
        except ForgeError as error:
            if error.status != 400 or not self._is_there(commit, status):
                raise

    def _is_there(self, commit: str, status: Status) -> bool:
        path = f"{self._project}/repository/commits/{commit}/statuses"
        entries = [object_of(item) for item in self._http.pages(path, size=_PAGE, per_page=_PAGE, name=status.context)]
        return any(
            entry.get("name") == status.context and entry.get("status") == _STATES[status.state] for entry in entries
        )

    def publish_check(self, commit: str, check: Check) -> bool:  # noqa: ARG002  # there is no such thing
        """Say that there are no check-runs."""
        return False

    def file_link(self, commit: str) -> str:
        """Return the address of a file's line."""
        return f"{self._web}/-/blob/{commit}/{{path}}#L{{line}}" if self._web else ""


def _comment(note: dict[str, Any]) -> Comment:
    author = object_of(note.get("author") or {}).get("id")
    return Comment(id=number_of(note.get("id")), author=str(author or ""), body=text_of(note.get("body") or ""))

"""A folder in place of a host: comments, statuses and checks as files, so that all can be seen without a network."""

import json
import os
from dataclasses import asdict
from typing import Any, Final

from gitops_guard.errors import ForgeError
from gitops_guard.forge.host import Check, Comment, Limits, Pull, Status

ME: Final = "gitops-guard"
_NAME: Final = "{number:06}.md"


class Local:
    """One repository's folder.

    `pulls/<number>.json` says what `Pull` says, `comments/<number>/<id>.md` are ours (`<id>.<author>.md` are others'),
    `statuses/<commit>.json` and `checks/<commit>.json` hold the newest by name.
    """

    limits = Limits()

    def __init__(self, folder: str, *, known: Pull | None = None) -> None:
        """Keep the folder.

        Args:
            folder: Made where it is missing.
            known: The pull request, where the folder says nothing about it.
        """
        self._folder = folder
        self._known = known

    def pull(self, number: int) -> Pull:
        """Return a pull request as the folder, or the run, knows it."""
        path = os.path.join(self._folder, "pulls", f"{number}.json")
        if os.path.exists(path):
            return Pull(**_read_json(path))
        if self._known is None or self._known.number != number:
            raise ForgeError(f"{path}: there is no such pull request", status=404)
        return self._known

    def me(self) -> str:
        """Return the name that comments without another's name are by."""
        return ME

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments, the oldest first."""
        folder = self._comments(number)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return tuple(_comment(folder, name) for name in names if name.endswith(".md"))

    def create_comment(self, number: int, body: str) -> None:
        """Write a new file."""
        taken = [comment.id for comment in self.comments(number)]
        self._write(os.path.join(self._comments(number), _NAME.format(number=max(taken, default=0) + 1)), body)

    def update_comment(self, number: int, comment: int, body: str) -> None:
        """Write a file anew."""
        path = os.path.join(self._comments(number), _NAME.format(number=comment))
        if not os.path.exists(path):
            raise ForgeError(f"{path}: there is no such comment", status=404)
        self._write(path, body)

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a file."""
        path = os.path.join(self._comments(number), _NAME.format(number=comment))
        if os.path.exists(path):
            os.unlink(path)

    def set_status(self, commit: str, status: Status) -> None:
        """Write the status."""
        self._put("statuses", commit, status.context, asdict(status))

    def publish_check(self, commit: str, check: Check) -> bool:
        """Write the check."""
        self._put("checks", commit, check.name, asdict(check))
        return True

    def file_link(self, commit: str) -> str:  # noqa: ARG002  # a folder has no pages
        """Return nothing: a folder has no pages."""
        return ""

    def _comments(self, number: int) -> str:
        return os.path.join(self._folder, "comments", str(number))

    def _put(self, kind: str, commit: str, name: str, value: dict[str, Any]) -> None:
        path = os.path.join(self._folder, kind, f"{commit}.json")
        known = _read_json(path) if os.path.exists(path) else {}
        self._write(path, json.dumps({**known, name: value}, indent=2) + "\n")

    def _write(self, path: str, text: str) -> None:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
                stream.write(text)
        except OSError as error:
            raise ForgeError(f"{path}: cannot be written: {error.strerror}") from error


def _comment(folder: str, name: str) -> Comment:
    number, _, author = name.removesuffix(".md").partition(".")
    with open(os.path.join(folder, name), encoding="utf-8", errors="surrogatepass", newline="") as stream:
        return Comment(id=int(number), author=author or ME, body=stream.read())


def _read_json(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError) as error:
        raise ForgeError(f"{path}: cannot be read") from error
    if not isinstance(found, dict):
        raise ForgeError(f"{path}: is no object")
    return found

"""What we want of a code host, in ten calls; a host file says how it is done there."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a host takes; margins below its own limits, since it may count differently."""

    comment_characters: int = 65_000
    comment_octets: int = 262_000
    status_description: int = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull or merge request as the host knows it."""

    number: int
    head: str
    """Commit that is its newest."""

    target: str
    """Branch that it is to be merged into."""

    is_open: bool
    is_fork: bool
    """Whether its branch lies in another repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment; never printed: anybody may have written it."""

    id: int
    author: str
    """As `Forge.me` names us."""

    body: str


class State(StrEnum):
    """What a commit status can say; each host has its own words for it."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    """Something stops the merge."""

    ERROR = "error"
    """It could not be found out."""

    NEUTRAL = "neutral"
    """Not everything was looked at: no pass, where the host has a word for it, else an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A commit's status."""

    state: State
    context: str
    """Its name: `gitops-guard`; what branch protection asks for."""

    description: str
    """In our own words; the host's limit is the caller's to keep."""

    url: str = ""


class Level(StrEnum):
    """How bad an annotation is."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark on lines of a file."""

    path: str
    line: int
    end_line: int
    level: Level
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rich result, where the host has such a thing."""

    name: str
    state: State
    title: str
    summary: str
    text: str
    annotations: Sequence[Annotation] = ()
    url: str = ""


class Forge(Protocol):
    """A code host, for one repository."""

    limits: Limits

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now.

        Raises:
            ForgeError: There is none, or the host cannot be asked.
        """
        ...

    def me(self) -> str:
        """Return who we are: the author of what we write."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return all comments on a pull request, the oldest first."""
        ...

    def create_comment(self, number: int, body: str) -> None:
        """Write a new comment."""
        ...

    def update_comment(self, number: int, comment: int, body: str) -> None:
        """Replace a comment's text."""
        ...

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone already is no error."""
        ...

    def set_status(self, commit: str, status: Status) -> None:
        """Give a commit a status; one with the same context is replaced."""
        ...

    def publish_check(self, commit: str, check: Check) -> bool:
        """Give a commit a rich result; False where the host has none, or we may not write it."""
        ...

    def file_link(self, commit: str) -> str:
        """Return the address of a file's line, with `{path}` and `{line}`; empty where there is none."""
        ...

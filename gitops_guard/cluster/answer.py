"""One request and one answer, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.model import Json

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, before it is sent."""

    method: str
    path: str
    """With its leading slash and its query; quoted."""

    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    accept: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False
    """May be sent again when nobody knows whether the server acted on it."""

    is_dry_run: bool = False
    weight: int = 1
    """For the limiter."""

    compressed: bool = False
    """The answer may be long enough to be worth compressing."""

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server answered: 2xx or 304."""

    status: int
    body: dict[str, Json] = field(repr=False)
    """The JSON object; empty for an answer without one."""

    content_type: str = ""
    warnings: tuple[str, ...] = ()
    """Texts of the `Warning` headers, such as that of a deprecated API."""

    etag: str = ""
    date: str = ""
    """The server's clock, as its `Date` header says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What requests to a cluster may cost."""

    connect_s: float = 10.0
    """Until connected, TLS included."""

    read_s: float = 75.0
    """Without a byte from the server; longer than the 60 s after which it gives up itself."""

    answer_s: float = 300.0
    """For one answer as a whole."""

    answer_bytes: int = 256 << 20
    """Of one answer, not compressed."""

    request_bytes: int = 3 << 20
    """Larger ones are refused by the server anyway (3,145,728 bytes)."""

    attempts: int = 5
    """Of one request, the first included."""

    retries: int = 500
    """Of all requests of a client together: what is down stays down."""

    longest_wait_s: float = 30.0
    """A server that asks to wait longer is not waited for."""

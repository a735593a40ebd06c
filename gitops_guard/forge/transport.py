"""JSON over HTTP with one policy for all hosts: when to wait, what to try again, what never to follow.

A token goes to the host that it is for and nowhere else: redirects lead within it or are refused. An error names the
call and the answer's status; the answer's text may hold anything and is never repeated.
"""

import email.message
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final

from gitops_guard import __version__
from gitops_guard.errors import ForgeError

_TIMEOUT_S: Final = 30.0
_TRIES: Final = 5
_LONGEST_WAIT_S: Final = 900.0
_LEAST_WAIT_S: Final = 1.0
_SECONDARY_WAIT_S: Final = 60.0
"""What a host wants that refuses without saying for how long."""

_MOST_BYTES: Final = 32 << 20
_MOST_PAGES: Final = 500
_MOST_REDIRECTS: Final = 3
_TRANSIENT: Final = frozenset((500, 502, 503, 504))
_MOVED: Final = frozenset((301, 302, 307, 308))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""

    data: Any
    """The parsed JSON; None where there is none."""


@dataclass(slots=True)
class Clock:
    """Time, so that a test need not wait for it."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves redirects to us: urllib would send the token along to wherever they lead."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


class Transport:
    """Calls to one host."""

    def __init__(
        self, base: str, headers: Mapping[str, str], *, clock: Clock | None = None, write_gap_s: float = 0.0
    ) -> None:
        """Keep where and as whom.

        Args:
            base: Address that paths are added to: `https://api.github.com`.
            headers: Sent with each call; they hold the token.
            clock: Real time by default.
            write_gap_s: Least time between two writes, as the host wants it.

        Raises:
            ForgeError: The address is none of HTTP.
        """
        parts = urllib.parse.urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ForgeError("the forge's address must be http:// or https:// with a host, and nothing behind its path")
        self._base = base.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self._headers = {"User-Agent": f"gitops-guard/{__version__}", "Accept": "application/json", **headers}
        self._clock = clock or Clock()
        self._write_gap_s = write_gap_s
        self._last_write_s = float("-inf")
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str, **query: str | int) -> Answer:
        """Read."""
        return self.call("GET", path, query=query)

    def pages(self, path: str, *, size: int, **query: str | int) -> Iterator[Any]:
        """Yield the items of all pages.

        Args:
            path: Of the list.
            size: Items a page; one that is shorter is the last, unless a link names a next one.
            query: Further parameters.

        Raises:
            ForgeError: There is no end to it.
        """
        for page in range(1, _MOST_PAGES + 1):
            answer = self.get(path, **query, page=page)
            items = answer.data if isinstance(answer.data, list) else []
            yield from items
            if not items or not _has_next(answer, page, len(items) < size):
                return
        raise ForgeError(f"{_shown('GET', path)}: more than {_MOST_PAGES} pages")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        is_repeatable: bool = False,
        busy: Collection[int] = (),
    ) -> Answer:
        """Call, and wait and try again where that may help.

        Args:
            method: Of HTTP.
            path: Behind the base address.
            query: Parameters.
            body: Sent as JSON.
            is_repeatable: Whether a POST that may have been carried out may be carried out again.
            busy: Statuses by which this call is told that somebody else is just at it.

        Raises:
            ForgeError: The host refuses, cannot be reached, or wants us to wait for too long.
        """
        address = self._base + path
        if query:
            address += f"?{urllib.parse.urlencode(query)}"
        for attempt in range(_TRIES):
            self._keep_gap(method)
            answer = self._once(method, address, body)
            wait_s = self._wait_s(answer, attempt, is_repeatable=is_repeatable or method != "POST", busy=busy)
            if wait_s is None:
                return self._checked(method, path, answer)
            if attempt + 1 < _TRIES:
                self._clock.sleep(wait_s)
        status = answer.status if answer else 0
        raise ForgeError(f"{_shown(method, path)}: {_reason(status)}, {_TRIES} times", status=status)

    def _keep_gap(self, method: str) -> None:
        """Write one after the other, with the pause between them that the host asks for."""
        if method == "GET":
            return
        left_s = self._last_write_s + self._write_gap_s - self._clock.now()
        if left_s > 0:
            self._clock.sleep(left_s)
        self._last_write_s = self._clock.now()

    def _once(self, method: str, address: str, body: Any) -> Answer | None:
        """Call once, following redirects within the host; None when the host cannot be reached."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._send(method, address, body)
            target = answer.headers.get("location", "") if answer is not None and answer.status in _MOVED else ""
            if not target:
                return answer
            address = urllib.parse.urljoin(address, target)
            parts = urllib.parse.urlsplit(address)
            if (parts.scheme, parts.netloc) != self._origin or (method != "GET" and answer and answer.status < 307):
                raise ForgeError("the forge sends us to another place; give its address as it is now", status=301)
        raise ForgeError("the forge sends us round in circles", status=301)

    def _send(self, method: str, address: str, body: Any) -> Answer | None:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else {**self._headers, "Content-Type": "application/json"}
        request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310  # http(s) only: see __init__
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return _answer(response.status, response.headers, response.read(_MOST_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read(_MOST_BYTES + 1))
        except (OSError, HTTPException):
            return None

    def _wait_s(
        self, answer: Answer | None, attempt: int, *, is_repeatable: bool, busy: Collection[int]
    ) -> float | None:
        """Return for how long to wait before the next try; None: this answer counts.

        A write that may have been carried out is not repeated, but for those that may be carried out twice.
        """
        growing_s: float = _LEAST_WAIT_S * 2**attempt * (1 + self._clock.jitter())
        if answer is None or answer.status in _TRANSIENT:
            return growing_s if is_repeatable else None
        if answer.status in busy:
            return growing_s
        limited_s = self._limited_s(answer, attempt)
        if limited_s is not None and limited_s > _LONGEST_WAIT_S:
            raise ForgeError(
                f"the forge wants us to wait for {limited_s:.0f} s: its rate limit is used up", status=answer.status
            )
        return limited_s

    def _limited_s(self, answer: Answer, attempt: int) -> float | None:
        """Return for how long a rate limit keeps us out; None when none does."""
        if answer.status not in (403, 429):
            return None
        headers = answer.headers
        asked = _number(headers.get("retry-after"))
        if asked is not None:
            return max(asked, _LEAST_WAIT_S)
        left, reset = (
            headers.get("x-ratelimit-remaining"),
            headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset"),
        )
        until = _number(reset)
        if (left == "0" or headers.get("ratelimit-remaining") == "0") and until is not None:
            return max(until - self._clock.now(), _LEAST_WAIT_S)
        if answer.status == 429 or _is_secondary(answer):
            return float(_SECONDARY_WAIT_S * 2**attempt)
        return None

    def _checked(self, method: str, path: str, answer: Answer | None) -> Answer:
        if answer is None or not 200 <= answer.status < 300:
            status = answer.status if answer else 0
            raise ForgeError(f"{_shown(method, path)}: {_reason(status)}", status=status)
        return answer


def _answer(status: int, headers: email.message.Message, data: bytes) -> Answer:
    if len(data) > _MOST_BYTES:
        raise ForgeError(f"the forge's answer has more than {_MOST_BYTES:,} bytes", status=status)
    named = {name.lower(): value for name, value in headers.items()}
    if not data or "json" not in named.get("content-type", ""):
        return Answer(status, named, None)
    try:
        return Answer(status, named, json.loads(data))
    except (ValueError, RecursionError):
        raise ForgeError("the forge's answer is no JSON though it says so", status=status) from None


def _has_next(answer: Answer, page: int, is_short: bool) -> bool:
    """Tell whether another page follows: by GitHub's and Gitea's link, GitLab's header, or a full page."""
    if "link" in answer.headers:
        return 'rel="next"' in answer.headers["link"]
    if "x-next-page" in answer.headers:
        return bool(answer.headers["x-next-page"].strip())
    if (total := _number(answer.headers.get("x-total-pages"))) is not None:
        return page < total
    return not is_short


def _is_secondary(answer: Answer) -> bool:
    message = answer.data.get("message") if isinstance(answer.data, dict) else None
    return isinstance(message, str) and ("secondary rate limit" in message or "abuse" in message)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


_REASONS: Final = {
    0: "cannot be reached",
    401: "the token is not accepted (401)",
    403: "the token may not do this (403)",
    404: "not found, or the token may not see it (404)",
}


def _reason(status: int) -> str:
    return _REASONS.get(status, f"answered {status}")


def _shown(method: str, path: str) -> str:
    """Name a call without its query."""
    return f"{method} {path.partition('?')[0][:200]}"

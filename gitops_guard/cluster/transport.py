"""Sends requests to one server: kept connections, credentials, retries by what an error means, a limit on how many.

Knows HTTP and the classes of errors; what the requests mean is the client's.
"""

import http.client
import json
import random
import re
import socket
import ssl
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from gitops_guard.cluster.access import Access, Impersonation
from gitops_guard.cluster.answer import Answer, Call, Limits
from gitops_guard.cluster.connection import Connection, Pool, TooLongError, read_body
from gitops_guard.cluster.errors import (
    AccessError,
    ApiError,
    ErrorClass,
    UnreachableError,
    classify,
    read_refusal,
)
from gitops_guard.cluster.identity import Identity
from gitops_guard.cluster.limiter import Limiter
from gitops_guard.model import Json

_UNSTABLE_S: Final = 10.0
_FIRST_WAIT_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 5.0
_WARNING: Final = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')
_HEADER_SAFE: Final = re.compile(r"[\x20-\x7e]*\Z")
_LOST: Final = (OSError, http.client.HTTPException, zlib.error)


class Transport:
    """The way to one server, for many threads."""

    def __init__(self, access: Access, *, limits: Limits, user_agent: str, limiter: Limiter) -> None:
        """Connect to nothing yet.

        Raises:
            AccessError: The impersonation cannot be put into headers.
        """
        self._access = access
        self._limits = limits
        self._pool = Pool(access, limits)
        self._prefix = urlsplit(access.server).path.rstrip("/")
        self._fixed = (("User-Agent", user_agent), *_impersonation_headers(access.impersonation))
        self._lock = threading.Lock()
        self._retries_left = limits.retries
        self._lost_at = -_UNSTABLE_S
        self._counts: Counter[tuple[str, int]] = Counter()
        self._warnings: dict[str, None] = {}
        self._in_use: set[Connection] = set()
        self._hurry_s: float | None = None
        self.limiter = limiter

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def hurry(self, within_s: float) -> None:
        """Break off what waits and what is under way; later requests get one attempt and so many seconds each."""
        with self._lock:
            self._hurry_s = within_s
            under_way = list(self._in_use)
        for connection in under_way:
            connection.reset()
        self.limiter.wake()

    @property
    def counts(self) -> Mapping[tuple[str, int], int]:
        """Return how many answers came, by method and status; 0 stands for none."""
        with self._lock:
            return dict(self._counts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the server warned of, each once, in the order of coming."""
        with self._lock:
            return tuple(self._warnings)

    def send(self, call: Call) -> Answer:
        """Send a request until it is answered for good, and return the answer.

        Raises:
            ApiError: The answer is an error, and a retry is forbidden or did not help.
            UnreachableError: No answer came, and a retry is forbidden or did not help.
            AccessError: There are no valid credentials, or the server's certificate is not trusted.
            CancelledError: The work was called off.
        """
        if call.body is not None and len(call.body) > self._limits.request_bytes:
            raise self.refuse(
                call, ErrorClass.TOO_LARGE, f"the request is larger than {self._limits.request_bytes:,} bytes"
            )
        attempt, is_renewed = 1, False
        while True:
            identity = self._access.credentials.identity()
            try:
                return self._once(call, identity)
            except (ApiError, UnreachableError) as error:
                if _is_refused(error) and not is_renewed and self._access.credentials.renew(identity):
                    is_renewed = True
                    continue
                wait_s = self._wait_s(error, call, attempt)
                if wait_s is None:
                    raise
            self.limiter.nap(wait_s)
            attempt += 1

    def refuse(self, call: Call, error_class: ErrorClass, message: str) -> ApiError:
        """Return the error of a request that is not sent, since it could not succeed."""
        return ApiError(self._access.name, str(call), error_class, status=0, message=message)

    def open_stream(self, call: Call, *, read_s: float) -> tuple[Connection, http.client.HTTPResponse]:
        """Send a request whose answer is read while it comes, on a connection of its own.

        Raises:
            ApiError: The answer is an error.
            UnreachableError: No answer came.
            AccessError: See `send`.
        """
        identity = self._access.credentials.identity()
        try:
            return self._open_stream(call, identity, read_s)
        except ApiError as error:
            if not _is_refused(error) or not self._access.credentials.renew(identity):
                raise
        return self._open_stream(call, self._access.credentials.identity(), read_s)

    def _open_stream(
        self, call: Call, identity: Identity, read_s: float
    ) -> tuple[Connection, http.client.HTTPResponse]:
        connection = self._pool.take(identity)
        try:
            response = self._ask(call, connection, identity)
            if response.status != http.HTTPStatus.OK:
                self._read(call, response)
                raise self._unreachable(call, f"a stream was answered with {response.status}")  # unless _read raised
            connection.sock.settimeout(read_s)
        except _LOST as error:
            connection.close()
            raise self._lost(call, error) from error
        except BaseException:
            connection.close()
            raise
        self._count(call.method, response.status)
        return connection, response

    def _once(self, call: Call, identity: Identity) -> Answer:
        with self.limiter.slot(weight=call.weight):
            connection = self._taken(identity)
            try:
                response = self._ask(call, connection, identity)
                answer = self._read(call, response)
            except TooLongError as error:
                connection.close()
                raise self._unreachable(call, str(error)) from error
            except _LOST as error:
                connection.close()
                raise self._lost(call, error) from error
            except ApiError:
                # the error was read to its end
                self._keep(connection, response, identity)
                raise
            except BaseException:
                connection.close()
                raise
            finally:
                with self._lock:
                    self._in_use.discard(connection)
            self._keep(connection, response, identity)
            return answer

    def _taken(self, identity: Identity) -> Connection:
        connection = self._pool.take(identity)
        with self._lock:
            self._in_use.add(connection)
            if self._hurry_s is not None:
                connection.hurry(self._hurry_s)
        return connection

    def _keep(self, connection: Connection, response: http.client.HTTPResponse, identity: Identity) -> None:
        if response.will_close:
            connection.close()
        else:
            self._pool.give(connection, identity)

    def _ask(self, call: Call, connection: Connection, identity: Identity) -> http.client.HTTPResponse:
        connection.putrequest(call.method, self._prefix + call.path, skip_accept_encoding=True)
        for name, value in self._headers(call, identity):
            connection.putheader(name, value)
        connection.endheaders(call.body)
        return connection.getresponse()

    def _headers(self, call: Call, identity: Identity) -> Iterator[tuple[str, str]]:
        yield from self._fixed
        yield "Accept", call.accept
        yield from call.headers.items()
        if call.compressed and self._access.compressed:
            yield "Accept-Encoding", "gzip"
        if call.body is not None:
            yield "Content-Type", call.content_type
            yield "Content-Length", str(len(call.body))
        if identity.authorization:
            yield "Authorization", identity.authorization

    def _read(self, call: Call, response: http.client.HTTPResponse) -> Answer:
        data = read_body(response, self._limits)
        self._count(call.method, response.status)
        warnings = tuple(_warnings(response))
        if warnings:
            with self._lock:
                self._warnings.update(dict.fromkeys(warnings))
        content_type = response.getheader("Content-Type", "")
        is_json = content_type.startswith("application/json") and bool(data)
        if not (200 <= response.status < 300 or response.status == http.HTTPStatus.NOT_MODIFIED):
            raise self._refused(call, response, data, is_json=is_json)
        return Answer(
            status=response.status,
            body=self._parsed(call, data) if is_json else {},
            content_type=content_type,
            warnings=warnings,
            etag=response.getheader("ETag", ""),
            date=response.getheader("Date", ""),
        )

    def _parsed(self, call: Call, data: bytes) -> dict[str, Json]:
        body = _json_object(data)
        if body is None:
            raise self._unreachable(call, "what answers there speaks no JSON object, so it is no Kubernetes API")
        return body

    def _refused(self, call: Call, response: http.client.HTTPResponse, data: bytes, *, is_json: bool) -> ApiError:
        body = (_json_object(data) if is_json else None) or {}
        refusal = read_refusal(response.status, body, data[:8192].decode(errors="replace"))
        is_unstable = time.monotonic() - self._lost_at < _UNSTABLE_S
        return ApiError(
            self._access.name,
            str(call),
            classify(refusal, is_dry_run=call.is_dry_run, is_unstable=is_unstable),
            status=refusal.status,
            reason=refusal.reason,
            message=refusal.message,
            causes=refusal.causes,
            retry_after_s=_seconds(response.getheader("Retry-After")),
        )

    def _lost(self, call: Call, error: Exception) -> "UnreachableError | AccessError":
        self._count(call.method, 0)
        if isinstance(error, ssl.SSLCertVerificationError):
            return AccessError(f"cluster {self._access.name}: its certificate is not trusted: {error.verify_message}")
        with self._lock:
            self._lost_at = time.monotonic()
        return self._unreachable(call, _why(error))

    def _unreachable(self, call: Call, why: str) -> UnreachableError:
        return UnreachableError(self._access.name, str(call), why)

    def _count(self, method: str, status: int) -> None:
        with self._lock:
            self._counts[method, status] += 1

    def _wait_s(self, error: "ApiError | UnreachableError", call: Call, attempt: int) -> float | None:
        """Return how long to wait before the next attempt; None when there must be none."""
        if attempt >= self._limits.attempts or not _may_repeat(error, call):
            return None
        with self._lock:
            if self._retries_left <= 0 or self._hurry_s is not None:
                return None
            self._retries_left -= 1
        backoff_s = min(_FIRST_WAIT_S * float(2 ** (attempt - 1)), _LONGEST_BACKOFF_S)
        wait_s = backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        asked_s = error.retry_after_s if isinstance(error, ApiError) else None
        if asked_s is not None and asked_s > self._limits.longest_wait_s:
            return None
        if isinstance(error, ApiError) and error.error_class is ErrorClass.OVERLOADED:
            self.limiter.overloaded(pause_s=asked_s or 0.0)
        return max(wait_s, asked_s or 0.0)


def _may_repeat(error: "ApiError | UnreachableError", call: Call) -> bool:
    """Tell whether a request may be sent again: it is harmless to do so, or the server surely did not act on it."""
    if isinstance(error, UnreachableError):
        return call.repeatable
    if not error.error_class.is_temporary:
        return False
    was_turned_away = error.status in (403, 429) or (error.status == 503 and error.retry_after_s is not None)
    return call.repeatable or was_turned_away


def _is_refused(error: Exception) -> bool:
    return isinstance(error, ApiError) and error.error_class is ErrorClass.UNAUTHENTICATED


def _json_object(data: bytes) -> dict[str, Json] | None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _warnings(response: http.client.HTTPResponse) -> list[str]:
    given = response.headers.get_all("Warning") or []
    return [re.sub(r"\\(.)", r"\1", text) for one in given for text in _WARNING.findall(one)]


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its host is not known"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed in the middle of the answer"
    return type(error).__name__


def _impersonation_headers(wanted: Impersonation | None) -> tuple[tuple[str, str], ...]:
    if wanted is None:
        return ()
    headers = [("Impersonate-User", wanted.user), *(("Impersonate-Group", group) for group in wanted.groups)]
    if wanted.uid:
        headers.append(("Impersonate-Uid", wanted.uid))
    for key, values in sorted(wanted.extra.items()):
        headers.extend((f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values)
    if not all(_HEADER_SAFE.match(value) for _, value in headers):
        raise AccessError("what is to be impersonated holds characters that no header may have")
    return tuple(headers)

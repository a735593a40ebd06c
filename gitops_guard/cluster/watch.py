"""The events of one watch, as they come."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from gitops_guard.cluster.answer import Call
from gitops_guard.cluster.connection import Connection
from gitops_guard.cluster.errors import ApiError, UnreachableError, classify, read_refusal
from gitops_guard.model import Json

_CHUNK: Final = 65536
_LONGEST_LINE: Final = 64 << 20


class EventType(StrEnum):
    """What happened; errors are raised instead."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing; the object only carries the resourceVersion up to which everything was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    type: EventType
    object: dict[str, Json] = field(repr=False)
    """The whole object, or its metadata where that was asked for."""


class Watch(Iterator[Event]):
    """A running watch: a context manager, to be read by one thread; any thread may cancel it."""

    def __init__(
        self, cluster: str, call: Call, connection: Connection, response: http.client.HTTPResponse, since: str
    ) -> None:
        self._cluster = cluster
        self._call = call
        self._connection = connection
        self._response = response
        self._lines = _lines(response)
        self._is_cancelled = False
        self.resource_version = since
        """Up to here everything was told: where the next watch may go on."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it and close its connection; by the thread that reads it."""
        self._response.close()
        self._connection.close()

    def cancel(self) -> None:
        """End it from any thread; to its reader this is the end of the events."""
        self._is_cancelled = True
        self._connection.reset()

    def __next__(self) -> Event:
        """Return the next event; stop when the server ends the watch in good order, or it was cancelled.

        Raises:
            ApiError: The server reports an error; its class EXPIRED means that everything must be listed anew.
            UnreachableError: The connection was lost, or said what no watch says.
        """
        try:
            line = next(self._lines)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._is_cancelled:
                raise StopIteration from None
            raise UnreachableError(self._cluster, str(self._call), "the watch was cut") from error
        if self._is_cancelled:
            raise StopIteration
        return self._event(line)

    def _event(self, line: bytes) -> Event:
        try:
            told = json.loads(line)
            kind, body = told["type"], told["object"]
        except (ValueError, KeyError, TypeError, RecursionError):
            kind, body = None, None
        if not isinstance(body, dict):
            raise UnreachableError(self._cluster, str(self._call), "the watch tells what is no event")
        if kind == "ERROR":
            raise self._error(body)
        if kind not in set(EventType):
            raise UnreachableError(self._cluster, str(self._call), "the watch tells an event of an unknown type")
        metadata = body.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str) and version:
            self.resource_version = version
        return Event(type=EventType(kind), object=body)

    def _error(self, body: dict[str, Json]) -> ApiError:
        code = body.get("code")
        refusal = read_refusal(code if isinstance(code, int) else 500, body, "the watch ended with an error")
        return ApiError(
            self._cluster,
            str(self._call),
            classify(refusal),
            status=refusal.status,
            reason=refusal.reason,
            message=refusal.message,
            causes=refusal.causes,
        )


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of a body as they come.

    Iterating over the response itself would do, but takes a connection that was cut for the end of the body.
    """
    parts: list[bytes] = []
    size = 0
    while data := response.read1(_CHUNK):
        *whole, rest = data.split(b"\n")
        if whole:
            yield b"".join([*parts, whole[0]])
            yield from whole[1:]
            parts, size = [], 0
        if rest:
            parts.append(rest)
            size += len(rest)
        if size > _LONGEST_LINE:
            raise ValueError("an event is too long")
    if size:
        raise http.client.IncompleteRead(b"")

"""One line on a terminal that says how far long work is; nothing in a pipe."""

import time
from typing import Self, TextIO

_PATIENCE_S = 0.4
_EVERY_S = 0.1


class Progress:
    """Called with (done, all); shows itself only after a moment, and wipes itself at the end."""

    def __init__(self, stream: TextIO, verb: str) -> None:
        self._stream = stream
        self._verb = verb
        self._shown = False
        self._next = time.monotonic() + _PATIENCE_S
        self._active = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, done: int, total: int) -> None:
        """Show the share done."""
        if not self._active or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        self._shown = True
        self._stream.write(f"\r\x1b[K{self._verb} {100 * done // max(total, 1)} %")
        self._stream.flush()

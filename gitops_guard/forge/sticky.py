"""One comment on a pull request, whoever else writes at the same time: a protocol that converges instead of locking.

No forge lets a comment be written on the condition that it has not changed. So every writer does the same: it writes
into the oldest comment that is ours, deletes the younger ones, looks again, and gives way to a newer result.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gitops_guard.errors import ForgeError
from gitops_guard.forge.host import Comment, Forge
from gitops_guard.forge.marker import Marker, key_of, marker_of

_ROUNDS: Final = 12
_SETTLE_S: Final = 1.5
"""After a write it is looked at once more when this time has gone by: longer than a call of another writer takes that
was decided upon before it could see ours."""


class Written(StrEnum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    """It says the same already: nothing was written."""

    STALE = "stale"
    """There is a newer commit, or a newer result for this one: nothing was written, or it will be overwritten."""

    OMITTED = "omitted"
    """There is nothing to say and no comment yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One part of what is to be said."""

    body: str
    digest: str
    """Of what counts in it; the same digest means the same text."""


class Sticky:
    """Our comment on one pull request."""

    def __init__(
        self,
        forge: Forge,
        number: int,
        *,
        key: str,
        head: str,
        generation: int,
        settle: Callable[[], None] = lambda: time.sleep(_SETTLE_S),
    ) -> None:
        """Keep what makes the comment ours.

        Args:
            forge: The host.
            number: The pull request.
            key: Tells several comments of ours apart: instance and scope.
            head: Commit that the text is about.
            generation: Grows from run to run; 0: one more than what is there.
            settle: Waits after a write until writers that had not seen it are done.
        """
        self._forge = forge
        self._number = number
        self._key = key
        self._head = head
        self._generation = generation
        self._settle = settle

    def write(self, texts: Sequence[Text], *, create: bool = True) -> Written:
        """Make the comment, and its further parts, say this.

        Args:
            texts: At least one; parts that are there beyond them are deleted.
            create: Whether a comment is made where there is none.

        Raises:
            ForgeError: The host refuses, or others keep undoing what we write.
        """
        keys = [key_of(self._key, part=part) for part in range(1, len(texts) + 1)]
        outcomes = [self._write_one(key, text, create=create) for key, text in zip(keys, texts, strict=True)]
        if Written.STALE in outcomes:
            return Written.STALE
        self._delete_surplus(len(texts))
        order = (Written.CREATED, Written.UPDATED, Written.UNCHANGED, Written.OMITTED)
        return min(outcomes, key=order.index)

    def _mine(self) -> list[tuple[Marker, Comment]]:
        """Return the comments that we wrote and that carry a marker, the oldest first."""
        me = self._forge.me()
        found = [(marker_of(comment.body), comment) for comment in self._forge.comments(self._number)]
        ours = [(marker, comment) for marker, comment in found if marker is not None and comment.author == me]
        return sorted(ours, key=lambda pair: pair[1].id)

    def _is_superseded(self) -> bool:
        pull = self._forge.pull(self._number)
        return pull.head != self._head or not pull.is_open

    def _write_one(self, key: str, text: Text, *, create: bool) -> Written:
        outcome = Written.UNCHANGED
        has_settled = True
        for _ in range(_ROUNDS):
            if self._is_superseded():
                return Written.STALE
            mine = [(marker, comment) for marker, comment in self._mine() if marker.key == key]
            if any(self._gives_way(marker) for marker, _ in mine):
                return Written.STALE
            if not mine and not create:
                return Written.OMITTED
            if len(mine) == 1 and mine[0][0].digest == text.digest:
                if has_settled:
                    return outcome
                self._settle()
                has_settled = True
                continue
            outcome = self._one_step(key, mine, text, outcome)
            has_settled = False
        raise ForgeError("the comment does not settle: several runs keep writing it; let one run at a time write")

    def _one_step(self, key: str, mine: list[tuple[Marker, Comment]], text: Text, outcome: Written) -> Written:
        """Write where it is needed, and delete what is younger than the oldest."""
        body = f"{self._marker(key, mine, text)}\n{text.body}"
        if not mine:
            self._create(body)
            return Written.CREATED
        marker, oldest = mine[0]
        if marker.digest != text.digest:
            self._update(oldest, body)
            outcome = Written.UPDATED if outcome is Written.UNCHANGED else outcome
        for _, younger in mine[1:]:
            self._forge.delete_comment(self._number, younger.id)
        return outcome

    def _create(self, body: str) -> None:
        try:
            self._forge.create_comment(self._number, body)
        except ForgeError as error:
            if 0 < error.status < 500:
                raise
            self._settle()  # it may have been written all the same: the next round sees

    def _update(self, comment: Comment, body: str) -> None:
        try:
            self._forge.update_comment(self._number, comment.id, body)
        except ForgeError as error:
            if error.status != 404:  # somebody deleted it meanwhile: the next round makes a new one
                raise

    def _marker(self, key: str, mine: list[tuple[Marker, Comment]], text: Text) -> Marker:
        known = max((marker.generation for marker, _ in mine), default=0)
        return Marker(key=key, generation=self._generation or known + 1, head=self._head, digest=text.digest)

    def _gives_way(self, marker: Marker) -> bool:
        """Tell whether what is there is newer than what we have."""
        return bool(self._generation) and marker.head == self._head and marker.generation > self._generation

    def _delete_surplus(self, parts: int) -> None:
        """Delete the parts that a longer report left behind."""
        prefix = f"{key_of(self._key)}/"
        for marker, comment in self._mine():
            number = marker.key.removeprefix(prefix)
            if marker.key.startswith(prefix) and number.isdecimal() and int(number) > parts:
                self._forge.delete_comment(self._number, comment.id)

"""Asks the server what it would store, for one object; never in earnest.

Every request of this file is a dry-run. The object is sent without force first, so that the server names the fields
that other managers own; then with force, so that there is a state to compare.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster import ApiError, Client, ErrorClass, PatchType, replacements
from gitops_guard.diff.lists import ListKeys
from gitops_guard.live.managed import applier_of, entries, is_of_git, owners
from gitops_guard.live.removed import Steps, has, removed_paths, without
from gitops_guard.live.states import without_allocated
from gitops_guard.model import Body, Json, ResourceId

_MANAGER: Final = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the server says to one object in one state."""

    state: Body | None = field(repr=False)
    """What it would store; None when it would not, or does not say."""

    error: ApiError | None = None
    recreate: bool = False
    """Only the change is refused: created anew, the object would be valid."""

    conflicts: tuple[tuple[str, str], ...] = ()
    """(field, manager) of fields that belong to neither Git nor its applier."""

    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Dry-runs as the applier of an object."""

    client: Client
    list_keys: ListKeys
    manager: str = ""
    """Empty: the one that the live object's managedFields name."""

    def applier(self, live: Body | None) -> str:
        """Return as whom an object is sent."""
        return self.manager or applier_of(entries(live or {}))

    def ask(self, sent: Body, live: Body | None) -> Outcome:
        """Ask what applying an object would store.

        Args:
            sent: The object, with its namespace.
            live: What is there now; None: nothing.
        """
        applier = self.applier(live)
        conflicts: tuple[tuple[str, str], ...] = ()
        requests = 1
        try:
            state: Body = self._apply(sent, applier, force=False)
        except ApiError as error:
            if error.error_class is not ErrorClass.CONFLICT:
                return self._refused(sent, live, error, requests)
            conflicts = tuple(sorted(set(_foreign(error, applier))))
            requests = 2
            try:
                state = self._apply(sent, applier, force=True)
            except ApiError as second:
                return self._refused(sent, live, second, requests)
        if live is None:
            state = without_allocated(state, sent)
        return Outcome(state=state, conflicts=conflicts, requests=requests)

    def _apply(self, sent: Body, applier: str, *, force: bool) -> Body:
        # Warn: a field that the server drops must not stop the preview; `check` reports it
        return self.client.apply(sent, manager=applier, force=force, dry_run=True, validation="Warn").body

    def _refused(self, sent: Body, live: Body | None, error: ApiError, requests: int) -> Outcome:
        """Tell a forbidden change from an invalid object: the same object under the same name is created as a dry-run.

        That the name is taken is only found after the object was found valid.
        """
        if live is None or error.error_class is not ErrorClass.INVALID:
            return Outcome(state=None, error=error, requests=requests)
        try:
            self.client.create(sent, manager=self.applier(live), dry_run=True, validation="Warn")
        except ApiError as answer:
            recreate = answer.error_class is ErrorClass.ALREADY_EXISTS
            return Outcome(state=None, error=error, recreate=recreate, requests=requests + 1)
        return Outcome(state=None, error=error, requests=requests + 1)

    def take_out(self, outcome: Outcome, wanted: ResourceId, base: Body, head: Body, live: Body) -> Outcome:
        """Take out what Git gives no more but server-side apply would leave, since another name of Git's owns it.

        Args:
            outcome: That of the head.
            wanted: The object.
            base: As Git had it.
            head: As Git will have it.
            live: What is there now.
        """
        if outcome.state is None:
            return outcome
        found, applier = entries(live), self.applier(live)
        gone = [
            steps
            for steps in removed_paths(wanted, base, head, self.list_keys)
            if has(dict(outcome.state), steps) and all(is_of_git(one, applier) for one in owners(found, steps))
        ]
        if not gone:
            return outcome
        return self._replaced(outcome, wanted, gone, live)

    def _replaced(self, outcome: Outcome, wanted: ResourceId, gone: list[Steps], live: Body) -> Outcome:
        """Ask the server about an object as it is without some of its fields; a patch needs no other right."""
        assert outcome.state is not None
        target: Json = dict(outcome.state)
        for steps in gone:
            target = without(target, steps)
        assert isinstance(target, dict)
        patch: list[Json] = list(replacements(live, target))
        try:
            written = self.client.patch(wanted, patch, manager="gitops-guard", patch_type=PatchType.JSON, dry_run=True)
        except ApiError as error:
            return Outcome(state=None, error=error, conflicts=outcome.conflicts, requests=outcome.requests + 1)
        return Outcome(state=written.body, conflicts=outcome.conflicts, requests=outcome.requests + 1)


def _foreign(error: ApiError, applier: str) -> Iterator[tuple[str, str]]:
    for cause in error.causes:
        match = _MANAGER.search(cause.message)
        manager = match[1] if match else cause.message
        if cause.reason == "FieldManagerConflict" and not is_of_git(manager, applier):
            yield cause.field, manager

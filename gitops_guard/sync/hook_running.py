"""One hook, run: the one of an earlier run out of the way, made, waited for, deleted if it asks for that."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from gitops_guard.cluster import ApiError, Client, Propagation, UnreachableError
from gitops_guard.model import Body
from gitops_guard.model.sync import SyncAction
from gitops_guard.sync.applying import Applier, Outcome, is_unsure, told, wait_for
from gitops_guard.sync.causes import Causes
from gitops_guard.sync.hooks import RUN, End, Hook, end_of
from gitops_guard.sync.objects import PART_OF, metadata_of, strings_of
from gitops_guard.sync.planning import Item, Step

_FIRST_POLL_S: Final = 0.1
_LONGEST_POLL_S: Final = 2.0
_ABSENT_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRunner:
    """Runs the hooks of one run; used by many threads."""

    client: Client
    applier: Applier
    stopped: threading.Event
    within_s: float
    """How long a hook may take."""

    def run(self, hook: Hook, item: Item) -> Outcome:
        """Run a hook to its end, and say what became of it.

        Raises:
            AccessError: The credentials are refused.
            CancelledError: The run was called off.
        """
        problems = hook.desired.instructions.problems
        if problems:
            return _failed(item, problems[0])
        try:
            return self._ended(hook, item) if hook.runs else self._applied(hook, item)
        except UnreachableError as error:
            return _failed(item, str(error), is_unknown=True)
        except ApiError as error:
            return _failed(item, told(error), is_unknown=is_unsure(error))

    def _applied(self, hook: Hook, item: Item) -> Outcome:
        return _with_word(self.applier.apply(item), hook)

    def _ended(self, hook: Hook, item: Item) -> Outcome:
        live = self.client.find(hook.desired.id)
        if live is None or _state_of(live) != hook.state:
            if live is not None and (reason := self._out_of_the_way(hook, live)):
                return _failed(item, reason)
            made = self.applier.apply(item)
            if made.is_failed:
                return made
        return self._awaited(hook, item)

    def _out_of_the_way(self, hook: Hook, live: Body) -> str:
        """Delete what an earlier run left; return why that cannot be done."""
        one, metadata = hook.desired.id, metadata_of(live)
        if PART_OF in strings_of(metadata.get("labels")) or metadata.get("ownerReferences"):
            return "an object of its name is there and is no hook; rename one of the two"
        self.client.delete(
            one,
            uid=str(metadata.get("uid", "")),
            resource_version=str(metadata.get("resourceVersion", "")),
            propagation=Propagation.BACKGROUND,
        )
        is_gone = wait_for(lambda: self.client.find(one, metadata_only=True) is None, _ABSENT_WITHIN_S, self.stopped)
        return "" if is_gone else "the one of an earlier run is being deleted and is not gone yet"

    def _awaited(self, hook: Hook, item: Item) -> Outcome:
        causes = Causes(self.client)
        deadline, wait_s = time.monotonic() + self.within_s, _FIRST_POLL_S
        while True:
            live = self.client.find(hook.desired.id)
            if live is None:
                return _failed(item, f"hook ({hook.word}): it was gone before it was seen to end")
            if (end := end_of(live)) is not None:
                return self._finished(hook, item, live, end)
            if time.monotonic() > deadline:
                why = causes.event(item.key, live)
                late = f"hook ({hook.word}): it has not ended within {self.within_s:g} s"
                return _failed(item, f"{late}: {why}" if why else late)
            if (fatal := causes.fatal(item.key, live)) is not None:
                return _failed(item, f"hook ({hook.word}): it cannot end: {fatal.reason}: {fatal.message}")
            if self.stopped.wait(wait_s):
                return _failed(item, f"hook ({hook.word}): the run was told to end before it did")
            wait_s = min(wait_s * 2, _LONGEST_POLL_S)

    def _finished(self, hook: Hook, item: Item, live: Body, end: End) -> Outcome:
        is_wanted_away = hook.delete_when_done if end.is_good else hook.delete_when_failed
        if is_wanted_away:
            uid = str(metadata_of(live).get("uid", ""))
            self.client.delete(hook.desired.id, uid=uid, propagation=Propagation.BACKGROUND)
        if end.is_good:
            return Outcome(item=item, action=SyncAction.CREATED, reason=f"hook ({hook.word}): it ran", body=live)
        again = "" if is_wanted_away else "; delete it to let it run again"
        return _failed(item, f"hook ({hook.word}): it failed: {end.message or 'it does not say why'}{again}")


def item_of(hook: Hook) -> Item:
    """Return a hook as an item to be worked on; it is in no plan."""
    return Item(key=hook.desired.key, step=Step.CREATE, desired=hook.desired)


def _state_of(live: Body) -> str:
    return strings_of(metadata_of(live).get("annotations")).get(RUN, "")


def _failed(item: Item, reason: str, *, is_unknown: bool = False) -> Outcome:
    return Outcome(item=item, action=SyncAction.BLOCKED, reason=reason, is_failed=True, is_unknown=is_unknown)


def _with_word(outcome: Outcome, hook: Hook) -> Outcome:
    return outcome if outcome.is_failed else replace(outcome, reason=f"hook ({hook.word})")

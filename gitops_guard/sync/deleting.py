"""What left Git, out of the cluster: stage by stage, each object with its uid and version as preconditions."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gitops_guard.cluster import ApiError, Client, ErrorClass, Propagation, UnreachableError, in_parallel
from gitops_guard.model import Json, ResourceId
from gitops_guard.model.field_managers import OURS
from gitops_guard.model.sync import SyncAction
from gitops_guard.sync.applying import Outcome, is_unsure, told, wait_for
from gitops_guard.sync.objects import PART_OF, Key, Live, live, metadata_of
from gitops_guard.sync.planning import Item
from gitops_guard.sync.pruning import PruneRules, reason_to_keep, stage

_ATTEMPTS: Final = 3
"""An object that is written while we decide is looked at again; after so many times the next run does."""

_FOREGROUND: Final = frozenset(("CustomResourceDefinition", "Namespace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How objects are pruned."""

    rules: PruneRules
    dry_run: bool = False
    gone_within_s: float = 30.0
    """How long is waited for a stage to be gone before the next one begins."""


@dataclass(slots=True)
class Deleter:
    """Prunes objects of one run."""

    client: Client
    options: DeleteOptions
    stopped: threading.Event
    outcomes: list[Outcome] = field(default_factory=list)

    def prune(self, items: Sequence[Item]) -> list[Outcome]:
        """Delete objects, and say what became of each.

        Raises:
            ClusterError: The run cannot go on.
        """
        stages: dict[int, list[Item]] = defaultdict(list)
        for item in items:
            assert item.live is not None
            stages[stage(item.live)].append(item)
        for number in sorted(stages):
            if self.stopped.is_set():
                break
            done = in_parallel(self._delete, stages[number])
            self.outcomes += done
            if number != max(stages) and not self.options.dry_run:
                self._await_absence([one.item for one in done if one.action is SyncAction.DELETED])
        return self.outcomes

    def release(self, items: Sequence[Item]) -> list[Outcome]:
        """Take the set's label off objects that move to another set, and say what became of each.

        Raises:
            ClusterError: The run cannot go on.
        """
        done = in_parallel(self._release, items)
        self.outcomes += done
        return done

    def _release(self, item: Item) -> Outcome:
        assert item.live is not None
        labels: Json = {PART_OF: None}
        patch: Json = {"metadata": {"labels": labels, "resourceVersion": item.live.resource_version}}
        try:
            self.client.patch(_id(item.key, item.live.version), patch, manager=OURS)
        except UnreachableError as error:
            return _blocked(item, str(error), is_unknown=True)
        except ApiError as error:
            return _blocked(item, told(error), is_unknown=is_unsure(error))
        return Outcome(item=item, action=SyncAction.SKIPPED, reason=item.reason, is_released=True)

    def _delete(self, item: Item) -> Outcome:
        try:
            return self._deleted(item)
        except UnreachableError as error:
            return _blocked(item, str(error), is_unknown=True)
        except ApiError as error:
            return _blocked(item, told(error), is_unknown=is_unsure(error))

    def _deleted(self, item: Item) -> Outcome:
        seen = item.live
        for _ in range(_ATTEMPTS):
            assert seen is not None
            try:
                self._send(seen)
            except ApiError as error:
                if error.error_class is ErrorClass.NOT_FOUND:
                    return Outcome(item=item, action=SyncAction.DELETED, reason="it was gone already")
                if error.error_class is not ErrorClass.CHANGED:
                    raise
            else:
                return Outcome(item=item, action=SyncAction.DELETED, reason="Git does not hold it any more")
            seen = self._again(seen)
            if seen is None:
                return Outcome(item=item, action=SyncAction.DELETED, reason="it was gone already")
            if reason := reason_to_keep(seen, item.entry, self.options.rules):
                return Outcome(item=item, action=SyncAction.SKIPPED, reason=reason)
        return _blocked(item, "it changes all the time; the next run tries again")

    def _send(self, seen: Live) -> None:
        kind = seen.key.kind
        self.client.delete(
            _id(seen.key, seen.version),
            uid=seen.uid,
            resource_version=seen.resource_version,
            propagation=Propagation.FOREGROUND if kind in _FOREGROUND else Propagation.BACKGROUND,
            dry_run=self.options.dry_run,
        )

    def _again(self, seen: Live) -> Live | None:
        body = self.client.find(_id(seen.key, seen.version), metadata_only=True)
        return None if body is None else live(seen.version, seen.key.kind, metadata_of(body))

    def _await_absence(self, items: Sequence[Item]) -> None:
        """Wait until a stage is gone: a custom resource must go before its definition, or its finalizers never run."""
        left = [item.live for item in items if item.live is not None]

        def is_gone() -> bool:
            left[:] = [one for one in left if (now := self._again(one)) is not None and now.uid == one.uid]
            return not left

        if left:
            wait_for(is_gone, self.options.gone_within_s, self.stopped)


def _id(key: Key, version: str) -> ResourceId:
    return ResourceId(
        group=key.group, version=version.rpartition("/")[2], kind=key.kind, namespace=key.namespace, name=key.name
    )


def _blocked(item: Item, reason: str, *, is_unknown: bool = False) -> Outcome:
    return Outcome(item=item, action=SyncAction.BLOCKED, reason=reason, is_failed=True, is_unknown=is_unknown)

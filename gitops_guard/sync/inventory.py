"""What the set remembers between runs: its members with their uids, and the history. Text in, frozen values out.

Both lie gzipped in the parent's `binaryData`. A superset is written before the first write to the cluster and the exact
set after the last, so an interrupted run forgets nothing that it made.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gitops_guard.errors import SyncError
from gitops_guard.sync.objects import Key

MAX_OBJECT_BYTES: Final = 1_048_576
"""The API server refuses larger ConfigMaps."""

MAX_HISTORY: Final = 20
_FORMAT: Final = 1
_MAX_PLAIN_BYTES: Final = 64 * 1024 * 1024
"""No inventory that fits into an object is larger once unpacked; a bomb is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member, as it was after it was last applied or verified."""

    key: Key
    version: str
    """API version that it was applied in: `apps/v1`."""

    uid: str = ""
    """Empty for one that is about to be made: nobody knows yet whether it was."""

    resource_version: str = ""
    generation: int | None = None
    meta_hash: str = ""
    desired_hash: str = ""
    verified_s: int = 0
    """When a dry-run or an apply last confirmed it, in seconds since 1970."""

    fights: Mapping[str, int] = field(default_factory=dict)
    """Runs in a row in which a manager changed a field again, by `path manager`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One line of the history."""

    revision: str
    """Commit; empty for a directory without Git."""

    author: str = ""
    """Who committed it."""

    started: str = ""
    """`2026-11-25T02:00:00Z`."""

    result: str = ""
    """The verdict of the run: `synced`."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """Objects by action."""

    message: str = ""
    """The first thing that went wrong; empty when nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that a set remembers."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    revision: str = ""
    """What was last applied in full."""

    healthy_revision: str = ""
    """The last one after which everything was healthy."""

    pinned: str = ""
    """Revision that a rollback has put aside: it is not applied again; empty for none."""

    phase: str = ""
    """`apply` while a run is under way, or when one was cut off; empty after a whole one."""

    run_id: str = ""
    adopting: bool = False
    """The inventory was lost and rebuilt: nothing is pruned until one healthy run is through."""

    hooks: Mapping[str, str] = field(default_factory=dict)
    """For which state of a unit the hooks of a phase last came to a good end, by phase and unit."""

    history: tuple[Run, ...] = ()
    """Newest first."""

    def with_run(self, run: Run) -> "Inventory":
        """Return it with one more line of history; the oldest ones go."""
        return replace(self, history=(run, *self.history)[:MAX_HISTORY])


def superset(known: Inventory, planned: Iterable[Entry]) -> Inventory:
    """Return what is written before the first write: what is known and, without a uid, what may be made."""
    entries = dict(known.entries)
    for entry in planned:
        entries.setdefault(entry.key, entry)
    return replace(known, entries=entries, phase="apply")


def encode(inventory: Inventory) -> dict[str, bytes]:
    """Return the values of the parent's `binaryData`, gzipped; the same for equal inventories.

    Raises:
        SyncError: It does not fit into one object.
    """
    members = [_entry_json(inventory.entries[key]) for key in sorted(inventory.entries)]
    head = {
        "format": _FORMAT,
        "revision": inventory.revision,
        "healthy": inventory.healthy_revision,
        "pinned": inventory.pinned,
        "phase": inventory.phase,
        "run": inventory.run_id,
        "adopting": inventory.adopting,
    }
    hooks = {"hooks": dict(inventory.hooks)} if inventory.hooks else {}
    packed = _packed({**head, **hooks, "members": members})
    room = MAX_OBJECT_BYTES * 3 // 4 - 4096 - len(packed)  # base64 in JSON, then metadata
    if room < 0:
        raise SyncError(
            f"the inventory of {len(members)} objects does not fit into one ConfigMap; sync them in several sets"
        )
    return {"inventory": packed, "history": _packed_history(inventory.history, room)}


def _packed_history(history: tuple[Run, ...], room: int) -> bytes:
    """Return as much of the history as fits, the newest first."""
    for number in range(len(history), -1, -1):
        packed = _packed([_run_json(run) for run in history[:number]])
        if len(packed) <= room or not number:
            return packed
    raise AssertionError("an empty history is always taken")


def _packed(value: object) -> bytes:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def _entry_json(entry: Entry) -> list[object]:
    one: list[object] = [
        *entry.key,
        entry.version,
        entry.uid,
        entry.resource_version,
        entry.generation,
        entry.meta_hash,
        entry.desired_hash,
        entry.verified_s,
    ]
    return [*one, dict(entry.fights)] if entry.fights else one


def _run_json(run: Run) -> dict[str, object]:
    return {
        "revision": run.revision,
        "author": run.author,
        "started": run.started,
        "result": run.result,
        "counts": dict(run.counts),
        "message": run.message,
    }


def decode(data: Mapping[str, bytes]) -> Inventory:
    """Read what `encode` wrote.

    Raises:
        SyncError: It is damaged, or was written by a newer version.
    """
    packed = data.get("inventory")
    if packed is None:
        raise SyncError("the set's inventory is missing; rebuild it with `gitops-guard fsck`")
    head = _unpacked(packed)
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise SyncError(
            "the set's inventory is of another version of gitops-guard; use that version, or `gitops-guard fsck`"
        )
    try:
        entries = [_entry(item) for item in head["members"]]
        history = data.get("history")
        runs = tuple(Run(**item) for item in _unpacked(history)) if history else ()
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged() from error
    return Inventory(
        entries={entry.key: entry for entry in entries},
        revision=str(head.get("revision", "")),
        healthy_revision=str(head.get("healthy", "")),
        pinned=str(head.get("pinned", "")),
        phase=str(head.get("phase", "")),
        run_id=str(head.get("run", "")),
        adopting=head.get("adopting") is True,
        hooks=_texts(head.get("hooks")),
        history=runs,
    )


def _texts(found: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _unpacked(packed: bytes) -> Any:
    try:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        text = unpacker.decompress(packed, _MAX_PLAIN_BYTES)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise _damaged()
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise _damaged() from error


def _damaged() -> SyncError:
    return SyncError("the set's inventory is damaged; rebuild it with `gitops-guard fsck`")


def _entry(item: list[Any]) -> Entry:
    group, kind, namespace, name, version, uid, resource_version, generation, meta, wanted, verified, *rest = item
    fights = rest[0] if rest else {}
    return Entry(
        key=Key(str(group), str(kind), str(namespace), str(name)),
        version=str(version),
        uid=str(uid),
        resource_version=str(resource_version),
        generation=generation if isinstance(generation, int) else None,
        meta_hash=str(meta),
        desired_hash=str(wanted),
        verified_s=int(verified),
        fights={str(key): int(value) for key, value in fights.items()},
    )

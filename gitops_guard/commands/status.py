"""`gitops-guard status` and `history`: what a set remembers of itself."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_guard.commands.sync_target import Target, connected
from gitops_guard.report.visible import visible
from gitops_guard.sync.applyset import SetName
from gitops_guard.sync.inventory import Inventory, Run
from gitops_guard.sync.store import Store, Stored
from gitops_guard.wording import count

KNOWN, UNKNOWN = 0, 1


def run_status(target: Target, environment: Mapping[str, str], *, output_format: str) -> int:
    """Write what is applied, since when and how it ended; return 1 when there is no such set.

    Raises:
        GuardError: The cluster cannot be asked, or the inventory is damaged.
    """
    name, stored = _read(target, environment)
    if output_format == "json":
        json.dump(_status_object(name, stored), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _status_lines(name, stored))
    return KNOWN if stored.exists else UNKNOWN


def run_history(target: Target, environment: Mapping[str, str], *, output_format: str) -> int:
    """Write the runs that the set remembers, the newest first; return 1 when there is no such set.

    Raises:
        GuardError: The cluster cannot be asked, or the inventory is damaged.
    """
    _, stored = _read(target, environment)
    if output_format == "json":
        json.dump({"version": 1, "runs": [_run_object(one) for one in stored.inventory.history]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{_run_line(one)}\n" for one in stored.inventory.history)
    return KNOWN if stored.exists else UNKNOWN


def _read(target: Target, environment: Mapping[str, str]) -> tuple[SetName, Stored]:
    with connected(target, environment) as (client, _, name):
        return name, Store(client, name).read()


def _status_object(name: SetName, stored: Stored) -> dict[str, Any]:
    inventory = stored.inventory
    return {
        "version": 1,
        "set": name.name,
        "namespace": name.namespace,
        "id": name.id,
        "exists": stored.exists,
        "revision": inventory.revision,
        "healthy_revision": inventory.healthy_revision,
        "pinned": inventory.pinned,
        "suspended": stored.suspend,
        "interrupted": inventory.phase != "",
        "objects": len(inventory.entries),
        "last": _run_object(inventory.history[0]) if inventory.history else None,
    }


def _status_lines(name: SetName, stored: Stored) -> Iterator[str]:
    if not stored.exists:
        yield f"set {visible(name.name)} in namespace {visible(name.namespace)}: never synced"
        return
    inventory = stored.inventory
    yield f"set {visible(name.name)} in namespace {visible(name.namespace)}: {count(len(inventory.entries), 'object')}"
    yield f"id        {name.id}"
    yield f"applied   {_shown(inventory.revision)}"
    yield f"healthy   {_shown(inventory.healthy_revision)}"
    yield from _exceptions(inventory, stored.suspend)
    if inventory.history:
        yield f"last      {_run_line(inventory.history[0])}"


def _exceptions(inventory: Inventory, suspend: str) -> Iterator[str]:
    if inventory.pinned:
        yield f"put aside {_shown(inventory.pinned)} by a rollback; it stays until a new commit"
    if suspend:
        yield f"suspended {visible(suspend)}"
    if inventory.phase:
        yield "the last run was cut off; the next one settles what it left"
    if inventory.adopting:
        yield "the inventory was rebuilt; nothing is deleted until one run has gone through healthy"


def _shown(revision: str) -> str:
    return visible(revision) or "(no revision)"


def _run_object(run: Run) -> dict[str, Any]:
    return {
        "revision": run.revision,
        "author": run.author,
        "started": run.started,
        "result": run.result,
        "counts": dict(run.counts),
        "message": run.message,
    }


def _run_line(run: Run) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in sorted(run.counts.items()))
    parts = (run.started, run.revision[:12] or "-", run.result, counts, run.author, run.message)
    return "  ".join(visible(part) for part in parts if part)

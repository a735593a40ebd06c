"""`gitops-guard rollback`: put an earlier revision back, and keep it until Git has a newer one."""

import sys
from collections.abc import Mapping
from dataclasses import replace

from gitops_guard.commands.ending import listening
from gitops_guard.commands.sync import SyncFlags, finish, request_of
from gitops_guard.commands.sync_narration import Narration
from gitops_guard.commands.sync_source import Place, open_source
from gitops_guard.commands.sync_target import connected
from gitops_guard.errors import UsageError
from gitops_guard.sync.inventory import Inventory
from gitops_guard.sync.locking import Stop
from gitops_guard.sync.running import sync
from gitops_guard.sync.store import Store


def run(revision: str | None, flags: SyncFlags, environment: Mapping[str, str]) -> int:
    """Apply an earlier revision, write the report to standard output, and return the exit code.

    Args:
        revision: Which one; None: the last healthy one before what is applied now.
        flags: The command line.
        environment: The process's variables.

    Raises:
        UsageError: There is no earlier revision, or the source has no history.
        GuardError: Nothing could be done.
    """
    with listening() as ending, connected(flags.target, environment) as (client, access, name):
        newest = open_source(flags.source, Place(context=access.name, server=access.server), environment)
        if newest.past is None:
            raise UsageError("a rollback needs a Git repository as its --source")
        inventory = Store(client, name).read().inventory
        wanted = newest.past.resolve(revision) if revision is not None else _earlier(inventory)
        stop = Stop()
        with Narration(sys.stderr) as narration, ending.in_good_order([client], [stop]):
            request = replace(
                request_of(flags, newest, name, narration),
                rendered=newest.past.at(wanted),
                pin=newest.rendered.revision if newest.rendered.revision != wanted else "",
                allow_rewind=True,
                ignore_pin=True,
                rollback_on_failure=False,
            )
            report = sync(client, request, stop)
    return finish(report, flags)


def _earlier(inventory: Inventory) -> str:
    """Return the newest revision of the history that was synced before the present one."""
    for line in inventory.history:
        if (
            line.revision
            and line.revision != inventory.revision
            and line.result in ("synced", "guarded", "rolled-back")
        ):
            return line.revision
    raise UsageError("the history knows no earlier revision that was synced; name one: gitops-guard rollback REV")

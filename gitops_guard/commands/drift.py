"""`gitops-guard drift`: how the cluster differs from Git, and who did it; reads only."""

import sys
from collections.abc import Mapping

from gitops_guard.commands.sync import SyncFlags, finish, request_of
from gitops_guard.commands.sync_narration import Narration
from gitops_guard.commands.sync_source import Place, open_source
from gitops_guard.commands.sync_target import connected
from gitops_guard.sync.looking import look


def run(flags: SyncFlags, environment: Mapping[str, str]) -> int:
    """Compare, write the report to standard output, and return the exit code: 1 on any difference.

    Args:
        flags: The command line; what is about writing has no meaning here.
        environment: The process's variables.

    Raises:
        GuardError: Nothing could be compared.
    """
    with connected(flags.target, environment) as (client, access, name):
        source = open_source(flags.source, Place(context=access.name, server=access.server), environment)
        with Narration(sys.stderr) as narration:
            report = look(client, request_of(flags, source, name, narration))
    return finish(report, flags)

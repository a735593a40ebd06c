"""`gitops-guard drift`: how the cluster differs from Git, and who did it; reads only."""

from collections.abc import Mapping

from gitops_guard.commands.ending import listening
from gitops_guard.commands.sync import SyncFlags, finish_all, on_all, request_of
from gitops_guard.commands.sync_clusters import Connected
from gitops_guard.commands.sync_loop import Board
from gitops_guard.model.sync import SyncReport
from gitops_guard.sync.looking import look


def run(flags: SyncFlags, environment: Mapping[str, str]) -> int:
    """Compare, write the report to standard output, and return the exit code: 1 on any difference.

    Args:
        flags: The command line; what is about writing has no meaning here.
        environment: The process's variables.

    Raises:
        GuardError: Nothing could be compared.
    """

    def compared(place: Connected) -> SyncReport:
        return look(place.client, request_of(flags, place.source, place.name, place.narration))

    with listening(grace_s=0.0) as ending:
        runs = on_all(flags, environment, Board(flags.metrics_file), compared, ending=ending)
    return finish_all(runs, flags, is_interrupted=ending.is_asked)

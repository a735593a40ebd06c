"""`gitops-guard drift`: how the cluster differs from Git, and who did it; reads only."""

from collections.abc import Mapping
from dataclasses import replace

from gitops_guard.commands.sync import SyncFlags, finish_all, request_of
from gitops_guard.commands.sync_clusters import Connected, on_each, on_one, targets_of
from gitops_guard.commands.sync_loop import Board
from gitops_guard.commands.sync_source import at_hand
from gitops_guard.errors import GuardError
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

    contexts = flags.contexts or (flags.target.context,)
    board = Board(flags.metrics_file)
    try:
        origin = at_hand(flags.source, environment)
        if len(flags.contexts) > 1:
            runs = on_each(targets_of(flags.target, flags.contexts), origin, environment, compared)
        else:
            runs = (on_one(replace(flags.target, context=contexts[0]), origin, environment, compared),)
    except GuardError:
        board.failed(contexts, flags.target.name)
        raise
    board.ran(runs, flags.target.name)
    return finish_all(runs, flags)

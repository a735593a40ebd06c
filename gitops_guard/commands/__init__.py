"""Subcommands, one file each; the only place where stages meet. Part of the clean path: imports next to nothing."""

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ALLOCATIONS = 100_000
"""Objects made between two looks for garbage; Python's own 700 are for programs whose objects come and go."""


def dispatch(arguments: "Sequence[str]") -> int:
    """Parse the command line and run the subcommand that it names.

    Garbage is looked for rarely, from the imports on: looking through what lives to the end takes a fifth of a run.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        from gitops_guard.commands.parser import parse_and_run  # loads argparse, which the clean path need not

        return parse_and_run(arguments)
    finally:
        gc.set_threshold(*before)

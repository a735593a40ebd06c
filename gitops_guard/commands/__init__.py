"""Subcommands, one file each; the only place where stages meet. Part of the clean path: imports nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def dispatch(arguments: "Sequence[str]") -> int:
    """Parse the command line and run the subcommand that it names."""
    from gitops_guard.commands.parser import parse_and_run  # loads argparse, which the clean path need not

    return parse_and_run(arguments)

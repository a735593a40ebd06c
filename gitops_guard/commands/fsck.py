"""`gitops-guard fsck`: rebuild the inventory of a set from what carries its label."""

import sys
from collections.abc import Mapping

from gitops_guard.commands.sync_target import Target, connected
from gitops_guard.sync.rebuilding import rebuild
from gitops_guard.wording import count


def run(target: Target, environment: Mapping[str, str]) -> int:
    """Rebuild the inventory; nothing is deleted by the runs that follow until one has gone through healthy.

    Returns:
        0; 1 when some kinds could not be looked at, so that some members may be missing.

    Raises:
        GuardError: The cluster cannot be asked, the set is locked, or its parent is not ours.
    """
    with connected(target, environment) as (client, _, name):
        found = rebuild(client, name)
    sys.stdout.write(f"set {name.name}: {count(found.members, 'object')} found and remembered\n")
    for kind in found.blind:
        sys.stdout.write(f"{kind} cannot be listed: its objects are not remembered\n")
    return 1 if found.blind else 0

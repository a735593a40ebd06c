"""What a merge does to running clusters, by their own API servers: reads and dry-runs, never a write.

    wanted (base and head by identity) -> live objects -> proof or dry-run -> effect, drift, conflicts, prunes

Three states of each object are told apart: what is live, what the base would be as applied, what the head would be.
Drift is the difference of the first two, the merge's effect that of the last two; they are never mixed.
"""

from gitops_guard.live.clusters import Target, preview_all
from gitops_guard.live.preview import LiveOptions, preview

__all__ = ["LiveOptions", "Target", "preview", "preview_all"]

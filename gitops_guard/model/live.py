"""What a merge does to one cluster, as that cluster's API server says: its effect, drift and conflicts, told apart."""

from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.model.change import Change
from gitops_guard.model.finding import CheckError
from gitops_guard.model.resource import ResourceId


class Preview(StrEnum):
    """How an object was judged; a closed set."""

    DRY_RUN = "dry-run"
    """The server said what it would store."""

    PROVED = "proved unchanged"
    """Nothing was sent: what Git says is what the server holds and knows to be ours."""

    NOT_DRY_RUN = "not dry-run"
    """Its namespace or its kind comes with the same merge: only checked offline."""

    REFUSED = "refused"
    """The server would refuse it."""

    UNKNOWN = "not previewed"
    """The server would not or could not say: a missing right, a webhook that refuses dry-runs."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Conflict:
    """A field that another manager owns and Git wants otherwise."""

    field: str
    """As the server prints it: `.spec.replicas`."""

    manager: str
    """`horizontal-pod-autoscaler`."""

    already: bool
    """It is one without the merge, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveObject:
    """An object about which more is to be said than its changes."""

    id: ResourceId
    path: str
    """Repository path of its file."""

    line: int
    preview: Preview
    reason: str = ""
    """Why it was refused or not previewed; masked."""

    recreate: bool = False
    """What is refused is the change alone: created anew, the object would be valid."""

    conflicts: tuple[Conflict, ...] = ()
    """Sorted."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Prune:
    """A live object that is in Git no more."""

    id: ResourceId
    by_merge: bool
    """This merge takes it out of Git; otherwise it was gone from there before."""

    inventory: str
    """What says that it is a part of what is deployed: `Flux Kustomization flux-system/shop`; empty: only Git does."""

    kept: str = ""
    """Why it stays all the same: `kustomize.toolkit.fluxcd.io/prune: disabled`."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MissingRight:
    """A right that we lack, and what could not be judged for it."""

    verb: str
    resource: str
    """`deployments.apps`."""

    namespace: str
    """Empty: in all."""

    objects: int
    """How many objects it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPreview:
    """What a merge does to one cluster."""

    cluster: str
    error: str = ""
    """Why the cluster could not be asked; everything else is empty then."""

    version: str = ""
    """Of its server: `v1.36.3`."""

    effect: tuple[Change, ...] = ()
    """What the merge changes: base as applied against head as applied."""

    drift: tuple[Change, ...] = ()
    """Where the cluster is not as Git says even without the merge: base as applied against what is there."""

    objects: tuple[LiveObject, ...] = ()
    """Those refused, not previewed, not dry-run or in conflict; sorted."""

    prunes: tuple[Prune, ...] = ()
    rights: tuple[MissingRight, ...] = ()
    notes: tuple[str, ...] = ()
    compared: int = 0
    """Objects of both sides together."""

    proved: int = 0
    """Objects of which the server had nothing to be asked."""

    dry_runs: int = 0
    """Dry-runs that were sent."""

    @property
    def is_whole(self) -> bool:
        """Tell whether the cluster was asked and nothing that was to be judged is left open."""
        return not self.error and not self.rights and all(one.preview is not Preview.UNKNOWN for one in self.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
    """What a merge does to all clusters that were asked: all that the formats see."""

    clusters: tuple[ClusterPreview, ...]
    """In the order of their names."""

    before: str
    """What was compared: `commit 1a2b3c4`."""

    after: str
    """With what: `work tree`."""

    errors: tuple[CheckError, ...] = ()
    """Units that could not be rendered; sorted."""

    notes: tuple[str, ...] = ()
    """What the reader must know about what was left out."""

    @property
    def is_whole(self) -> bool:
        """Tell whether every cluster was asked about everything."""
        return not self.errors and all(one.is_whole for one in self.clusters)

    @property
    def changes_something(self) -> bool:
        """Tell whether the merge changes a cluster, or is refused there."""
        return any(
            one.effect or any(entry.preview is Preview.REFUSED for entry in one.objects) for one in self.clusters
        )

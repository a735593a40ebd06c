"""How a tree is rendered: what the caller settles."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_guard.config.model import Cluster
from gitops_guard.render.process import Limits
from gitops_guard.render.tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to render."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """The process's variables: tools are found on its PATH; with network they see all of it."""

    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """From the configuration."""

    kubernetes_version: str = ""
    """`1.36`, for clusters whose own version is not configured; empty: helm's own."""

    remotes: tuple[str, ...] = ()
    """URLs of the clone's remotes: which sources of Flux and Argo CD are this repository."""

    allow_network: bool = False
    cache_dir: str = ""
    """Of all our caches; empty: remember nothing."""

    jobs: int = 0
    """Tools that run at the same time; 0: as many as there are processors."""

    limits: Limits = field(default_factory=Limits)
    tools: Tools | None = None
    """None: those that are found."""

    settles: bool = False
    """Renderings are only looked at and compared: what a chart makes anew in each run has one value. Not for what is
    applied, where a random password must be one."""

"""What the section `sync:` of the configuration says. Keys of the file are the field names with `-` for `_`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWindow:
    """When a run may write, or must not; one of `allow` and `deny` is given."""

    allow: str = ""
    """When it opens, five fields of cron: `0 6 * * mon-fri`."""

    deny: str = ""
    duration: str
    """How long it stays open: `2h`, `1h30m`."""

    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncConflict:
    """What is done about fields that another manager owns."""

    action: str
    """`take`, `yield` or `fail`."""

    manager: str = ""
    """Glob of the field manager: `kubectl*`; empty: any."""

    field: str = ""
    """Glob of the field as the server writes it: `.spec.replicas`; empty: any."""

    kind: str = ""
    """`Deployment` or `Rollout.argoproj.io`; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreDrift:
    """Fields that are left to others."""

    field: str = ""
    """JSON pointer or path: `/spec/replicas`; empty: all fields of the manager."""

    manager: str = ""
    """Glob of the field manager; empty: any."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    way: str = "adopt"
    """`adopt`: sent with its value in the cluster; `strip`: not sent; `report`: as `adopt`, and told."""

    until: str = ""
    """Last day on which it holds, as `YYYY-MM-DD`; empty: it does not expire."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthExpression:
    """CEL expressions that say how the objects of a kind are."""

    kind: str
    """`Certificate.cert-manager.io`."""

    current: str
    in_progress: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncConfig:
    """The whole section; the defaults are those of an empty one."""

    suspend: str = ""
    """Why nothing is written; empty: it is."""

    windows: tuple[SyncWindow, ...] = ()
    conflicts: tuple[SyncConflict, ...] = ()
    ignore_drift: tuple[IgnoreDrift, ...] = ()
    health: tuple[HealthExpression, ...] = ()

"""Which clusters a path or a destination means: the configuration's `clusters:`, else the folder below `clusters/`."""

from collections.abc import Iterable, Mapping

from gitops_guard.config import PathSet
from gitops_guard.config.model import Cluster

IN_CLUSTER = ("https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local")
"""What Argo CD calls the cluster that it runs in."""

_CONVENTION = "clusters"


class Clusters:
    """The clusters of a repository."""

    def __init__(self, configured: Mapping[str, Cluster]) -> None:
        self._configured = configured
        self._paths = {name: PathSet(cluster.paths) for name, cluster in configured.items() if cluster.paths}

    def all(self) -> Mapping[str, Cluster]:
        """Return what the configuration says, by name."""
        return self._configured

    def at(self, path: str) -> tuple[str, ...]:
        """Return the names of the clusters that a repository path belongs to."""
        found = sorted(name for name, paths in self._paths.items() if paths.matches(path))
        if found:
            return tuple(found)
        parts = path.split("/")
        for index, part in enumerate(parts[:-1]):
            if part == _CONVENTION:
                return (parts[index + 1],) if index + 2 < len(parts) or "." not in parts[index + 1] else ()
        return ()

    def destination(self, name: str, server: str, declared_at: Iterable[str]) -> tuple[str, ...]:
        """Return the cluster that an Argo CD destination means.

        Args:
            name: `destination.name`.
            server: `destination.server`.
            declared_at: Clusters of whatever declares the Application: what "in-cluster" means there.
        """
        if name and name != "in-cluster":
            return (name,)
        for configured, cluster in sorted(self._configured.items()):
            if server and cluster.server == server:
                return (configured,)
        if not server or name or server.rstrip("/") in IN_CLUSTER:
            return tuple(declared_at) or ("in-cluster",)
        return (server,)

    def version(self, names: Iterable[str], default: str) -> str:
        """Return the Kubernetes version of the first of these clusters that has one."""
        return next((one.kubernetes_version for one in self._known(names) if one.kubernetes_version), default)

    def api_versions(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the further API versions that charts find in these clusters."""
        return tuple(sorted({version for one in self._known(names) for version in one.api_versions}))

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """Return the variables that the configuration gives for these clusters."""
        return {key: value for one in self._known(names) for key, value in one.variables.items()}

    def _known(self, names: Iterable[str]) -> list[Cluster]:
        return [self._configured[name] for name in names if name in self._configured]

"""What a rule may know of the repository around a resource: its manifests and its files, read when first asked for."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from gitops_guard.model import Resource


class Repository:
    """The tree that is checked: the work tree, the index or a commit. Ask it, do not open files yourself."""

    def __init__(
        self, *, paths: Sequence[str], read: Callable[[str], bytes], resources: Callable[[], Sequence[Resource]]
    ) -> None:
        """Keep how it is read.

        Args:
            paths: All files, sorted.
            read: Returns a file's bytes; raises RepoError.
            resources: Returns the resources of all manifests; called once.
        """
        self.paths = tuple(paths)
        """Repository paths of all files, sorted."""

        self._read = read
        self._load = resources
        self._by_kind: Mapping[str, Sequence[Resource]] | None = None

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            RepoError: There is no such file.
        """
        return self._read(path)

    def resources(self, kind: str = "*", *, namespace: str = "*", name: str = "*") -> list[Resource]:
        """Return the resources of the repository's manifests, as they are written: nothing is rendered.

        Args:
            kind: `Service` or `Deployment.apps`; `*` for all.
            namespace: Glob of the namespace as written in the manifest.
            name: Glob of the name.
        """
        wanted, _, group = kind.partition(".")
        return [
            resource
            for resource in self._of_kind(wanted)
            if group in ("", resource.id.group)
            and fnmatchcase(resource.id.namespace, namespace)
            and fnmatchcase(resource.id.name, name)
        ]

    def find(self, kind: str, name: str, *, namespace: str = "*") -> Resource | None:
        """Return the first resource of a kind and name; None when the manifests have none."""
        found = (one for one in self.resources(kind, namespace=namespace) if one.id.name == name)
        return next(found, None)

    def _of_kind(self, kind: str) -> Sequence[Resource]:
        if self._by_kind is None:
            by_kind: dict[str, list[Resource]] = {"*": []}
            for resource in self._load():
                by_kind["*"].append(resource)
                by_kind.setdefault(resource.id.kind, []).append(resource)
            self._by_kind = by_kind
        return self._by_kind.get(kind, ())

"""Whether a source of Flux or Argo CD is this repository, and where in the tree its root then is."""

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable

from gitops_guard.render.files import Files, resolve

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def normal_url(url: str) -> str:
    """Return host and path of a repository's URL, however it is written: `git.example.com/shop/gitops`."""
    bare = _SCHEME.sub("", url.strip(), count=1)
    bare = re.sub(r"^[^/@]*@", "", bare)
    bare = re.sub(r"^([^/:]+):(?:[0-9]+/)?", r"\1/", bare)
    return re.sub(r"/{2,}", "/", bare).rstrip("/").removesuffix(".git").lower()


class Repositories:
    """Tells this repository's own sources from others.

    A repository does not say under which URL controllers read it. The URL of a remote of the clone is its own; where no
    source names one of them, the URL is taken that most sources use whose path is in the tree.
    """

    def __init__(self, files: Files, remotes: Collection[str]) -> None:
        self._files = files
        self._remotes = {normal_url(url) for url in remotes}
        self._seen: Counter[str] = Counter()
        self._own: set[str] = set()

    def learn(self, uses: Iterable[tuple[str, str, str]]) -> None:
        """Take note of (URL, path, declaring file) of sources that were found."""
        for url, path, declared_in in uses:
            found = normal_url(url)
            tells = path.strip("./") != "" and self.base(path, declared_in) is not None  # every tree has a root
            self._seen[found] += tells
        named = self._remotes & self._seen.keys()
        most = sorted(self._seen.items(), key=lambda one: (-one[1], one[0]))[:1]
        self._own = named or {url for url, _ in most}

    def is_own(self, url: str) -> bool:
        """Tell whether the URL is this repository's."""
        return normal_url(url) in self._own

    def base(self, path: str, declared_in: str) -> str | None:
        """Return the directory that a source's paths start from; None where the path is nowhere.

        That is the tree's root; in a repository that holds a whole other one in a directory (an example, a subtree),
        the outermost directory above the declaring file from which the path exists.
        """
        above = posixpath.dirname(declared_in).split("/") if posixpath.dirname(declared_in) else []
        for depth in range(len(above) + 1):
            base = "/".join(above[:depth])
            found = resolve(base, path.lstrip("/") or ".")
            if found is not None and (self._files.is_folder(found) or self._files.is_file(found)):
                return base
        return None

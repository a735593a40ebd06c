"""The programs of the control plane: which Go module each is built from, at which version, and under which key it is kept.

Versions stand in one place only, the `go.mod` files under `go/`; this module reads them. It does not know where binaries are
kept or how they are built: that is `binaries`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import platform
import re
import sys
from pathlib import Path

_MODULES = Path(__file__).with_name("go")

BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
"""Reproducible: no path of this machine, no state of the surrounding repository, no change of go.mod gets into a binary."""

BUILD_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
"""No C compiler needed, no other toolchain fetched, no setting of the user's that would change the result."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that is built from a pinned Go module."""

    name: str
    """The binary's name, "kube-apiserver"."""
    module: str
    """The folder under `go/` whose go.mod pins it, "kubernetes"."""
    package: str
    """The main package, "k8s.io/kubernetes/cmd/kube-apiserver"."""
    source: str
    """The Go module that holds the package, "k8s.io/kubernetes"."""
    version_variables: tuple[str, ...] = ()
    """Go variables that say the version: with `{version}` as in "v1.36.3", `{plain}`, `{major}`, `{minor}`."""
    files: tuple[str, ...] = ()
    """Files of the source module that are needed besides, by path: the CRDs of a controller."""
    folders: tuple[str, ...] = ()
    """Folders of the source module that are needed besides, by path; they are kept beside the binary."""
    tags: tuple[str, ...] = ()
    """Build tags."""
    needs_c: bool = False
    """Whether it is built with a C compiler: Gitea's SQLite is."""
    build_s: int = 60
    """About how long a cold build takes on two cores, in seconds: what the user is told to expect."""

    @property
    def directory(self) -> Path:
        """Where its go.mod and go.sum are."""
        return _MODULES / self.module

    @property
    def version(self) -> str:
        """The pinned version, "v1.36.3"."""
        return _required_version(self.directory, self.source)

    @property
    def key(self) -> str:
        """Names one build: version, platform and a digest of everything that decides the binary's content."""
        return (
            f"{self.module}-{self.version}-{sys.platform}-{platform.machine()}-{_digest(self.directory, self._flags())}"
        )

    @property
    def linker_flags(self) -> str:
        """What -ldflags gets: no debug data, and the version where the program keeps it."""
        major, minor, _ = self.version.removeprefix("v").split(".", 2)
        known = {"version": self.version, "plain": self.version.removeprefix("v"), "major": major, "minor": minor}
        return " ".join(["-s -w", *(f"-X {variable.format(**known)}" for variable in self.version_variables)])

    @property
    def build_flags(self) -> tuple[str, ...]:
        """What `go build` gets."""
        return (*BUILD_FLAGS, f"-tags={','.join(self.tags)}") if self.tags else BUILD_FLAGS

    @property
    def build_environment(self) -> dict[str, str]:
        """Variables for `go`."""
        return {**BUILD_ENVIRONMENT, "CGO_ENABLED": "1"} if self.needs_c else BUILD_ENVIRONMENT

    def _flags(self) -> tuple[str, ...]:
        return (*self.build_flags, *self.version_variables, *self.files, *self.folders)


@functools.cache
def _required_version(directory: Path, source: str) -> str:
    text = (directory / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(source)} (v\S+)", text, re.MULTILINE)
    if not found:
        raise LookupError(f"{directory / 'go.mod'} does not require {source}")
    return found[1]


@functools.cache
def _digest(directory: Path, flags: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((directory / name).read_bytes())
    digest.update(repr((flags, sorted(BUILD_ENVIRONMENT.items()))).encode())
    return digest.hexdigest()[:12]


_KUBERNETES_VERSION = (
    "k8s.io/component-base/version.gitVersion={version}",
    "k8s.io/component-base/version.gitMajor={major}",
    "k8s.io/component-base/version.gitMinor={minor}",
    "k8s.io/component-base/version.gitTreeState=clean",
)


def _kubernetes(name: str, build_s: int) -> Tool:
    return Tool(
        name=name,
        module="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        source="k8s.io/kubernetes",
        version_variables=_KUBERNETES_VERSION,
        build_s=build_s,
    )


ETCD = Tool(
    name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3", source="go.etcd.io/etcd/server/v3", build_s=90
)
KUBE_APISERVER = _kubernetes("kube-apiserver", 300)
KUBE_CONTROLLER_MANAGER = _kubernetes("kube-controller-manager", 80)
KUBE_SCHEDULER = _kubernetes("kube-scheduler", 20)
KUBECTL = _kubernetes("kubectl", 30)
KWOK = Tool(
    name="kwok",
    module="kwok",
    package="sigs.k8s.io/kwok/cmd/kwok",
    source="sigs.k8s.io/kwok",
    version_variables=("sigs.k8s.io/kwok/pkg/consts.Version={plain}",),
    build_s=120,
)
FLAGGER = Tool(
    name="flagger",
    module="flagger",
    package="github.com/fluxcd/flagger/cmd/flagger",
    source="github.com/fluxcd/flagger",
    files=("artifacts/flagger/crd.yaml",),
    build_s=120,
)
ARGO_ROLLOUTS = Tool(
    name="rollouts-controller",
    module="argo-rollouts",
    package="github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    source="github.com/argoproj/argo-rollouts",
    version_variables=("github.com/argoproj/argo-rollouts/utils/version.version={version}",),
    files=tuple(
        f"manifests/crds/{kind}-crd.yaml"
        for kind in ("rollout", "experiment", "analysis-run", "analysis-template", "cluster-analysis-template")
    ),
    build_s=240,
)
HELM = Tool(
    name="helm",
    module="helm",
    package="helm.sh/helm/v3/cmd/helm",
    source="helm.sh/helm/v3",
    version_variables=("helm.sh/helm/v3/internal/version.version={version}",),
    build_s=60,
)
GITEA = Tool(
    name="gitea",
    module="gitea",
    package="code.gitea.io/gitea",
    source="code.gitea.io/gitea",
    version_variables=("main.Version={plain}",),
    folders=("templates", "options", "public"),
    tags=("sqlite", "sqlite_unlock_notify"),
    needs_c=True,
    build_s=300,
)
ACTIONLINT = Tool(
    name="actionlint",
    module="actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    source="github.com/rhysd/actionlint",
    build_s=20,
)

CONTROL_PLANE = (ETCD, KUBE_APISERVER)
"""What the fixture `control_plane` starts."""
CONTROLLERS = (KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, KWOK)
"""What the fixture `controllers` starts besides."""
TOOLS = {
    tool.name: tool for tool in (*CONTROL_PLANE, *CONTROLLERS, KUBECTL, FLAGGER, ARGO_ROLLOUTS, HELM, GITEA, ACTIONLINT)
}

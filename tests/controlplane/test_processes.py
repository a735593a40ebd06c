"""Processes end with the session, also when it is killed; what fails shows its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from controlplane.processes import Process, ProcessFailedError, free_ports


def shell(script: str, tmp_path: Path) -> Process:
    return Process(Path("/bin/sh"), ["-c", script], log=tmp_path / "sh.log", directory=tmp_path)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody waited for does not."""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip() != "" and not asked.stdout.startswith("Z")


def wait_until_dead(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_process_when_its_parent_is_killed_then_it_ends(tmp_path: Path) -> None:
    script = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from controlplane.processes import Process
        here = Path({str(tmp_path)!r})
        child = Process(Path("/bin/sleep"), ["600"], log=here / "log", directory=here)
        print(child.pid, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert wait_until_dead(pid)


def test_stop_when_it_has_children_then_they_end_too(tmp_path: Path) -> None:
    process = shell("sleep 600 & echo $!; wait", tmp_path)
    process.wait_until(lambda: process.tail() != "", timeout_s=10, what="started")
    child = int(process.tail())
    process.stop()
    assert not process.is_running()
    assert wait_until_dead(child)


def test_stop_when_it_has_a_grace_time_then_it_may_end_by_itself(tmp_path: Path) -> None:
    process = shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", tmp_path)
    process.wait_until(lambda: "up" in process.tail(), timeout_s=10, what="up")
    process.stop(grace_s=5)
    assert process.tail().endswith("bye")


def test_wait_until_when_it_ends_first_then_the_error_has_its_log(tmp_path: Path) -> None:
    process = shell("echo no luck; exit 3", tmp_path)
    with pytest.raises(ProcessFailedError, match=r"(?s)sh ended with code 3.*no luck"):
        process.wait_until(lambda: False, timeout_s=10, what="ready")
    process.stop()


def test_wait_until_when_the_time_is_up_then_it_fails(tmp_path: Path) -> None:
    process = shell("sleep 600", tmp_path)
    with pytest.raises(ProcessFailedError, match="did not become ready within 0.1 s"):
        process.wait_until(lambda: False, timeout_s=0.1, what="ready")
    process.stop()


def test_free_ports_when_several_then_all_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_session_when_the_binaries_cannot_be_had_then_tests_fail_and_say_how(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(control_plane): pass\n", encoding="utf-8")
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-m", "pytest", "-p", "controlplane.plugin", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "KUBEBUILDER_ASSETS": "/nowhere", "PYTHONPATH": str(tests)}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert run.returncode == 1
    assert "1 error in" in run.stdout
    assert "KUBEBUILDER_ASSETS=/nowhere is not a directory" in run.stdout
    assert "make control-plane" in run.stdout

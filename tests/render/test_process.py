"""Limits on tools: time, output; what they are let see; and that a stubborn child ends with its parent."""

import os
import sys
import time
from pathlib import Path

import pytest

from gitops_guard.render.process import Limits, ToolError, isolated_environment, open_environment, run


def python(code: str, folder: Path, **limits: float) -> bytes:
    environment = isolated_environment(str(folder))
    return run([sys.executable, "-I", "-c", code], folder=str(folder), environment=environment, limits=Limits(**limits))


def test_run_when_the_tool_succeeds_then_its_output_is_given(tmp_path):
    assert b"hello\n" == python("print('hello')", tmp_path)


@pytest.mark.parametrize(
    ("code", "limits", "message"),
    [
        pytest.param("while True: pass", {"seconds": 0.3}, "took longer than 0.3 s", id="endless-loop"),
        pytest.param(
            "import sys, os, time\nos.close(1); os.close(2); time.sleep(60)",
            {"seconds": 0.3},
            "took longer than 0.3 s",
            id="silent-and-closed",
        ),
        pytest.param(
            "while True: print('x' * 1000)", {"output_bytes": 5000}, "more than 5,000 bytes", id="endless-output"
        ),
        pytest.param("import sys; sys.exit('no such thing')", {}, "no such thing", id="its-own-message"),
        pytest.param(
            "import sys; sys.exit('E1125 01:10:28.94 25904 run.go:72] \"failed\" err=x')",
            {},
            '^"failed" err=x$',
            id="klog",
        ),
        pytest.param("import sys; sys.exit(3)", {}, "ended with 3 and said nothing", id="no-message"),
    ],
)
def test_run_when_the_tool_misbehaves_then_it_is_ended_and_the_error_says_why(tmp_path, code, limits, message):
    started = time.monotonic()
    with pytest.raises(ToolError, match=message):
        python(code, tmp_path, **limits)
    assert time.monotonic() - started < 20


def test_run_when_the_time_is_over_then_children_end_too(tmp_path):
    pid_file = tmp_path / "pid"
    code = f"import os, time\npid = os.fork()\nif pid: open({str(pid_file)!r}, 'w').write(str(pid))\ntime.sleep(60)\n"
    with pytest.raises(ToolError, match="took longer"):
        python(code, tmp_path, seconds=1.0)
    child = int(pid_file.read_text())
    deadline = time.monotonic() + 10
    while _is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_run_when_the_program_is_missing_then_the_error_names_it(tmp_path):
    with pytest.raises(ToolError, match="/nowhere/helm cannot be started: No such file"):
        run(["/nowhere/helm"], folder=str(tmp_path), environment={}, limits=Limits())


def test_isolated_environment_when_the_user_has_secrets_then_the_tool_sees_none(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    seen = python("import os; print(dict(os.environ))", tmp_path).decode()
    assert "hunter2" not in seen
    assert str(Path.home()) not in seen.replace(str(tmp_path), "")
    assert "'HTTPS_PROXY': 'http://127.0.0.1:9'" in seen


def test_open_environment_when_the_network_is_allowed_then_it_is_the_users_without_plugins(tmp_path):
    found = open_environment(str(tmp_path), {"HOME": "/home/ada", "HELM_PLUGINS": "/home/ada/plugins"})
    assert {"HOME": "/home/ada", "HELM_PLUGINS": os.path.join(tmp_path, "no-plugins")} == found

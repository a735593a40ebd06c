"""Progress: shown on a terminal when work takes long, wiped at its end, and never written into a pipe."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from gitops_guard.commands.progress import Progress

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
MANY = 120
SLOW_RULE = """
import time
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Severity

class Slow:
    id, severity, kinds, summary = "slow", Severity.NOTE, ("*",), "Takes its time."

    def check(self, resource, context):
        time.sleep(0.01)
        return iter(())

@hookimpl
def gitops_guard_rules():
    return [Slow()]
"""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_when_work_is_quick_then_nothing_is_shown():
    stream = Terminal()
    with Progress(stream, "checking") as progress:
        progress(1, 2)
    assert "" == stream.getvalue()


def test_progress_when_work_takes_long_then_shown_and_wiped():
    stream = Terminal()
    with Progress(stream, "checking") as progress:
        time.sleep(0.45)
        progress(1, 4)
        progress(2, 4)  # too soon after the last one
    assert "\r\x1b[Kchecking 25 %\r\x1b[K" == stream.getvalue()


def test_progress_when_the_stream_is_no_terminal_then_nothing_is_written():
    stream = io.StringIO()
    with Progress(stream, "checking") as progress:
        time.sleep(0.45)
        progress(1, 4)
    assert "" == stream.getvalue()


def run(repo, *, stderr_is_terminal: bool) -> tuple[bytes, bytes]:
    """Run a long check; return standard output (a pipe) and standard error."""
    files = {f"{n:05}.yaml": GOOD.replace("name: a", f"name: a{n}") + "dta: 1\n" * (n == 7) for n in range(MANY)}
    sandbox = repo({**files, "slow.py": SLOW_RULE})
    ours, theirs = pty.openpty() if stderr_is_terminal else os.pipe()
    if stderr_is_terminal:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "gitops_guard", "check", "--no-cache", "-j", "1", "-p", "slow.py"],
        cwd=sandbox.root, env={**sandbox.environment, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append(read_all(ours)))
    reader.start()
    out, _ = process.communicate(timeout=60)
    reader.join(60)
    assert 1 == process.returncode
    return out, said[0]


def read_all(descriptor: int) -> bytes:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other side of a terminal has closed
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts)
        parts.append(part)


def test_check_when_standard_error_is_a_terminal_then_progress_is_shown_and_wiped(repo):
    out, err = run(repo, stderr_is_terminal=True)
    assert b"checking " in err
    assert err.endswith(b"\r\x1b[K")
    assert b"\x1b" not in out
    assert b"checking" not in out


def test_check_when_standard_error_is_a_pipe_then_nothing_is_written_to_it(repo):
    out, err = run(repo, stderr_is_terminal=False)
    assert b"" == err
    assert out.startswith(b"00007.yaml:4:1: error unknown-field")

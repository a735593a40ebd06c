"""Runs a tool with limits on time, output and memory, and without a way to the network. The only user of subprocess."""

import contextlib
import os
import re
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CHUNK = 65536
_LARGEST_MESSAGE = 65536
_NO_PROXY_ANSWERS = "http://127.0.0.1:9"
_MEMORY_BYTES = 8 << 30
_KLOG = re.compile(r"^[EWIF]\d{4} [\d:.]+ +\d+ [\w.-]+:\d+\] ", re.MULTILINE)
"""Time and process id in front of a message of kubectl, which would make every run's message another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run of a tool may cost."""

    seconds: float = 60.0
    output_bytes: int = 64 << 20
    """Of standard output; messages are cut at 64 KiB."""


class ToolError(Exception):
    """A tool could not be run, failed, or went over a limit; the text is its own message."""


def isolated_environment(home: str) -> dict[str, str]:
    """Return the environment of a tool that shall reach neither the network nor the user's settings.

    Programs it might call (git, ssh, plugins) are on no path; HTTP goes to a port where nobody listens.
    """
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NO_PROXY_ANSWERS)
    lower = {name.lower(): value for name, value in proxies.items()}
    return {**proxies, **lower, "NO_PROXY": "", "no_proxy": "", "PATH": "", **_own_places(home)}


def open_environment(home: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a tool that may use the network: the user's own, without plugins."""
    return {**environment, "HELM_PLUGINS": os.path.join(home, "no-plugins")}


def _own_places(home: str) -> dict[str, str]:
    helm = {f"HELM_{name}_HOME": os.path.join(home, f"helm-{name.lower()}") for name in ("CACHE", "CONFIG", "DATA")}
    return {
        **helm,
        "HELM_PLUGINS": os.path.join(home, "no-plugins"),
        "HOME": home,
        "TMPDIR": home,
        "KUBECONFIG": os.devnull,
        "LC_ALL": "C.UTF-8",
    }


def run(command: Sequence[str], *, folder: str, environment: Mapping[str, str], limits: Limits) -> bytes:
    """Run a tool and return its standard output.

    Raises:
        ToolError: It cannot be started, ends with an error, or goes over a limit. Its children end with it.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # a list, no shell; the program is a tool that we looked up
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            _bound_memory(process.pid)
            out, messages = _collect(process, limits)
        except BaseException:
            _end(process)
            raise
        code = process.wait()
    if code != 0:
        said = _KLOG.sub("", messages.decode(errors="replace")).strip() or f"ended with {code} and said nothing"
        raise ToolError(said)
    return out


def _bound_memory(pid: int) -> None:
    """Keep a manifest that unfolds without end from taking the whole machine."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux, or it has ended already
        resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _collect(process: "subprocess.Popen[bytes]", limits: Limits) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + limits.seconds
    out, messages = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, buffer in ((process.stdout, out), (process.stderr, messages)):
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, buffer)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                raise ToolError(f"took longer than {limits.seconds:g} s and was ended")
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.data is out or len(messages) < _LARGEST_MESSAGE:
                    key.data.extend(chunk)
            if len(out) > limits.output_bytes:
                raise ToolError(f"wrote more than {limits.output_bytes:,} bytes and was ended")
        if not _has_ended(process, deadline):
            raise ToolError(f"took longer than {limits.seconds:g} s and was ended")
    return bytes(out), bytes(messages)


def _has_ended(process: "subprocess.Popen[bytes]", deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

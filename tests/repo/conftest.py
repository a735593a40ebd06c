"""Real Git repositories in temporary directories, untouched by the user's configuration and by a hook that runs the tests."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

CONFIG = {
    "user.name": "Test",
    "user.email": "test@example.com",
    "init.defaultBranch": "main",
    "protocol.file.allow": "always",
    "commit.gpgSign": "false",
}


@pytest.fixture(autouse=True, scope="module")
def _only_our_git_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _isolate(monkeypatch, tmp_path_factory.mktemp("home"))
        yield


def _isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(CONFIG)))
    for number, (key, value) in enumerate(CONFIG.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)


class Sandbox:
    """One repository and the `git` that works on it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(
        self, *arguments: str, stdin: bytes = b"", check: bool = True, env: Mapping[str, str] | None = None
    ) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            input=stdin,
            capture_output=True,
            env={**os.environ, **(env or {})},
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def commit(self, files: Mapping[str, bytes] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD").decode().strip()

    def age(self) -> None:
        """Make every tracked file older than the index, so that nothing is racily clean."""
        for raw in self.git("ls-files", "-z").split(b"\0")[:-1]:
            path = os.path.join(os.fsencode(self.root), raw)
            if os.path.lexists(path):
                os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
        self.git("update-index", "-q", "--refresh")

    def hook(self, name: str, script: str) -> None:
        path = self.root / ".git" / "hooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)


@pytest.fixture(scope="module")
def init_at() -> Callable[..., Sandbox]:
    """Make a repository: `init_at(path, "--bare")`."""

    def make(root: Path, *options: str) -> Sandbox:
        root.mkdir()
        sandbox = Sandbox(root)
        sandbox.git("init", "--quiet", *options)
        return sandbox

    return make


@pytest.fixture
def init(tmp_path: Path, init_at: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """Make a repository in the test's own directory: `init("name", "--bare")`."""
    return lambda name="repo", *options: init_at(tmp_path / name, *options)


@pytest.fixture
def at() -> Callable[[Path], Sandbox]:
    """Use a directory that is a repository already: a clone, a linked work tree."""
    return Sandbox


@pytest.fixture
def sandbox(init: Callable[..., Sandbox]) -> Sandbox:
    return init()

"""A Gitea on this machine: users, repositories, pushes and pull requests, as a team would use it."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controlplane.processes import Process, free_ports

_SETTINGS = """
RUN_MODE = prod
WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true
STATIC_ROOT_PATH = {static}
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[repository]
ROOT = {folder}/repositories
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
PASSWORD_HASH_ALGO = pbkdf2$1$20
[service]
DISABLE_REGISTRATION = true
[log]
MODE = console
LEVEL = warn
[actions]
ENABLED = false
[mailer]
ENABLED = false
"""
_numbers = itertools.count(1)
PASSWORD = "correct-horse-1"


class CallFailedError(Exception):
    """The server refused a call of the test's own."""


class Gitea:
    """One server with its data in a folder."""

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder = folder
        self._program = program
        self._process: Process | None = None
        (port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{port}"
        self._settings = folder / "app.ini"
        self._settings.write_text(
            _SETTINGS.format(folder=folder, port=port, static=program.parent, secret=secrets.token_hex(16)),
            encoding="utf-8",
        )
        self.admin = "boss"

    def start(self) -> None:
        """Make the database and the first user, and start the server."""
        self._run("migrate")
        self._run("admin", "user", "create", "--username", self.admin, "--password", PASSWORD, "--email", "boss@example.com",
                  "--admin", "--must-change-password=false")  # fmt: skip
        self._process = Process(
            self._program,
            ["web", "--config", str(self._settings)],
            log=self._folder / "gitea.log",
            directory=self._folder,
        )
        self._process.wait_until(self._is_healthy, timeout_s=120, what="healthy")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.stop(grace_s=5)

    def _run(self, *arguments: str) -> None:
        command = [self._program, *arguments, "--config", self._settings]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise CallFailedError(f"gitea {arguments[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def _is_healthy(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/api/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def call(self, method: str, path: str, body: Any = None, *, user: str = "", sudo: str = "") -> Any:
        """Call the API as a user with a password."""
        login = base64.b64encode(f"{user or self.admin}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        headers |= {"Sudo": sudo} if sudo else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/api/v1{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                raw = answer.read()
        except urllib.error.HTTPError as error:
            raise CallFailedError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(raw) if raw else None

    def add_user(self, name: str) -> str:
        """Make a user, and return the name."""
        body = {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "must_change_password": False}
        self.call("POST", "/admin/users", body)
        return name

    def token(self, user: str, *scopes: str) -> str:
        """Return a token of a user with just these scopes."""
        body = {"name": f"token-{next(_numbers)}", "scopes": list(scopes)}
        return str(self.call("POST", f"/users/{user}/tokens", body, user=user)["sha1"])

    def team(self, folder: Path) -> Team:
        """Make a repository with a developer, a reviewer and our bot, and a clone of it in a folder."""
        number = next(_numbers)
        return Team(self, folder, number)


class Team:
    """A repository and the people around it; each test has its own."""

    def __init__(self, server: Gitea, folder: Path, number: int) -> None:
        self.server = server
        self.developer, self.reviewer, self.bot = (
            server.add_user(f"{name}-{number}") for name in ("dev", "rev", "guard")
        )
        server.call("POST", "/user/repos", {"name": "shop", "default_branch": "main"}, user=self.developer)
        self.repository = f"{self.developer}/shop"
        for user in (self.reviewer, self.bot):
            server.call(
                "PUT", f"/repos/{self.repository}/collaborators/{user}", {"permission": "write"}, user=self.developer
            )
        self.clone = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("remote", "add", "origin", f"{server.address}/{self.repository}.git")

    @property
    def token(self) -> str:
        """A token for the bot with the rights that the documentation names."""
        return self.server.token(self.bot, "write:issue", "write:repository", "read:user")

    def git(self, *arguments: str) -> str:
        """Run git in the clone as the developer."""
        login = base64.b64encode(f"{self.developer}:{PASSWORD}".encode()).decode()
        environment = {
            **os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Dev", "GIT_AUTHOR_EMAIL": "dev@example.com", "GIT_COMMITTER_NAME": "Dev", "GIT_COMMITTER_EMAIL": "dev@example.com",
        }  # fmt: skip
        command = ["git", "-c", f"http.extraHeader=Authorization: Basic {login}", *arguments]
        done = subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode != 0:
            raise CallFailedError(f"git {arguments[0]}: {done.stderr[-1000:]}")
        return done.stdout.strip()

    def push(self, branch: str, files: Mapping[str, str | None], *, force: bool = False, amend: bool = False) -> str:
        """Commit files on a branch, push it, and return the commit; None deletes a file."""
        for name, content in files.items():
            path = self.clone / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change", *(["--amend"] if amend else []))
        self.git("push", "--quiet", *(["--force"] if force else []), "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def open_pull(self, branch: str, title: str = "A change") -> int:
        """Open a pull request as the developer, and return its number."""
        self._wait(lambda: self._has_branch(branch) and self._has_branch("main"), f"branch {branch} did not appear")
        body = {"head": branch, "base": "main", "title": title}
        return int(self.server.call("POST", f"/repos/{self.repository}/pulls", body, user=self.developer)["number"])

    def pull(self, number: int) -> Any:
        """Return a pull request as the reviewer sees it."""
        return self.server.call("GET", f"/repos/{self.repository}/pulls/{number}", user=self.reviewer)

    def wait_for_head(self, number: int, commit: str) -> None:
        """Wait until the server has noticed a push: it looks at pull requests in the background."""
        self._wait(
            lambda: self.pull(number)["head"]["sha"] == commit, f"pull request {number} did not move to {commit}"
        )

    def _has_branch(self, branch: str) -> bool:
        """Tell whether the server knows a branch; it learns of a push a moment after git has ended."""
        known = self.server.call("GET", f"/repos/{self.repository}/branches", user=self.developer)
        return branch in [one["name"] for one in known or []]

    @staticmethod
    def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + 90
        while not is_so():
            if time.monotonic() > deadline:
                raise CallFailedError(otherwise)
            time.sleep(0.05)

    def close(self, number: int) -> None:
        """Close a pull request."""
        self.server.call("PATCH", f"/repos/{self.repository}/pulls/{number}", {"state": "closed"}, user=self.developer)

    def comments(self, number: int) -> list[Any]:
        """Return the comments as the reviewer sees them."""
        return list(self.server.call("GET", f"/repos/{self.repository}/issues/{number}/comments", user=self.reviewer))

    def comment(self, number: int, body: str) -> int:
        """Comment as the reviewer."""
        made = self.server.call(
            "POST", f"/repos/{self.repository}/issues/{number}/comments", {"body": body}, user=self.reviewer
        )
        return int(made["id"])

    def status(self, commit: str) -> Any:
        """Return the combined status of a commit."""
        return self.server.call("GET", f"/repos/{self.repository}/commits/{commit}/status", user=self.reviewer)

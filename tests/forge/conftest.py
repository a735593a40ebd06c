"""Hosts to write to: a folder, GitHub's and GitLab's face on a socket."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forge import double
from forge.browser import Browser

from gitops_guard.forge.github import GitHub
from gitops_guard.forge.gitlab import GitLab
from gitops_guard.forge.host import Forge
from gitops_guard.forge.local import Local
from gitops_guard.forge.transport import Clock

HEAD = "a" * 40


class Waits:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def clock(self) -> Clock:
        return Clock(sleep=self.sleep, now=lambda: self.now_s, jitter=lambda: 0.0)


class Bench:
    """A host under test: the adapter, and what a test does behind its back."""

    def __init__(self, forge: Forge, *, stranger_writes: Any, move_head: Any, close: Any) -> None:
        self.forge = forge
        self.stranger_writes = stranger_writes
        self.move_head = move_head
        self.close = close


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def github() -> Iterator[double.Double]:
    with double.github() as running:
        running.host.pulls[7] = {"head": HEAD, "state": "open"}
        yield running


@pytest.fixture
def gitlab() -> Iterator[double.Double]:
    with double.gitlab() as running:
        running.host.pulls[7] = {"head": HEAD, "state": "open"}
        yield running


@pytest.fixture
def on_github(github: double.Double, waits: Waits) -> GitHub:
    return GitHub("acme/shop", double.TOKEN, api=github.address, web="https://github.example", clock=waits.clock())


@pytest.fixture
def on_gitlab(gitlab: double.Double, waits: Waits) -> GitLab:
    return GitLab(
        "acme/apps/shop",
        double.TOKEN,
        api=gitlab.address,
        web="https://gitlab.example/acme/shop",
        pipeline=55,
        clock=waits.clock(),
    )


def _of_double(forge: Forge, host: double.Host) -> Bench:
    return Bench(
        forge,
        stranger_writes=lambda body: host.add_comment(7, body, {"id": 666, "login": "mallory"})["id"],
        move_head=lambda head: host.pulls[7].update(head=head),
        close=lambda: host.pulls[7].update(state="closed"),
    )


@pytest.fixture(params=["local", "github", "gitlab"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Return each host in turn, with pull request 7 at `HEAD`."""
    if request.param == "local":
        return _local(tmp_path)
    running = request.getfixturevalue(request.param)
    return _of_double(request.getfixturevalue(f"on_{request.param}"), running.host)


def _local(folder: Path) -> Bench:
    def pull(**more: Any) -> None:
        (folder / "pulls").mkdir(exist_ok=True)
        known = {"number": 7, "head": HEAD, "target": "main", "is_open": True, "is_fork": False, **more}
        (folder / "pulls" / "7.json").write_text(json.dumps(known))

    def stranger_writes(body: str) -> int:
        comments = folder / "comments" / "7"
        comments.mkdir(parents=True, exist_ok=True)
        number = len(list(comments.iterdir())) + 1
        (comments / f"{number:06}.mallory.md").write_text(body, newline="")
        return number

    pull()
    return Bench(
        Local(str(folder)),
        stranger_writes=stranger_writes,
        move_head=lambda head: pull(head=head),
        close=lambda: pull(is_open=False),
    )


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Return a Chromium; pictures go to `GITOPS_GUARD_PICTURES`, where a person wants to look at them."""
    folder = Path(os.environ.get("GITOPS_GUARD_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return Browser(folder)

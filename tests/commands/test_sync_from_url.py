"""`sync --source URL`: a real Git server over HTTPS' protocol, the real API server, and what reaches the cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane
from gitserver.https import GitOverHttp

PASSWORD = "pa55-w0rd-that-nobody-sees"


def config_map(name: str, value: str = "1") -> str:
    return f'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  a: "{value}"\n'


class Elsewhere:
    """A repository that is pushed to a server, and a namespace of the real server that it is synced to."""

    def __init__(self, sandbox: Any, plane: ControlPlane, namespace: str, server: GitOverHttp, folder: Path) -> None:
        self.repo = sandbox
        self.api = plane.api(ADMIN)
        self.namespace = namespace
        self.server = server
        self.folder = folder
        auth = folder / "auth"
        auth.mkdir()
        (auth / "username").write_text("git\n")
        (auth / "password").write_text(PASSWORD + "\n")
        server.password = PASSWORD
        cluster = ("--kubeconfig", str(plane.kubeconfig(ADMIN)), "--namespace", namespace)
        self.flags = (
            *cluster,
            "--source",
            server.url("shop.git"),
            "--git-auth",
            str(auth),
            "--git-cache",
            str(folder / "cache"),
        )

    def merge(self, files: dict[str, str], *git: str) -> str:
        """Commit to main, push it, and return the commit."""
        self.repo.commit(files)
        self.repo.git("push", "-q", "--force", str(self.server.folder / "shop.git"), "HEAD:refs/heads/main", *git)
        return str(self.repo.git("rev-parse", "HEAD")).strip()

    def run(self, *arguments: str) -> Any:
        outcome = self.repo.run(*arguments, *self.flags)
        assert PASSWORD not in outcome.out + outcome.err
        return outcome

    def report(self, *arguments: str) -> tuple[int, Any]:
        outcome = self.run(*arguments, "--format", "json")
        assert outcome.out, outcome.err
        return outcome.code, json.loads(outcome.out)

    def names(self) -> set[str]:
        found = self.api.expect("GET", f"/api/v1/namespaces/{self.namespace}/configmaps")["items"]
        names = {str(one["metadata"]["name"]) for one in found}
        return {name for name in names if not name.startswith(("gitops-guard", "kube-root"))}

    def forget(self) -> None:
        """Lose the cache, as a pod does with each run."""
        shutil.rmtree(self.folder / "cache")


@pytest.fixture
def elsewhere(
    control_plane: ControlPlane, namespace: str, repo: Callable[..., Any], tmp_path: Path
) -> Iterator[Elsewhere]:
    served = tmp_path / "served"
    served.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", "--bare", str(served / "shop.git")], check=True)
    server = GitOverHttp(served)
    yield Elsewhere(repo(), control_plane, namespace, server, tmp_path)
    server.stop()


def test_sync_when_pods_come_without_a_cache_then_it_applies_prunes_and_rolls_back(elsewhere: Elsewhere) -> None:
    first = elsewhere.merge(
        {"one.yaml": config_map("one"), "two.yaml": config_map("two"), "three.yaml": config_map("three")}
    )
    code, report = elsewhere.report("sync")
    assert (0, first) == (code, report["revision"])

    elsewhere.repo.git("rm", "-q", "two.yaml")
    second = elsewhere.merge({"one.yaml": config_map("one", "2")})
    elsewhere.forget()
    code, report = elsewhere.report("sync", "--prune", "--max-prune-percent", "50")

    assert (0, second, []) == (code, report["revision"], report["guards"])
    assert {"one", "three"} == elsewhere.names()

    elsewhere.forget()
    code, report = elsewhere.report("rollback")
    assert (0, first) == (code, report["revision"])
    assert {"one", "two", "three"} == elsewhere.names()


def test_sync_when_history_was_rewritten_then_nothing_is_pruned(elsewhere: Elsewhere) -> None:
    elsewhere.merge({"one.yaml": config_map("one"), "two.yaml": config_map("two")})
    elsewhere.report("sync")
    elsewhere.repo.git("rm", "-q", "two.yaml")
    elsewhere.repo.git("commit", "-q", "--amend", "-m", "rewritten")
    elsewhere.merge({"one.yaml": config_map("one", "2")})
    elsewhere.forget()

    code, report = elsewhere.report("sync", "--prune", "--max-prune-percent", "60")

    assert (1, ["ancestor"]) == (code, [guard["name"] for guard in report["guards"]])
    assert {"one", "two"} == elsewhere.names()


def test_sync_when_the_server_is_down_then_only_a_fresh_copy_is_taken(elsewhere: Elsewhere) -> None:
    elsewhere.merge({"one.yaml": config_map("one")})
    elsewhere.report("sync")
    elsewhere.server.is_down = True

    refused = elsewhere.run("sync", "--prune")
    code, report = elsewhere.report("sync", "--prune", "--max-stale", "1h")

    assert (2, "") == (refused.code, refused.out)
    assert "cannot be fetched" in refused.err
    assert (0, "synced") == (code, report["verdict"])
    assert any("does not answer: this is what it said" in note for note in report["notes"])
    assert {"one"} == elsewhere.names()


def test_sync_when_the_branch_is_emptied_then_nothing_is_deleted(elsewhere: Elsewhere) -> None:
    elsewhere.merge({"one.yaml": config_map("one")})
    elsewhere.report("sync")
    elsewhere.repo.git("rm", "-q", "one.yaml")
    elsewhere.merge({"README.md": "moved\n"})

    code, report = elsewhere.report("sync", "--prune", "--max-prune-percent", "100")

    assert (1, True) == (code, bool(report["guards"]))
    assert {"one"} == elsewhere.names()


def test_sync_when_only_signed_commits_count_then_no_other_reaches_the_cluster(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    key = tmp_path / "ada"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    kind, public, *_ = key.with_suffix(".pub").read_text().split()
    signers = tmp_path / "signers"
    signers.write_text(f"ada@example.com {kind} {public}\n")
    flags = ("--allowed-signers", str(signers))

    elsewhere.merge({"one.yaml": config_map("one")})
    refused = elsewhere.run("sync", *flags)
    for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "commit.gpgSign": "true"}.items():
        elsewhere.repo.git("config", name, value)
    elsewhere.merge({"two.yaml": config_map("two")})
    code, report = elsewhere.report("sync", *flags)

    assert (2, "") == (refused.code, refused.out)
    assert "is not signed" in refused.err
    assert (0, {"one", "two"}) == (code, elsewhere.names())
    assert any(note.startswith("signed by ada@example.com (ED25519 key SHA256:") for note in report["notes"])
    assert os.listdir(tmp_path / "cache")

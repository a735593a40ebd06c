"""Signed commits, made and verified by the real programs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_guard.errors import GuardError, UsageError
from gitops_guard.repo.repository import Repo
from gitops_guard.repo.signatures import SignatureError, verify_commit

DATE = "2026-03-01T12:00:00Z"


def run(*command: str, cwd: Path | None = None, **variables: str) -> str:
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with SSH keys of ada and of eve, and a GnuPG home with an OpenPGP key of ada."""
    for program in ("ssh-keygen", "gpg"):
        assert shutil.which(program), f"these tests need {program}: apt-get install openssh-client gnupg"
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ada", "eve"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name))
    home = folder / "home"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--batch", "--quiet", "--homedir", str(home))
    run(*gpg, "--passphrase", "", "--quick-generate-key", "Ada <ada@example.com>", "ed25519", "sign", "never")
    (folder / "ada.asc").write_text(run(*gpg, "--armor", "--export", "ada@example.com"))
    yield folder
    run("gpgconf", "--homedir", str(home), "--kill", "all")


@dataclass
class Signing:
    """A repository whose commits are signed in any way."""

    folder: Path
    keys: Path

    def commit(self, by: str) -> str:
        settings = {
            "": ["-c", "commit.gpgSign=false"],
            "openpgp": [
                "-c",
                "gpg.format=openpgp",
                "-c",
                "user.signingKey=ada@example.com",
                "-c",
                "commit.gpgSign=true",
            ],
        }.get(by) or ["-c", "gpg.format=ssh", "-c", f"user.signingKey={self.keys / by}", "-c", "commit.gpgSign=true"]
        identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
        environment = {"GNUPGHOME": str(self.keys / "home"), "GIT_COMMITTER_DATE": DATE, "GIT_AUTHOR_DATE": DATE}
        run(
            "git",
            *identity,
            *settings,
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            f"by {by}",
            cwd=self.folder,
            **environment,
        )
        return run("git", "rev-parse", "HEAD", cwd=self.folder)

    def allowed(self, by: str = "ada", options: str = "") -> str:
        path = self.folder / "allowed"
        kind, key, *_ = (self.keys / f"{by}.pub").read_text().split()
        path.write_text(f"ada@example.com {options} {kind} {key}\n")
        return str(path)

    def verify(self, commit: str, *signers: str) -> str:
        repo = Repo.discover(str(self.folder))
        assert repo is not None
        return verify_commit(repo.location, commit, signers)


@pytest.fixture
def signing(tmp_path: Path, keys: Path) -> Signing:
    run("git", "init", "-q", str(tmp_path))
    return Signing(tmp_path, keys)


def test_verify_when_an_allowed_ssh_key_signed_then_says_who(signing: Signing) -> None:
    who = signing.verify(signing.commit("ada"), signing.allowed())

    assert who.startswith("ada@example.com (ED25519 key SHA256:")


def test_verify_when_an_allowed_openpgp_key_signed_then_says_who(signing: Signing) -> None:
    who = signing.verify(signing.commit("openpgp"), str(signing.keys / "ada.asc"))

    assert who.startswith("Ada <ada@example.com> (OpenPGP key ")


def test_verify_when_both_kinds_are_allowed_then_either_will_do(signing: Signing) -> None:
    signers = (signing.allowed(), str(signing.keys / "ada.asc"))

    assert signing.verify(signing.commit("ada"), *signers)
    assert signing.verify(signing.commit("openpgp"), *signers)


@pytest.mark.parametrize(
    ("by", "signer", "options", "message"),
    [
        pytest.param("", "ada", "", "is not signed", id="unsigned"),
        pytest.param("eve", "ada", "", "not among the allowed signers", id="unknown key"),
        pytest.param("openpgp", "ada", "", "not among the allowed signers", id="OpenPGP where SSH is allowed"),
        pytest.param("ada", "ada", 'valid-before="20260201Z"', "not any more at the date", id="no longer valid"),
        pytest.param("ada", "ada", 'valid-after="20260401Z"', "not among the allowed signers", id="not yet valid"),
        pytest.param("ada", "ada", 'namespaces="file"', "may sign other things", id="for other things"),
    ],
)
def test_verify_when_nobody_who_may_has_signed_then_it_is_refused(
    signing: Signing, by: str, signer: str, options: str, message: str
) -> None:
    with pytest.raises(SignatureError, match=message):
        signing.verify(signing.commit(by), signing.allowed(signer, options))


@pytest.mark.parametrize("by", ["ada", "openpgp"])
def test_verify_when_the_content_was_changed_then_it_is_refused(signing: Signing, by: str) -> None:
    raw = run("git", "cat-file", "commit", signing.commit(by), cwd=signing.folder)
    forged = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        input=raw.replace(f"by {by}", "by me") + "\n", cwd=signing.folder, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip

    with pytest.raises(SignatureError):
        signing.verify(forged, signing.allowed(), str(signing.keys / "ada.asc"))


def test_verify_when_the_repository_names_programs_and_keys_of_its_own_then_they_count_for_nothing(
    signing: Signing, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    kind, key, *_ = (signing.keys / "eve.pub").read_text().split()
    mine.write_text(f"ada@example.com {kind} {key}\n")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 0\n")
    program.chmod(0o755)
    for name in ("gpg.program", "gpg.ssh.program", "gpg.openpgp.program", "gpg.x509.program"):
        run("git", "config", name, str(program), cwd=signing.folder)
    run("git", "config", "gpg.ssh.allowedSignersFile", str(mine), cwd=signing.folder)
    commit = signing.commit("")
    run("git", "config", "--unset", "gpg.ssh.program", cwd=signing.folder)
    signed = signing.commit("eve")
    run("git", "config", "gpg.ssh.program", str(program), cwd=signing.folder)

    for one in (commit, signed):
        with pytest.raises(SignatureError):
            signing.verify(one, signing.allowed())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PGP PUBLIC KEY BLOCK-----\nnonsense\n"])
def test_verify_when_the_signers_cannot_be_read_then_it_is_refused(
    signing: Signing, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "signers"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UsageError):
        signing.verify(signing.commit("ada"), str(path))


@pytest.mark.parametrize("content", ["nonsense\n", "ada@example.com ssh-ed25519 AAAA\n", "# nobody\n"])
def test_verify_when_the_lines_mean_nothing_then_nobody_may(signing: Signing, tmp_path: Path, content: str) -> None:
    path = tmp_path / "signers"
    path.write_text(content)

    with pytest.raises(GuardError):
        signing.verify(signing.commit("ada"), str(path))

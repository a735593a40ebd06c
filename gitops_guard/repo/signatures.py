"""Whether a commit is signed by somebody who may: Git's own verification, with these keys and no others."""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Final

from gitops_guard.errors import RepoError, UsageError
from gitops_guard.repo.location import Location, git_command, git_environment
from gitops_guard.repo.plumbing import no_git
from gitops_guard.repo.tree import shown

_OPENPGP: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_BY_SSH: Final = re.compile(r'^Good "git" signature for (?P<who>.+) with (?P<key>\S+ key \S+)$', re.MULTILINE)
_BY_OPENPGP: Final = re.compile(r"^\[GNUPG:\] GOODSIG (?P<key>\S+) (?P<who>.+)$", re.MULTILINE)
_SPOILT_OPENPGP: Final = re.compile(
    r"^\[GNUPG:\] (?:BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|NO_PUBKEY)\b", re.MULTILINE
)
_MAX_BYTES: Final = 10_000_000


class SignatureError(RepoError):
    """A commit is not signed by anybody who may."""


def verify_commit(location: Location, commit: str, signers: Sequence[str]) -> str:
    """Return who signed a commit.

    The keys must come from where the repository has no say. With OpenPGP every key of the files may sign; with SSH the
    validity and the namespaces of the file hold, seen at the date of the commit.

    Args:
        location: The repository.
        commit: Full id.
        signers: Files of allowed signers: as `ssh-keygen` reads them, or exported OpenPGP keys.

    Raises:
        SignatureError: It is unsigned, or signed otherwise.
        UsageError: A file cannot be read.
        RepoError: `git` is not there.
    """
    ssh, openpgp = _sorted(signers)
    with tempfile.TemporaryDirectory(prefix="gitops-guard-") as folder:
        allowed = os.path.join(folder, "allowed_signers")
        with open(allowed, "wb") as file:
            file.write(ssh)
        home = os.path.join(folder, "gnupg")
        os.mkdir(home, mode=0o700)
        if openpgp:
            _import(openpgp, home)
        said = _said_by_git(location, commit, allowed, home)
    return _signer(commit, *said)


def _sorted(signers: Sequence[str]) -> tuple[bytes, bytes]:
    """Return the lines for SSH, and the keys of OpenPGP."""
    ssh, openpgp = b"", b""
    for path in signers:
        try:
            with open(path, "rb") as file:
                content = file.read(_MAX_BYTES)
        except OSError as error:
            raise UsageError(f"--allowed-signers {shown(path)}: cannot be read ({error.strerror})") from None
        if not content.strip():
            raise UsageError(f"--allowed-signers {shown(path)}: is empty, so nobody may sign")
        if _OPENPGP in content:
            openpgp += content + b"\n"
        else:
            ssh += content + b"\n"
    return ssh, openpgp


def _import(keys: bytes, home: str) -> None:
    command = ["gpg", "--batch", "--quiet", "--no-autostart", "--homedir", home, "--import"]
    try:
        done = subprocess.run(command, input=keys, capture_output=True, check=False)  # noqa: S603 (a list, no shell)
    except OSError as error:
        raise RepoError(f"cannot start gpg ({error.strerror}), which OpenPGP keys need; install GnuPG") from None
    if done.returncode:
        raise UsageError("--allowed-signers: gpg cannot read the OpenPGP keys; export them with gpg --export --armor")


def _said_by_git(location: Location, commit: str, allowed: str, home: str) -> tuple[int, str]:
    """Return the exit code and the words of `git verify-commit`; the repository's configuration chooses no program."""
    settings = {
        "gpg.program": "gpg",
        "gpg.openpgp.program": "gpg",
        "gpg.x509.program": "false",
        "gpg.ssh.program": "ssh-keygen",
        "gpg.ssh.allowedSignersFile": allowed,
        "gpg.minTrustLevel": "undefined",
    }
    command = git_command(location)
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    environment = {**git_environment(location), "GNUPGHOME": home, "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 (a list, no shell)
            [*command, "verify-commit", "--raw", commit],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise no_git(location.top, error) from error
    return done.returncode, done.stderr.decode("utf-8", "replace")


def _signer(commit: str, code: int, said: str) -> str:
    by_ssh, by_openpgp = _BY_SSH.search(said), _BY_OPENPGP.search(said)
    if code == 0 and by_ssh is not None:
        return shown(f"{by_ssh['who']} ({by_ssh['key']})")
    if code == 0 and by_openpgp is not None and not _SPOILT_OPENPGP.search(said):
        return shown(f"{by_openpgp['who']} (OpenPGP key {by_openpgp['key']})")
    raise SignatureError(f"commit {commit[:12]} {_why(said)}; nothing is done with it")


def _why(said: str) -> str:
    """Say what is wrong in one clause; Git's and the programs' own words are in English, by the environment."""
    if not said.strip():
        return "is not signed"
    if "cannot run ssh-keygen" in said or "cannot run gpg" in said:
        return "cannot be verified: the program for its kind of signature is not installed (ssh-keygen, gpg)"
    if "No principal matched" in said or "NO_PUBKEY" in said or "No public key" in said:
        return "is signed by a key that is not among the allowed signers, or not any more at the date of the commit"
    if "EXPKEYSIG" in said or "EXPSIG" in said:
        return "is signed by a key, or with a signature, that has expired"
    if "REVKEYSIG" in said:
        return "is signed by a key that was revoked"
    if "Could not verify signature" in said:
        return "is signed by a key that may sign other things, and no commits"
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("[GNUPG:]")]
    return f"has a signature that is not right: {shown(lines[0]) if lines else 'the content was changed'}"

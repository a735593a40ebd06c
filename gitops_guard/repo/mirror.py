"""A repository elsewhere, kept as a bare mirror in a folder: fetched by libgit2, without `git` or its helpers."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import pygit2
from pygit2.enums import CredentialType

from gitops_guard.errors import RepoError, UsageError
from gitops_guard.repo.address import Address
from gitops_guard.repo.credentials import Credentials
from gitops_guard.repo.tree import shown

EVERYTHING: Final = 2**31 - 1
"""Depth by which Git and libgit2 mean all history."""

_COMMIT_ID: Final = re.compile(r"[0-9a-f]{40}")
_CONNECT_MS: Final = 15_000
_SILENCE_MS: Final = 60_000
_LOCK_S: Final = 300.0
_STATE: Final = "gitops-guard.json"
_OF_THE_NETWORK: Final = (2, 12, 16, 23, 34)
"""libgit2's classes of errors of the system, the net, SSL, SSH and HTTP; all others are about what lies here."""

_ALL_REFS: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


_Result = TypeVar("_Result")


class UnreachableError(RepoError):
    """The server did not answer, or not as a Git server; the same call may work later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A revision that lies in the mirror."""

    directory: str
    """The bare repository."""

    commit: str
    age_s: float | None = None
    """How long ago the server said so; None: just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One repository elsewhere and the folder that it is kept in."""

    address: Address
    credentials: Credentials
    cache: str
    """Folder of all mirrors."""

    pauses_s: Sequence[float] = (0.5, 2.0)
    """Waited before each further try when the server does not answer."""

    now: Callable[[], float] = time.time

    @property
    def directory(self) -> str:
        """Return the bare repository: named after its URL, whose last part keeps it readable."""
        digest = hashlib.sha256(self.address.url.encode()).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9._-]", "-", self.address.url.rstrip("/").rpartition("/")[2].removesuffix(".git"))
        return os.path.join(self.cache, f"{name[:40]}-{digest}.git")

    def fetch(self, revision: str | None, *, max_stale_s: float | None = None) -> Fetched:
        """Bring a revision here.

        Args:
            revision: Branch, tag, full reference or full commit id; None: what the server's HEAD names.
            max_stale_s: When the server does not answer, what it said last is taken if it is not older; None: never.

        Raises:
            UsageError: The server has no such revision.
            UnreachableError: It does not answer, and nothing that is fresh enough lies here.
            RepoError: It refuses us, it is not the one it should be, or the folder cannot be written.
        """
        with self._locked():
            try:
                commit = self._patiently(lambda: self._bring(revision))
            except UnreachableError as error:
                return self._remembered(revision, max_stale_s, error)
            self._remember(revision, commit)
            return Fetched(directory=self.directory, commit=commit)

    def deepen(self, revision: str | None, depth: int) -> None:
        """Bring more of the history before a revision.

        Raises:
            RepoError: As `fetch`.
        """
        with self._locked():
            self._patiently(lambda: self._bring(revision, depth=depth))

    def fetch_all(self) -> None:
        """Bring every branch and tag with all history: to find a commit that no branch may end at.

        Raises:
            RepoError: As `fetch`.
        """

        def bring() -> None:
            with _freed(self._repository()) as repository, _conversation(self.address, self.credentials) as callbacks:
                remote = repository.remotes.create_anonymous(self.address.url)
                remote.fetch(list(_ALL_REFS), callbacks=callbacks, proxy=True, depth=self._depth(EVERYTHING))

        with self._locked():
            self._patiently(bring)

    def _bring(self, revision: str | None, *, depth: int | None = None) -> str:
        try:
            return self._transfer(revision, depth)
        except _SpoiltError:
            shutil.rmtree(self.directory, ignore_errors=True)
        try:
            return self._transfer(revision, depth)
        except _SpoiltError as error:
            if revision is not None and _COMMIT_ID.fullmatch(revision):
                raise UsageError(
                    f"--revision {revision}: no branch or tag of {self.address.url} has this commit"
                ) from None
            raise RepoError(f"{self.address.url}: what the server sent is not whole: {error}") from None

    def _transfer(self, revision: str | None, depth: int | None) -> str:
        is_new = not os.path.exists(self.directory)
        with _freed(self._repository()) as repository, _conversation(self.address, self.credentials) as callbacks:
            remote = repository.remotes.create_anonymous(self.address.url)
            heads = {str(head.name): str(head.oid) for head in remote.list_heads(callbacks=callbacks, proxy=True)}
            reference, refspecs = _wanted(heads, revision, self.address)
            # The first fetch takes the newest commit alone; later ones what came since, so that history joins up.
            asked = self._depth(depth) if depth is not None else (1 if is_new else 0)
            try:
                remote.fetch(refspecs, callbacks=callbacks, proxy=True, depth=asked)
            except pygit2.GitError as error:
                if getattr(error, "error_class", None) in _OF_THE_NETWORK:
                    raise
                raise _SpoiltError(str(error)) from error
        return _whole(self.directory, heads.get(reference, reference))

    def _depth(self, wanted: int) -> int:
        """Return what is asked for: libgit2 does not take "everything" from a server for what is whole already."""
        return wanted if os.path.exists(os.path.join(self.directory, "shallow")) else 0

    def _repository(self) -> pygit2.Repository:
        repository = self._present() or self._made()
        # libgit2 would send user and password to wherever it is sent on to.
        has_secret = bool(self.credentials.password or self.credentials.bearer_token)
        repository.config["http.followRedirects"] = "false" if has_secret else "initial"
        return repository

    def _present(self) -> pygit2.Repository | None:
        if not os.path.exists(self.directory):
            return None
        with suppress(pygit2.GitError):
            return pygit2.Repository(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        return None

    def _made(self) -> pygit2.Repository:
        fresh = tempfile.mkdtemp(prefix=".new-", dir=self.cache)
        repository = pygit2.init_repository(fresh, bare=True)
        repository.remotes.create("origin", self.address.url)
        os.rename(fresh, self.directory)
        return pygit2.Repository(self.directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out of the mirror."""
        try:
            os.makedirs(self.cache, mode=0o700, exist_ok=True)
            descriptor = os.open(f"{self.directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RepoError(
                f"{shown(self.cache)}: cannot be written ({error.strerror}); name another folder with --git-cache"
            ) from None
        try:
            _wait_for(descriptor, self.directory)
            yield
        finally:
            os.close(descriptor)

    def _patiently(self, attempt: Callable[[], _Result]) -> _Result:
        for pause_s in self.pauses_s:
            try:
                return attempt()
            except UnreachableError:
                time.sleep(pause_s)
        return attempt()

    def _remember(self, revision: str | None, commit: str) -> None:
        state = {**self._state(), revision or "": [commit, self.now()]}
        path = os.path.join(self.directory, _STATE)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(state, file, sort_keys=True)
        os.replace(f"{path}.new", path)

    def _remembered(self, revision: str | None, max_stale_s: float | None, error: UnreachableError) -> Fetched:
        commit, at = self._state().get(revision or "", ("", 0.0))
        age_s = self.now() - at
        if not commit or max_stale_s is None or not 0 <= age_s <= max_stale_s:
            raise error
        with suppress(_SpoiltError):
            return Fetched(directory=self.directory, commit=_whole(self.directory, commit), age_s=age_s)
        raise error

    def _state(self) -> Mapping[str, tuple[str, float]]:
        try:
            with open(os.path.join(self.directory, _STATE), encoding="utf-8") as file:
                found = json.load(file)
            return {str(name): (str(commit), float(at)) for name, (commit, at) in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # without it the next fetch begins anew


class _SpoiltError(Exception):
    """The mirror lacks something that it should have."""


def _wait_for(descriptor: int, directory: str) -> None:
    end = time.monotonic() + _LOCK_S
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() > end:
            raise RepoError(
                f"{shown(directory)}: another process has been fetching for {_LOCK_S:.0f} s; try again later"
            )
        time.sleep(0.05)


def _wanted(heads: Mapping[str, str], revision: str | None, address: Address) -> tuple[str, list[str]]:
    """Return the reference or commit that a revision means, and what to fetch for it.

    Raises:
        UsageError: The server has no such revision, or it has two.
    """
    if revision is None:
        if "HEAD" not in heads:
            raise UsageError(f"{address.url}: the repository is empty, or its HEAD names no branch; give --revision")
        return "HEAD", ["+HEAD:refs/gitops-guard/HEAD"]
    names = [name for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}") if name in heads]
    if len(names) > 1:
        raise UsageError(f"--revision {shown(revision)}: names a branch and a tag; write {' or '.join(names)}")
    if names:
        return names[0], [f"+{names[0]}:{names[0] if names[0] != 'HEAD' else 'refs/gitops-guard/HEAD'}"]
    if _COMMIT_ID.fullmatch(revision):
        # Whether a server gives any commit by its id is its own setting; branches and tags hold it as well.
        return revision, list(_ALL_REFS)
    raise UsageError(f"--revision {shown(revision)}: {address.url} has no such branch or tag; check the spelling")


def _whole(directory: str, name: str) -> str:
    """Return the commit that a name means, after a look whether all that it holds is there.

    Raises:
        _SpoiltError: Something is missing.
    """
    with _freed(pygit2.Repository(directory)) as repository:
        try:
            commit = repository.revparse_single(name).peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            raise _SpoiltError(f"{name} is missing") from None
        try:
            _look_through(repository, commit)
        except (KeyError, pygit2.GitError) as error:
            raise _SpoiltError(str(error)) from None
        return str(commit.id)


def _look_through(repository: pygit2.Repository, commit: pygit2.Commit) -> None:
    pending = [commit.tree_id]
    while pending:
        for item in repository[pending.pop()].peel(pygit2.Tree):
            mode = int(item.filemode)
            if mode == pygit2.enums.FileMode.TREE:
                pending.append(item.id)
            elif mode != pygit2.enums.FileMode.COMMIT and item.id not in repository.odb:
                raise _SpoiltError(f"file {item.id} is missing")


@contextmanager
def _freed(repository: pygit2.Repository) -> Iterator[pygit2.Repository]:
    """Close a repository's files at the end: libgit2 shares packs by name, also with one made anew in its place."""
    try:
        yield repository
    finally:
        repository.free()


class _Callbacks(pygit2.RemoteCallbacks):
    """Answers libgit2's questions, and keeps what was refused: its own errors do not tell."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        super().__init__()
        self._address = address
        self._credentials = credentials
        self._asked = 0

    def credentials(  # type: ignore[override]  # pygit2 declares a union of its own classes, which it does not export
        self,
        url: str,  # noqa: ARG002 (pygit2 passes it by its place)
        username_from_url: str | None,
        allowed_types: CredentialType,
    ) -> object:
        """Return what the server wants; it asks again when it does not like it."""
        self._asked += 1
        mine = self._credentials
        username = username_from_url or mine.username or "git"
        if allowed_types & CredentialType.USERNAME and not allowed_types & CredentialType.SSH_KEY:
            self._asked -= 1  # only the name is asked for, before the key is
            return pygit2.Username(username)
        if self._asked > 1:
            raise RepoError(f"{self._address.url}: the server refuses the credentials; check {self._source()}")
        if allowed_types & CredentialType.SSH_KEY:
            return self._key(username)
        if allowed_types & CredentialType.USERPASS_PLAINTEXT and mine.password:
            return pygit2.UserPass(mine.username or "git", mine.password)
        raise RepoError(
            f"{self._address.url}: the server asks who we are; give --git-auth DIR with the files username and password"
        )

    def _key(self, username: str) -> object:
        if self._credentials.identity:
            return pygit2.Keypair(username, None, self._credentials.identity, self._credentials.password or None)
        if os.environ.get("SSH_AUTH_SOCK"):
            return pygit2.KeypairFromAgent(username)
        raise RepoError(f"{self._address.url}: the server asks for a key; give --git-auth DIR with the file identity")

    def _source(self) -> str:
        if self._address.scheme == "ssh":
            return "the file identity of --git-auth, and that its public half may read this repository"
        return "the files username and password of --git-auth, and that they may read this repository"

    def certificate_check(
        self,
        certificate: None,  # noqa: ARG002 (always None)
        valid: bool,
        host: bytes,
    ) -> bool:
        """Believe nobody whom the library does not: neither a certificate nor a host key."""
        if valid:
            return True
        name = shown(host.decode("utf-8", "replace"))
        if self._address.scheme == "ssh":
            raise RepoError(
                f"{self._address.url}: the key of {name} is not the one in known_hosts, or there is none; if it has a"
                f" new key, get it by another way and put it into the file known_hosts of --git-auth"
            )
        raise RepoError(
            f"{self._address.url}: the certificate of {name} is not to be trusted; if its authority is your own, put it"
            f" into the file ca.crt of --git-auth"
        )

    def custom_headers(self) -> list[str] | None:
        """Return the header of a bearer token."""
        token = self._credentials.bearer_token
        return [f"Authorization: Bearer {token}"] if token else None


@contextmanager
def _conversation(address: Address, credentials: Credentials) -> Iterator[_Callbacks]:
    """Set libgit2 up for one server; what it says no to becomes our error.

    Its settings hold for the process: a run talks to one Git server.
    """
    pygit2.settings.server_connect_timeout = _CONNECT_MS
    pygit2.settings.server_timeout = _SILENCE_MS
    if credentials.ca_file:
        _believe(credentials.ca_file)
    with _known_hosts(credentials.known_hosts):
        try:
            yield _Callbacks(address, credentials)
        except pygit2.GitError as error:
            raise _told(error, address) from error


def _believe(ca_file: str) -> None:
    try:
        pygit2.settings.ssl_cert_file = ca_file
    except pygit2.GitError:
        raise UsageError(f"{shown(ca_file)}: holds no certificate in PEM format; write it anew") from None


@contextmanager
def _known_hosts(content: bytes) -> Iterator[None]:
    """Let libgit2 find these keys: it looks in the home directory and takes no other file."""
    if not content:
        yield
        return
    before = pygit2.settings.homedir
    with tempfile.TemporaryDirectory(prefix="gitops-guard-") as home:
        os.mkdir(os.path.join(home, ".ssh"), mode=0o700)
        with open(os.path.join(home, ".ssh", "known_hosts"), "wb") as file:
            file.write(content)
        pygit2.settings.homedir = home
        try:
            yield
        finally:
            pygit2.settings.homedir = before or ""


def _told(error: pygit2.GitError, address: Address) -> RepoError:
    """Return libgit2's error in our words; its own say what the server did."""
    words = shown(str(error)).rstrip(".")
    if isinstance(error, pygit2.errors.AuthError):
        return RepoError(f"{address.url}: the server refuses us: {words}; check the files of --git-auth")
    if "known_hosts" in words:
        return RepoError(f"{address.url}: {words}; write the file known_hosts of --git-auth as ssh-keyscan prints it")
    if "redirect" in words:
        return RepoError(f"{address.url}: the server sends us on, and credentials go nowhere else; name the new URL")
    if "404" in words or "not found" in words.lower():
        return RepoError(f"{address.url}: no such repository, or we may not see it: {words}")
    if "early EOF" in words:
        words += f" (when it is not the network, its certificate is for another name than {address.host})"
    return UnreachableError(f"{address.url}: cannot be fetched: {words}")

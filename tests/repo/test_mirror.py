"""Repositories elsewhere, fetched from real servers on loopback: Git's own over HTTPS, and one over SSH."""

import datetime
import ipaddress
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gitserver.https import GitOverHttp
from gitserver.ssh import GitOverSsh

from gitops_guard.errors import GuardError, RepoError, UsageError
from gitops_guard.repo.address import read_address
from gitops_guard.repo.credentials import Credentials, read_credentials
from gitops_guard.repo.mirror import EVERYTHING, Mirror, UnreachableError
from gitops_guard.repo.repository import Repo

SECRET = "pa55-w0rd-that-nobody-sees"


def run(*command: str, cwd: Path | None = None) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


class Origin:
    """A bare repository `shop.git` in a folder, and a clone to write to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.commits: list[str] = []

    def build(self) -> None:
        """Make four commits on the branch main."""
        run("git", "init", "-q", "-b", "main", str(self.work))
        run("git", "init", "-q", "-b", "main", "--bare", str(self.folder / "shop.git"))
        self.commits = [self.commit(name) for name in "abcd"]

    def copied(self, folder: Path) -> "Origin":
        shutil.copytree(self.folder, folder)
        copy = Origin(folder)
        copy.commits = list(self.commits)
        return copy

    def commit(self, name: str, *, branch: str = "main", amend: bool = False) -> str:
        (self.work / f"{name}.yaml").write_text(name)
        run("git", "add", "-A", cwd=self.work)
        identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
        run("git", *identity, "commit", "-q", "-m", name, *(["--amend"] if amend else []), cwd=self.work)
        self.push(f"HEAD:refs/heads/{branch}")
        return run("git", "rev-parse", "HEAD", cwd=self.work)

    def push(self, *references: str) -> None:
        run("git", "push", "-q", "--force", str(self.folder / "shop.git"), *references, cwd=self.work)


def number_of_commits(mirror: Mirror, commit: str) -> int:
    return int(run("git", "rev-list", "--count", commit, cwd=Path(mirror.directory)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    origin = Origin(tmp_path_factory.mktemp("built"))
    origin.build()
    return origin


@pytest.fixture
def origin(built: Origin, tmp_path: Path) -> Origin:
    return built.copied(tmp_path / "served")


@pytest.fixture
def server(origin: Origin) -> Iterator[GitOverHttp]:
    running = GitOverHttp(origin.folder)
    yield running
    running.stop()


@pytest.fixture
def mirror_of(tmp_path: Path) -> Callable[..., Mirror]:
    def make(url: str, *, cache: str = "cache", **credentials: object) -> Mirror:
        address = read_address(url)
        known = read_credentials(None, address, {}) if not credentials else Credentials(**credentials)  # type: ignore[arg-type]
        return Mirror(address=address, credentials=known, cache=str(tmp_path / cache), pauses_s=())

    return make


@pytest.fixture
def mirror(server: GitOverHttp, mirror_of: Callable[..., Mirror]) -> Mirror:
    return mirror_of(server.url("shop.git"))


def test_fetch_when_first_then_it_brings_the_newest_commit_alone(origin: Origin, mirror: Mirror) -> None:
    fetched = mirror.fetch(None)

    assert (origin.commits[-1], None) == (fetched.commit, fetched.age_s)
    assert 1 == number_of_commits(mirror, fetched.commit)


def test_fetch_when_the_branch_went_on_then_history_joins_up(origin: Origin, mirror: Mirror) -> None:
    mirror.fetch(None)
    newest = [origin.commit(name) for name in "ef"][-1]

    assert newest == mirror.fetch(None).commit
    assert 3 == number_of_commits(mirror, newest)


def test_deepen_then_earlier_commits_are_there(origin: Origin, mirror: Mirror) -> None:
    newest = mirror.fetch("main").commit

    mirror.deepen("main", 3)
    some = number_of_commits(mirror, newest)
    mirror.deepen("main", EVERYTHING)

    assert (3, 4) == (some, number_of_commits(mirror, newest))
    repo = Repo.discover(mirror.directory)
    assert repo is not None
    assert not repo.is_shallow
    assert repo.follows(newest, origin.commits[0])


def test_fetch_when_history_was_rewritten_then_the_new_one_is_taken(origin: Origin, mirror: Mirror) -> None:
    old = mirror.fetch("main").commit
    new = origin.commit("rewritten", amend=True)

    assert new == mirror.fetch("main").commit
    mirror.deepen("main", EVERYTHING)
    repo = Repo.discover(mirror.directory)
    assert repo is not None
    assert not repo.follows(new, old)


@pytest.mark.parametrize("revision", ["v1", "refs/tags/v1", "signed", "side", "refs/heads/side", "COMMIT"])
def test_fetch_when_a_revision_is_named_then_that_commit_is_brought(
    origin: Origin, mirror: Mirror, revision: str
) -> None:
    meant = origin.commits[1]
    run("git", "tag", "v1", meant, cwd=origin.work)
    run("git", "-c", "user.name=a", "-c", "user.email=a@b", "tag", "-a", "-m", "m", "signed", meant, cwd=origin.work)
    origin.push("v1", "signed", f"{meant}:refs/heads/side")

    assert meant == mirror.fetch(meant if revision == "COMMIT" else revision).commit


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        pytest.param("nowhere", "has no such branch or tag", id="unknown"),
        pytest.param("f" * 40, "no branch or tag of .* has this commit", id="unknown commit"),
        pytest.param("both", "write refs/heads/both or refs/tags/both", id="ambiguous"),
    ],
)
def test_fetch_when_the_revision_is_not_there_then_it_says_so(
    origin: Origin, mirror: Mirror, revision: str, message: str
) -> None:
    run("git", "tag", "both", cwd=origin.work)
    origin.push("refs/tags/both", "HEAD:refs/heads/both")

    with pytest.raises(UsageError, match=message):
        mirror.fetch(revision)


def test_fetch_when_the_repository_is_empty_then_it_says_so(
    origin: Origin, server: GitOverHttp, mirror_of: Callable[..., Mirror]
) -> None:
    run("git", "init", "-q", "--bare", str(origin.folder / "empty.git"))

    with pytest.raises(UsageError, match="the repository is empty"):
        mirror_of(server.url("empty.git")).fetch(None)


def test_fetch_when_the_server_is_down_then_what_it_said_last_is_taken_only_if_fresh_enough(
    server: GitOverHttp, mirror: Mirror
) -> None:
    commit = mirror.fetch("main").commit
    server.is_down = True

    for limit_s in (None, 0.0):
        with pytest.raises(UnreachableError, match="503"):
            mirror.fetch("main", max_stale_s=limit_s)
    with pytest.raises(UnreachableError):
        mirror.fetch("other", max_stale_s=60.0)
    stale = mirror.fetch("main", max_stale_s=60.0)

    assert commit == stale.commit
    assert stale.age_s is not None
    assert 0 <= stale.age_s < 60


def test_fetch_when_the_server_comes_back_then_a_further_try_succeeds(
    server: GitOverHttp, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.is_down = True
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        server.is_down = len(pauses) < 2

    monkeypatch.setattr(time, "sleep", pause)

    assert replace(mirror, pauses_s=(1.0, 4.0)).fetch(None).commit
    assert [1.0, 4.0] == pauses


@pytest.mark.parametrize(
    ("login", "credentials", "message"),
    [
        pytest.param("", {"username": "git", "password": SECRET}, "", id="password"),
        pytest.param("", {"password": SECRET}, "", id="password alone"),
        pytest.param(f"git:{SECRET}@", {}, "", id="in the URL"),
        pytest.param("", {"bearer_token": "t0k3n-of-somebody"}, "", id="bearer token"),
        pytest.param("", {"username": "git"}, "the server asks who we are", id="nothing"),
        pytest.param("", {"password": "wr0ng-password"}, "the server refuses the credentials", id="wrong password"),
        pytest.param("wr0ng-password:wr0ng-password@", {}, "the server refuses the credentials", id="wrong in the URL"),
    ],
)
def test_fetch_when_the_server_wants_to_know_who_we_are_then_it_is_told(
    server: GitOverHttp, mirror_of: Callable[..., Mirror], login: str, credentials: dict[str, object], message: str
) -> None:
    server.password, server.bearer_token = SECRET, "t0k3n-of-somebody"
    mirror = mirror_of(server.url("shop.git", login=login), **credentials)

    if not message:
        assert mirror.fetch(None).commit
        kept = "".join(path.read_text("latin-1") for path in Path(mirror.cache).rglob("*") if path.is_file())
        assert SECRET not in kept
        return
    with pytest.raises(RepoError, match=message) as raised:
        mirror.fetch(None, max_stale_s=1e9)
    assert not isinstance(raised.value, UnreachableError)
    assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize("credentials", [{"password": SECRET}, {"bearer_token": SECRET}], ids=["password", "token"])
def test_fetch_when_the_server_sends_us_elsewhere_then_no_credentials_go_there(
    origin: Origin, server: GitOverHttp, mirror_of: Callable[..., Mirror], credentials: dict[str, object]
) -> None:
    other = GitOverHttp(origin.folder)
    other.password = SECRET
    server.redirect_to = f"http://localhost:{other.port}"

    with pytest.raises(RepoError, match="name the new URL"):
        mirror_of(server.url("shop.git"), **credentials).fetch(None)
    other.stop()

    assert not any(authorization for _, authorization in other.seen)


def test_fetch_when_nothing_secret_is_known_then_it_may_be_sent_elsewhere(
    origin: Origin, server: GitOverHttp, mirror: Mirror
) -> None:
    other = GitOverHttp(origin.folder)
    server.redirect_to = f"http://localhost:{other.port}"

    assert origin.commits[-1] == mirror.fetch(None).commit
    other.stop()


def test_fetch_when_there_is_no_such_repository_then_it_says_so(
    server: GitOverHttp, mirror_of: Callable[..., Mirror]
) -> None:
    with pytest.raises(RepoError, match="no such repository, or we may not see it"):
        mirror_of(server.url("nowhere.git")).fetch(None)


@pytest.mark.parametrize("damage", ["cut pack", "no objects", "no HEAD", "broken state", "broken references"])
def test_fetch_when_the_mirror_is_spoilt_then_it_is_made_anew(origin: Origin, mirror: Mirror, damage: str) -> None:
    folder = Path(mirror.fetch("main").directory)
    if damage == "cut pack":
        for pack in folder.glob("objects/pack/*.pack"):
            pack.chmod(0o644)
            pack.write_bytes(pack.read_bytes()[:60])
    elif damage == "no objects":
        run("rm", "-rf", str(folder / "objects" / "pack"))
    elif damage == "no HEAD":
        (folder / "HEAD").unlink()
    elif damage == "broken state":
        (folder / "gitops-guard.json").write_text("[1")
    else:
        (folder / "refs" / "heads" / "main").write_text("nonsense\n")

    fetched = mirror.fetch("main")

    assert origin.commits[-1] == fetched.commit
    repo = Repo.discover(fetched.directory)
    assert repo is not None
    assert {f"{name}.yaml" for name in "abcd"} == {entry.path for entry in repo.commit_tree(fetched.commit).entries()}


def test_fetch_when_its_folder_cannot_be_written_then_it_says_where(
    server: GitOverHttp, mirror_of: Callable[..., Mirror], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(RepoError, match="--git-cache"):
        mirror_of(server.url("shop.git"), cache="file/below").fetch(None)


FETCH = """
import sys
from gitops_guard.repo.address import read_address
from gitops_guard.repo.credentials import Credentials
from gitops_guard.repo.mirror import Mirror
url, cache = sys.argv[1:]
for _ in range(2):
    print(Mirror(address=read_address(url), credentials=Credentials(), cache=cache).fetch("main").commit)
"""


def test_fetch_when_several_processes_share_a_folder_then_all_succeed(
    origin: Origin, server: GitOverHttp, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", FETCH, server.url("shop.git"), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = [line for one in running for line in one.communicate(timeout=60)[0].split()]

    assert [0, 0, 0] == [one.returncode for one in running]
    assert [origin.commits[-1]] * 6 == found


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return a file with a server's certificate and key, and one with the certificate alone, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "git")])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public = built.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(public + private)
    (folder / "ca.crt").write_bytes(public)
    return folder / "both.pem", folder / "ca.crt"


def test_fetch_over_https_then_only_authorities_that_are_named_are_believed(
    origin: Origin, mirror_of: Callable[..., Mirror], tmp_path: Path
) -> None:
    both, authority = certificate(tmp_path)
    server = GitOverHttp(origin.folder, certificate=both)
    url = server.url("shop.git")

    with pytest.raises(RepoError, match=r"the certificate of 127\.0\.0\.1 is not to be trusted"):
        mirror_of(url).fetch(None)
    fetched = mirror_of(url, ca_file=str(authority)).fetch(None)
    with pytest.raises(RepoError, match="its certificate is for another name than localhost"):
        mirror_of(server.url("shop.git", host="localhost"), ca_file=str(authority)).fetch(None)
    server.stop()

    assert origin.commits[-1] == fetched.commit


@pytest.fixture
def ssh_key(tmp_path: Path) -> Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", SECRET, "-f", str(tmp_path / "identity"))
    return tmp_path / "identity"


@pytest.fixture
def ssh(origin: Origin, ssh_key: Path) -> Iterator[GitOverSsh]:
    running = GitOverSsh(origin.folder, trusted=ssh_key.with_suffix(".pub"))
    yield running
    running.stop()


def test_fetch_over_ssh_then_a_known_server_gives_it(
    origin: Origin, ssh: GitOverSsh, ssh_key: Path, mirror_of: Callable[..., Mirror]
) -> None:
    mirror = mirror_of(
        ssh.url("shop.git"), identity=str(ssh_key), password=SECRET, known_hosts=ssh.known_hosts.encode()
    )

    newest = mirror.fetch("main").commit
    mirror.deepen("main", EVERYTHING)

    assert (origin.commits[-1], 4) == (newest, number_of_commits(mirror, newest))


def test_fetch_over_ssh_when_the_server_is_not_the_known_one_then_it_learns_nothing(
    origin: Origin, ssh: GitOverSsh, ssh_key: Path, mirror_of: Callable[..., Mirror]
) -> None:
    other = GitOverSsh(origin.folder, trusted=ssh_key.with_suffix(".pub"))
    key_of_other = other.known_hosts.partition(" ")[2]
    other.stop()
    for known in (f"[127.0.0.1]:{ssh.port} {key_of_other}", f"[127.0.0.1]:1 {key_of_other}", "# nobody"):
        mirror = mirror_of(ssh.url("shop.git"), identity=str(ssh_key), password=SECRET, known_hosts=known.encode())

        with pytest.raises(RepoError, match=r"the key of 127\.0\.0\.1 is not the one in known_hosts"):
            mirror.fetch(None, max_stale_s=1e9)

    with pytest.raises(RepoError, match="as ssh-keyscan prints it"):
        mirror_of(ssh.url("shop.git"), identity=str(ssh_key), known_hosts=b"nonsense").fetch(None, max_stale_s=1e9)
    assert [] == ssh.commands


def test_fetch_over_ssh_when_the_key_may_not_then_it_says_so(
    ssh: GitOverSsh, mirror_of: Callable[..., Mirror], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other"))
    known = ssh.known_hosts.encode()

    with pytest.raises(RepoError, match="the server refuses the credentials"):
        mirror_of(ssh.url("shop.git"), identity=str(tmp_path / "other"), known_hosts=known).fetch(None)
    with pytest.raises(RepoError, match="the server asks for a key"):
        mirror_of(ssh.url("shop.git"), known_hosts=known).fetch(None)


def test_fetch_over_ssh_when_there_is_no_such_repository_then_it_says_so(
    ssh: GitOverSsh, ssh_key: Path, mirror_of: Callable[..., Mirror]
) -> None:
    mirror = mirror_of(
        ssh.url("nowhere.git"), identity=str(ssh_key), password=SECRET, known_hosts=ssh.known_hosts.encode()
    )

    with pytest.raises(RepoError, match="no such repository"):
        mirror.fetch(None)


def test_read_credentials_then_files_are_as_in_the_secret_of_flux(tmp_path: Path) -> None:
    for name, content in {
        "username": "ada\n",
        "password": "s e c\n",
        "known_hosts": "host key\n",
        "ca.crt": "x",
    }.items():
        (tmp_path / name).write_text(content)

    found = read_credentials(str(tmp_path), read_address("https://bob:old@example.com/b"), {})

    assert ("ada", "s e c", b"host key\n", "", "") == (
        found.username, found.password, found.known_hosts, found.identity, found.bearer_token,
    )  # fmt: skip
    assert str(tmp_path / "ca.crt") == found.ca_file
    assert "s e c" not in repr(found)


@pytest.mark.parametrize(
    ("directory", "url", "message"),
    [
        pytest.param("nowhere", "https://example.com/b", "no such directory", id="no directory"),
        pytest.param(None, "http://ada:hidden@example.com/b", "not sent over plain http", id="plain http"),
    ],
)
def test_read_credentials_when_they_cannot_be_used_then_it_says_why(
    directory: str | None, url: str, message: str
) -> None:
    with pytest.raises(GuardError, match=message) as raised:
        read_credentials(directory, read_address(url), {})

    assert "hidden" not in str(raised.value)


def test_read_credentials_when_the_environment_has_a_token_then_it_is_the_password() -> None:
    found = read_credentials(None, read_address("https://example.com/b"), {"GITOPS_GUARD_GIT_TOKEN": "abc"})

    assert "abc" == found.password

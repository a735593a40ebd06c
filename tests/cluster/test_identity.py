"""Token files and the service account of a pod."""

from pathlib import Path

import pytest

from gitops_guard.cluster import AccessError, in_cluster_access
from gitops_guard.cluster.identity import Identity, TokenFile, expiry_of

POD = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_token_file_when_it_changes_then_it_is_read_again_after_a_minute(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("first\n")
    credentials = TokenFile(str(file), clock=clock)
    assert credentials.identity().token == "first"
    file.write_text("second")
    assert credentials.identity().token == "first"
    clock.now += 61
    assert credentials.identity().token == "second"


def test_token_file_when_the_server_refused_it_then_it_is_read_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    credentials = TokenFile(str(file), clock=Clock())
    refused = credentials.identity()
    assert not credentials.renew(refused)
    file.write_text("second")
    assert credentials.renew(refused)
    assert credentials.identity().token == "second"


@pytest.mark.parametrize("content", ["", "  \n", "to\x00ken", "tökén"])
def test_token_file_when_it_holds_no_token_then_an_error_without_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(AccessError, match="token") as caught:
        TokenFile(str(tmp_path / "token")).identity()
    assert "ken" not in str(caught.value).replace("token", "")


def test_pod_when_it_has_an_account_then_that_is_the_access(tmp_path: Path) -> None:
    for name, text in (("token", "t"), ("ca.crt", "CA"), ("namespace", "shop\n")):
        (tmp_path / name).write_text(text)
    access = in_cluster_access(POD, folder=str(tmp_path))
    assert ("https://[fd00::1]:443", "shop", b"CA") == (access.server, access.namespace, access.ca)
    assert access.credentials.identity().token == "t"


def test_pod_when_it_is_none_then_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="not in a pod"):
        in_cluster_access({}, folder=str(tmp_path))
    with pytest.raises(AccessError, match="token: the token cannot be read"):
        in_cluster_access(POD, folder=str(tmp_path))


def test_authorization_when_a_password_is_given_then_basic() -> None:
    assert Identity(user="u", password="p").authorization == "Basic dTpw"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.!.c", "a.bnVsbA.c", "a.eyJleHAiOiAieCJ9.c"])
def test_expiry_when_the_token_does_not_say_then_none(token: str) -> None:
    assert expiry_of(token) is None

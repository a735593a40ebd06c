"""URLs of repositories elsewhere: what they mean, and what of them may be seen."""

import pytest

from gitops_guard.errors import UsageError
from gitops_guard.repo.address import is_elsewhere, read_address


@pytest.mark.parametrize(
    ("source", "url", "username", "password"),
    [
        pytest.param("https://example.com/a/b.git", "https://example.com/a/b.git", "", "", id="https"),
        pytest.param("https://ada:s%40crt@example.com/b", "https://example.com/b", "ada", "s@crt", id="login"),
        pytest.param("https://example.com:8443/b?token=x#y", "https://example.com:8443/b", "", "", id="query"),
        pytest.param("https://[::1]:8443/b", "https://[::1]:8443/b", "", "", id="IPv6"),
        pytest.param("ssh://git@example.com:2222/b", "ssh://git@example.com:2222/b", "git", "", id="ssh"),
        pytest.param("ssh://example.com/b", "ssh://git@example.com/b", "git", "", id="ssh without user"),
        pytest.param("ada@example.com:shop/b.git", "ssh://ada@example.com/shop/b.git", "ada", "", id="short form"),
        pytest.param("example.com:b", "ssh://git@example.com/b", "git", "", id="short form without user"),
    ],
)
def test_read_address_then_its_url_can_be_shown(source: str, url: str, username: str, password: str) -> None:
    address = read_address(source)

    assert (url, username, password) == (address.url, address.username, address.password)
    assert not password or password not in repr(address)


@pytest.mark.parametrize(
    "source",
    [
        "ftp://u:hidden@example.com/b", "git://u:hidden@example.com/b", "https://u:hidden@/b", "https://u:hidden@example.com/",
        "https://u:hidden@example.com:port/b", "https://u:hidden@[::1/b",
    ],
)  # fmt: skip
def test_read_address_when_it_is_none_then_the_error_shows_no_secret(source: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_address(source)

    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [(".", False), ("a/b", False), ("/a:b", False), ("file:///a", False), ("host:b", True), ("https://h/b", True)],
)
def test_is_elsewhere_then_paths_are_not(source: str, expected: bool) -> None:
    assert expected == is_elsewhere(source)

"""Which proxy a server is reached by."""

import pytest

from gitops_guard.cluster.proxy import is_near, proxy_for

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("server", "no_proxy", "expected"),
    [
        pytest.param("https://api.test:6443", "", PROXY, id="no exception"),
        pytest.param("https://api.test:6443", "*", "", id="all"),
        pytest.param("https://api.test:6443", "other, test", "", id="below a domain"),
        pytest.param("https://api.test", ".test", "", id="below, with a dot"),
        pytest.param("https://api.test", ".api.test", PROXY, id="itself is not below"),
        pytest.param("https://api.test", "*.test", "", id="star"),
        pytest.param("https://myapi.test", "api.test", PROXY, id="not in the middle of a name"),
        pytest.param("https://api.test:6443", "api.test:6443", "", id="port"),
        pytest.param("https://api.test:6443", "api.test:443", PROXY, id="other port"),
        pytest.param("https://10.1.2.3", "10.0.0.0/8", "", id="network"),
        pytest.param("https://10.1.2.3", "192.168.0.0/16,10.1.2.4", PROXY, id="other network"),
        pytest.param("https://10.1.2.3:6443", "10.1.2.3:6443", "", id="address and port"),
        pytest.param("https://[fd00::1]:6443", "fd00::1", "", id="IPv6"),
        pytest.param("https://[fd00::1]:6443", "fd00::/8", "", id="IPv6 network"),
        pytest.param("https://127.0.0.1:6443", "", "", id="this machine"),
        pytest.param("http://api.test", "", "", id="of another scheme"),
        pytest.param("https://api.test", "1.2.3/99,:,[", PROXY, id="nonsense"),
    ],
)
def test_proxy_when_the_environment_names_one_then_exceptions_hold(server: str, no_proxy: str, expected: str) -> None:
    assert expected == proxy_for(server, {"HTTPS_PROXY": PROXY, "no_proxy": no_proxy})


def test_proxy_when_it_has_no_scheme_then_it_is_http() -> None:
    assert proxy_for("https://api.test", {"https_proxy": "proxy.test:3128"}) == PROXY


@pytest.mark.parametrize(("server", "expected"), [("https://localhost:1", True), ("https://[::1]:1", True), ("https://x", False)])  # fmt: skip
def test_near_when_asked_then_only_this_machine(server: str, expected: bool) -> None:
    assert expected is is_near(server)

"""Which proxy leads to a server, by the variables that Go programs such as kubectl obey."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(server: str, environment: Mapping[str, str]) -> str:
    """Return the URL of the proxy that the environment names for a server; empty for none.

    Args:
        server: URL of the API server.
        environment: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or not.
    """
    parts = urlsplit(server)
    proxy = _variable(environment, f"{parts.scheme}_proxy")
    if not proxy or not parts.hostname or is_near(server):
        return ""
    if _is_excepted(parts.hostname, parts.port, _variable(environment, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_near(server: str) -> bool:
    """Tell whether a server is on this machine."""
    host = urlsplit(server).hostname or ""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name, "")


def _is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    return any(_matches(host, port, one.strip().lower()) for one in exceptions.split(",") if one.strip())


def _matches(host: str, port: int | None, exception: str) -> bool:
    if exception == "*":
        return True
    address = _address(host)
    if "/" in exception:
        network = _network(exception)
        return address is not None and network is not None and address in network
    name, colon, wanted_port = exception.rpartition(":")
    if colon and wanted_port.isdigit() and _address(exception) is None:
        if str(port or 443) != wanted_port:
            return False
        exception = name
    if address is not None:
        return _address(exception.strip("[]")) == address
    # `example.com` is the host and all below it, `.example.com` and `*.example.com` only what is below
    return host == exception or host.endswith(f".{exception.removeprefix('*').lstrip('.')}")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None

"""URLs, split as Go's net/url splits them; urllib accepts and splits differently."""

import re
from ipaddress import AddressValueError, IPv6Address

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.library.formatting import quote
from gitops_guard.cel.values import Opaque

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%(..?)?", re.DOTALL)
_HEX = re.compile(r"[0-9a-fA-F]{2}\Z")
_PORT = re.compile(r"(:[0-9]*)?\Z")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_HOST_CHARACTERS = frozenset("!$&'()*+,;=:[]<>\"-_.~")
_PATH_CHARACTERS = frozenset("-_.~$&+,/:;=@")
_VALID_PATH = frozenset("-_.~!$&'()*+,;=:@[]/%")
_MAX_LENGTH = 100_000


class URL(Opaque):
    """A URL in its parts."""

    __slots__ = ("host", "path", "query", "scheme", "text")
    type_name = "kubernetes.URL"

    def __init__(self, text: str, scheme: str, host: str, path: str, query: str) -> None:
        self.text = text
        self.scheme = scheme
        self.host = host
        self.path = path
        """As written, escaped."""

        self.query = query

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


URLS = Library("url", types=(URL,))


class _Refused(Exception):  # noqa: N818 - a step of the parser, turned into a CelError at its door
    pass


@URLS.function("url", str)
def parse_url(text: str) -> URL:
    """Read an absolute URL or an absolute path.

    Raises:
        CelError: The text is neither.
    """
    try:
        # the first reading refuses what is no request, the second knows fragments: so does the API server
        _parse(text, request=True)
        return _parse(text, request=False)
    except _Refused as refused:
        message = f"parse {quote(text[:1000])}: {refused}"
        raise CelError(f"URL parse error during conversion from string: {message}") from None


def url_problem(text: str) -> str:
    """Return why a text is no request URI, empty if it is one."""
    try:
        _parse(text, request=True)
    except _Refused as refused:
        return f"parse {quote(text[:1000])}: {refused}"
    return ""


@URLS.function("isURL", str)
def _is_url(text: str) -> bool:
    return not url_problem(text)


def _parse(text: str, *, request: bool) -> URL:
    if _CONTROL.search(text):
        raise _Refused("net/url: invalid control character in URL")
    if not text:
        raise _Refused("empty url")
    if len(text) > _MAX_LENGTH:
        raise _Refused("too long")
    if text == "*":
        return URL(text, "", "", "*", "")
    body, _, fragment = (text, "", "") if request else text.partition("#")
    _unescape(fragment)
    scheme, rest = _split_scheme(body)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if not scheme:
            raise _Refused("invalid URI for request")
        return URL(text, scheme, "", "", query)
    host = ""
    if rest.startswith("//") and (scheme or not (request or rest.startswith("///"))):
        authority, slash, path = rest[2:].partition("/")
        host = _host_of(authority, strict=scheme in ("http", "https"))
        rest = slash + path
    _unescape(rest)
    return URL(text, scheme, host, rest, query)


def _split_scheme(text: str) -> tuple[str, str]:
    if text.startswith(":"):
        raise _Refused("missing protocol scheme")
    match = _SCHEME.match(text)
    return (match[1].lower(), text[match.end() :]) if match else ("", text)


def _host_of(authority: str, *, strict: bool) -> str:
    userinfo, at, host = authority.rpartition("@")
    if at:
        if not _USERINFO.match(userinfo):
            raise _Refused("net/url: invalid userinfo")
        _unescape(userinfo)
    if host.startswith("["):
        return _bracketed(host)
    if "[" in host:
        raise _Refused("invalid IP-literal")
    # the web's own schemes allow one colon; others take what follows the last for the port
    place = host.find(":") if strict else host.rfind(":")
    port = host[place:] if place >= 0 else ""
    if not _PORT.match(port):
        raise _Refused(f"invalid port {quote(port)} after host")
    return _unescape_host(host)


def _bracketed(host: str) -> str:
    inside, closing, port = host[1:].rpartition("]")
    if not closing:
        raise _Refused("missing ']' in host")
    if not _PORT.match(port):
        raise _Refused(f"invalid port {quote(port)} after host")
    address, percent, zone = inside.partition("%25")
    if not percent and "%" in inside:
        raise _Refused(f"invalid URL escape {quote(inside[inside.index('%') :][:3])}")
    _check_host_characters(zone)
    try:
        IPv6Address(address)
    except AddressValueError:
        raise _Refused("invalid IP-literal") from None
    shown = f"{address}%{_unescape(zone)}" if percent else address
    return f"[{shown}]{port}"


def _unescape_host(host: str) -> str:
    for match in _ESCAPE.finditer(host):
        digits = match[1] or ""
        # a host may escape what is not ASCII, nothing else
        if not _HEX.match(digits) or int(digits, 16) < 0x80:
            raise _Refused(f"invalid URL escape {quote(match.group())}")
    _check_host_characters(host)
    return _unescape(host)


def _check_host_characters(host: str) -> None:
    for character in host:
        if character.isascii() and not character.isalnum() and character not in _HOST_CHARACTERS and character != "%":
            raise _Refused(f"invalid character {quote(character)} in host name")


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    data = bytearray()
    last = 0
    for match in _ESCAPE.finditer(text):
        digits = match[1] or ""
        if not _HEX.match(digits):
            raise _Refused(f"invalid URL escape {quote(match.group())}")
        data += text[last : match.start()].encode("utf-8", "surrogatepass")
        data.append(int(digits, 16))
        last = match.end()
    data += text[last:].encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace")


@URLS.method("getScheme", URL)
def _get_scheme(url: URL) -> str:
    return url.scheme


@URLS.method("getHost", URL)
def _get_host(url: URL) -> str:
    return url.host


@URLS.method("getHostname", URL)
def _get_hostname(url: URL) -> str:
    if url.host.startswith("["):
        return url.host[1 : url.host.rindex("]")]
    place = url.host.rfind(":")
    return url.host if place < 0 else url.host[:place]


@URLS.method("getPort", URL)
def _get_port(url: URL) -> str:
    after = url.host[url.host.rfind("]") + 1 :]
    return after[after.rfind(":") + 1 :] if ":" in after else ""


@URLS.method("getEscapedPath", URL)
def _get_escaped_path(url: URL) -> str:
    if all(character in _VALID_PATH or (character.isascii() and character.isalnum()) for character in url.path):
        return url.path
    return "".join(_escaped(byte) for byte in _unescape(url.path).encode("utf-8", "surrogatepass"))


def _escaped(byte: int) -> str:
    character = chr(byte)
    if byte < 0x80 and (character.isalnum() or character in _PATH_CHARACTERS):
        return character
    return f"%{byte:02X}"


@URLS.method("getQuery", URL)
def _get_query(url: URL) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for pair in url.query.split("&"):
        if not pair or ";" in pair:
            continue
        key, _, value = pair.partition("=")
        try:
            unescaped = _unescape(key.replace("+", " ")), _unescape(value.replace("+", " "))
        except _Refused:
            continue
        values.setdefault(unescaped[0], []).append(unescaped[1])
    return values

"""IP addresses and networks. No zones, no IPv4-mapped IPv6: one address has one meaning."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.values import Opaque

_Address: TypeAlias = IPv4Address | IPv6Address

_BITS = re.compile(r"(0|[1-9][0-9]{0,2})\Z")
_MAX_LENGTH = 100


class IP(Opaque):
    """An address."""

    __slots__ = ("address",)
    type_name = "net.IP"

    def __init__(self, address: _Address) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IP) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)


class CIDR(Opaque):
    """An address with the length of its network's prefix; bits beyond it are kept."""

    __slots__ = ("address", "bits")
    type_name = "net.CIDR"

    def __init__(self, address: _Address, bits: int) -> None:
        self.address = address
        self.bits = bits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CIDR) and (other.address, other.bits) == (self.address, self.bits)

    def __hash__(self) -> int:
        return hash((self.address, self.bits))


IPS = Library("ip", types=(IP,))
CIDRS = Library("cidr", types=(CIDR,))


def _address(text: str) -> _Address | None:
    if len(text) > _MAX_LENGTH or not text.isascii():
        return None
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return None


@IPS.function("ip", str)
def parse_ip(text: str) -> IP:
    """Read an address.

    Raises:
        CelError: The text is none, has a zone, or maps IPv4 into IPv6.
    """
    address = _address(text)
    shown = text[:_MAX_LENGTH]
    if address is None:
        raise CelError(f'IP Address "{shown}" parse error during conversion from string: unable to parse IP')
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise CelError(f'IP address "{shown}" with zone value is not allowed')
        if address.ipv4_mapped is not None:
            raise CelError(f'IPv4-mapped IPv6 address "{shown}" is not allowed')
    return IP(address)


@IPS.function("isIP", str)
def _is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except CelError:
        return False
    return True


@IPS.function("ip.isCanonical", str)
def _is_canonical(text: str) -> bool:
    return _ip_text(parse_ip(text)) == text


@IPS.function("string", IP)
def _ip_text(ip: IP) -> str:
    return str(ip.address)


@IPS.method("family", IP)
def _family(ip: IP) -> int:
    return ip.address.version


@IPS.method("isUnspecified", IP)
def _is_unspecified(ip: IP) -> bool:
    return int(ip.address) == 0


@IPS.method("isLoopback", IP)
def _is_loopback(ip: IP) -> bool:
    return ip.address.is_loopback


@IPS.method("isLinkLocalMulticast", IP)
def _is_link_local_multicast(ip: IP) -> bool:
    if isinstance(ip.address, IPv4Address):
        return int(ip.address) >> 8 == 0xE00000
    # ff?2: whatever the flags, the scope is the link
    return int(ip.address) >> 112 & 0xFF0F == 0xFF02


@IPS.method("isLinkLocalUnicast", IP)
def _is_link_local_unicast(ip: IP) -> bool:
    if isinstance(ip.address, IPv4Address):
        return int(ip.address) >> 16 == 0xA9FE
    return int(ip.address) >> 118 == 0xFE80 >> 6


@IPS.method("isGlobalUnicast", IP)
def _is_global_unicast(ip: IP) -> bool:
    if ip.address == IPv4Address(0xFFFFFFFF):
        return False
    multicast = ip.address.is_multicast
    return not (_is_unspecified(ip) or _is_loopback(ip) or multicast or _is_link_local_unicast(ip))


def _bad_network(text: str, why: str) -> CelError:
    return CelError(
        f'network address parse error during conversion from string: netip.ParsePrefix("{text[:_MAX_LENGTH]}"): {why}'
    )


@CIDRS.function("cidr", str)
def parse_cidr(text: str) -> CIDR:
    """Read a network; bits beyond the mask are allowed.

    Raises:
        CelError: The text is none, has a zone, or maps IPv4 into IPv6.
    """
    place, slash, bits = text.rpartition("/")
    if not slash:
        raise _bad_network(text, "no '/'")
    address = _address(place)
    if address is None:
        raise _bad_network(text, "unable to parse IP")
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise _bad_network(text, "IPv6 zones cannot be present in a prefix")
        if address.ipv4_mapped is not None:
            raise CelError(f'IPv4-mapped IPv6 address "{text[:_MAX_LENGTH]}" is not allowed')
    if not _BITS.match(bits):
        raise _bad_network(text, "bad bits after slash")
    if int(bits) > address.max_prefixlen:
        raise _bad_network(text, "prefix length out of range")
    return CIDR(address, int(bits))


@CIDRS.function("isCIDR", str)
def _is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except CelError:
        return False
    return True


@CIDRS.function("string", CIDR)
def _cidr_text(cidr: CIDR) -> str:
    return f"{cidr.address}/{cidr.bits}"


def _covers(cidr: CIDR, address: _Address) -> bool:
    if address.version != cidr.address.version:
        return False
    hidden = address.max_prefixlen - cidr.bits
    return int(address) >> hidden == int(cidr.address) >> hidden


@CIDRS.method("containsIP", CIDR, IP)
def _contains_ip(cidr: CIDR, ip: IP) -> bool:
    return _covers(cidr, ip.address)


@CIDRS.method("containsIP", CIDR, str)
def _contains_ip_text(cidr: CIDR, text: str) -> bool:
    return _covers(cidr, parse_ip(text).address)


@CIDRS.method("containsCIDR", CIDR, CIDR)
def _contains_cidr(cidr: CIDR, other: CIDR) -> bool:
    return other.bits >= cidr.bits and _covers(cidr, other.address)


@CIDRS.method("containsCIDR", CIDR, str)
def _contains_cidr_text(cidr: CIDR, text: str) -> bool:
    return _contains_cidr(cidr, parse_cidr(text))


@CIDRS.method("ip", CIDR)
def _ip_of(cidr: CIDR) -> IP:
    return IP(cidr.address)


@CIDRS.method("masked", CIDR)
def _masked(cidr: CIDR) -> CIDR:
    network = ip_network((cidr.address, cidr.bits), strict=False)
    return CIDR(network.network_address, cidr.bits)


@CIDRS.method("prefixLength", CIDR)
def _prefix_length(cidr: CIDR) -> int:
    return cidr.bits

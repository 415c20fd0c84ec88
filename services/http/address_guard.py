"""Decides which URLs a result may be fetched from.

A backend's own origins, and those that the admin trusts, are allowed as configured, loopback and LAN
included. Every other URL must be http(s) on a public host: `ipaddress.is_global` alone lets cloud metadata
through.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable

import httpx

from services.core.errors import DeliveryFailed

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")

# Blocks that is_global of CPython 3.11 admits, or that differ between versions.
_DENIED = [
    ipaddress.ip_network(block)
    for block in (
        "100.64.0.0/10",  # carrier NAT, a cloud's metadata at 100.100.100.200
        "168.63.129.16/32",  # a cloud's host agent on a public address
        "192.0.0.0/24",  # IETF protocol assignments, a cloud's metadata at 192.0.0.192
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",
        "2001::/23",  # Teredo and other protocol assignments: may embed a private IPv4
        "2001:db8::/32",
        "2002::/16",  # 6to4: may embed a private IPv4
        "3fff::/20",  # documentation
    )
]


# Names that only a private network gives. Without a dot, a name is one of these too.
_NAME = re.compile(rb"[A-Za-z0-9._-]+")
_PRIVATE_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa")


class AddressGuard:
    """`origins` are the backends' own; `trusted` are further ones, from RUSHES_RESULT_ORIGINS."""

    def __init__(self, origins: Iterable[str] = (), *, trusted: Iterable[str] = ()) -> None:
        self._origins = {origin_of(origin) for origin in origins}
        self._trusted = {origin_of(origin) for origin in trusted}

    def allow(self, origin: str) -> None:
        self._origins.add(origin_of(origin))

    def forget(self, origin: str) -> None:
        self._origins.discard(origin_of(origin))

    def owns(self, url: httpx.URL) -> bool:
        return origin_of(url) in self._origins or self.trusts(url)

    def trusts(self, url: httpx.URL) -> bool:
        return origin_of(url) in self._trusted

    def admit(self, address: str | httpx.URL) -> httpx.URL:
        """Checks all that needs no DNS. Raises DeliveryFailed (address).

        A public host is allowed on ports 80 and 443 and on unprivileged ones, never on those of mail, shells
        or printers.
        """
        url = _parsed(address)
        if url.scheme not in _DEFAULT_PORTS or not url.host:
            raise _refused("is not a web address")
        if url.userinfo:
            raise _refused("carries a user name")
        port = port_of(url)
        if not 0 < port < 65536:
            raise _refused("has an impossible port")
        if not self.owns(url) and port not in (80, 443) and port < 1024:
            raise _refused(f"uses port {port}, which is not for the web")
        return url

    def require_public_name(self, url: httpx.URL) -> None:
        """Checks what is known of a host that a proxy resolves: an address in any spelling, a local name.

        Where a public name leads is up to the proxy. Raises DeliveryFailed (address).
        """
        host = host_of(url)
        if address := _literal(host):
            require_public(address)
        elif not _NAME.fullmatch(url.raw_host):
            raise _refused("cannot be read")
        elif "." not in host or host.endswith(_PRIVATE_NAMES):
            raise _private()

    async def resolve(self, host: str, port: int) -> list[str]:
        """Returns a host's addresses in the resolver's order. Raises DeliveryFailed unless all are public."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DeliveryFailed("The file's server has no known address.", reason="network") from error
        addresses = list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in found))
        for address in addresses or [""]:
            require_public(address)
        return addresses


def require_public(address: str) -> None:
    """Raises DeliveryFailed (address)."""
    if not is_public(address):
        raise _private()


def is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _PUBLIC_V6:
        return False  # mapped, compatible, NAT64, unique local, link-local, multicast: all outside
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return not any(ip in block for block in _DENIED if block.version == ip.version)


def _literal(host: str) -> str:
    """The address that the host is, as resolvers read it: `127.1` and `2130706433` too; empty for a name."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return ""


def origin_of(address: str | httpx.URL) -> str:
    """Returns scheme, host and port in one spelling. Raises DeliveryFailed (address) where it cannot."""
    url = _parsed(address)
    host = host_of(url)
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{port_of(url)}"


def host_of(url: httpx.URL) -> str:
    """The host without a final dot; an IPv6 address in its shortest spelling, without brackets."""
    host = url.host.lower().rstrip(".")
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        return host


def port_of(url: httpx.URL) -> int:
    return _DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port


def _parsed(address: str | httpx.URL) -> httpx.URL:
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, ValueError) as error:
        raise _refused("cannot be read") from error


def _private() -> DeliveryFailed:
    return DeliveryFailed(
        "The file's address leads into a private network; it was not opened. To allow it, add its origin, as "
        "http://host:port, to RUSHES_RESULT_ORIGINS.",
        reason="address",
        stage="delivery_private",
    )


def _refused(why: str) -> DeliveryFailed:
    return DeliveryFailed(f"The file's address {why}; it was not opened.", reason="address")

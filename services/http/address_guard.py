"""Decides which URLs a result may be fetched from.

A backend's own origins are allowed as configured, loopback and LAN included. Every other URL must be http(s)
on a public host: `ipaddress.is_global` alone lets cloud metadata through.
"""

import asyncio
import ipaddress
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


class AddressGuard:
    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = {origin_of(origin) for origin in origins}

    def allow(self, origin: str) -> None:
        self._origins.add(origin_of(origin))

    def forget(self, origin: str) -> None:
        self._origins.discard(origin_of(origin))

    def owns(self, url: httpx.URL) -> bool:
        return origin_of(url) in self._origins

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
        raise _refused("leads into a private network")


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


def origin_of(address: str | httpx.URL) -> str:
    """Returns scheme, host and port in one spelling. Raises DeliveryFailed (address) where it cannot."""
    url = _parsed(address)
    return f"{url.scheme}://{url.host}:{port_of(url)}"


def port_of(url: httpx.URL) -> int:
    return _DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port


def _parsed(address: str | httpx.URL) -> httpx.URL:
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, ValueError) as error:
        raise _refused("cannot be read") from error


def _refused(why: str) -> DeliveryFailed:
    return DeliveryFailed(f"The file's address {why}; it was not opened.", reason="address")

"""Connections to public addresses only."""

import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from services.http.address_guard import AddressGuard, require_public
from services.http.transport import Transport, open_socket

MAX_ADDRESSES = 4


def public_transport(guard: AddressGuard, tls: ssl.SSLContext) -> Transport:
    """Checks each address before connecting to that very one, and never reuses a connection.

    A second lookup could answer with another address (DNS rebinding). The Host header and TLS keep the name.
    """
    return Transport(tls=tls, resolver=CheckingResolver(guard), socket_factory=_open_public_socket)


class CheckingResolver(AbstractResolver):
    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises DeliveryFailed."""
        addresses = (await self._guard.resolve(host, port))[:MAX_ADDRESSES]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


def _open_public_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Checks literal addresses too: aiohttp never asks its resolver about them. Raises DeliveryFailed."""
    require_public(str(address[4][0]))
    return open_socket(address)

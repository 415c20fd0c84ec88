"""The network under the downloads of public hosts."""

from collections.abc import Iterable

import httpcore

from services.http.address_guard import AddressGuard

_PER_ADDRESS_S = 4.0
_MOST_ADDRESSES = 4


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves through the guard and connects to the very address it checked.

    A second lookup could answer something else (DNS rebinding). The host's name is kept above this
    layer, for the Host header and TLS.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = (await self._guard.resolve(host, port))[:_MOST_ADDRESSES]
        patience_s = min(timeout or _PER_ADDRESS_S, _PER_ADDRESS_S)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(
                    address, port, patience_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

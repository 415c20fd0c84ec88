"""Runs all checks and returns their findings in reading order."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from services.backends.base import Backend
from services.diagnostics.doctor import address, backends
from services.diagnostics.doctor.disk import disk
from services.diagnostics.doctor.finding import Finding
from services.diagnostics.doctor.stream import stream
from services.http.client import http_client
from services.http.proxy import OutboundProxy
from services.http.transport import Transport, default_tls


class Doctor:
    """`url_of` returns a backend's address, empty while it has none; `proxy` is the way to backends only."""

    def __init__(
        self,
        *,
        data_dir: Path,
        backends: Mapping[str, Backend],
        url_of: Callable[[str], str],
        proxy: OutboundProxy | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._backends = backends
        self._url_of = url_of
        self._proxy = proxy

    async def examine(self, url: str, *, stream_s: int) -> list[Finding]:
        """Checks the address people use, the disk and the backends.

        Listens to the stream for `stream_s` seconds; the other checks run meanwhile, for 10 s at most.
        """
        async with await _client() as client:
            address_findings, local = await asyncio.gather(
                _check_address(client, url.rstrip("/"), stream_s), self.check_local()
            )
        return [*address_findings, *local]

    async def check_local(self) -> list[Finding]:
        """Checks the disk and the backends."""
        async with await _client(self._proxy) as client:
            checks = (
                backends.check(backend, self._url_of(name), client)
                for name, backend in self._backends.items()
            )
            local, reached = await asyncio.gather(
                asyncio.to_thread(disk, self._data_dir), asyncio.gather(*checks)
            )
        return [local, *(finding for each in reached for finding in each)]


async def _client(proxy: OutboundProxy | None = None) -> httpx.AsyncClient:
    return http_client(Transport(tls=await asyncio.to_thread(default_tls), proxy=proxy))  # 20 ms


async def _check_address(client: httpx.AsyncClient, url: str, stream_s: int) -> list[Finding]:
    reachable, findings = await address.app(client, url)
    if not reachable:
        return findings
    streamed, ranges, websocket = await asyncio.gather(
        stream(client, url, stream_s), address.ranges(client, url), address.websocket(url)
    )
    return [*findings, *streamed, ranges, websocket]

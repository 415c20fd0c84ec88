"""All examinations, in an order a person reads them in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from services.backends.base import Backend
from services.diagnostics.doctor import address, backends
from services.diagnostics.doctor.disk import disk
from services.diagnostics.doctor.finding import Finding
from services.diagnostics.doctor.stream import stream


class Doctor:
    """`backends` are asked where `place_of` says they live: an address, empty where there is none yet."""

    def __init__(
        self, *, data_dir: Path, backends: Mapping[str, Backend], place_of: Callable[[str], str]
    ) -> None:
        self._data_dir = data_dir
        self._backends = backends
        self._place_of = place_of

    async def examine(self, url: str, *, stream_s: int) -> list[Finding]:
        """Through the address people use, and around here.

        The stream is listened to for `stream_s` seconds; the rest goes on meanwhile, 10 s at most.
        """
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            way, around = await asyncio.gather(
                _way(session, url.rstrip("/"), stream_s), self._around(session)
            )
        return [*way, *around]

    async def look_around(self) -> list[Finding]:
        """Disk and backends."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            return await self._around(session)

    async def _around(self, session: aiohttp.ClientSession) -> list[Finding]:
        asked = (
            backends.reaching(backend, self._place_of(name), session)
            for name, backend in self._backends.items()
        )
        local, reached = await asyncio.gather(asyncio.to_thread(disk, self._data_dir), asyncio.gather(*asked))
        return [local, *(finding for each in reached for finding in each)]


async def _way(session: aiohttp.ClientSession, url: str, stream_s: int) -> list[Finding]:
    there, findings = await address.app(session, url)
    if not there:
        return findings
    heard, part, socket = await asyncio.gather(
        stream(session, url, stream_s),
        address.ranges(session, url),
        address.websocket(session, url),
    )
    return [*findings, *heard, part, socket]

"""All examinations, in an order a person reads them in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from services.backends.base import Backend
from services.doctor import address, reaching
from services.doctor.disk import disk
from services.doctor.finding import Finding
from services.doctor.stream import stream


class Doctor:
    """`url` is the address people use; `backends` are asked where `places` says they live."""

    def __init__(
        self, url: str, *, data_dir: Path, backends: Mapping[str, Backend], places: Mapping[str, str]
    ) -> None:
        self._url = url.rstrip("/")
        self._data_dir = data_dir
        self._backends = backends
        self._places = places

    async def examine(self, *, stream_s: int) -> list[Finding]:
        """The stream is listened to for `stream_s` seconds; the rest goes on meanwhile, 10 s at most."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            asked = (
                reaching.reaching(backend, self._places[name], session)
                for name, backend in self._backends.items()
            )
            way, local, reached = await asyncio.gather(
                self._way(session, stream_s), asyncio.to_thread(disk, self._data_dir), asyncio.gather(*asked)
            )
        return [*way, local, *(finding for each in reached for finding in each)]

    async def _way(self, session: aiohttp.ClientSession, stream_s: int) -> list[Finding]:
        there, findings = await address.app(session, self._url)
        if not there:
            return findings
        heard, part, socket = await asyncio.gather(
            stream(session, self._url, stream_s),
            address.ranges(session, self._url),
            address.websocket(session, self._url),
        )
        return [*findings, *heard, part, socket]

"""Fetches one result into a `.part` file."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import httpx

from services.core.errors import DeliveryFailed
from services.core.runtime import monotonic
from services.http.address_guard import AddressGuard, origin_of, port_of
from services.http.client import http_client
from services.http.proxy import OutboundProxy
from services.http.public_transport import public_transport
from services.http.redirects import RedirectFailed, follow_redirects
from services.http.transport import Transport, default_tls
from services.media.answer_check import announced_bytes, require_whole_file
from services.media.data_uri import data_in, is_data_uri
from services.media.storage.part_file import BATCH_BYTES, Fingerprint, PartFile
from services.media.threads import in_thread

REQUEST_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}
MAX_REDIRECTS = 5
MAX_DATA_HEAD_BYTES = 1024
"""Of a `data:` address before its data: it does not count towards the size."""

Credentials = Mapping[str, Mapping[str, str]]
"""Request headers by origin."""
Checkpoint = Callable[[str], Awaitable[None] | None]
"""Called at each named point: before_download, mid_download, downloaded, before_rename, after_rename."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    size_bytes: int = 2 * 1024**3
    connect_s: float = 10.0
    read_s: float = 30.0
    grace_s: float = 60.0
    """A download may last this long, plus its size over `min_bytes_per_s`."""
    min_bytes_per_s: float = 16 * 1024
    at_once: int = 16
    """Per origin: a host that hangs does not block another host's files."""


class Downloader:
    """Own origins and public hosts never share a connection, and none is used twice.

    A forbidden origin, or a host that has moved into a private network, cannot be reached over an open
    connection, and bytes left over on one never become another download's.
    """

    def __init__(
        self,
        guard: AddressGuard,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: OutboundProxy | None = None,
    ) -> None:
        self._guard = guard
        self._proxy = proxy or OutboundProxy()
        self._limits = limits or Limits()
        tls = tls or default_tls()
        self._own = http_client(Transport(tls=tls, proxy=self._proxy))
        self._public = http_client(public_transport(guard, tls))
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def fetch(
        self,
        url: str,
        part: Path,
        *,
        credentials: Credentials | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Fingerprint:
        """Raises DeliveryFailed. On failure and on cancellation nothing is left at `part`."""
        file = PartFile(part)
        try:
            if is_data_uri(url):
                await self._save_data(url, file, checkpoint)
            else:
                await self._download(self._guard.admit(url), file, credentials or {}, checkpoint)
            if file.size_bytes == 0:
                raise DeliveryFailed("The file is empty.", reason="empty")
            fingerprint = await in_thread(file.finish)
            await reach(checkpoint, "downloaded")
            return fingerprint
        except BaseException as error:
            await in_thread(file.discard)
            if isinstance(error, TimeoutError):
                raise DeliveryFailed("The file came too slowly.", reason="timeout") from error
            raise

    async def close(self) -> None:
        await self._own.aclose()
        await self._public.aclose()

    async def _save_data(self, address: str, file: PartFile, checkpoint: Checkpoint | None) -> None:
        self._check_size(len(address) // 3 - MAX_DATA_HEAD_BYTES)  # percent encoding takes three for a byte
        file.add(await in_thread(data_in, address))
        self._check_size(file.size_bytes, announced=True)
        await reach(checkpoint, "mid_download")

    async def _download(
        self, url: httpx.URL, file: PartFile, credentials: Credentials, checkpoint: Checkpoint | None
    ) -> None:
        async with (
            self._slots.setdefault(origin_of(url), asyncio.Semaphore(self._limits.at_once)),
            asyncio.timeout(self._limits.grace_s) as clock,
            self._open(url, credentials) as response,
        ):
            await self._save(response, file, clock, checkpoint)

    @asynccontextmanager
    async def _open(self, url: httpx.URL, credentials: Credentials) -> AsyncIterator[httpx.Response]:
        try:
            async with aclosing(await self._follow(url, credentials)) as response:
                require_whole_file(response)
                yield response
        except RedirectFailed as error:
            sentence = "The file's server redirects nowhere, or too often."
            raise DeliveryFailed(sentence, reason="refused") from error
        except httpx.UnsupportedProtocol as error:
            raise DeliveryFailed("The file's address cannot be read.", reason="address") from error
        except httpx.TimeoutException as error:
            raise DeliveryFailed("The file's server stopped answering.", reason="timeout") from error
        except httpx.TransportError as error:
            raise DeliveryFailed("The file's server could not be reached.", reason="network") from error

    async def _follow(self, url: httpx.URL, credentials: Credentials) -> httpx.Response:
        return await follow_redirects(url, self._hops(url, credentials), at_most=MAX_REDIRECTS)

    def _hops(
        self, first: httpx.URL, credentials: Credentials
    ) -> Callable[[httpx.URL], Awaitable[httpx.Response]]:
        """Credentials go to the first origin only, and no public host redirects to a backend's own origin.

        Cookies live as long as this one fetch, and go back to the port of the host that set them.
        """
        inside, headers = self._guard.owns(first), REQUEST_HEADERS
        jars: defaultdict[int, httpx.Cookies] = defaultdict(httpx.Cookies)
        if inside:
            by_origin = {origin_of(origin): headers for origin, headers in credentials.items()}
            headers = REQUEST_HEADERS | dict(by_origin.get(origin_of(first), {}))

        async def send(url: httpx.URL) -> httpx.Response:
            nonlocal inside, headers
            url = self._guard.admit(url)
            inside = inside and self._guard.owns(url)
            if origin_of(url) != origin_of(first):
                headers = REQUEST_HEADERS
            cookies = jars[_cookie_port(url)]
            response = await self._send(url, headers, cookies, own=inside or self._guard.trusts(url))
            cookies.extract_cookies(response)
            return response

        return send

    async def _send(
        self, url: httpx.URL, headers: Mapping[str, str], cookies: httpx.Cookies, *, own: bool
    ) -> httpx.Response:
        client = self._own if own else self._public
        if not own and self._proxy.url_for(url):
            self._guard.require_public_name(url)  # the proxy resolves it
            client = self._own
        connect_s, read_s = self._limits.connect_s, self._limits.read_s
        timeout = httpx.Timeout(None, connect=connect_s, read=read_s, pool=2 * connect_s)
        request = client.build_request("GET", url, headers=headers, timeout=timeout)
        cookies.set_cookie_header(request)
        return await client.send(request, stream=True)

    async def _save(
        self, response: httpx.Response, file: PartFile, clock: asyncio.Timeout, checkpoint: Checkpoint | None
    ) -> None:
        announced = announced_bytes(response)
        if announced is not None:
            self._check_size(announced, announced=True)
        started = monotonic()
        try:
            async for chunk in response.aiter_raw():
                first = file.size_bytes == 0
                file.add(chunk)
                self._check_size(file.size_bytes)
                if first:
                    await reach(checkpoint, "mid_download")
                if file.waiting_bytes >= BATCH_BYTES:
                    await in_thread(file.flush)
                    earned_s = file.size_bytes / self._limits.min_bytes_per_s
                    clock.reschedule(started + self._limits.grace_s + earned_s)
        except (httpx.NetworkError, httpx.ProtocolError) as error:
            raise DeliveryFailed("The file broke off before its end.", reason="truncated") from error
        except httpx.DecodingError as error:
            sentence = "The file came packed, and cannot be unpacked."
            raise DeliveryFailed(sentence, reason="undecodable") from error
        if announced is not None and file.size_bytes != announced:
            raise DeliveryFailed("The file is not as long as its server said.", reason="truncated")

    def _check_size(self, size_bytes: int, *, announced: bool = False) -> None:
        if size_bytes > self._limits.size_bytes:
            limit_mb = f"{self._limits.size_bytes / 1e6:.0f}"
            size_mb = f"{size_bytes / 1e6:.0f}" if announced else f">{limit_mb}"
            raise DeliveryFailed(
                f"The file has {size_mb} MB; this install takes at most {limit_mb} (RUSHES_RESULT_LIMIT_MB).",
                reason="too_large",
                stage=f"delivery_too_large:{size_mb}:{limit_mb}",
            )


def _cookie_port(url: httpx.URL) -> int:
    """Cookies ignore ports (RFC 6265, 8.5), but another port may be another service; 80 and 443 are one."""
    port = port_of(url)
    return 0 if port in (80, 443) else port


async def reach(checkpoint: Checkpoint | None, point: str) -> None:
    if checkpoint is not None and (pause := checkpoint(point)) is not None:
        await pause

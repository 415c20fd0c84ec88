"""Fetching one result into a `.part` file."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import httpcore
import httpx

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard, origin_of
from services.http.checked_network import PinnedNetwork
from services.media.checkpoints import Checkpoint, reach
from services.media.storage.part_file import BATCH_BYTES, PartFile
from services.media.threads import in_thread

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429})

Credentials = Mapping[str, Mapping[str, str]]
"""Headers for each of a backend's own origins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    size_bytes: int = 2 * 1024**3
    connect_s: float = 10.0
    read_s: float = 30.0
    grace_s: float = 60.0
    """A download may last this long, and longer by its size over `slowest_bytes_per_s`."""
    slowest_bytes_per_s: float = 16 * 1024
    hops: int = 3
    at_once: int = 16
    """From one origin: a host that hangs does not hold up another one's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    size_bytes: int
    sha256: str


class Downloader:
    """Own origins and public hosts never share a connection: an origin that was forgotten, or a host
    that moved into a private network, cannot be reached over what is still open.
    """

    def __init__(
        self, guard: AddressGuard, *, limits: Limits | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._guard = guard
        self._limits = limits or Limits()
        tls = tls or httpcore.default_ssl_context()
        self._own = _pool(tls, None)
        self._public = _pool(tls, PinnedNetwork(guard))
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def fetch(
        self,
        url: str,
        part: Path,
        *,
        credentials: Credentials | None = None,
        limit_bytes: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Fetched:
        """Raises DeliveryFailed; then, and when cancelled, nothing is left at `part`."""
        first = self._guard.admit(url)
        file = PartFile(part)
        try:
            async with (
                self._slot(origin_of(first)),
                asyncio.timeout(self._limits.grace_s) as clock,
                self._answer(first, credentials or {}) as answer,
            ):
                await self._save(answer, file, limit_bytes or self._limits.size_bytes, clock, checkpoint)
            await in_thread(file.finish)
            await reach(checkpoint, "downloaded")
        except BaseException as error:
            await in_thread(file.discard)
            if isinstance(error, TimeoutError):
                raise DeliveryFailed("The file came too slowly.", reason="timeout") from error
            raise
        return Fetched(size_bytes=file.size_bytes, sha256=file.sha256)

    async def close(self) -> None:
        await self._own.aclose()
        await self._public.aclose()

    def _slot(self, origin: str) -> asyncio.Semaphore:
        return self._slots.setdefault(origin, asyncio.Semaphore(self._limits.at_once))

    @asynccontextmanager
    async def _answer(self, url: httpx.URL, credentials: Credentials) -> AsyncIterator[httpcore.Response]:
        """Follows redirects. Credentials end where the first origin is left; an own origin cannot be
        entered from outside.
        """
        first, own = origin_of(url), self._guard.owns(url)
        extra = {origin_of(origin): headers for origin, headers in credentials.items()}.get(first, {})
        for _ in range(self._limits.hops + 1):
            async with self._ask(url, extra if own else {}, own=own) as answer:
                if answer.status not in REDIRECTS:
                    yield _checked(answer)
                    return
                url = self._guard.admit(_target(url, answer))
            own = own and self._guard.owns(url)
            if origin_of(url) != first:
                extra = {}
        raise DeliveryFailed("The file's address leads on too many times.", reason="refused")

    @asynccontextmanager
    async def _ask(
        self, url: httpx.URL, extra: Mapping[str, str], *, own: bool
    ) -> AsyncIterator[httpcore.Response]:
        pool = self._own if own else self._public
        patience = {"connect": self._limits.connect_s, "read": self._limits.read_s, "write": 10.0}
        headers: dict[bytes | str, bytes | str] = {
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": "Rushes",
        }
        headers.update(extra)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        try:
            async with pool.stream(
                "GET", target, headers=headers, extensions={"timeout": patience}
            ) as answer:
                yield answer
        except httpcore.TimeoutException as error:
            raise DeliveryFailed("The file's server stopped answering.", reason="timeout") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise DeliveryFailed("The file's server could not be reached.", reason="network") from error

    async def _save(
        self,
        answer: httpcore.Response,
        file: PartFile,
        limit_bytes: int,
        clock: asyncio.Timeout,
        checkpoint: Checkpoint | None,
    ) -> None:
        announced = _announced(answer)
        if announced is not None and announced > limit_bytes:
            raise _too_large(limit_bytes)
        started = asyncio.get_running_loop().time()
        try:
            async for chunk in answer.aiter_stream():
                first = file.size_bytes == 0
                file.add(chunk)
                if file.size_bytes > limit_bytes:
                    raise _too_large(limit_bytes)
                if first:
                    await reach(checkpoint, "mid_download")
                if file.waiting_bytes >= BATCH_BYTES:
                    await in_thread(file.flush)
                    earned_s = file.size_bytes / self._limits.slowest_bytes_per_s
                    clock.reschedule(started + self._limits.grace_s + earned_s)
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise DeliveryFailed("The file broke off before its end.", reason="truncated") from error
        if announced is not None and file.size_bytes != announced:
            raise DeliveryFailed("The file is not as long as its server said.", reason="truncated")
        if file.size_bytes == 0:
            raise DeliveryFailed("The file is empty.", reason="empty")


def _pool(tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend | None) -> httpcore.AsyncConnectionPool:
    """Without a limit of connections: a request cancelled while it waits for one breaks the pool for
    good (encode/httpcore #1093). None is used twice: what a broken server or proxy leaves on the line would
    be the next one's bytes, a stranger's film.
    """
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,
        max_keepalive_connections=0,
        network_backend=network,
    )


def _target(url: httpx.URL, answer: httpcore.Response) -> httpx.URL:
    location = _header(answer, b"location")
    if location is None:
        raise DeliveryFailed("The file's server leads on to nowhere.", reason="refused")
    try:
        return url.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        raise DeliveryFailed("The file's server leads on to nowhere.", reason="refused") from error


def _checked(answer: httpcore.Response) -> httpcore.Response:
    if answer.status >= 500 or answer.status in PASSING:
        raise DeliveryFailed(f"The file's server is in trouble ({answer.status}).", reason="network")
    if answer.status != 200:
        raise DeliveryFailed(f"The file's server refused it ({answer.status}).", reason="refused")
    if (_header(answer, b"content-encoding") or "identity").lower() != "identity":
        raise DeliveryFailed("The file came packed although it must not.", reason="undecodable")
    return answer


def _announced(answer: httpcore.Response) -> int | None:
    length = _header(answer, b"content-length")
    return int(length) if length is not None and length.isascii() and length.isdigit() else None


def _header(answer: httpcore.Response, name: bytes) -> str | None:
    for key, value in answer.headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return None


def _too_large(limit_bytes: int) -> DeliveryFailed:
    return DeliveryFailed(f"The file is larger than {limit_bytes / 1024**2:.0f} MiB.", reason="too_large")

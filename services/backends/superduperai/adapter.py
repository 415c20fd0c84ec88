"""The HTTP calls of the service."""

import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx

from services.backends.base import Capabilities
from services.backends.job_listing import JobPage, ListedJob, matches, same_answer
from services.backends.lenient_json import a_text, an_id
from services.backends.superduperai.events import EventParser
from services.backends.superduperai.models import model_of
from services.backends.superduperai.requests import listed_job, request_body, upload_name
from services.backends.superduperai.responses import ResponseParser
from services.core.errors import BackendError, BackendUnavailable, ChannelLost
from services.core.job_results import JobId
from services.core.model import Generation, JobUpdate, Kind, Model
from services.http.address import Address
from services.http.client import BackendClient, BoundedResponse
from services.http.event_stream import lost_by_status, open_stream
from services.http.host_limiter import HostLimiter
from services.http.proxy import OutboundProxy
from services.http.retry_after import date_of

POLL_TIMEOUT_S, SUBMIT_TIMEOUT_S, UPLOAD_TIMEOUT_S, LIST_TIMEOUT_S = 10.0, 30.0, 180.0, 20.0
MAX_FILE_BYTES, MAX_LIST_BYTES = 1024 * 1024, 8 * 1024 * 1024
INLINE = b'"data:'
"""A file that holds its result itself, as a `data:` address, may be as long as a list."""
CLOCK_TOLERANCE_S = 300.0
PAGE_SIZE = 50
MAX_SEARCHED = 1000
OFFERS_PER_PAGE, MAX_OFFERS = 100, 5000
HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol)
BREAKDOWNS = {
    "timeout": "did not answer in time",
    "refused": "cannot be reached",
    "reset": "broke the connection",
}
"""By ChannelLost's reason."""


class SuperDuperAI:
    def __init__(
        self,
        *,
        name: str,
        address: Address,
        capabilities: Capabilities,
        ssl_context: ssl.SSLContext | None = None,
        proxy: OutboundProxy | None = None,
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self.host = HostLimiter()
        self._address = address
        self._client = BackendClient(self.host, tls=ssl_context, proxy=proxy)
        self._response_parser = ResponseParser(name, address)
        self._event_parser = EventParser(address)
        self._gives_full_pages = False
        """A shorter page is the last one then."""
        self._references: dict[str, str] = {}
        """By generation: a repeated submit has the same bytes, the id of its reference included."""

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> JobId:
        request = generation.request
        reference = await self._upload(generation, source) if source is not None else None
        headers = {"Content-Type": "application/json"}
        if self.capabilities.idempotent:
            headers["Idempotency-Key"] = generation.id
        answer = await self._call(
            "POST",
            f"/file/generate-{request.kind}",
            timeout_s=SUBMIT_TIMEOUT_S,
            content=request_body(request, reference),
            headers=headers,
        )
        if answer.status == 409 and self.capabilities.idempotent:
            return await self._accepted_before(generation)
        self._response_parser.require_accepted(
            answer, secrets=(request.prompt, request.settings.negative_prompt)
        )
        job_id = self._response_parser.job_id_in(answer, request.kind)
        self._references.pop(generation.id, None)
        return job_id

    async def poll(self, job_id: str) -> JobUpdate:
        try:
            answer = await self._request("GET", f"/file/{_segment(job_id)}", timeout_s=POLL_TIMEOUT_S)
        except HTTP_ERRORS as error:
            reason = _reason(error)
            raise ChannelLost(f"{self.name} {BREAKDOWNS[reason]}.", reason=reason) from error
        if answer.status != 200:
            raise lost_by_status(answer.status, answer.headers)
        return self._event_parser.polled(answer.body, job_id)

    @asynccontextmanager
    async def updates(self, job_id: str, *, silence_s: float) -> AsyncIterator[AsyncIterator[JobUpdate]]:
        url = self._url(f"/events/file.{_segment(job_id)}")
        headers = self._address.headers()
        async with open_stream(self._client.http, url, headers=headers, silence_s=silence_s) as events:
            self.host.answered()
            updates = (self._event_parser.parse(event, job_id) async for event in events)
            async with aclosing(updates):
                yield updates

    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        query = {"types": str(kind), "order_by": "created_at", "order": "descendent"}
        page = {"limit": str(PAGE_SIZE)} | ({"offset": str(skip)} if skip else {})
        answer = await self._list("/file", query | page)
        files = self._response_parser.items_in(answer)
        return JobPage(
            jobs=[job for file in files if (job := listed_job(file, kind))],
            item_ids=tuple(an_id(file.get("id")) for file in files),
            more=self._more_behind(len(files)),
            backend_time=date_of(answer.headers),
        )

    async def cancel(self, job_id: str) -> None:
        answer = await self._call("DELETE", f"/file/{_segment(job_id)}", timeout_s=POLL_TIMEOUT_S)
        self._response_parser.require_cancelled(answer)

    async def models(self) -> list[Model]:
        models: dict[tuple[Kind, str], Model] = {}
        for offer in await self._offers():
            if model := model_of(offer, self.name):
                models.setdefault((model.kind, model.name), model)
        return list(models.values())

    async def _offers(self) -> list[dict[str, Any]]:
        """Reads all pages, however few items the service puts on one. A service that knows no pages repeats
        the first one or refuses a second.
        """
        offers: list[dict[str, Any]] = []
        seen: set[tuple[str, str]] = set()
        read, page_size = 0, 0
        while read < MAX_OFFERS:
            query = {"limit": str(OFFERS_PER_PAGE)} | ({"offset": str(read)} if read else {})
            try:
                page = self._response_parser.items_in(await self._list("/generation-config", query))
            except BackendError:
                if read == 0 or page_size >= OFFERS_PER_PAGE:  # there is certainly more
                    raise
                break
            new = [offer for offer in page if _named(offer) not in seen]
            if not new:
                break
            offers += new
            seen.update(map(_named, new))
            page_size = len(page)
            read += page_size
        return offers

    def headers_for(self, url: str) -> dict[str, str]:
        return self._address.headers() if self._address.is_origin_of(url) else {}

    async def close(self) -> None:
        await self._client.close()

    async def _upload(self, generation: Generation, source: bytes) -> str:
        """An upload costs nothing: whatever fails here, the request was not accepted."""
        if known := self._references.get(generation.id):
            return known
        name, content_type = upload_name(source)
        try:
            answer = await self._call(
                "POST",
                "/file/upload",
                timeout_s=UPLOAD_TIMEOUT_S,
                params={"type": "image"},
                files={"payload": (name, source, content_type)},
            )
            self._response_parser.require_accepted(answer)
        except BackendUnavailable as error:
            error.not_taken = True
            raise
        reference = self._response_parser.reference_in(answer)
        self._references[generation.id] = reference
        return reference

    async def _accepted_before(self, generation: Generation) -> JobId:
        """Finds the job that took the key with other bytes (a repeated upload)."""
        since = (generation.possibly_accepted_since or generation.created_at) - CLOCK_TOLERANCE_S
        jobs = await self._made_since(since, generation.request.kind) if self.capabilities.searchable else []
        found = [
            job for job in {job.job_id: job for job in jobs}.values() if matches(generation.request, job)
        ]
        if found and all(same_answer(found[0], job) for job in found):
            return JobId(*(job.job_id for job in found))
        sentence = f"{self.name} took this before, and it cannot be told as which job."
        raise BackendUnavailable(sentence, backend=self.name)

    def _more_behind(self, page_size: int) -> bool | None:
        if page_size >= PAGE_SIZE:
            self._gives_full_pages = True
            return True
        return False if self._gives_full_pages or page_size == 0 else None

    async def _made_since(self, since: float, kind: Kind) -> list[ListedJob]:
        """Jobs without a time included; reads page by page, whatever the length of a page."""
        jobs: dict[str, ListedJob] = {}
        seen: set[str] = set()
        read = 0
        while read < MAX_SEARCHED:
            page = await self.listed(kind, skip=read)
            new = set(page.item_ids) - seen
            seen |= new
            read += len(page.item_ids)
            made = [job for job in page.jobs if job.created_at is None or job.created_at >= since]
            jobs |= {job.job_id: job for job in made}
            if not new or page.more is False or len(made) < len(page.jobs):
                break
        return list(jobs.values())

    async def _list(self, path: str, query: dict[str, str]) -> BoundedResponse:
        return await self._call("GET", path, timeout_s=LIST_TIMEOUT_S, max_bytes=MAX_LIST_BYTES, params=query)

    async def _call(self, method: str, path: str, **parts: Any) -> BoundedResponse:
        """Raises BackendUnavailable; `not_taken` only where the connection never opened."""
        if not self._address.url:
            raise BackendUnavailable(f"{self.name} has not started yet.", backend=self.name, not_taken=True)
        try:
            return await self._request(method, path, **parts)
        except HTTP_ERRORS as error:
            not_taken = isinstance(error, NEVER_CONNECTED)
            sentence = f"{self.name} {BREAKDOWNS['refused' if not_taken else _reason(error)]}."
            raise BackendUnavailable(sentence, backend=self.name, not_taken=not_taken) from error

    async def _request(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        max_bytes: int = MAX_FILE_BYTES,
        headers: dict[str, str] | None = None,
        **parts: Any,
    ) -> BoundedResponse:
        """Raises HTTP_ERRORS, and ChannelLost before the embedded server has started."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **self._address.headers(),
            **(headers or {}),
        }
        answer = await self._client.request(
            method, self._url(path), within_s=timeout_s, max_bytes=MAX_LIST_BYTES, headers=headers, **parts
        )
        too_long = answer.body is not None and len(answer.body) > max_bytes and INLINE not in answer.body
        return replace(answer, body=None) if too_long else answer

    def _url(self, path: str) -> str:
        if not self._address.url:
            raise ChannelLost(f"{self.name} has not started yet.", reason="refused")
        return f"{self._address.url}/api/v1{path}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "timeout"
    return "refused" if isinstance(error, NEVER_CONNECTED) else "reset"


def _named(offer: dict[str, Any]) -> tuple[str, str]:
    return a_text(offer.get("name")), a_text(offer.get("type"))


def _segment(job_id: str) -> str:
    """An id as one part of a path, whatever the backend put into it."""
    return quote(job_id, safe="")

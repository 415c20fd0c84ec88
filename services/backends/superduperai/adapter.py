"""The HTTP calls of the service."""

import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from services.backends.base import Capabilities
from services.backends.job_listing import JobPage, matches
from services.backends.lenient_json import an_id
from services.backends.superduperai.events import EventParser
from services.backends.superduperai.models import model_of
from services.backends.superduperai.requests import listed_job, request_body, upload_name
from services.backends.superduperai.responses import ResponseParser
from services.core.errors import BackendUnavailable, ChannelLost
from services.core.model import Generation, JobUpdate, Kind, Model
from services.http.address import Address
from services.http.client import BackendClient, BoundedResponse
from services.http.event_stream import lost_by_status, open_stream
from services.http.host_limiter import HostLimiter
from services.http.retry_after import date_of

POLL_S, SUBMIT_S, UPLOAD_S, LIST_S = 10.0, 30.0, 180.0, 20.0
FILE_BYTES, LIST_BYTES = 1024 * 1024, 8 * 1024 * 1024
CLOCKS_DIFFER_S = 300.0
LISTED_AT_ONCE = 50


class SuperDuperAI:
    """A submit without an answer within `answers_within_s` (30 s by default) may have been accepted."""

    def __init__(
        self,
        *,
        name: str,
        address: Address,
        capabilities: Capabilities,
        ssl_context: ssl.SSLContext | None = None,
        answers_within_s: float | None = None,
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self.host = HostLimiter()
        self._answers_within_s = answers_within_s
        self._address = address
        self._client = BackendClient(self.host, tls=ssl_context)
        self._response_parser = ResponseParser(name, address)
        self._event_parser = EventParser(address)
        self._references: dict[str, str] = {}
        """By generation: a repeated submit has the same bytes, the id of its reference included."""

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        request = generation.request
        reference = await self._upload(generation, source) if source is not None else None
        headers = {"Content-Type": "application/json"}
        if self.capabilities.idempotent:
            headers["Idempotency-Key"] = generation.id
        answer = await self._work(
            "POST",
            f"/file/generate-{request.kind}",
            within_s=SUBMIT_S if self._answers_within_s is None else self._answers_within_s,
            content=request_body(request, reference),
            headers=headers,
        )
        if answer.status == 409 and self.capabilities.idempotent:
            return await self._accepted_before(generation)
        self._response_parser.require_accepted(
            answer, secrets=(request.prompt, request.settings.negative_prompt)
        )
        job_id = self._response_parser.job_id_in(answer)
        self._references.pop(generation.id, None)
        return job_id

    async def poll(self, job_id: str) -> JobUpdate:
        try:
            answer = await self._client.request(
                "GET",
                self._url(f"/file/{_segment(job_id)}"),
                within_s=POLL_S,
                max_bytes=FILE_BYTES,
                headers=self._headers(),
            )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ChannelLost(f"{self.name} did not answer in time.", reason="timeout") from error
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ChannelLost(f"{self.name} cannot be reached.", reason="refused") from error
        except httpx.HTTPError as error:
            raise ChannelLost(f"{self.name} broke the connection.", reason="reset") from error
        if answer.status != 200:
            raise lost_by_status(answer.status, answer.headers)
        return self._event_parser.polled(answer.body, job_id)

    @asynccontextmanager
    async def updates(self, job_id: str, *, silence_s: float) -> AsyncIterator[AsyncIterator[JobUpdate]]:
        url = self._url(f"/events/file.{_segment(job_id)}")
        headers = self._address.headers()
        async with open_stream(self._client.http, url, headers=headers, silence_s=silence_s) as events:
            self.host.answered()
            async with aclosing(self._event_parser.updates(events, job_id)) as updates:
                yield updates

    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        query = {"types": str(kind), "order_by": "created_at", "order": "descendent"}
        page = {"limit": str(LISTED_AT_ONCE)} | ({"offset": str(skip)} if skip else {})
        answer = await self._list("/file", query | page)
        files = self._response_parser.items_in(answer)
        return JobPage(
            jobs=[job for file in files if (job := listed_job(file, kind))],
            item_ids=tuple(an_id(file.get("id")) for file in files),
            more=len(files) >= LISTED_AT_ONCE,
            backend_time=date_of(answer.headers),
        )

    async def cancel(self, job_id: str) -> None:
        answer = await self._work("DELETE", f"/file/{_segment(job_id)}", within_s=POLL_S)
        self._response_parser.require_cancelled(answer)

    async def models(self) -> list[Model]:
        offers = self._response_parser.items_in(await self._list("/generation-config", {"limit": "100"}))
        models: dict[tuple[Kind, str], Model] = {}
        for offer in offers:
            if model := model_of(offer, self.name):
                models.setdefault((model.kind, model.name), model)
        return list(models.values())

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
            answer = await self._work(
                "POST",
                "/file/upload",
                within_s=UPLOAD_S,
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

    async def _accepted_before(self, generation: Generation) -> str:
        """The key is known there, with other bytes: a source was uploaded anew, and the first job runs."""
        since = (generation.possibly_accepted_since or generation.created_at) - CLOCKS_DIFFER_S
        jobs = (await self.listed(generation.request.kind)).jobs if self.capabilities.searchable else []
        found = {
            job.job_id
            for job in jobs
            if matches(generation.request, job) and (job.created_at is None or job.created_at >= since)
        }
        if len(found) == 1:
            return found.pop()
        sentence = f"{self.name} took this before, and it cannot be told as which job."
        raise BackendUnavailable(sentence, backend=self.name)

    async def _list(self, path: str, query: dict[str, str]) -> BoundedResponse:
        return await self._work("GET", path, within_s=LIST_S, max_bytes=LIST_BYTES, params=query)

    async def _work(
        self,
        method: str,
        path: str,
        *,
        within_s: float,
        max_bytes: int = FILE_BYTES,
        headers: dict[str, str] | None = None,
        **parts: Any,
    ) -> BoundedResponse:
        """Raises BackendUnavailable; `not_taken` only where the connection never opened."""
        if not self._address.url:
            raise BackendUnavailable(f"{self.name} has not started yet.", backend=self.name, not_taken=True)
        try:
            return await self._client.request(
                method,
                self._url(path),
                within_s=within_s,
                max_bytes=max_bytes,
                headers=self._headers() | (headers or {}),
                **parts,
            )
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.InvalidURL,
            httpx.UnsupportedProtocol,
        ) as error:
            sentence = f"{self.name} cannot be reached."
            raise BackendUnavailable(sentence, backend=self.name, not_taken=True) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise BackendUnavailable(f"{self.name} did not answer in time.", backend=self.name) from error
        except httpx.HTTPError as error:
            raise BackendUnavailable(f"{self.name} broke the connection.", backend=self.name) from error

    def _url(self, path: str) -> str:
        if not self._address.url:
            raise ChannelLost(f"{self.name} has not started yet.", reason="refused")
        return f"{self._address.url}/api/v1{path}"

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "Accept-Encoding": "identity"} | self._address.headers()


def _segment(job_id: str) -> str:
    """An id as one part of a path, whatever the backend put into it."""
    return quote(job_id, safe="")

"""Checks each configured backend: its models, polls, stream and clock. Nothing is paid."""

import asyncio
from collections.abc import Awaitable

import httpx

from services.backends.base import Backend
from services.core.errors import BackendError, ChannelLost, Sentence
from services.diagnostics.doctor.clock import clock
from services.diagnostics.doctor.finding import Finding, failed, passed

WITHIN_S = 10.0
STREAM_WITHIN_S = 5.0
UNKNOWN_JOB_ID = "00000000-0000-4000-8000-000000000000"
"""A backend that can be reached answers that it has no such job."""
ANSWERED = frozenset({"gone", "no_content"})
ADVICE = {
    "unauthorized": Sentence("The key was rejected. Set a valid key and restart."),
    "busy": Sentence("The limit is reached. Wait, or ask the provider for a higher one."),
}
UNREACHED = Sentence("Check the backend's address in the settings, and this machine's firewall and DNS.")


async def check(backend: Backend, url: str, client: httpx.AsyncClient) -> list[Finding]:
    """`url` is the backend's address; only its clock is read there, without a key."""
    models, poll, stream, time_ = await asyncio.gather(
        _models(backend), _poll(backend), _stream(backend), _clock(backend, url, client)
    )
    return [models, poll, stream, *([time_] if time_ else [])]


async def _models(backend: Backend) -> Finding:
    try:
        async with asyncio.timeout(WITHIN_S):
            count = len(await backend.models())
    except BackendError as error:
        return failed(
            backend.name, Sentence("The model list is unavailable: {error}", error=error), UNREACHED
        )
    except TimeoutError:
        says = Sentence("The model list timed out after {seconds} s.", seconds=round(WITHIN_S))
        return failed(backend.name, says, UNREACHED)
    if not count:
        advice = Sentence("Ask the provider which models the key can use.")
        return failed(backend.name, Sentence("The model list is empty."), advice)
    return passed(backend.name, Sentence("Models: {count}.", count=count))


async def _poll(backend: Backend) -> Finding:
    reason = await _failure(backend.poll(UNKNOWN_JOB_ID), WITHIN_S)
    if not reason:
        return passed(backend.name, Sentence("Polling works."))
    says = Sentence("Polling fails ({reason}).", reason=reason)
    return failed(backend.name, says, ADVICE.get(reason, UNREACHED))


async def _stream(backend: Backend) -> Finding:
    if not backend.capabilities.push:
        return passed(backend.name, Sentence("No event stream."))
    reason = await _failure(_open_stream(backend), STREAM_WITHIN_S + 1.0)
    if not reason:
        return passed(backend.name, Sentence("The event stream works."))
    says = Sentence("The event stream fails ({reason}).", reason=reason)
    return failed(backend.name, says, ADVICE.get(reason, UNREACHED))


async def _open_stream(backend: Backend) -> None:
    async with backend.updates(UNKNOWN_JOB_ID, silence_s=STREAM_WITHIN_S):
        pass


async def _failure(call: Awaitable[object], within_s: float) -> str:
    """Returns the reason for which the backend gave no answer; empty where it gave one."""
    try:
        async with asyncio.timeout(within_s):
            await call
    except ChannelLost as lost:
        return "" if lost.reason in ANSWERED else lost.reason
    except TimeoutError:
        return "timeout"
    return ""


async def _clock(backend: Backend, url: str, client: httpx.AsyncClient) -> Finding | None:
    if not url:
        return None
    try:
        async with asyncio.timeout(WITHIN_S):
            return clock(backend.name, (await client.head(url)).headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return None

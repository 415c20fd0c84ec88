"""Checks each configured backend: its models, polls, stream and clock. Nothing is paid."""

import asyncio

import httpx

from services.backends.base import Backend
from services.core.errors import BackendError, ChannelLost, Sentence
from services.diagnostics.doctor.clock import clock
from services.diagnostics.doctor.finding import Finding, failed, passed

WITHIN_S = 10.0
STREAM_WITHIN_S = 5.0
NOBODY = "00000000-0000-4000-8000-000000000000"
"""A job that does not exist: a backend that can be reached says so."""
ANSWERED = frozenset({"", "gone", "no_content"})
ADVICE = {
    "unauthorized": Sentence("The key is not accepted: set the right one, and restart."),
    "busy": Sentence("Its limit is reached: wait, or ask its provider for more."),
}
UNREACHED = Sentence(
    "Check its address in the settings, and that this machine's firewall and DNS let it through."
)


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
        return failed(backend.name, Sentence("Its models are not to be had: {error}", error=error), UNREACHED)
    except TimeoutError:
        says = Sentence("Its models did not come within {seconds} s.", seconds=round(WITHIN_S))
        return failed(backend.name, says, UNREACHED)
    if not count:
        advice = Sentence("Ask its provider whether the key may use any.")
        return failed(backend.name, Sentence("It lists no model."), advice)
    return passed(backend.name, Sentence("Models it lists: {count}.", count=count))


async def _poll(backend: Backend) -> Finding:
    try:
        async with asyncio.timeout(WITHIN_S):
            await backend.poll(NOBODY)
    except ChannelLost as lost:
        return _judge_poll(backend.name, lost.reason)
    except TimeoutError:
        return _judge_poll(backend.name, "timeout")
    return _judge_poll(backend.name, "")


async def _stream(backend: Backend) -> Finding:
    if not backend.capabilities.push:
        return passed(backend.name, Sentence("It has no stream."))
    try:
        async with (
            asyncio.timeout(STREAM_WITHIN_S + 1.0),
            backend.updates(NOBODY, silence_s=STREAM_WITHIN_S),
        ):
            pass
    except ChannelLost as lost:
        return _judge_stream(backend.name, lost.reason)
    except TimeoutError:
        return _judge_stream(backend.name, "timeout")
    return _judge_stream(backend.name, "")


def _judge_poll(name: str, reason: str) -> Finding:
    if reason in ANSWERED:
        return passed(name, Sentence("Polling is answered."))
    says = Sentence("Polling is not answered ({reason}).", reason=reason)
    return failed(name, says, ADVICE.get(reason, UNREACHED))


def _judge_stream(name: str, reason: str) -> Finding:
    if reason in ANSWERED:
        return passed(name, Sentence("Its stream is answered."))
    says = Sentence("Its stream is not answered ({reason}).", reason=reason)
    return failed(name, says, ADVICE.get(reason, UNREACHED))


async def _clock(backend: Backend, url: str, client: httpx.AsyncClient) -> Finding | None:
    if not url:
        return None
    try:
        async with asyncio.timeout(WITHIN_S):
            return clock(backend.name, (await client.head(url)).headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return None

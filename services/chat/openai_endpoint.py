"""An OpenAI-compatible endpoint, asked over the same transport as the backends."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.backends.lenient_json import an_object, objects, read_json
from services.chat.llm_tools import TOOLS
from services.core.errors import AppError, ChannelLost
from services.core.runtime import monotonic
from services.http.address import Address
from services.http.client import http_client
from services.http.event_stream import REQUEST_HEADERS, EventStream
from services.http.proxy import OutboundProxy
from services.http.transport import Transport

CONNECT_TIMEOUT_S = 5.0
PARTIAL_EVERY_S = 0.15
MAX_CHARACTERS = 8_000
MAX_ARGUMENT_CHARACTERS = 20_000
MAX_CALLS = 4

Turn = dict[str, Any]
"""One message of the chat completions protocol."""
OnText = Callable[[str], None]
"""Called with all of the text so far."""


class LlmUnavailable(AppError):
    """The language model did not answer. `code`: down, refused, slow or nonsense."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True, kw_only=True)
class Completion:
    text: str = ""
    calls: tuple[Call, ...] = ()


class OpenAIEndpoint:
    """`silence_s` is the longest pause between two pieces, `within_s` the longest answer."""

    def __init__(
        self,
        address: Address,
        model: str,
        *,
        silence_s: float = 20.0,
        within_s: float = 60.0,
        proxy: OutboundProxy | None = None,
    ) -> None:
        self._address = address
        self._model = model
        self._timeout = httpx.Timeout(None, connect=min(CONNECT_TIMEOUT_S, silence_s), read=silence_s)
        self._within_s = within_s
        self._client = http_client(Transport(proxy=proxy))

    async def ask(self, turns: Sequence[Turn], on_text: OnText) -> Completion:
        """Raises LlmUnavailable. Without redirects the key goes to this address and to no other."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._ask(turns, on_text)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise LlmUnavailable("No answer in time.", code="slow") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LlmUnavailable("The connection failed.", code="down") from error
        except ChannelLost as lost:
            code = {"silent": "slow", "reset": "down"}.get(lost.reason, "nonsense")
            raise LlmUnavailable("Its answer broke off.", code=code) from lost

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, turns: Sequence[Turn], on_text: OnText) -> Completion:
        """Raises LlmUnavailable, ChannelLost, and httpx's errors."""
        body = {"model": self._model, "messages": list(turns), "tools": TOOLS, "stream": True}
        headers = REQUEST_HEADERS | self._address.headers() | {"Content-Type": "application/json"}
        async with self._client.stream(
            "POST",
            f"{self._address.url}/chat/completions",
            content=json.dumps(body).encode(),
            headers=headers,
            timeout=self._timeout,
        ) as response:
            _require_ok(response.status_code)
            async with aclosing(EventStream(response)) as events:
                return await _read(events, on_text)


async def _read(events: EventStream, on_text: OnText) -> Completion:
    """Not every server says [DONE] at the end."""
    answer, published_at = _Answer(), 0.0
    try:
        async for event in events:
            if event.data.strip() == "[DONE]":
                break
            answer.add(event.data)
            if answer.text and monotonic() - published_at >= PARTIAL_EVERY_S:
                published_at = monotonic()
                on_text(_whole(answer.text))
    except ChannelLost:
        if not answer.ended:
            raise
    return answer.completion()


@dataclass(slots=True)
class _Answer:
    """The pieces so far."""

    text: str = ""
    calls: dict[int, Call] = field(default_factory=dict)
    ended: bool = False

    def add(self, data: str) -> None:
        """Raises LlmUnavailable."""
        try:
            chunk = an_object(read_json(data))
        except ValueError as error:
            raise LlmUnavailable("Its answer cannot be read.", code="nonsense") from error
        for choice in objects(chunk.get("choices"))[:1]:
            delta = an_object(choice.get("delta"))
            self.ended = self.ended or bool(choice.get("finish_reason"))
            self.text += _text(delta.get("content"))
            for piece in objects(delta.get("tool_calls")):
                self._add_call(piece)
        if len(self.text) > MAX_CHARACTERS or len(self.calls) > MAX_CALLS:
            raise LlmUnavailable("It does not come to an end.", code="nonsense")

    def _add_call(self, piece: dict[str, Any]) -> None:
        """A call's name comes first, then its arguments in parts."""
        index, function = piece.get("index"), an_object(piece.get("function"))
        call = self.calls.setdefault(index if isinstance(index, int) else 0, Call())
        call.id = call.id or _text(piece.get("id"))
        call.name += _text(function.get("name"))
        call.arguments += _text(function.get("arguments"))
        if len(call.arguments) > MAX_ARGUMENT_CHARACTERS:
            raise LlmUnavailable("A call does not come to an end.", code="nonsense")

    def completion(self) -> Completion:
        if not self.ended:
            raise LlmUnavailable("Its answer broke off.", code="nonsense")
        calls = tuple(self.calls[index] for index in sorted(self.calls))
        for call in calls:
            call.arguments = _whole(call.arguments)
        return Completion(text=_whole(self.text).strip(), calls=calls)


def _require_ok(status: int) -> None:
    if status != 200:
        code = "down" if status == 429 or status >= 500 else "refused"
        raise LlmUnavailable(f"It answered {status}.", code=code)


def _whole(text: str) -> str:
    """Joins the halves of surrogate pairs that came in two pieces; a half alone becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

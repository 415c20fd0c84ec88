"""An OpenAI-compatible endpoint. Imported only where one is set: the library takes 1.6 s to load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, OpenAIError

from services.chat.llm import Answer, Call, LlmUnavailable

BEAT_S = 0.15
MOST_CHARACTERS = 8_000
MOST_ARGUMENTS = 20_000
MOST_CALLS = 4
UNREADABLE = (httpx2.HTTPError, OpenAIError, ValueError, TypeError, AttributeError, KeyError, IndexError)
"""The library reads chunks without checking them: whatever an endpoint sends comes out as one of these."""


class OpenAIEndpoint:
    def __init__(self, url: str, key: str, model: str, *, silence_s: float, within_s: float) -> None:
        """`silence_s` is the longest pause between two pieces, `within_s` the longest answer."""
        self._model = model
        self._silence_s = silence_s
        self._within_s = within_s
        web = httpx2.AsyncClient(
            timeout=httpx2.Timeout(silence_s, connect=min(5.0, silence_s)),
            trust_env=False,
            follow_redirects=False,  # the key goes to this address and to no other
        )
        self._client = AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0, http_client=web)

    async def ask(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        speak: Callable[[str], None],
    ) -> Answer:
        """`speak` is told all words so far. Raises Speechless."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._ask(messages, tools, speak)
        except (TimeoutError, APITimeoutError, httpx2.TimeoutException) as error:
            raise LlmUnavailable("No answer in time.", code="slow") from error
        except APIStatusError as error:
            status = error.status_code
            code = "down" if status == 429 or status >= 500 else "refused"
            raise LlmUnavailable(f"It answered {status}.", code=code) from error
        except (APIConnectionError, httpx2.TransportError) as error:
            raise LlmUnavailable("The connection failed.", code="down") from error
        except UNREADABLE as error:
            raise LlmUnavailable(
                f"Its answer cannot be read ({type(error).__name__}).", code="nonsense"
            ) from error

    async def close(self) -> None:
        await self._client.close()

    async def _ask(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        speak: Callable[[str], None],
    ) -> Answer:
        stream: Any = await self._client.chat.completions.create(
            model=self._model,
            messages=list(messages),  # type: ignore[arg-type]
            tools=list(tools),  # type: ignore[arg-type]
            stream=True,
        )
        said, told_at, ended = "", 0.0, False
        calls: dict[int, Call] = {}
        async with stream:
            async for chunk in stream:
                if not chunk.choices:
                    continue
                delta = chunk.choices[0].delta
                ended = ended or chunk.choices[0].finish_reason is not None
                said += delta.content or ""
                for piece in delta.tool_calls or ():
                    _add(calls, piece)
                if len(said) > MOST_CHARACTERS or len(calls) > MOST_CALLS:
                    raise LlmUnavailable("It does not come to an end.", code="nonsense")
                if said and time.monotonic() - told_at >= BEAT_S:
                    told_at = time.monotonic()
                    speak(said)
        if not ended:
            raise LlmUnavailable("Its answer broke off.", code="nonsense")
        return Answer(text=said.strip(), calls=tuple(calls[index] for index in sorted(calls)))


def _add(calls: dict[int, Call], piece: Any) -> None:
    """A call comes in pieces: its name first, then its arguments bit by bit."""
    call = calls.setdefault(piece.index or 0, Call())
    call.id = call.id or piece.id or ""
    if piece.function is not None:
        call.name += piece.function.name or ""
        call.arguments += piece.function.arguments or ""
    if len(call.arguments) > MOST_ARGUMENTS:
        raise LlmUnavailable("A call does not come to an end.", code="nonsense")

"""An OpenAI-compatible endpoint. Imported only when one is set: the library takes 1.6 s to load."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import openai

from services.chat.llm import Call, Completion, LlmUnavailable, OnText, Turn
from services.chat.llm_tools import TOOLS

PARTIAL_EVERY_S = 0.15
MAX_CHARACTERS = 8_000
MAX_ARGUMENT_CHARACTERS = 20_000
MAX_CALLS = 4
UNREADABLE = (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError, IndexError)
"""The library does not validate chunks: malformed ones raise any of these."""


class OpenAIEndpoint:
    def __init__(self, url: str, key: str, model: str, silence_s: float, within_s: float) -> None:
        self._model = model
        self._within_s = within_s
        self._client = openai.AsyncOpenAI(
            base_url=url,
            api_key=key or "none",
            max_retries=0,
            timeout=openai.Timeout(silence_s, connect=min(5.0, silence_s)),
            # without redirects the key goes to this address and to no other
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, follow_redirects=False),
        )

    async def ask(self, turns: Sequence[Turn], on_text: OnText) -> Completion:
        """Raises LlmUnavailable."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._ask(turns, on_text)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise LlmUnavailable("No answer in time.", code="slow") from error
        except openai.APIStatusError as error:
            status = error.status_code
            code = "down" if status == 429 or status >= 500 else "refused"
            raise LlmUnavailable(f"It answered {status}.", code=code) from error
        except openai.APIConnectionError as error:
            raise LlmUnavailable("The connection failed.", code="down") from error
        except UNREADABLE as error:
            sentence = f"Its answer cannot be read ({type(error).__name__})."
            raise LlmUnavailable(sentence, code="nonsense") from error

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, turns: Sequence[Turn], on_text: OnText) -> Completion:
        stream: Any = await self._client.chat.completions.create(
            model=self._model,
            messages=list(turns),  # type: ignore[arg-type]
            tools=TOOLS,  # type: ignore[arg-type]
            stream=True,
        )
        text, published_at, ended = "", 0.0, False
        calls: dict[int, Call] = {}
        async with stream:
            async for chunk in stream:
                if not chunk.choices:
                    continue
                delta = chunk.choices[0].delta
                ended = ended or chunk.choices[0].finish_reason is not None
                text += delta.content or ""
                for piece in delta.tool_calls or ():
                    _add(calls, piece)
                if len(text) > MAX_CHARACTERS or len(calls) > MAX_CALLS:
                    raise LlmUnavailable("It does not come to an end.", code="nonsense")
                if text and time.monotonic() - published_at >= PARTIAL_EVERY_S:
                    published_at = time.monotonic()
                    on_text(text)
        if not ended:
            raise LlmUnavailable("Its answer broke off.", code="nonsense")
        return Completion(text=text.strip(), calls=tuple(calls[index] for index in sorted(calls)))


def _add(calls: dict[int, Call], piece: Any) -> None:
    """Adds a piece of a call: its name comes first, then its arguments in parts."""
    call = calls.setdefault(piece.index or 0, Call())
    call.id = call.id or piece.id or ""
    if piece.function is not None:
        call.name += piece.function.name or ""
        call.arguments += piece.function.arguments or ""
    if len(call.arguments) > MAX_ARGUMENT_CHARACTERS:
        raise LlmUnavailable("A call does not come to an end.", code="nonsense")

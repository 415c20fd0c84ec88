"""The optional language model: turns a message into a plan, with two tools that the app describes to it."""

import asyncio
import importlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from services.chat.llm_tools import InvalidToolCall, plan_call
from services.chat.plan import Adjustment, Plan, PlannedGeneration
from services.chat.planning import Models
from services.core.conversation import Message, Role, Sort
from services.core.errors import AppError
from services.core.model import Generation, Kind, Model, Phase
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

SILENCE_S = 20.0
WITHIN_S = 60.0
LOOKED_BACK = 30
HISTORY_CHARACTERS = 12_000

INSTRUCTIONS = """\
You are the assistant of Rushes, a studio that makes videos and images. Be calm, plain and short:
one or two sentences, no markdown, in the person's language.
To make something, call make_video or make_image. What the person leaves open, leave out of the call.
Write the prompt as a description of what is to be seen. Never say that you made something without a call,
and never invent a link: what is made appears in the conversation by itself.
To change the last one, call again with the whole changed prompt and its other settings; keep its seed to
keep the scene, leave the seed out for another take.
"""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    text: str
    calls: tuple[Call, ...] = ()


Turn = dict[str, Any]
"""One message of the chat completions protocol."""
OnText = Callable[[str], None]
"""Called with all of the text so far."""


class Endpoint(Protocol):
    async def ask(self, turns: Sequence[Turn], on_text: OnText) -> Completion:
        """Raises LlmUnavailable."""

    async def close(self) -> None: ...


class LanguageModel:
    """Plans over any OpenAI-compatible endpoint, a local one included; starts nothing itself.

    `silence_s` is the longest pause between two pieces, `within_s` the longest answer.
    """

    def __init__(
        self,
        rows: ChatRows,
        models: Models,
        *,
        url: str,
        key: str,
        model: str,
        silence_s: float = SILENCE_S,
        within_s: float = WITHIN_S,
    ) -> None:
        self._rows = rows
        self._models = models
        self._address = (url, key, model)
        self._limits = {"silence_s": silence_s, "within_s": within_s}
        self._opening = asyncio.Lock()
        self._endpoint: Endpoint | None = None

    async def open(self) -> Endpoint:
        """Imports the library in a thread: it takes 1.6 s."""
        async with self._opening:
            if self._endpoint is None:
                library = await asyncio.to_thread(importlib.import_module, "services.chat.openai_endpoint")
                endpoint: Endpoint = library.OpenAIEndpoint(*self._address, **self._limits)
                self._endpoint = endpoint
            return self._endpoint

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()

    async def answer(self, message: Message, last: Generation | None, on_text: OnText) -> Plan:
        """Lets the model correct wrong arguments once. Raises LlmUnavailable."""
        endpoint = await self.open()
        turns = [
            {"role": "system", "content": INSTRUCTIONS + _defaults(self._models) + _last(last)},
            *await self._history(message),
            {"role": "user", "content": message.text},
        ]
        completion = await endpoint.ask(turns, on_text)
        try:
            return self._planned(completion, message, last)
        except InvalidToolCall as problem:
            log.info("The language model called a tool with wrong arguments; it may try once more.")
            turns += _corrected(completion, problem)
        completion = await endpoint.ask(turns, on_text)
        try:
            return self._planned(completion, message, last)
        except InvalidToolCall as problem:
            raise LlmUnavailable(
                "It called a tool with wrong arguments, twice.", code="nonsense"
            ) from problem

    def _planned(self, completion: Completion, message: Message, last: Generation | None) -> Plan:
        """Raises InvalidToolCall, LlmUnavailable."""
        if not completion.text and not completion.calls:
            raise LlmUnavailable("Its answer is empty.", code="nonsense")
        adjustments: list[Adjustment] = []
        works: list[PlannedGeneration] = []
        for call in completion.calls:
            try:
                arguments = json.loads(call.arguments or "{}")
                works.append(
                    plan_call(
                        call.name, arguments, self._models, adjustments, last=last, chat_id=message.chat_id
                    )
                )
            except ValidationError as error:
                raise InvalidToolCall(_first_problem(error)) from error
            except (ValueError, RecursionError) as error:
                raise InvalidToolCall("The arguments are no JSON object.") from error
        return Plan(
            code="making" if works else "said",
            works=tuple(works),
            notes=tuple(adjustments),
            text=completion.text,
        )

    async def _history(self, message: Message) -> list[Turn]:
        """The last turns, at most HISTORY_CHARACTERS of them, oldest first."""
        before = await self._rows.messages(message.chat_id, before=message.seq, limit=LOOKED_BACK)
        turns: list[Turn] = []
        room = HISTORY_CHARACTERS
        for each in reversed(before):
            text = _turn(each)
            if not text:
                continue
            room -= len(text)
            if room < 0:
                break
            turns.append({"role": "user" if each.role is Role.PERSON else "assistant", "content": text})
        return turns[::-1]


def _turn(message: Message) -> str:
    if message.sort is not Sort.WORDS or message.role is Role.PERSON:
        return message.text
    made = [
        f"(made a {work['kind']}: {work['prompt']})" for work in (message.understood or {}).get("works", ())
    ]
    return " ".join(part for part in (message.text, *made) if part)


def _defaults(models: Models) -> str:
    lines = [
        f"- {kind}: {_described(model)}"
        for kind in Kind
        for model in models.models(kind, needs_source=False)[:1]
    ]
    return "What is used without further words:\n" + "\n".join(lines) + "\n"


def _described(model: Model) -> str:
    lengths = ", ".join(f"{length:g}" for length in model.durations_s[:20])
    parts = [model.label, f"frames {', '.join(model.aspect_ratios)}"]
    if lengths:
        parts.append(f"from {lengths} seconds" if model.any_duration else f"{lengths} seconds")
    return "; ".join(parts)


def _last(last: Generation | None) -> str:
    if last is None or last.trashed_at is not None:
        return "Nothing has been made in this conversation yet."
    request = last.request
    facts = {
        "kind": str(request.kind),
        "prompt": request.prompt,
        "duration_s": request.settings.duration_s,
        "aspect_ratio": request.settings.aspect_ratio,
        "resolution": request.settings.resolution,
        "seed": request.seed,
        "finished": last.phase is Phase.COMPLETED,
    }
    return f"The last one: {json.dumps(facts, ensure_ascii=False)}"


def _corrected(completion: Completion, problem: InvalidToolCall) -> list[Turn]:
    """Its answer, and for each call the reason why it was refused."""
    calls = [
        {
            "id": call.id or f"call-{number}",
            "type": "function",
            "function": {"name": call.name or "make_video", "arguments": call.arguments},
        }
        for number, call in enumerate(completion.calls)
    ]
    wrong = f"Not taken: {problem} Call again, with arguments as described."
    refusals = [{"role": "tool", "tool_call_id": call["id"], "content": wrong} for call in calls]
    return [{"role": "assistant", "content": completion.text or None, "tool_calls": calls}, *refusals]


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."

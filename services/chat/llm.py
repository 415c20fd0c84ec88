"""The optional language model: it converses, and calls the same two tools as the parser."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from services.chat.llm_tools import TOOLS, Unusable, work_of
from services.chat.plan import Note, Plan, Work
from services.chat.planning import Models
from services.core.conversation import Message, Role, Sort
from services.core.errors import AppError
from services.core.model import Generation, Kind, Model, Phase
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

SILENCE_S = 20.0
WITHIN_S = 60.0
LOOKED_BACK = 30
REMEMBERED = 12_000
"""Characters of the conversation that go along."""

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
    """The language model cannot answer. `code`: down, refused, slow or nonsense."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    calls: tuple[Call, ...] = ()


Turn = dict[str, Any]
"""One message, as the protocol spells it."""


class Endpoint(Protocol):
    async def ask(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        speak: Callable[[str], None],
    ) -> Answer: ...

    async def close(self) -> None: ...


class LanguageModel:
    """At any OpenAI-compatible address, a local one too. It only plans: others start what it planned."""

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
        self._named = (url, key, model)
        self._limits = {"silence_s": silence_s, "within_s": within_s}
        self._opening = asyncio.Lock()
        self._endpoint: Endpoint | None = None

    async def open(self) -> Endpoint:
        """Load the library, which takes a while, away from the loop."""
        async with self._opening:
            if self._endpoint is None:
                library = await asyncio.to_thread(importlib.import_module, "services.chat.openai_endpoint")
                endpoint: Endpoint = library.OpenAIEndpoint(*self._named, **self._limits)
                self._endpoint = endpoint
            return self._endpoint

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()

    async def answer(self, message: Message, last: Generation | None, speak: Callable[[str], None]) -> Plan:
        """Wrong arguments may be corrected once. Raises LlmUnavailable."""
        endpoint = await self.open()
        messages = [
            {"role": "system", "content": INSTRUCTIONS + _offered(self._models) + _last(last)},
            *await self._history(message),
            {"role": "user", "content": message.text},
        ]
        answer = await endpoint.ask(messages, TOOLS, speak)
        try:
            return self._planned(answer, message, last)
        except Unusable as problem:
            log.info("The language model called a tool with wrong arguments; it may try once more.")
            messages += _corrected(answer, problem)
        answer = await endpoint.ask(messages, TOOLS, speak)
        try:
            return self._planned(answer, message, last)
        except Unusable as problem:
            raise LlmUnavailable(
                "It called a tool with wrong arguments, twice.", code="nonsense"
            ) from problem

    def _planned(self, answer: Answer, message: Message, last: Generation | None) -> Plan:
        """Raises Unusable, LlmUnavailable."""
        if not answer.text and not answer.calls:
            raise LlmUnavailable("It said nothing.", code="nonsense")
        notes: list[Note] = []
        works: list[Work] = []
        for call in answer.calls:
            try:
                arguments = json.loads(call.arguments or "{}")
                works.append(
                    work_of(call.name, arguments, self._models, notes, last=last, chat_id=message.chat_id)
                )
            except ValidationError as error:
                raise Unusable(_first_problem(error)) from error
            except (ValueError, RecursionError) as error:
                raise Unusable("The arguments are no JSON object.") from error
        return Plan(
            code="making" if works else "said", works=tuple(works), notes=tuple(notes), text=answer.text
        )

    async def _history(self, message: Message) -> list[Turn]:
        """The last turns, as far as there is room, oldest first."""
        before = await self._rows.messages(message.chat_id, before=message.seq, limit=LOOKED_BACK)
        turns: list[Turn] = []
        room = REMEMBERED
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


def _offered(models: Models) -> str:
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


def _corrected(answer: Answer, problem: Unusable) -> list[Turn]:
    """What it said, and what is wrong with each of its calls."""
    calls = [
        {
            "id": call.id or f"call-{number}",
            "type": "function",
            "function": {"name": call.name or "make_video", "arguments": call.arguments},
        }
        for number, call in enumerate(answer.calls)
    ]
    wrong = f"Not taken: {problem} Call again, with arguments as described."
    told = [{"role": "tool", "tool_call_id": call["id"], "content": wrong} for call in calls]
    return [{"role": "assistant", "content": answer.text or None, "tool_calls": calls}, *told]


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."

"""The optional language model: turns a message into a plan, with two tools that the app describes to it."""

import json
import logging

from services.chat.llm_tools import InvalidToolCall, plan_call
from services.chat.openai_endpoint import Completion, LlmUnavailable, OnText, OpenAIEndpoint, Turn
from services.chat.plan import Adjustment, Plan
from services.chat.planning import Models
from services.core.conversation import Message, Role, Sort
from services.core.model import Generation, Kind, Phase
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

MAX_HISTORY_MESSAGES = 30
MAX_HISTORY_CHARACTERS = 12_000

INSTRUCTIONS = """\
You are the assistant of Rushes, a studio that makes videos and images. Be calm, plain and short:
one or two sentences, no markdown, in the person's language.
To make something, call make_video or make_image. What the person leaves open, leave out of the call.
Write the prompt as a description of what is to be seen. Never say that you made something without a call,
and never invent a link: what is made appears in the conversation by itself.
To change the last one, call again with the whole changed prompt and its other settings; keep its seed to
keep the scene, leave the seed out for another take.
"""


class LanguageModel:
    """Plans over any OpenAI-compatible endpoint, a local one included; starts nothing itself."""

    def __init__(self, rows: ChatRows, models: Models, endpoint: OpenAIEndpoint) -> None:
        self._rows = rows
        self._models = models
        self._endpoint = endpoint

    async def close(self) -> None:
        await self._endpoint.close()

    async def answer(self, message: Message, last: Generation | None, on_text: OnText) -> Plan:
        """Lets the model correct wrong arguments once. Raises LlmUnavailable."""
        system = INSTRUCTIONS + _describe_defaults(self._models) + _describe_last(last)
        turns = [
            {"role": "system", "content": system},
            *await self._history(message),
            {"role": "user", "content": message.text},
        ]
        corrected = False
        while True:
            completion = await self._endpoint.ask(turns, on_text)
            try:
                return self._plan(completion, message, last)
            except InvalidToolCall as error:
                if corrected:
                    sentence = "It called a tool with wrong arguments, twice."
                    raise LlmUnavailable(sentence, code="nonsense") from error
                log.info("The language model called a tool with wrong arguments; it may try once more.")
                turns += _correction(completion, error)
                corrected = True

    def _plan(self, completion: Completion, message: Message, last: Generation | None) -> Plan:
        """Raises InvalidToolCall, LlmUnavailable."""
        if not completion.text and not completion.calls:
            raise LlmUnavailable("Its answer is empty.", code="nonsense")
        adjustments: list[Adjustment] = []
        works = tuple(
            plan_call(
                call.name, call.arguments, self._models, adjustments, last=last, chat_id=message.chat_id
            )
            for call in completion.calls
        )
        code = "making" if works else "said"
        return Plan(code=code, works=works, notes=tuple(adjustments), text=completion.text)

    async def _history(self, message: Message) -> list[Turn]:
        """The last turns, at most MAX_HISTORY_CHARACTERS of them, oldest first."""
        before = await self._rows.messages(message.chat_id, before=message.seq, limit=MAX_HISTORY_MESSAGES)
        turns: list[Turn] = []
        room = MAX_HISTORY_CHARACTERS
        for each in reversed(before):
            text = _turn_text(each)
            room -= len(text)
            if room < 0:
                break
            if text:
                turns.append({"role": "user" if each.role is Role.PERSON else "assistant", "content": text})
        return turns[::-1]


def _turn_text(message: Message) -> str:
    if message.sort is not Sort.WORDS or message.role is Role.PERSON:
        return message.text
    works = (message.understood or {}).get("works", ())
    made = [f"(made a {work['kind']}: {work['prompt']})" for work in works]
    return " ".join(filter(None, (message.text, *made)))


def _describe_defaults(models: Models) -> str:
    lines = ["What is used without further words:"]
    for kind in Kind:
        for model in models.models(kind, needs_source=False)[:1]:
            parts = [f"- {kind}: {model.label}", f"frames {', '.join(model.aspect_ratios)}"]
            if lengths := ", ".join(f"{length:g}" for length in model.durations_s[:20]):
                parts.append(f"{'from ' if model.any_duration else ''}{lengths} seconds")
            lines.append("; ".join(parts))
    return "\n".join(lines) + "\n"


def _describe_last(last: Generation | None) -> str:
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


def _correction(completion: Completion, error: InvalidToolCall) -> list[Turn]:
    """Its answer, and for each call the reason why it was refused."""
    calls: list[Turn] = []
    for number, call in enumerate(completion.calls):
        function = {"name": call.name or "make_video", "arguments": call.arguments}
        calls.append({"id": call.id or f"call-{number}", "type": "function", "function": function})
    wrong = f"Not taken: {error} Call again, with arguments as described."
    refusals = [{"role": "tool", "tool_call_id": call["id"], "content": wrong} for call in calls]
    return [{"role": "assistant", "content": completion.text or None, "tool_calls": calls}, *refusals]

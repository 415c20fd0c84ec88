"""Answers a person's message: parses, stores the plan, starts it once, and replies."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from uuid6 import uuid7

from services.chat.llm import LlmUnavailable
from services.chat.parser import read
from services.chat.plan import Plan, Work
from services.chat.planning import plan
from services.core.clock import monotonic
from services.core.conversation import ChatEvent, Message, PartialReply, Role, Sort
from services.core.errors import AppError, NoModels, StoreFailed
from services.core.model import Generation
from services.generations.service import Generations
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

MODELS_WITHIN_S = 20.0
"""So long a message waits for the first list of models."""
KEPT_TRYING_S = 5.0
LOOKED_BACK = 12
MARK = "chat"
"""A message is understood once, so its key needs no fingerprint of what was understood."""


class Llm(Protocol):
    """A language model that may answer instead of the reader."""

    async def answer(self, message: Message, last: Generation | None, speak: Callable[[str], None]) -> Plan:
        """`speak` is told all of its words so far, again and again.

        Raises LlmUnavailable when it cannot; the parser answers then.
        """


class Answering:
    def __init__(
        self,
        generations: Generations,
        rows: ChatRows,
        tell: Callable[[Sequence[ChatEvent]], None],
        *,
        llm: Llm | None = None,
        now: Callable[[], float] = time.time,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._generations = generations
        self._rows = rows
        self._tell = tell
        self._llm = llm
        self._now = now
        self._checkpoint = checkpoint
        self.placing = asyncio.Lock()
        """Held while artifacts are started and placed: whoever else places artifacts waits for it."""

    async def answer(self, message: Message) -> None:
        """To the end, however often it is asked for: after a kill the same generations come back.

        Raises StoreFailed: then all of it can be done again.
        """
        if message.understood is None:
            understood = await self._understood(message)
            self._checkpoint("chat_understood")
            await self._rows.understand(message.id, understood.to_json())
        else:
            understood = Plan.from_json(message.understood)
        async with self.placing:
            reply, started = await self._carried_out(message, understood)
            self._checkpoint("chat_started")
            self._tell(await self._rows.add([reply, *started]))

    async def give_up(self, message: Message) -> None:
        """A reply all the same: it says that it is our fault."""
        self._tell(await self._rows.add([self._reply(message, Plan(code="bug"), {"code": "bug"})]))

    async def _understood(self, message: Message) -> Plan:
        last = await self.last_artifact(message)
        if self._llm is None or message.text.startswith("/"):
            return self._read(message, last)
        try:
            return await self._llm.answer(message, last, functools.partial(self._speak, message))
        except LlmUnavailable as reason:
            log.warning("The language model did not answer (%s): %s", reason.code, reason)
            understood = self._read(message, last)
            return replace(understood, values=understood.values | {"speechless": reason.code})

    def _speak(self, message: Message, text: str) -> None:
        self._tell(
            [PartialReply(chat_id=message.chat_id, owner=message.owner, reply_to=message.id, text=text)]
        )

    def _read(self, message: Message, last: Generation | None) -> Plan:
        reading = read(message.text, follows=last is not None and last.trashed_at is None)
        return plan(reading, self._generations.catalogue, last=last, chat_id=message.chat_id)

    async def last_artifact(self, message: Message) -> Generation | None:
        """Before the message: the newest that is there, else the newest that is deleted."""
        before = await self._rows.artifacts(message.chat_id, before=message.seq, limit=LOOKED_BACK)
        there = (one for one in before if one.trashed_at is None)
        return next(there, None) or next(iter(before), None)

    async def _carried_out(self, message: Message, todo: Plan) -> tuple[Message, list[Message]]:
        works: list[dict[str, Any]] = []
        started: list[Message] = []
        refusal: AppError | None = None
        for number, work in enumerate(todo.works):
            try:
                made = await self._start(message, work, number)
            except StoreFailed:
                raise
            except AppError as error:
                refusal = error
                break
            works.append(self._facts(todo, work, made))
            started += [artifact(one, self._now()) for one in made]
        said: dict[str, Any] = {
            "code": todo.code if refusal is None or works else "refused",
            "works": works,
            "changes": list(todo.changes),
            "notes": [{"code": note.code, **note.values} for note in todo.notes],
            **todo.values,
        }
        if refusal is not None:
            said["refusal"] = {"sentence": refusal.sentence, "values": _plain(refusal.values)}
        return self._reply(message, todo, said), started

    def _reply(self, message: Message, todo: Plan, said: dict[str, Any]) -> Message:
        return Message(
            id=str(uuid7()),
            chat_id=message.chat_id,
            owner=message.owner,
            role=Role.STUDIO,
            sort=Sort.WORDS,
            created_at=self._now(),
            text=todo.text,
            understood=said,
            reply_to=message.id,
        )

    async def _start(self, message: Message, work: Work, number: int) -> list[Generation]:
        """Paid for once, whatever happens: the key is the message's own."""
        key = f"chat:{message.id}:{number}"
        if known := await self._generations.started_with(key, fingerprint=MARK, owner=message.owner):
            return known
        draft = work.draft
        if work.source_of is not None:
            source = await self._generations.source_from(work.source_of, owner=message.owner)
            draft = replace(draft, source=source)
        begun = monotonic()
        while True:
            try:
                return await self._generations.start(
                    draft, owner=message.owner, count=work.count, key=key, fingerprint=MARK
                )
            except NoModels:
                if monotonic() - begun > MODELS_WITHIN_S:
                    raise
                await asyncio.sleep(0.5)

    def _facts(self, todo: Plan, work: Work, made: Sequence[Generation]) -> dict[str, Any]:
        """What it is made with, for the sentence that says so."""
        request = made[0].request
        seed_named = work.draft.seed is not None and (not todo.changes or "seed" in todo.changes)
        model = self._generations.catalogue.find(request.kind, request.backend, request.model)
        return {
            "kind": str(request.kind),
            "model": model.label if model is not None else request.model,
            "prompt": request.prompt,
            "length": request.settings.duration_s,
            "frame": request.settings.aspect_ratio,
            "count": len(made),
            "seed": request.seed if seed_named else None,
            "without": request.settings.negative_prompt,
        }


def artifact(generation: Generation, at: float) -> Message:
    return _of(generation, Sort.ARTIFACT, at)


def result(generation: Generation, at: float) -> Message:
    return _of(generation, Sort.RESULT, at)


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, int | float) else str(value) for name, value in values.items()}


def _of(generation: Generation, sort: Sort, at: float) -> Message:
    return Message(
        id=str(uuid7()),
        chat_id=generation.request.chat_id or "",
        owner=generation.owner,
        role=Role.STUDIO,
        sort=sort,
        created_at=at,
        generation_id=generation.id,
    )

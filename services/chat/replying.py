"""Answers a person's message: plans, stores the plan, starts each generation once, and replies."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from uuid6 import uuid7

from services.chat.openai_endpoint import LlmUnavailable, OnText
from services.chat.parser import language_of, parse
from services.chat.plan import Plan, PlannedGeneration
from services.chat.planning import make_plan
from services.core.conversation import Message, PartialReply, Role, Sort
from services.core.errors import AppError, NoModels, StoreFailed
from services.core.model import Generation
from services.core.runtime import Runtime, monotonic
from services.generations.service import Generations
from services.media.threads import in_thread
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

MAX_WAIT_FOR_MODELS_S = 20.0
RETRY_AFTER_S = 5.0
MAX_ARTIFACTS_SEARCHED = 12
MAX_CHARACTERS_ON_THE_LOOP = 1_000
"""A longer message is parsed in a thread."""
FINGERPRINT = "chat"
"""The same for all: a stored plan never changes, so its key always names the same request."""


class Llm(Protocol):
    """A language model that may answer instead of the parser."""

    async def answer(self, message: Message, last: Generation | None, on_text: OnText) -> Plan:
        """Raises LlmUnavailable; the parser answers then."""


class Replier:
    def __init__(
        self,
        generations: Generations,
        rows: ChatRows,
        publish: Callable[[Sequence[Message | PartialReply]], None],
        *,
        llm: Llm | None,
        runtime: Runtime,
    ) -> None:
        self._generations = generations
        self._rows = rows
        self._publish = publish
        self._llm = llm
        self._runtime = runtime
        self.artifacts_lock = asyncio.Lock()
        """Held while artifacts are started and stored."""

    async def answer(self, message: Message) -> None:
        """Stores one reply, however often it is called: after a crash the same generations are found again.

        Raises StoreFailed; the call may then be repeated.
        """
        if message.understood is None:
            plan = await self._plan(message)
            self._runtime.checkpoint("chat_understood")
            await self._rows.store_plan(message.id, plan.to_json())
        else:
            plan = Plan.from_json(message.understood)
        async with self.artifacts_lock:
            reply, artifacts = await self._carry_out(message, plan)
            self._runtime.checkpoint("chat_started")
            self._publish(await self._rows.add([reply, *artifacts]))

    async def give_up(self, message: Message) -> None:
        """Replies that the message met a bug."""
        self._publish(await self._rows.add([self._reply(message, Plan(code="bug"), {"code": "bug"})]))

    async def _plan(self, message: Message) -> Plan:
        last = await self._last_artifact(message)
        if self._llm is None or message.text.startswith("/"):
            return await self._parse(message, last)

        def publish_partial(text: str) -> None:
            partial = PartialReply(
                chat_id=message.chat_id, owner=message.owner, reply_to=message.id, text=text
            )
            self._publish([partial])

        try:
            return await self._llm.answer(message, last, publish_partial)
        except LlmUnavailable as reason:
            log.warning("The language model did not answer (%s): %s", reason.code, reason)
            plan = await self._parse(message, last)
            return replace(plan, values=plan.values | {"speechless": reason.code})

    async def _parse(self, message: Message, last: Generation | None) -> Plan:
        read = partial(parse, message.text, follows=last is not None and last.trashed_at is None)
        long = len(message.text) > MAX_CHARACTERS_ON_THE_LOOP
        parsed = await in_thread(read) if long else read()
        return make_plan(parsed, self._generations.catalogue, last=last, chat_id=message.chat_id)

    async def _last_artifact(self, message: Message) -> Generation | None:
        """The newest artifact before the message; a deleted one only where there is no other."""
        before = await self._rows.artifacts(message.chat_id, before=message.seq, limit=MAX_ARTIFACTS_SEARCHED)
        present = (one for one in before if one.trashed_at is None)
        return next(present, before[0] if before else None)

    async def _carry_out(self, message: Message, plan: Plan) -> tuple[Message, list[Message]]:
        """Returns the reply and the artifacts; stops at the first refusal, which the reply names."""
        works: list[dict[str, Any]] = []
        artifacts: list[Message] = []
        content: dict[str, Any] = {
            "code": plan.code,
            "works": works,
            "changes": list(plan.changes),
            "notes": [{"code": note.code, **note.values} for note in plan.notes],
            **plan.values,
        }
        for number, planned in enumerate(plan.works):
            try:
                started = await self._start(message, planned, number)
            except StoreFailed:
                raise
            except AppError as error:
                values = {k: v if isinstance(v, int | float) else str(v) for k, v in error.values.items()}
                content["refusal"] = {"sentence": error.sentence, "values": values}
                if not works:
                    content["code"] = "refused"
                break
            works.append(self._facts(plan, planned, started))
            artifacts += [message_about(one, Sort.ARTIFACT, self._runtime.now()) for one in started]
        return self._reply(message, plan, content), artifacts

    def _reply(self, message: Message, plan: Plan, content: dict[str, Any]) -> Message:
        return Message(
            id=str(uuid7()),
            chat_id=message.chat_id,
            owner=message.owner,
            role=Role.STUDIO,
            sort=Sort.WORDS,
            created_at=self._runtime.now(),
            text=plan.text,
            understood=content | {"language": language_of(message.text)},
            reply_to=message.id,
        )

    async def _start(self, message: Message, planned: PlannedGeneration, number: int) -> list[Generation]:
        """Starts it once: its key is made of the message's id and its place in the plan."""
        key = f"chat:{message.id}:{number}"
        if known := await self._generations.started_with(key, fingerprint=FINGERPRINT, owner=message.owner):
            return known
        draft = planned.draft
        if planned.source_of is not None:
            source = await self._generations.source_from(planned.source_of, owner=message.owner)
            draft = replace(draft, source=source)
        begun = monotonic()
        while True:
            try:
                return await self._generations.start(
                    draft, owner=message.owner, count=planned.count, key=key, fingerprint=FINGERPRINT
                )
            except NoModels:
                if monotonic() - begun > MAX_WAIT_FOR_MODELS_S:
                    raise
                await asyncio.sleep(0.5)

    def _facts(self, plan: Plan, planned: PlannedGeneration, started: Sequence[Generation]) -> dict[str, Any]:
        """The settings in use, from which a page makes the reply's sentence."""
        request = started[0].request
        seed_named = planned.draft.seed is not None and (not plan.changes or "seed" in plan.changes)
        model = self._generations.catalogue.find(request.kind, request.backend, request.model)
        return {
            "kind": str(request.kind),
            "model": model.label if model is not None else request.model,
            "prompt": request.prompt,
            "length": request.settings.duration_s,
            "frame": request.settings.aspect_ratio,
            "count": len(started),
            "seed": request.seed if seed_named else None,
            "without": request.settings.negative_prompt,
        }


def message_about(generation: Generation, sort: Sort, at: float) -> Message:
    """An artifact or a result."""
    return Message(
        id=str(uuid7()),
        chat_id=generation.request.chat_id or "",
        owner=generation.owner,
        role=Role.STUDIO,
        sort=sort,
        created_at=at,
        generation_id=generation.id,
    )

"""Conversations; pages and API use nothing else of this room."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from uuid6 import UUID, uuid7

from services.catalogue.field_checks import a_text
from services.chat.replying import KEPT_TRYING_S, Answering, Llm, artifact, result
from services.core.conversation import ChatEvent, Conversation, Message, Role, Sort
from services.core.errors import InvalidRequest, NotFound, StoreFailed
from services.core.events import Broadcaster
from services.core.model import Generation, TraceEntry
from services.generations.service import Generations
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 8_000
LONGEST_TITLE = 120
TITLE_FROM_MESSAGE = 60
REMEMBERED = 10_000


class Chats:
    """`news` tells of a conversation's messages by its id, and of a person's conversations by the owner."""

    def __init__(
        self,
        generations: Generations,
        rows: ChatRows,
        *,
        llm: Llm | None = None,
        now: Callable[[], float] = time.time,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.generations = generations
        self.events: Broadcaster[ChatEvent] = Broadcaster()
        self._rows = rows
        self._now = now
        self._answering = Answering(
            generations, rows, self._tell_all, llm=llm, now=now, checkpoint=checkpoint
        )
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        """By owner and message id."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: asyncio.Queue[Generation] = asyncio.Queue()
        self._told: dict[str, bool] = {}
        """By generation: whether its result is in the conversation, not only its artifact."""

    async def open(self) -> None:
        """Listen, then catch up with what happened while nobody did."""
        self._unsubscribe = self.generations.bus.subscribe(self._hear)
        self._teller = asyncio.create_task(self._keep_telling(), name="chat results")
        for generation in await self._rows.untold():
            self._waiting.put_nowait(generation)
        for message in await self._rows.unanswered():
            self._answer(message)

    async def close(self) -> None:
        self._unsubscribe()
        tasks = [self._teller, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what a person does ------------------------------------------------------------------

    async def say(
        self,
        chat_id: str,
        text: str,
        *,
        message_id: str | None = None,
        begin: bool = False,
        owner: str,
    ) -> Message:
        """Commit a message; the reply follows by itself. The same `message_id` again is the same message.

        With `begin` a conversation that is not there begins. Raises InvalidRequest, NotFound, Conflict.
        """
        text = a_text("message", text, LONGEST_MESSAGE)
        if not text:
            raise InvalidRequest("The message is empty: write what you want to see.", field="message")
        if message_id is not None and not _is_id(message_id):
            raise InvalidRequest("The message's id must be a UUID.", field="id")
        if begin and not _is_id(chat_id):
            raise InvalidRequest("The conversation's id must be a UUID.", field="chat_id")
        message = Message(
            id=message_id or str(uuid7()),
            chat_id=chat_id,
            owner=owner,
            role=Role.PERSON,
            sort=Sort.WORDS,
            created_at=self._now(),
            text=text,
        )
        said = await self._rows.say(message, title=_title(text) if begin else None)
        if said.fresh:
            self.events.publish(said.chat, topic=owner)
            self.events.publish(said.message, topic=chat_id)
            self._answer(said.message)
        return said.message

    async def conversations(self, *, owner: str, limit: int = 100) -> list[Conversation]:
        """The one that was last spoken in first."""
        return await self._rows.chats(owner=owner, limit=limit)

    async def get(self, chat_id: str, *, owner: str) -> Conversation:
        """Raises NotFound."""
        return await self._rows.chat(chat_id, owner=owner)

    async def messages(
        self, chat_id: str, *, owner: str, before: int | None = None, limit: int = 60
    ) -> list[Message]:
        """The last ones, or the last before a `seq`, oldest first. Raises NotFound."""
        await self.get(chat_id, owner=owner)
        return await self._rows.messages(chat_id, before=before, limit=limit)

    async def artifacts(self, messages: Sequence[Message], *, owner: str) -> dict[str, Generation]:
        """The person's generations that messages name, deleted ones too."""
        ids = {message.generation_id for message in messages if message.generation_id is not None}
        found = await self._rows.generations(sorted(ids))
        return {each: generation for each, generation in found.items() if generation.owner == owner}

    async def rename(self, chat_id: str, title: str, *, owner: str) -> Conversation:
        """Raises NotFound, InvalidRequest."""
        title = a_text("title", " ".join(title.split()), LONGEST_TITLE)
        if not title:
            raise InvalidRequest("The title is empty: write one.", field="title")
        return self._changed(await self._rows.change(chat_id, owner=owner, title=title))

    async def delete(self, chat_id: str, *, owner: str) -> None:
        """Its artifacts stay among the kept results. Raises NotFound."""
        self._changed(await self._rows.change(chat_id, owner=owner, trashed_at=self._now()))

    def is_answering(self, message_id: str, *, owner: str) -> bool:
        return (owner, message_id) in self._tasks

    # -- replies -----------------------------------------------------------------------------

    def _answer(self, message: Message) -> None:
        task = asyncio.create_task(self._answer_in_turn(message), name=f"answer {message.id}")
        key = (message.owner, message.id)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None) and None)

    async def _answer_in_turn(self, message: Message) -> None:
        turn = self._turns.setdefault(message.chat_id, asyncio.Lock())
        async with turn:
            while True:
                try:
                    return await self._answering.answer(message)
                except StoreFailed as error:
                    log.warning("A message waits for its reply: %s", error)
                    await asyncio.sleep(KEPT_TRYING_S)
                except Exception:  # a bug in one reply must not keep the conversation from going on
                    log.exception("A message could not be answered.")
                    return await self._answering.give_up(message)

    # -- artifacts and results ---------------------------------------------------------------

    def _hear(self, news: Generation | TraceEntry) -> None:
        if isinstance(news, TraceEntry) or news.request.chat_id is None:
            return
        if news.id not in self._told or (news.final and not self._told[news.id]):
            self._waiting.put_nowait(news)

    async def _keep_telling(self) -> None:
        while True:
            generation = await self._waiting.get()
            try:
                await self._place(generation)
            except StoreFailed as error:
                log.warning("A result waits for its place in the conversation: %s", error)
                await asyncio.sleep(KEPT_TRYING_S)
                self._waiting.put_nowait(generation)
            except Exception:  # a bug about one result must not keep the others back
                log.exception("A result found no place in its conversation.")

    async def _place(self, generation: Generation) -> None:
        """In the conversation, exactly once: the rows are unique by generation."""
        chat_id = generation.request.chat_id or ""
        self._told[generation.id] = generation.final
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        async with self._answering.placing:
            try:
                await self._rows.chat(chat_id, owner=generation.owner)
            except NotFound:
                return
            rows = [artifact(generation, self._now())]
            if generation.final:
                rows.append(result(generation, self._now()))
            self._tell_all(await self._rows.add(rows))

    # -- below -------------------------------------------------------------------------------

    def _tell_all(self, news: Sequence[ChatEvent]) -> None:
        for each in news:
            self.events.publish(each, topic=each.id if isinstance(each, Conversation) else each.chat_id)

    def _changed(self, chat: Conversation) -> Conversation:
        self.events.publish(chat, topic=chat.owner)
        self.events.publish(chat, topic=chat.id)
        return chat


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_FROM_MESSAGE else f"{line[: TITLE_FROM_MESSAGE - 1].rstrip()}…"


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

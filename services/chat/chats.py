"""Conversations, as pages and API use them."""

import asyncio
import logging
from collections.abc import Sequence
from weakref import WeakValueDictionary

from uuid6 import UUID, uuid7

from services.catalogue.field_checks import check_text
from services.chat.replying import RETRY_AFTER_S, Llm, Replier, message_about
from services.core.conversation import ChatEvent, Conversation, Message, PartialReply, Role, Sort
from services.core.errors import InvalidRequest, NotFound, StoreFailed
from services.core.events import Broadcaster, GenerationEvent
from services.core.model import Generation, TraceEntry
from services.core.runtime import Runtime
from services.generations.service import Generations
from services.store.chats import ChatRows

log = logging.getLogger(__name__)

MAX_MESSAGE_CHARACTERS = 8_000
MAX_TITLE_CHARACTERS = 120
MAX_DERIVED_TITLE_CHARACTERS = 60
MAX_REMEMBERED = 10_000


class Chats:
    """`events` has a topic for each conversation's id, and one for each owner's list of conversations."""

    def __init__(
        self,
        generations: Generations,
        rows: ChatRows,
        *,
        llm: Llm | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self.generations = generations
        self.events: Broadcaster[ChatEvent] = Broadcaster()
        self._rows = rows
        self._runtime = runtime or Runtime()
        self._replier = Replier(generations, rows, self._publish, llm=llm, runtime=self._runtime)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        """By owner and message id."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: asyncio.Queue[Generation] = asyncio.Queue()
        self._stored: dict[str, bool] = {}
        """By generation: true where its result is stored, false where only its artifact is."""

    async def open(self) -> None:
        """Subscribes, then resumes the results and replies that an earlier process left."""
        self._unsubscribe = self.generations.bus.subscribe(self._on_event)
        self._results_task = asyncio.create_task(self._store_results(), name="chat results")
        for generation in await self._rows.unreported():
            self._waiting.put_nowait(generation)
        for message in await self._rows.unanswered():
            self._answer(message)

    async def close(self) -> None:
        self._unsubscribe()
        tasks = [self._results_task, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- a person's actions ------------------------------------------------------------------

    async def post(
        self, chat_id: str, text: str, *, message_id: str | None = None, begin: bool = False, owner: str
    ) -> Message:
        """Commits a message; the reply follows. Repeating a `message_id` changes nothing.

        `begin` creates a conversation that does not exist. Raises InvalidRequest, NotFound, Conflict.
        """
        text = check_text("message", text, MAX_MESSAGE_CHARACTERS)
        if not text:
            raise InvalidRequest("The message is empty. Describe what you want to see.", field="message")
        if message_id is not None and not _is_id(message_id):
            raise InvalidRequest("The message ID must be a UUID.", field="id")
        if begin and not _is_id(chat_id):
            raise InvalidRequest("The conversation ID must be a UUID.", field="chat_id")
        message = Message(
            id=message_id or str(uuid7()),
            chat_id=chat_id,
            owner=owner,
            role=Role.PERSON,
            sort=Sort.WORDS,
            created_at=self._runtime.now(),
            text=text,
        )
        stored = await self._rows.post(message, title=_title(text) if begin else None)
        if stored.is_new:
            self.events.publish(stored.chat, topic=owner)
            self.events.publish(stored.message, topic=chat_id)
            self._answer(stored.message)
        return stored.message

    async def conversations(self, *, owner: str, limit: int = 100) -> list[Conversation]:
        """The one with the newest message first."""
        return await self._rows.chats(owner=owner, limit=limit)

    async def get(self, chat_id: str, *, owner: str) -> Conversation:
        """Raises NotFound."""
        return await self._rows.chat(chat_id, owner=owner)

    async def messages(
        self, chat_id: str, *, owner: str, before: int | None = None, limit: int = 60
    ) -> list[Message]:
        """The last ones, or the last before the `seq` in `before`, oldest first. Raises NotFound."""
        await self.get(chat_id, owner=owner)
        return await self._rows.messages(chat_id, before=before, limit=limit)

    async def artifacts(self, messages: Sequence[Message], *, owner: str) -> dict[str, Generation]:
        """The owner's generations that the messages name, deleted ones included."""
        ids = {message.generation_id for message in messages if message.generation_id is not None}
        found = await self._rows.generations(sorted(ids))
        return {each: generation for each, generation in found.items() if generation.owner == owner}

    async def rename(self, chat_id: str, title: str, *, owner: str) -> Conversation:
        """Raises NotFound, InvalidRequest."""
        title = check_text("title", " ".join(title.split()), MAX_TITLE_CHARACTERS)
        if not title:
            raise InvalidRequest("Enter a name.", field="title")
        return await self._change(chat_id, owner, title=title)

    async def delete(self, chat_id: str, *, owner: str) -> None:
        """Its artifacts stay in the library. Raises NotFound."""
        await self._change(chat_id, owner, trashed_at=self._runtime.now())

    async def _change(self, chat_id: str, owner: str, **changes: str | float) -> Conversation:
        chat = await self._rows.change(chat_id, owner=owner, **changes)
        for topic in (owner, chat_id):
            self.events.publish(chat, topic=topic)
        return chat

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
                    return await self._replier.answer(message)
                except StoreFailed as error:
                    log.warning("A message waits for its reply: %s", error)
                    await asyncio.sleep(RETRY_AFTER_S)
                except Exception:  # a bug in one reply must not keep the conversation from going on
                    log.exception("A message could not be answered.")
                    return await self._replier.give_up(message)

    # -- artifacts and results ---------------------------------------------------------------

    def _on_event(self, event: GenerationEvent) -> None:
        if isinstance(event, TraceEntry) or event.request.chat_id is None:
            return
        if event.id not in self._stored or (event.final and not self._stored[event.id]):
            self._waiting.put_nowait(event)

    async def _store_results(self) -> None:
        while True:
            generation = await self._waiting.get()
            try:
                await self._store(generation)
            except StoreFailed as error:
                log.warning("A result could not be added to its conversation, trying again: %s", error)
                await asyncio.sleep(RETRY_AFTER_S)
                self._waiting.put_nowait(generation)
            except Exception:  # a bug about one result must not delay the others
                log.exception("A result could not be added to its conversation.")

    async def _store(self, generation: Generation) -> None:
        """Adds artifact and result once: the rows are unique by generation."""
        self._stored[generation.id] = generation.final
        while len(self._stored) > MAX_REMEMBERED:
            del self._stored[next(iter(self._stored))]
        async with self._replier.artifacts_lock:
            try:
                await self._rows.chat(generation.request.chat_id or "", owner=generation.owner)
            except NotFound:
                return
            now = self._runtime.now()
            sorts = [Sort.ARTIFACT, Sort.RESULT] if generation.final else [Sort.ARTIFACT]
            self._publish(await self._rows.add([message_about(generation, sort, now) for sort in sorts]))

    def _publish(self, events: Sequence[Message | PartialReply]) -> None:
        for event in events:
            self.events.publish(event, topic=event.chat_id)


def _title(text: str) -> str:
    line = " ".join(text.split())
    most = MAX_DERIVED_TITLE_CHARACTERS
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

"""The messages of one conversation, as they are and as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import background_tasks, ui

from services.chat import Chats
from services.core.conversation import ChatNews, Message, PartialReply, Role, Sort
from services.core.model import Generation
from ui.components import message as message_view
from ui.components.actions import Actions, to_composer
from ui.components.artifact import Artifact
from ui.components.button import Button
from ui.components.icon import icon
from ui.components.message_list import MessageList
from ui.components.notifications import go_to
from ui.session import drafts
from ui.session.page_context import PageContext
from ui.session.subscription import follow
from ui.state import Change
from ui.text import _, replies

AT_ONCE = 40
"""Messages that are drawn before somebody asks for earlier ones."""


class ConversationView:
    """`say` sends a message in the person's name."""

    def __init__(
        self, chats: Chats, context: PageContext, chat_id: str, *, say: Callable[[str], Awaitable[None]]
    ) -> None:
        self.chats = chats
        self.context = context
        self.id = chat_id
        self.say = say
        self.actions = Actions(context=context, started=self._started, edit=self._edit)
        self._drawn: dict[int, ui.element] = {}
        self._results: dict[str, message_view.Result] = {}
        self._waiting: dict[str, message_view.Waiting] = {}
        self._heard: list[ChatNews] | None = []
        """What came before the first ones were read; None when they are drawn."""
        with MessageList() as self.thread:
            self.earlier = Button(_("Earlier messages"), self._earlier, look="bare")
            self.earlier.visible = False
            with ui.element("div").classes("r-begin") as self.blank:
                icon("chat", size="xl").classes("r-scene-sign")
                with ui.element("p").classes("r-scene-words"):
                    ui.label(_("What shall we make?"))
                message_view.offers(replies.examples(), say=say)
            self.messages = ui.element("div").classes("r-messages")
            self.messages.props("aria-live=polite aria-relevant=additions")

    async def open(self, *, begun: bool) -> None:
        """Subscribe, then read, then draw: nothing falls between."""
        context = self.context
        context.client.on_delete(self.chats.news.listen(self._hear, about=self.id))
        follow(context, on_change=self._changed)
        self.blank.visible = not begun
        if begun:
            read = await self.chats.messages(self.id, owner=context.owner, limit=AT_ONCE)
            await self._add(read, newest=True)
            self.earlier.visible = len(read) == AT_ONCE
        heard, self._heard = self._heard or [], None
        for each in heard:
            await self._take(each)

    def follow(self) -> None:
        self.thread.follow()

    # what comes

    def _hear(self, came: ChatNews) -> None:
        if came.owner != self.context.owner:
            return
        if self._heard is not None:
            self._heard.append(came)
        elif not self.context.client.is_deleted:
            background_tasks.create(self._take(came), name="a message", context=self.context.client)

    async def _take(self, came: ChatNews) -> None:
        if isinstance(came, PartialReply):
            if waiting := self._waiting.get(came.reply_to):
                waiting.speak(came.text)
        elif isinstance(came, Message):
            await self._add([came], newest=True)

    def _changed(self, change: Change) -> None:
        if result := self._results.get(change.after.id):
            result.take(change.after)

    def open_it(self, generation: Generation) -> None:
        if generation.request.chat_id == self.id:
            self.thread.show(generation.id)
        else:
            go_to(generation)

    # drawing

    async def _earlier(self) -> None:
        first = min(self._drawn, default=0)
        read = await self.chats.messages(self.id, owner=self.context.owner, before=first, limit=AT_ONCE)
        self.earlier.visible = len(read) == AT_ONCE
        self.thread.hold()
        self.messages.props("aria-live=off")  # nobody wants the past read out
        await self._add(read, newest=False)
        self.messages.props("aria-live=polite")

    async def _add(self, messages: list[Message], *, newest: bool) -> None:
        fresh = [one for one in messages if one.seq not in self._drawn]
        generations = await self.chats.artifacts(fresh, owner=self.context.owner)
        artifacts: list[Artifact] = []
        for message in fresh:
            if message.seq in self._drawn:
                continue
            generation = generations.get(message.generation_id or "")
            element = self._draw(message, generation)
            self._drawn[message.seq] = element
            self._put_in_place(message.seq, element)
            if isinstance(element, Artifact):
                artifacts.append(element)
        self.blank.visible = self.blank.visible and not self._drawn
        self._wait_for_replies(fresh)
        last = artifacts[-1:] if newest else []
        await asyncio.gather(*(artifact.live(newest=artifact in last) for artifact in reversed(artifacts)))

    def _draw(self, message: Message, generation: Generation | None) -> ui.element:
        generation_id = message.generation_id or ""
        if generation is not None:
            generation = self.context.state.known.get(generation.id, generation)
            self.context.state.take(generation)
        with self.messages:
            match message.sort:
                case Sort.WORDS:
                    return message_view.words(message, say=self.say)
                case Sort.ARTIFACT:
                    return Artifact(self.context, self.actions, generation_id, generation)
                case Sort.RESULT:
                    result = message_view.Result(
                        generation_id, generation, say=self.say, show=self.thread.show
                    )
                    self._results[generation_id] = result
                    return result

    def _put_in_place(self, seq: int, element: ui.element) -> None:
        """In the order of the conversation, whatever came first; who is waited for stays behind all."""
        element.move(target_index=sum(1 for other in self._drawn if other < seq))

    def _wait_for_replies(self, messages: list[Message]) -> None:
        for message in messages:
            if message.reply_to is not None and (waiting := self._waiting.pop(message.reply_to, None)):
                waiting.delete()
            if message.role is Role.PERSON and self.chats.is_answering(message.id, owner=self.context.owner):
                with self.messages:
                    self._waiting[message.id] = message_view.Waiting()

    # what the person does with an artifact

    async def _started(self, generation: Generation) -> None:
        """It comes into the conversation by itself."""

    def _edit(self, generation: Generation) -> None:
        """The composer has its own page: take the settings there."""
        to_composer(generation.request.kind, drafts.of(generation))

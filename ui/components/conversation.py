"""The messages of one conversation, updated live."""

import asyncio

from nicegui import background_tasks, ui

from services.chat import Chats
from services.chat.parser import language_of
from services.core.conversation import ChatEvent, Message, PartialReply, Role, Sort
from services.core.model import Generation, Kind
from ui.components import animatic_notice
from ui.components import message as message_view
from ui.components.actions import Actions, open_composer
from ui.components.artifact import Artifact
from ui.components.button import Button
from ui.components.icon import icon
from ui.components.message_list import MessageList
from ui.components.notifications import go_to
from ui.session import drafts
from ui.session.page_context import PageContext
from ui.session.subscription import subscribe
from ui.state import Change
from ui.text import _, replies

PAGE_SIZE = 40
"""Messages loaded at a time."""


class ConversationView:
    """`send_text` sends a message as the person."""

    def __init__(
        self, chats: Chats, context: PageContext, chat_id: str, *, send_text: message_view.SendText
    ) -> None:
        self.chats = chats
        self.context = context
        self.id = chat_id
        self.send_text = send_text
        self.actions = Actions(context=context, started=self._on_started, edit=self._edit)
        self._drawn: dict[int, ui.element] = {}
        self._results: dict[str, message_view.Result] = {}
        self._spoken: dict[int, str | None] = {}
        """The languages of the replies, by their `seq`."""
        self._artifact_seqs: dict[str, int] = {}
        self._models = chats.generations.catalogue
        self._pending: dict[str, message_view.PendingReply] = {}
        self._buffer: list[ChatEvent] | None = []
        """Updates received before the first messages were read; None afterwards."""
        with MessageList() as self.thread:
            self.earlier = Button(_("Show earlier messages"), self._earlier, look="bare")
            self.earlier.visible = False
            with ui.element("div").classes("r-begin") as self.empty_state:
                icon("chat", size="xl").classes("r-scene-sign")
                with ui.element("p").classes("r-scene-words"):
                    ui.label(_("What would you like to make?"))
                message_view.offers(replies.examples(self._models), send_text=send_text)
                if animatic_notice.draws_alone(self._models, Kind.VIDEO):
                    animatic_notice.welcome()
            self.messages = ui.element("div").classes("r-messages")
            self.messages.props("aria-live=polite aria-relevant=additions")

    async def open(self, *, exists: bool) -> None:
        """Subscribes, then reads, then draws, so that no update is missed."""
        context = self.context
        context.client.on_delete(self.chats.events.subscribe(self._receive, topic=self.id))
        subscribe(context, on_change=self._on_change)
        self.empty_state.visible = not exists
        if exists:
            messages = await self.chats.messages(self.id, owner=context.owner, limit=PAGE_SIZE)
            await self._add(messages, newest=True)
            self.earlier.visible = len(messages) == PAGE_SIZE
        buffered, self._buffer = self._buffer or [], None
        for each in buffered:
            await self._apply(each)

    def scroll_to_end(self) -> None:
        self.thread.scroll_to_end()

    # updates

    def _receive(self, update: ChatEvent) -> None:
        if update.owner != self.context.owner:
            return
        if self._buffer is not None:
            self._buffer.append(update)
        elif not self.context.client.is_deleted:
            background_tasks.create(self._apply(update), name="a message", context=self.context.client)

    async def _apply(self, update: ChatEvent) -> None:
        if isinstance(update, PartialReply):
            if pending := self._pending.get(update.reply_to):
                pending.set_text(update.text)
        elif isinstance(update, Message):
            await self._add([update], newest=True)

    def _on_change(self, change: Change) -> None:
        if result := self._results.get(change.after.id):
            result.refresh(change.after)

    def open_generation(self, generation: Generation) -> None:
        if generation.request.chat_id == self.id:
            self.thread.show(generation.id)
        else:
            go_to(generation)

    # drawing

    async def _earlier(self) -> None:
        first = min(self._drawn, default=0)
        messages = await self.chats.messages(self.id, owner=self.context.owner, before=first, limit=PAGE_SIZE)
        self.earlier.visible = len(messages) == PAGE_SIZE
        self.thread.hold()
        self.messages.props("aria-live=off")  # screen readers skip earlier messages
        await self._add(messages, newest=False)
        self.messages.props("aria-live=polite")

    async def _add(self, messages: list[Message], *, newest: bool) -> None:
        new = [one for one in messages if one.seq not in self._drawn]
        generations = await self.chats.artifacts(new, owner=self.context.owner)
        artifacts: list[Artifact] = []
        for message in new:
            if message.seq in self._drawn:
                continue
            generation = generations.get(message.generation_id or "")
            element = self._draw(message, generation)
            self._drawn[message.seq] = element
            self._put_in_place(message.seq, element)
            if isinstance(element, Artifact):
                artifacts.append(element)
        self.empty_state.visible = self.empty_state.visible and not self._drawn
        self._update_pending(new)
        last = artifacts[-1:] if newest else []
        await asyncio.gather(*(artifact.connect(newest=artifact in last) for artifact in reversed(artifacts)))

    def _draw(self, message: Message, generation: Generation | None) -> ui.element:
        generation_id = message.generation_id or ""
        if generation is not None:
            generation = self.context.state.known.get(generation.id, generation)
            self.context.state.apply(generation)
        with self.messages:
            match message.sort:
                case Sort.WORDS:
                    if message.role is Role.STUDIO:
                        self._spoken[message.seq] = (message.understood or {}).get("language")
                    return message_view.text_message(message, models=self._models, send_text=self.send_text)
                case Sort.ARTIFACT:
                    self._artifact_seqs[generation_id] = message.seq
                    return Artifact(self.context, self.actions, generation_id, generation)
                case Sort.RESULT:
                    result = message_view.Result(
                        generation_id,
                        generation,
                        models=self._models,
                        language=self._language_of(message, generation),
                        send_text=self.send_text,
                        show=self.thread.show,
                    )
                    self._results[generation_id] = result
                    return result

    def _language_of(self, result: Message, generation: Generation | None) -> str | None:
        """That of the reply before its artifact; of an earlier page's artifact, that of the prompt."""
        artifact = self._artifact_seqs.get(result.generation_id or "", 0)
        if spoken := [code for seq, code in sorted(self._spoken.items()) if seq < artifact]:
            return spoken[-1]
        return language_of(f"/ {generation.request.prompt}") if generation is not None else None

    def _put_in_place(self, seq: int, element: ui.element) -> None:
        """Moves the element to its place by sequence number; pending replies stay last."""
        element.move(target_index=sum(1 for other in self._drawn if other < seq))

    def _update_pending(self, messages: list[Message]) -> None:
        for message in messages:
            if message.reply_to is not None and (pending := self._pending.pop(message.reply_to, None)):
                pending.delete()
            if message.role is Role.PERSON and self.chats.is_answering(message.id, owner=self.context.owner):
                with self.messages:
                    self._pending[message.id] = message_view.PendingReply()

    # actions on an artifact

    async def _on_started(self, generation: Generation) -> None:
        """The conversation adds it by itself."""

    def _edit(self, generation: Generation) -> None:
        """Opens the composer's page with these settings."""
        open_composer(generation.request.kind, drafts.from_generation(generation))

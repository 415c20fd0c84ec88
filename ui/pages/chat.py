"""Conversations: the list, the messages with their artifacts, and the message box."""

from fastapi import Response
from fastapi.responses import RedirectResponse
from nicegui import Client, ui
from uuid6 import uuid7

from services.chat import Chats
from services.core.conversation import Conversation
from services.core.errors import NotFound
from services.core.model import Generation
from ui.components import keyboard_help
from ui.components.button import Button, LinkButton
from ui.components.confirm import confirm
from ui.components.conversation import ConversationView
from ui.components.conversations import NEW, Conversations
from ui.components.icon import icon
from ui.components.input_dialog import ask
from ui.components.message_box import MessageBox
from ui.components.press import Press
from ui.pages import layout
from ui.session.page_context import PageContext
from ui.session.person import current_person
from ui.state import TabState
from ui.text import _


def register(chats: Chats) -> None:
    def context(client: Client) -> PageContext:
        return PageContext(
            generations=chats.generations, owner=current_person(), client=client, state=TabState()
        )

    @layout.page("/chat")
    async def newest() -> Response:
        """Redirects to the most recent conversation."""
        known = await chats.conversations(owner=current_person(), limit=1)
        return RedirectResponse(f"/chat/{known[0].id}" if known else NEW)

    @layout.page(NEW)
    async def begin(client: Client) -> None:
        chat_page = ChatPage(chats, context(client), None)
        with layout.frame(
            path="/chat", title=_("Chat · Rushes"), keys=keyboard_help.CHAT, on_open=chat_page.open_generation
        ):
            await chat_page.open()

    @layout.page("/chat/{chat_id}")
    async def conversation(client: Client, chat_id: str) -> None:
        try:
            chat = await chats.get(chat_id, owner=current_person())
        except NotFound:
            ui.status_code(404)
            with layout.frame(path="/chat", title=_("Not found · Rushes")):
                unknown()
            return
        chat_page = ChatPage(chats, context(client), chat)
        with layout.frame(
            path="/chat", title=_title(chat), keys=keyboard_help.CHAT, on_open=chat_page.open_generation
        ):
            await chat_page.open()


def unknown() -> None:
    with ui.element("div").classes("r-lost"):
        icon("chat", size="xl").classes("r-scene-sign")
        with ui.element("h1").classes("r-scene-words"):
            ui.label(_("Conversation not found."))
        ui.label(_("It may have been deleted, or the link is incomplete.")).classes("r-quiet")
        LinkButton(_("Back to conversations"), "/chat", icon_name="back")


def _title(chat: Conversation) -> str:
    return _("{prompt} · Rushes").format(prompt=chat.title)


class ChatPage:
    """One open page; if there is no conversation yet, the first message creates it."""

    def __init__(self, chats: Chats, context: PageContext, chat: Conversation | None) -> None:
        self.chats = chats
        self.context = context
        self.chat = chat
        self.id = chat.id if chat is not None else str(uuid7())

    async def open(self) -> None:
        with ui.element("div").classes("r-chat"):
            self.list = Conversations(self.id)
            with ui.element("section").classes("r-talk"):
                with ui.element("header").classes("r-talk-head"):
                    with ui.element("h1").classes("r-title"):
                        self.title = ui.label(self.chat.title if self.chat else _("New conversation"))
                    with ui.element("div").classes("r-talk-acts") as self.actions:
                        Button(_("Rename"), self.rename, icon_name="edit", look="bare", shown=False)
                        Button(
                            _("Delete conversation"), self.delete, icon_name="trash", look="bare", shown=False
                        )
                self.actions.visible = self.chat is not None
                self.conversation_view = ConversationView(
                    self.chats, self.context, self.id, send_text=self.send_text
                )
                MessageBox(send=self.send)
        for topic in (self.context.owner, self.id):
            self.context.client.on_delete(self.chats.events.subscribe(self._receive, topic=topic))
        self.list.fill(await self.chats.conversations(owner=self.context.owner))
        await self.conversation_view.open(exists=self.chat is not None)

    def open_generation(self, generation: Generation) -> None:
        self.conversation_view.open_generation(generation)

    async def send(self, message_id: str, text: str) -> None:
        """Raises InvalidRequest, NotFound or StoreFailed; the message was not accepted then."""
        await self.chats.post(
            self.id, text, message_id=message_id, begin=self.chat is None, owner=self.context.owner
        )
        if self.chat is None:
            self._on_created(await self.chats.get(self.id, owner=self.context.owner))
        self.conversation_view.scroll_to_end()

    async def send_text(self, text: str, press: Press) -> None:
        await self.send(press.message_id(text), text)

    async def rename(self) -> None:
        if self.chat is None:
            return
        title = await ask(_("Conversation name"), self.chat.title, yes=_("Rename"))
        if title is not None:
            await self.chats.rename(self.id, title, owner=self.context.owner)

    async def delete(self) -> None:
        detail = _("The messages are deleted. Videos and images stay in your library.")
        if await confirm(_("Delete this conversation?"), detail, yes=_("Delete")):
            await self.chats.delete(self.id, owner=self.context.owner)
            ui.navigate.to("/chat")

    def _on_created(self, chat: Conversation) -> None:
        """Turns the page into that of the new conversation."""
        self.chat = chat
        self.actions.visible = True
        ui.navigate.history.replace(f"/chat/{chat.id}")
        self._show_title(chat)

    def _show_title(self, chat: Conversation) -> None:
        self.title.text = chat.title
        ui.page_title(_title(chat))

    def _receive(self, update: object) -> None:
        if not isinstance(update, Conversation) or self.context.client.is_deleted:
            return
        with self.context.client:
            self.list.put(update)
            if self.chat is not None and update.id == self.id and update.title != self.chat.title:
                self.chat = update
                self._show_title(update)

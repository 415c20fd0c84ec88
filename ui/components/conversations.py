"""The list of conversations, most recent first."""

from collections.abc import Sequence

from nicegui import ui

from services.core.conversation import Conversation
from ui.components.button import Button, LinkButton
from ui.components.timestamp import Timestamp
from ui.text import _

NEW = "/chat/new"


class Conversations:
    def __init__(self, current_id: str) -> None:
        """`current_id` is the id of the open conversation."""
        self._current_id = current_id
        self._known: dict[str, Conversation] = {}
        self._drawn: list[Conversation] = []
        with ui.element("aside").classes("r-talks") as self._panel:
            self._panel.props["aria-label"] = _("Conversations")
            with ui.element("h2").classes("r-h2"):
                ui.label(_("Conversations"))
            self._toggle_button = Button(_("Conversations"), self._toggle, icon_name="chat", look="bare")
            self._toggle_button.classes("r-talks-fold").props("aria-expanded=false")
            LinkButton(_("New conversation"), NEW, icon_name="blank").classes("r-talks-new")
            self._list = ui.element("ul").classes("r-talks-list")

    def fill(self, conversations: Sequence[Conversation]) -> None:
        self._known |= {one.id: one for one in conversations}
        self._draw()

    def put(self, conversation: Conversation) -> None:
        self._known[conversation.id] = conversation
        if conversation.trashed_at is not None:
            del self._known[conversation.id]
        self._draw()

    def _toggle(self) -> None:
        """Opens or closes the list on a narrow screen."""
        opened = "is-open" not in self._panel.classes
        self._panel.classes(toggle="is-open")
        self._toggle_button.props["aria-expanded"] = "true" if opened else "false"

    def _draw(self) -> None:
        order = sorted(self._known.values(), key=lambda one: (one.updated_at, one.id), reverse=True)
        if order == self._drawn:
            return
        self._drawn = order
        self._list.clear()
        with self._list:
            for one in order:
                _entry(one, is_current=one.id == self._current_id)


def _entry(conversation: Conversation, *, is_current: bool) -> None:
    with ui.element("li"), ui.element("a").classes("r-talk-link") as link:
        link.props["href"] = f"/chat/{conversation.id}"
        if is_current:
            link.props["aria-current"] = "page"
        ui.label(conversation.title).classes("r-talk-title")
        Timestamp(conversation.updated_at)

"""The place of a conversation's messages: it keeps to its end unless the person looks further up."""

from __future__ import annotations

from nicegui import ui

from ui.text import _


class MessageList(ui.element, component="message_list.js"):
    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {"name": _("Messages"), "below": _("New messages below")}

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self.run_method("follow")

    def hold(self) -> None:
        """Earlier messages are about to come in above."""
        self.run_method("hold")

    def show(self, generation_id: str) -> None:
        self.run_method("show", generation_id)

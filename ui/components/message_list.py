"""Scroll area of the messages; it stays at the end unless the person has scrolled up."""

from nicegui import ui

from ui.text import _


class MessageList(ui.element, component="message_list.js"):
    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {"name": _("Messages"), "below": _("New messages below")}

    def scroll_to_end(self) -> None:
        """Scrolls to the end and stays there."""
        self.run_method("follow")

    def hold(self) -> None:
        """Keeps the scroll position while earlier messages are inserted above."""
        self.run_method("hold")

    def show(self, generation_id: str) -> None:
        self.run_method("show", generation_id)

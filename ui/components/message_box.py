"""Message input: Enter sends, Shift+Enter breaks the line; the text stays until it is accepted."""

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from services.chat import MAX_MESSAGE_CHARACTERS
from services.core.errors import AppError
from ui.components.error_boundary import guarded
from ui.text import _, measure
from ui.text.errors import error_text


class MessageBox(ui.element, component="message_box.js"):
    """Calls `send` with the message's id and text; its AppError is shown at the field."""

    def __init__(self, *, send: Callable[[str, str], Awaitable[None]]) -> None:
        super().__init__()
        self._send = send
        with self._props.suspend_updates():
            self._props["most"] = MAX_MESSAGE_CHARACTERS
            self._props["words"] = {
                "message": _("Message"),
                "send": _("Send"),
                "example": _("A video of a lighthouse at night, 10 seconds"),
                "empty": _("Describe what you want to see."),
                "long": _(
                    "The message has {count} characters; the limit is {most}. Your text is still here."
                ).replace("{most}", measure.number(MAX_MESSAGE_CHARACTERS)),
            }
        self.on("send", self._on_send)

    async def _on_send(self, event: events.GenericEventArguments) -> None:
        sent = event.args if isinstance(event.args, dict) else {}
        message_id, text = sent.get("id"), sent.get("text")
        if not isinstance(message_id, str) or not isinstance(text, str):
            self.run_method("refused", message_id, _("Message not sent. Send it again."))
            return

        async def handler() -> None:
            try:
                await self._send(message_id, text)
            except AppError as error:
                self.run_method("refused", message_id, error_text(error))
            except Exception:
                self.run_method("refused", message_id, "")
                raise
            else:
                self.run_method("taken", message_id)

        await guarded(handler)()

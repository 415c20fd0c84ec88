"""Messages of a conversation, rendered as plain text."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from services.chat.planning import Models
from services.core.conversation import Message, Role
from services.core.model import Generation, Phase
from ui.components.button import Button
from ui.components.icon import icon
from ui.components.press import Press, on_press
from ui.components.stage_states import download
from ui.text import _, labels, replies
from ui.text.languages import speaking

SendText = Callable[[str, Press], Awaitable[None]]


@contextmanager
def _message(who: str, look: str) -> Iterator[ui.element]:
    with ui.element("article").classes(f"r-said {look}") as box:
        box.props["aria-label"] = who
        yield box


def text_message(message: Message, *, models: Models, send_text: SendText) -> ui.element:
    """A message of the person, or a reply with its suggested answers as buttons."""
    if message.role is Role.PERSON:
        with _message(_("You"), "is-person") as box:
            ui.label(message.text).classes("r-words")
        return box
    with _message(_("Rushes"), "is-studio") as box:
        if message.text:
            ui.label(message.text).classes("r-words")
        understood = message.understood or {}
        with speaking(understood.get("language")):
            _draw_reply(replies.reply_text(understood, models), send_text=send_text)
    return box


def _draw_reply(reply: replies.ReplyText, *, send_text: SendText) -> None:
    for sentence in reply.sentences:
        with ui.element("p"):
            ui.label(sentence)
    for quote in reply.quotes:
        with ui.element("blockquote").classes("r-quote"):
            ui.label(quote).classes("r-words")
    for note in reply.notes:
        ui.label(note).classes("r-quiet r-said-note")
    offers(reply.offers, send_text=send_text)


def offers(offered: Sequence[replies.Offer], *, send_text: SendText) -> None:
    if not offered:
        return
    with ui.element("div").classes("r-offers"):
        for offer in offered:
            _offer(offer, send_text)


def _offer(offer: replies.Offer, send_text: SendText) -> None:
    with ui.element("button").classes("r-offer").props("type=button") as button:
        ui.label(offer.name)
    on_press(button, lambda press: send_text(offer.text, press))


class Result(ui.element):
    """The message that reports an artifact's result; a late result updates it in place."""

    def __init__(
        self,
        generation_id: str,
        generation: Generation | None,
        *,
        models: Models,
        language: str | None,
        send_text: SendText,
        show: Callable[[str], None],
    ) -> None:
        super().__init__("article")
        self.props["aria-label"] = _("Result")
        self._id = generation_id
        self._models, self._language = models, language
        self._send_text, self._on_show = send_text, show
        self._drawn: tuple[object, ...] = ()
        self.refresh(generation)

    def refresh(self, generation: Generation | None) -> None:
        problem = labels.problem(generation) if generation is not None else ""
        drawn = (
            ()
            if generation is None
            else (generation.phase, generation.trashed_at, generation.receipt, generation.unwanted, problem)
        )
        if drawn == self._drawn and drawn:
            return
        self._drawn = drawn
        done = (
            generation is not None and generation.phase is Phase.COMPLETED and generation.trashed_at is None
        )
        self.classes(replace=f"r-said is-studio is-result{' is-done' if done else ''}")
        self.clear()
        with self:
            with speaking(self._language):
                reply = self._reply(generation)
            with ui.element("div").classes("r-result-line"):
                icon("done" if done and not problem else "alert", size="s")
                ui.label(" ".join(reply.sentences))
                if done and problem and generation is not None:
                    download(generation)
                elif done:
                    show = Button(_("Show"), lambda: self._on_show(self._id), look="bare")
                    show.classes("r-show")
            for note in reply.notes:
                ui.label(note).classes("r-quiet r-said-note")
            offers(reply.offers, send_text=self._send_text)

    def _reply(self, generation: Generation | None) -> replies.ReplyText:
        if generation is None:
            return replies.ReplyText(sentences=[_("Deleted.")])
        return replies.result_text(generation, self._models)


class PendingReply(ui.element):
    """Placeholder for a reply: three dots, then the text received so far."""

    def __init__(self) -> None:
        super().__init__("article")
        self.classes("r-said is-studio is-waiting")
        self.props["aria-label"] = _("Rushes is replying")
        self.props["aria-live"] = "off"  # only the final reply is announced
        with self:
            self.dots = ui.element("span").classes("r-dots").props("aria-hidden=true")
            with self.dots:
                for _each in range(3):
                    ui.element("i")
            self.words = ui.label().classes("r-words")

    def set_text(self, text: str) -> None:
        self.dots.visible = not text
        self.words.text = text

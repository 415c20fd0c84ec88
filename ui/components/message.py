"""One message in a conversation. Everything in it is plain text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from services.core.conversation import Message, Role
from services.core.model import Generation, Phase
from ui.components.button import Button
from ui.components.error_boundary import guarded
from ui.components.icon import icon
from ui.text import _, replies

Say = Callable[[str], Awaitable[None]]


@contextmanager
def _message(who: str, look: str) -> Iterator[ui.element]:
    with ui.element("article").classes(f"r-said {look}") as box:
        box.props["aria-label"] = who
        yield box


def words(message: Message, *, say: Say) -> ui.element:
    """What a person said, or what the studio answers; its offers are said with one click."""
    if message.role is Role.PERSON:
        with _message(_("You"), "is-person") as box:
            ui.label(message.text).classes("r-words")
        return box
    with _message(_("Rushes"), "is-studio") as box:
        if message.text:
            ui.label(message.text).classes("r-words")
        _tell(replies.told(message.understood or {}), say=say)
    return box


def _tell(told: replies.Told, *, say: Say) -> None:
    for sentence in told.sentences:
        with ui.element("p"):
            ui.label(sentence)
    for quote in told.quotes:
        with ui.element("blockquote").classes("r-quote"):
            ui.label(quote).classes("r-words")
    for note in told.notes:
        ui.label(note).classes("r-quiet r-said-note")
    offers(told.offers, say=say)


def offers(offered: Sequence[replies.Offer], *, say: Say) -> None:
    if not offered:
        return
    with ui.element("div").classes("r-offers"):
        for offer in offered:
            _offer(offer, say)


def _offer(offer: replies.Offer, say: Say) -> None:
    with ui.element("button").classes("r-offer").props("type=button") as button:
        ui.label(offer.name)
    button.on("click", guarded(lambda: say(offer.text)), [])


class Result(ui.element):
    """What became of an artifact; a late arrival changes its words, and it stays one message."""

    def __init__(
        self, generation_id: str, generation: Generation | None, *, say: Say, show: Callable[[str], None]
    ) -> None:
        super().__init__("article")
        self.props["aria-label"] = _("Result")
        self._id = generation_id
        self._say, self._show = say, show
        self._drawn: tuple[object, ...] = ()
        self.take(generation)

    def take(self, generation: Generation | None) -> None:
        drawn = (
            ()
            if generation is None
            else (generation.phase, generation.trashed_at, generation.receipt, generation.unwanted)
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
            told = replies.became(generation) if generation is not None else replies.Told()
            with ui.element("div").classes("r-result-line"):
                icon("done" if done else "alert", size="s")
                ui.label(" ".join(told.sentences) or _("It was deleted."))
                if done:
                    show = Button(_("Show it"), lambda: self._show(self._id), look="bare")
                    show.classes("r-show")
            for note in told.notes:
                ui.label(note).classes("r-quiet r-said-note")
            offers(told.offers, say=self._say)


class Waiting(ui.element):
    """Stands where the reply will: three dots, then the words as they come."""

    def __init__(self) -> None:
        super().__init__("article")
        self.classes("r-said is-studio is-waiting")
        self.props["aria-label"] = _("Rushes is answering")
        self.props["aria-live"] = "off"  # the reply itself is read out, once
        with self:
            self.dots = ui.element("span").classes("r-dots").props("aria-hidden=true")
            with self.dots:
                for _each in range(3):
                    ui.element("i")
            self.words = ui.label().classes("r-words")

    def speak(self, text: str) -> None:
        self.dots.visible = not text
        self.words.text = text

"""What the stage shows in each state that stands still: a picture, sentences, and the acts that help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from services.core.model import Generation, Kind
from ui.components.actions import Actions
from ui.components.button import Button
from ui.components.error_boundary import guarded
from ui.components.icon import icon
from ui.text import _, deferred, failures

EXAMPLES = {
    Kind.VIDEO: (
        deferred("A lighthouse above a stormy sea at night, the beam sweeping slowly, slow zoom in"),
        deferred("Rain over a neon city, dolly forward between the towers"),
        deferred("Fog rising from a pine forest at dawn, slow pan to the right"),
    ),
    Kind.IMAGE: (
        deferred("A lighthouse above a stormy sea at night"),
        deferred("Snow on the mountains at dusk, a lake in front"),
        deferred("A lone tree in a field of flowers, morning light"),
    ),
}


def picture(sign: str, sentence: str, *, heading: bool = False) -> tuple[ui.element, ui.label]:
    drawn = icon(sign, size="xl").classes("r-scene-sign")
    with ui.element("h1" if heading else "p").classes("r-scene-words"):
        return drawn, ui.label(sentence)


def quiet(sentence: str) -> None:
    ui.label(sentence).classes("r-quiet")


def blank(on_example: Callable[[str], Awaitable[None]] | None, kind: Kind | None) -> None:
    picture("slate", _("Nothing on the stage yet"), heading=True)
    if on_example is None or kind is None:
        return
    quiet(_("Write a prompt, or begin with one of these:"))
    with ui.element("div").classes("r-examples"):
        for example in EXAMPLES[kind]:
            _example(_(example), on_example)


def _example(text: str, begin: Callable[[str], Awaitable[None]]) -> None:
    with ui.element("button").classes("r-example").props("type=button") as button:
        ui.label(text)
    button.on("click", guarded(lambda: begin(text)), [])


def failed(generation: Generation, *, free: bool) -> None:
    told = failures.explain(generation, free=free)
    picture("broken", told.happened)
    if told.theirs:
        ui.label(told.theirs).classes("r-theirs")
    quiet(told.money)
    quiet(told.advice)


def stopped() -> None:
    picture("stop", _("Stopped."))
    quiet(_("Should it come all the same, you are told, and it is set apart for you to keep or to drop."))


def unwanted(actions: Actions, generation: Generation) -> None:
    with ui.element("div").classes("r-unwanted-words"):
        ui.label(_("Paid, not wanted")).classes("r-strong")
        ui.label(_("It arrived after it had been stopped.")).classes("r-quiet")
    with ui.element("div").classes("r-row"):
        Button(_("Keep"), actions.keep(generation), icon_name="done")
        Button(_("Drop"), actions.drop(generation), icon_name="trash")


def unconfirmed() -> None:
    picture("question", _("Nobody knows whether the backend took it."))
    quiet(_("It was sent, and no clear answer came back. It may be in work there, and it may be charged."))
    with ui.element("ul").classes("r-choices"):
        for name, meaning in (
            (_("Check now"), _("looks for it at the backend, and costs nothing")),
            (_("Submit again"), _("sends it once more, and may be charged twice")),
            (_("Drop"), _("lets it go; should it arrive, you choose again")),
        ):
            with ui.element("li"):
                ui.label(name).classes("r-strong")
                ui.label(meaning)


# what can be done in each state


def acts_working(actions: Actions, generation: Generation) -> None:
    Button(_("Stop"), actions.stop(generation), icon_name="stop")
    Button(_("Check now"), actions.check(generation), icon_name="check")
    copy_link(generation)


def acts_ready(actions: Actions, generation: Generation) -> None:
    acts_unwanted(actions, generation)
    delete = Button(_("Delete"), actions.delete(generation), icon_name="trash").classes("r-btn-lean")
    delete.props["title"] = _("Delete")


def acts_unwanted(actions: Actions, generation: Generation) -> None:
    """Keep and Drop stand above them."""
    with ui.element("a").classes("r-btn r-btn-quiet").props("role=button data-act=download download") as save:
        save.props["href"] = f"/media/{generation.id}/download"
        icon("download", size="s")
        ui.label(_("Download"))
    copy_link(generation)
    if generation.request.kind is Kind.IMAGE:
        Button(_("Animate"), actions.start_from(generation, Kind.VIDEO), icon_name="video")
        Button(_("Use as source"), actions.start_from(generation, Kind.IMAGE), icon_name="image")
    else:
        Button(_("Use last frame"), actions.start_from(generation, Kind.VIDEO), icon_name="video")
    Button(_("Use again"), actions.revise(generation), icon_name="reuse")


def acts_over(actions: Actions, generation: Generation) -> None:
    Button(_("Retry"), actions.retry(generation), icon_name="retry")
    Button(_("Edit"), actions.revise(generation), icon_name="edit")
    if generation.job_id is not None or generation.possibly_accepted_since is not None:
        Button(_("Check now"), actions.check(generation), icon_name="check")
    Button(_("Delete"), actions.delete(generation), icon_name="trash")


def acts_unconfirmed(actions: Actions, generation: Generation) -> None:
    Button(_("Check now"), actions.check(generation), icon_name="check")
    Button(_("Submit again"), actions.submit_again(generation), icon_name="send")
    Button(_("Drop"), actions.stop(generation), icon_name="close")


def copy_link(generation: Generation) -> None:
    Button(_("Copy link"), icon_name="link").props["data-copy"] = f"/g/{generation.id}"


ACTS: dict[str, Callable[[Actions, Generation], None]] = {
    "working": acts_working,
    "ready": acts_ready,
    "unwanted": acts_unwanted,
    "failed": acts_over,
    "stopped": acts_over,
    "unconfirmed": acts_unconfirmed,
}

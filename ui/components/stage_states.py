"""Views and actions of the stage for each state that is not running."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from services.core.job_results import SAME_JOB
from services.core.model import Generation, Kind
from ui.components.actions import Actions
from ui.components.button import Button, LinkButton
from ui.components.icon import icon
from ui.components.press import Press, on_press
from ui.text import _, deferred, failures, labels, measure

OnExample = Callable[[str, Press], Awaitable[None]]

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


def picture(icon_name: str, sentence: str, *, heading: bool = False) -> tuple[ui.element, ui.label]:
    drawn = icon(icon_name, size="xl").classes("r-scene-sign")
    with ui.element("h1" if heading else "p").classes("r-scene-words"):
        return drawn, ui.label(sentence)


def quiet(sentence: str) -> None:
    ui.label(sentence).classes("r-quiet")


def blank(on_example: OnExample | None, kind: Kind | None) -> None:
    picture("slate", _("Nothing here yet"), heading=True)
    if on_example is None or kind is None:
        return
    quiet(_("Write a prompt, or start with one of these:"))
    with ui.element("div").classes("r-examples"):
        for example in EXAMPLES[kind]:
            _example(_(example), on_example)


def _example(text: str, on_example: OnExample) -> None:
    with ui.element("button").classes("r-example").props("type=button") as button:
        ui.label(text)
    on_press(button, lambda press: on_example(text, press))


def failed(generation: Generation, *, free: bool) -> None:
    failure = failures.explain(generation, free=free)
    picture("broken", failure.happened)
    if failure.backend_text:
        ui.label(failure.backend_text).classes("r-theirs")
    quiet(failure.money)
    quiet(failure.advice)


def stopped() -> None:
    picture("stop", _("Stopped."))
    quiet(_("If it still arrives, we'll ask whether to keep it."))


def arrived_with_problem(generation: Generation) -> None:
    assert generation.kept is not None
    picture("alert", labels.problem(generation))
    quiet(_("Saved unchanged, {size}.").format(size=measure.size(generation.kept.size_bytes)))


def unwanted(actions: Actions, generation: Generation) -> None:
    with ui.element("div").classes("r-unwanted-words"):
        ui.label(_("Arrived after you stopped it")).classes("r-strong")
        ui.label(_("You may have been charged for it.")).classes("r-quiet")
    with ui.element("div").classes("r-row"):
        Button(_("Keep"), actions.keep(generation), icon_name="done")
        Button(_("Discard"), actions.drop(generation), icon_name="trash")


def unconfirmed() -> None:
    picture("question", _("We couldn't confirm that the backend accepted this request."))
    quiet(
        _("The request was sent, but no clear answer came back. It may be running, and you may be charged.")
    )
    with ui.element("ul").classes("r-choices"):
        for name, meaning in (
            (_("Check now"), _("search for it at the backend; no charge")),
            (_("Submit again"), _("send it again; you may be charged twice")),
            (_("Discard"), _("stop waiting; if it still arrives, we'll ask whether to keep it")),
        ):
            with ui.element("li"):
                ui.label(name).classes("r-strong")
                ui.label(meaning)


# what can be done in each state


def working_actions(actions: Actions, generation: Generation) -> None:
    Button(_("Stop"), actions.stop(generation), icon_name="stop")
    Button(_("Check now"), actions.check(generation), icon_name="check")
    copy_link(generation)


def ready_actions(actions: Actions, generation: Generation) -> None:
    unwanted_actions(actions, generation)
    _delete(actions, generation)


def problem_actions(actions: Actions, generation: Generation) -> None:
    """No picture can be taken from it."""
    download(generation, look="")
    copy_link(generation)
    Button(_("Use again"), actions.revise(generation), icon_name="reuse")
    _delete(actions, generation)


def download(generation: Generation, *, look: str = "r-btn-quiet") -> None:
    with ui.element("a").classes(f"r-btn {look}").props("role=button data-act=download download") as save:
        save.props["href"] = f"/media/{generation.id}/download"
        icon("download", size="s")
        ui.label(_("Download"))


def _start_from(name: str, icon_name: str, actions: Actions, generation: Generation, kind: Kind) -> None:
    """The stage marks its picture while the button has the pointer or the focus."""
    button = Button(name, actions.start_from(generation, kind), icon_name=icon_name)
    source = labels.source_name(generation, actions.context.places.get(generation.id))
    button.props["title"] = _("Starting image: {name}").format(name=source)
    button.classes("r-starts-from")


def _delete(actions: Actions, generation: Generation) -> None:
    delete = Button(_("Delete"), actions.delete(generation), icon_name="trash").classes("r-btn-lean")
    delete.props["title"] = _("Delete")


def unwanted_actions(actions: Actions, generation: Generation) -> None:
    """Keep and Drop are drawn above these."""
    if labels.problem(generation):
        download(generation)
        copy_link(generation)
        Button(_("Use again"), actions.revise(generation), icon_name="reuse")
        return
    download(generation)
    copy_link(generation)
    if generation.request.kind is Kind.IMAGE:
        _start_from(_("Animate"), "video", actions, generation, Kind.VIDEO)
        _start_from(_("Use as source"), "image", actions, generation, Kind.IMAGE)
    else:
        _start_from(_("Use last frame"), "video", actions, generation, Kind.VIDEO)
    Button(_("Use again"), actions.revise(generation), icon_name="reuse")


def ended_actions(actions: Actions, generation: Generation) -> None:
    if generation.error_code == SAME_JOB:
        again = actions.retry(generation, new_seed=True)
        Button(_("Generate with a new seed"), on_press=again, icon_name="dice")
        if generation.error_text:
            LinkButton(_("Show the same job"), f"/g/{generation.error_text}", icon_name="link")
    else:
        Button(_("Retry"), on_press=actions.retry(generation), icon_name="retry")
    Button(_("Edit"), actions.revise(generation), icon_name="edit")
    if generation.job_id is not None or generation.possibly_accepted_since is not None:
        Button(_("Check now"), actions.check(generation), icon_name="check")
    Button(_("Delete"), actions.delete(generation), icon_name="trash")


def unconfirmed_actions(actions: Actions, generation: Generation) -> None:
    Button(_("Check now"), actions.check(generation), icon_name="check")
    Button(_("Submit again"), actions.submit_again(generation), icon_name="send")
    Button(_("Discard"), actions.stop(generation), icon_name="close")


def copy_link(generation: Generation) -> None:
    Button(_("Copy link"), icon_name="link").props["data-copy"] = f"/g/{generation.id}"


ACTIONS: dict[str, Callable[[Actions, Generation], None]] = {
    "working": working_actions,
    "ready": ready_actions,
    "problem": problem_actions,
    "unwanted": unwanted_actions,
    "failed": ended_actions,
    "stopped": ended_actions,
    "unconfirmed": unconfirmed_actions,
}

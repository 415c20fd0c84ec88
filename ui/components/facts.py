"""A generation's requested settings as a description list."""

from nicegui import ui

from services.core.model import Generation
from ui.components.image_upload import thumbnail
from ui.components.timestamp import Timestamp
from ui.text import _, measure


def settings_facts(generation: Generation) -> None:
    request = generation.request
    kept = generation.kept
    facts = [
        (_("Model"), f"{request.backend} · {request.model}"),
        (
            _("Length"),
            measure.length(request.settings.duration_s) if request.settings.duration_s is not None else "",
        ),
        (_("Aspect ratio"), f"{request.settings.aspect_ratio} · {request.settings.resolution}"),
        (_("Received as"), f"{kept.width} × {kept.height}" if kept is not None and kept.width else ""),
        (
            _("Frame rate"),
            _("{rate} fps").format(rate=request.settings.fps) if request.settings.fps is not None else "",
        ),
        (_("Seed"), str(request.seed)),
        (_("Negative prompt"), request.settings.negative_prompt),
        (_("Style"), request.settings.style),
        (_("Shot size"), request.settings.shot_size),
    ]
    with ui.element("dl").classes("r-facts"):
        if request.source is not None:
            with ui.element("dt"):
                ui.label(_("Starting image"))
            with ui.element("dd"):
                thumbnail(request.source)
        for name, value in facts:
            if value:
                with ui.element("dt"):
                    ui.label(name)
                with ui.element("dd"):
                    ui.label(value)
        with ui.element("dt"):
            ui.label(_("Requested"))
        with ui.element("dd"):
            Timestamp(generation.created_at, "full")

"""Player of a finished video, or the image."""

from collections.abc import Callable

from nicegui import ui

from services.core.model import Generation, Kind
from ui.components.button import Button
from ui.text import _

DEFAULT_RATIO = 16 / 9


def player(generation: Generation, *, on_shown: Callable[[], object], eager: bool = True) -> ui.element:
    """Calls `on_shown` when the first frame or the image is loaded.

    A video that is not `eager` shows only its poster until it is played.
    """
    address = f"/media/{generation.id}/file"
    if generation.request.kind is Kind.IMAGE:
        still = ui.element("img").classes("r-player").props("src=" + address)
        still.props["alt"] = generation.request.prompt
        Button(_("View large"), icon_name="expand", shown=False).classes("r-enlarge").props("data-large")
        return still.on("load", lambda: on_shown(), [])
    # a plain element: ui.video would fetch its component first and set the source later
    preload = "auto" if eager or generation.poster is None else "none"
    video = (
        ui.element("video").classes("r-player").props(f"controls preload={preload} playsinline src={address}")
    )
    video.props["aria-label"] = generation.request.prompt
    if generation.poster is not None:
        video.props["poster"] = f"/media/{generation.id}/poster"
    return video.on("loadeddata", lambda: on_shown(), [])


def shown_ratio(generation: Generation) -> float:
    """Returns width to height of the file, or of what was asked for."""
    kept = generation.kept
    if kept is not None and kept.width and kept.height:
        return kept.width / kept.height
    width, _colon, height = (generation.request.settings.aspect_ratio or "").partition(":")
    try:
        return float(width) / float(height)
    except (ValueError, ZeroDivisionError):
        return DEFAULT_RATIO

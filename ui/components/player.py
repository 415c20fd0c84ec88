"""Player of a finished video, or the image."""

from collections.abc import Callable

from nicegui import ui

from services.core.model import Generation, Kind


def player(generation: Generation, *, on_shown: Callable[[], object], eager: bool = True) -> ui.element:
    """Calls `on_shown` when the first frame or the image is loaded.

    A video that is not `eager` shows only its poster until it is played.
    """
    address = f"/media/{generation.id}/file"
    if generation.request.kind is Kind.IMAGE:
        still = ui.element("img").classes("r-player").props("src=" + address)
        still.props["alt"] = generation.request.prompt
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

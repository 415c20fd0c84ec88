"""The finished thing itself: the page's first `video` element, or the still."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from services.core.model import Generation, Kind


def player(generation: Generation, *, on_shown: Callable[[], object], eager: bool = True) -> ui.element:
    """`on_shown` is called when the first frame, or the still, is on the screen.

    A film that is not `eager` shows its poster until it is played.
    """
    address = f"/media/{generation.id}/file"
    if generation.request.kind is Kind.IMAGE:
        still = ui.element("img").classes("r-player").props("src=" + address)
        still.props["alt"] = generation.request.prompt
        return still.on("load", lambda: on_shown(), [])
    # the plain element: ui.video first has its component fetched, and sets the address a turn later
    preload = "auto" if eager or generation.poster is None else "none"
    video = (
        ui.element("video").classes("r-player").props(f"controls preload={preload} playsinline src={address}")
    )
    video.props["aria-label"] = generation.request.prompt
    if generation.poster is not None:
        video.props["poster"] = f"/media/{generation.id}/poster"
    return video.on("loadeddata", lambda: on_shown(), [])

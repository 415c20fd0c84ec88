"""Player of a finished video, or the image; where the browser cannot show it, its poster and the reason."""

from collections.abc import Callable

from nicegui import events, ui

from services.core.model import Generation, Kind
from ui.components.button import Button
from ui.components.icon import icon
from ui.components.stage_states import download
from ui.text import _, media_formats

DEFAULT_RATIO = 16 / 9


class Player:
    """Calls `on_shown` when the first frame, the image, or what takes its place is on the page.

    A video that is not `eager` shows only its poster until it is played. look/player.js finds out what the
    browser cannot show.
    """

    def __init__(self, generation: Generation, *, on_shown: Callable[[], object], eager: bool = True) -> None:
        self._generation = generation
        self._on_shown = on_shown
        self._failure = ""
        self._at_rest: ui.element | None = None
        self._box = ui.element("div").classes("r-player-box")
        with self._box:
            self._draw(eager=eager)

    def refresh(self, generation: Generation) -> None:
        """Uses a poster that was drawn meanwhile."""
        has_new_poster = generation.poster != self._generation.poster
        self._generation = generation
        if not has_new_poster:
            return
        if self._at_rest is not None:
            self._at_rest.props["srcset"] = self._poster_url()
        if self._failure:
            self._draw_notice()

    def _draw(self, *, eager: bool) -> None:
        if is_picture(self._generation):
            media = self._draw_picture()
            media.on("load", lambda: self._on_shown(), [])
        else:
            media = self._draw_film(eager=eager)
            media.on("loadeddata", lambda: self._on_shown(), [])
        media.on("unshown", self._explain, js_handler="(event) => emit(event.detail)")

    def _draw_picture(self) -> ui.element:
        with ui.element("picture").classes("r-player-box"):
            if self._generation.kept is not None and self._generation.kept.duration_s is not None:
                self._at_rest = ui.element("source").props('media="(prefers-reduced-motion: reduce)"')
                if self._generation.poster is not None:
                    self._at_rest.props["srcset"] = self._poster_url()
            still = ui.element("img").classes("r-player").props(f"src=/media/{self._generation.id}/file")
            still.props["alt"] = self._generation.request.prompt
        Button(_("View large"), icon_name="expand", shown=False).classes("r-enlarge").props("data-large")
        return still

    def _draw_film(self, *, eager: bool) -> ui.element:
        # a plain element: ui.video would fetch its component first and set the source later
        preload = "auto" if eager or self._generation.poster is None else "none"
        video = ui.element("video").classes("r-player")
        video.props(f"controls preload={preload} playsinline src=/media/{self._generation.id}/file")
        video.props["aria-label"] = self._generation.request.prompt
        if self._generation.poster is not None:
            video.props["poster"] = self._poster_url()
        return video

    def _explain(self, event: events.GenericEventArguments) -> None:
        failure = event.args
        if self._failure or not isinstance(failure, str) or failure not in media_formats.FAILURES:
            return
        self._failure = failure
        self._at_rest = None
        self._draw_notice()
        if failure != "gone":
            self._on_shown()

    def _draw_notice(self) -> None:
        self._box.clear()
        with self._box, ui.element("div").classes("r-unshown"):
            if self._generation.poster is not None:
                still = ui.element("img").classes("r-unshown-poster")
                still.props["src"] = self._poster_url()
                still.props["alt"] = self._generation.request.prompt
            else:
                icon("alert", size="xl").classes("r-scene-sign")
            with ui.element("div").classes("r-unshown-words"):
                ui.label(media_formats.cannot_show(self._generation, self._failure)).props("role=status")
                if self._failure != "gone":
                    download(self._generation, look="")

    def _poster_url(self) -> str:
        return f"/media/{self._generation.id}/poster"


def is_picture(generation: Generation) -> bool:
    """Whether an `img` shows it: an image, or a moving picture that came as the video."""
    kept = generation.kept
    moves = kept is not None and kept.content_type.startswith("image/")
    return generation.request.kind is Kind.IMAGE or moves


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

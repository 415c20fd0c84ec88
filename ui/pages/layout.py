"""The frame around every page: navigation, colours, dark and light, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from nicegui import __version__, app, ui

from services.core.events import Bus
from services.core.model import LOCAL_OWNER, Generation
from ui.components.browser_bridge import BrowserBridge
from ui.components.icon import icon
from ui.components.notifications import Notifications
from ui.components.race_strip import RaceTracks
from ui.components.timestamp import Timestamp
from ui.components.toast import Toast
from ui.text import _, deferred
from ui.text.languages import language, quasar_language, translations

LOOK = Path(__file__).parents[1] / "look"
LOOK_URL = "/_look"
PLACES = (
    (deferred("Video"), "/", "video"),
    (deferred("Image"), "/image", "image"),
    (deferred("Chat"), "/chat", "chat"),
    (deferred("Library"), "/library", "library"),
    (deferred("Deliveries"), "/deliveries", "deliveries"),
    (deferred("Settings"), "/settings", "settings"),
)
"""Name, address, icon: only what exists."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<rect width="24" height="24" rx="6" fill="#151311"/>'
    '<path d="M5 6h14v12H5ZM9 6v12M15 6v12M5 10h4M5 14h4M15 10h4M15 14h4" fill="none" stroke="#ffb45a"'
    ' stroke-width="1.6" stroke-linejoin="round"/></svg>'
)
THEME = "theme"
"""Where the choice is remembered."""
THEMES = {"auto": deferred("As the system"), "light": deferred("Light"), "dark": deferred("Dark")}
THEME_ICONS = {"auto": "auto", "light": "sun", "dark": "moon"}


def install(bus: Bus) -> None:
    """Once per app: read the words, serve the look, name the colours (valued in look/theme.css), and hear
    the news that every page tells.
    """
    translations()
    app.state.notices = Notifications(bus)
    app.add_static_files(LOOK_URL, LOOK, max_cache_age=31_536_000)
    app.colors(
        primary="var(--accent)",
        secondary="var(--quiet)",
        accent="var(--accent)",
        dark="var(--panel)",
        dark_page="var(--ground)",
        positive="var(--push)",
        negative="var(--trouble)",
        info="var(--poll)",
        warning="var(--accent)",
    )


def page(path: str) -> ui.page:
    """Dark is ours alone: Quasar's own is off, so that there is one truth about it."""
    return ui.page(path, dark=False, language="en-US", favicon=ICON)


@contextmanager
def frame(
    *,
    here: str,
    title: str,
    on_step: Callable[[int], object] | None = None,
    open_it: Callable[[Generation], object] | None = None,
) -> Iterator[ui.element]:
    """The page between the rail's navigation and the edge; `here` is the rail's current address.

    What happens is told on it; `open_it` takes the person there, where the page can do so by itself.
    """
    notices: Notifications = app.state.notices
    notices.tell_on(ui.context.client, owner=LOCAL_OWNER, open_it=open_it)
    _speak()
    _head()
    _ahead()
    ui.page_title(title)
    with ui.element("div").classes("r-app"):
        _rail(here)
        main = ui.element("div").classes("r-main").props("tabindex=-1")
    ui.skip_link(_("Skip to the stage"), target=main)
    BrowserBridge(on_step=on_step)
    with main:
        yield main


def _speak() -> None:
    """The page says its language, for screen readers, hyphenation and Quasar's own words."""
    client = ui.context.client
    client.page = copy(client.page)  # else all visitors of this address would share it
    client.page.language = quasar_language(language())


def _head() -> None:
    chosen = theme()
    ui.add_head_html(f'<script>document.documentElement.dataset.choice = "{chosen}"</script>')
    ui.add_head_html(f'<script src="{_address("early.js")}"></script>')
    ui.add_head_html(f'<script defer src="{_address("notifications.js")}"></script>')
    for sheet in ("icons.css", "theme.css", "parts.css", "chat.css", "deliveries.css", "checkup.css"):
        ui.add_head_html(f'<link rel="stylesheet" href="{_address(sheet)}">')


def _ahead() -> None:
    """Fetch now what an arrival will need, so that the first one does not wait for it."""
    for kind in (Toast, RaceTracks, Timestamp):
        if kind.component is not None:
            address = f"/_nicegui/{__version__}/components/{kind.component.key}"
            ui.add_head_html(f'<link rel="modulepreload" href="{address}">')


def _address(name: str) -> str:
    """With its content's mark, so that a browser may keep it for good."""
    return f"{LOOK_URL}/{name}?{hashlib.sha256((LOOK / name).read_bytes()).hexdigest()[:12]}"


def _rail(here: str) -> None:
    with ui.element("nav").classes("r-rail") as rail:
        rail.props["aria-label"] = _("Rushes")
        with ui.element("a").classes("r-brand").props("href=/ aria-hidden=true tabindex=-1"):
            ui.label("Rushes")
        for name, address, sign in PLACES:
            with ui.element("a").classes("r-place") as place:
                place.props["href"] = address
                if address == here:
                    place.props["aria-current"] = "page"
                icon(sign)
                ui.label(_(name))
        ui.element("div").classes("r-rail-space")
        _theme_button()


def theme() -> str:
    """What this person has chosen: auto, light or dark."""
    chosen = str(app.storage.user.get(THEME, "auto"))
    return chosen if chosen in THEMES else "auto"


def choose_theme(choice: str) -> None:
    """At once, and remembered."""
    app.storage.user[THEME] = choice
    ui.run_javascript(f"rushes.theme('{choice}')")


def _theme_button() -> None:
    chosen = theme()
    with ui.element("button").classes("r-place r-place-theme").props("type=button") as button:
        button.props["title"] = _("Dark or light")
        sign = icon(THEME_ICONS[chosen])
        word = ui.label(_("Theme"))
        with ui.menu().classes("r-menu").props("anchor='center right' self='center left'"):
            for choice, name in THEMES.items():
                ui.menu_item(_(name), on_click=lambda choice=choice: choose(choice))

    def choose(choice: str) -> None:
        choose_theme(choice)
        sign.classes(replace=f"i i-{THEME_ICONS[choice]}")

    button.props["aria-label"] = word.text

"""The frame around every page: navigation, colours, dark and light, keys."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from nicegui import __version__, app, ui

from services.core.events import Bus
from services.core.model import Generation
from ui.components.browser_bridge import BrowserBridge
from ui.components.icon import icon
from ui.components.keyboard_help import Key
from ui.components.lightbox import Lightbox
from ui.components.notifications import Notifications
from ui.components.race_strip import RaceTracks
from ui.components.timestamp import Timestamp
from ui.components.toast import Toast
from ui.session.person import current_person
from ui.text import _, deferred
from ui.text.languages import language, quasar_language, translations

LOOK = Path(__file__).parents[1] / "look"
LOOK_URL = "/_look"
NAVIGATION = (
    (deferred("Video"), "/", "video"),
    (deferred("Image"), "/image", "image"),
    (deferred("Chat"), "/chat", "chat"),
    (deferred("Library"), "/library", "library"),
    (deferred("Deliveries"), "/deliveries", "deliveries"),
    (deferred("Settings"), "/settings", "settings"),
)
"""Name, path, icon."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<rect width="24" height="24" rx="6" fill="#151311"/>'
    '<path d="M5 6h14v12H5ZM9 6v12M15 6v12M5 10h4M5 14h4M15 10h4M15 14h4" fill="none" stroke="#ffb45a"'
    ' stroke-width="1.6" stroke-linejoin="round"/></svg>'
)
RESPONSE_TIMEOUT_S = 30.0
"""NiceGUI answers 500 after it, by default after the 3 s that a busy machine may need."""
THEME_KEY = "theme"
"""Storage key of the person's choice."""
THEMES = {"auto": deferred("System"), "light": deferred("Light"), "dark": deferred("Dark")}
THEME_ICONS = {"auto": "auto", "light": "sun", "dark": "moon"}


def install(bus: Bus) -> None:
    """Sets up the app, once: catalogues, static files, Quasar's colours (defined in look/theme.css) and
    notifications.
    """
    translations()
    app.state.notifications = Notifications(bus)
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
    """Registers a page. Quasar's dark mode is off: look/theme.css alone decides."""
    return ui.page(path, dark=False, language="en-US", favicon=ICON, response_timeout=RESPONSE_TIMEOUT_S)


@contextmanager
def frame(
    *,
    path: str,
    title: str,
    keys: Sequence[Key] = (),
    on_step: Callable[[int], object] | None = None,
    on_open: Callable[[Generation], object] | None = None,
    on_stage: Callable[[], str] = lambda: "",
) -> Iterator[ui.element]:
    """Draws the frame around a page's content; `path` marks the current item of the navigation, and `keys`
    are the page's own.

    Notifications are shown on the page; `on_open` opens a generation that the page itself can show, and
    `on_stage` returns the id of the one that it shows, if any.
    """
    notifications: Notifications = app.state.notifications
    notifications.add_page(ui.context.client, owner=current_person(), on_open=on_open, on_stage=on_stage)
    _set_language()
    _head()
    _preload_components()
    ui.page_title(title)
    with ui.element("div").classes("r-app"):
        _navigation(path)
        main = ui.element("div").classes("r-main").props("tabindex=-1")
    ui.skip_link(_("Skip to content"), target=main)
    BrowserBridge(keys=keys, on_step=on_step)
    Lightbox()
    with main:
        yield main


def _set_language() -> None:
    """Declares the page's language for screen readers, hyphenation and Quasar's own texts."""
    client = ui.context.client
    client.page = copy(client.page)  # else all visitors of this path would share it
    client.page.language = quasar_language(language())


def _head() -> None:
    chosen = theme()
    ui.add_head_html(f'<script>document.documentElement.dataset.choice = "{chosen}"</script>')
    ui.add_head_html(f'<script src="{_versioned_url("early.js")}"></script>')
    ui.add_head_html(f'<script src="{_versioned_url("presses.js")}"></script>')
    for script in ("notifications.js", "toasts.js", "stage.js", "player.js"):
        ui.add_head_html(f'<script defer src="{_versioned_url(script)}"></script>')
    for sheet in ("icons.css", "theme.css", "parts.css", "chat.css", "deliveries.css", "checkup.css"):
        ui.add_head_html(f'<link rel="stylesheet" href="{_versioned_url(sheet)}">')


def _preload_components() -> None:
    """Preloads the components that an arriving result needs."""
    for component in (Toast, RaceTracks, Timestamp):
        if component.component is not None:
            url = f"/_nicegui/{__version__}/components/{component.component.key}"
            ui.add_head_html(f'<link rel="modulepreload" href="{url}">')


def _versioned_url(name: str) -> str:
    """Returns the URL with a content hash, so that browsers may cache it forever."""
    return f"{LOOK_URL}/{name}?{hashlib.sha256((LOOK / name).read_bytes()).hexdigest()[:12]}"


def _navigation(path: str) -> None:
    with ui.element("nav").classes("r-rail") as rail:
        rail.props["aria-label"] = _("Rushes")
        with ui.element("a").classes("r-brand").props("href=/ aria-hidden=true tabindex=-1"):
            ui.label("Rushes")
        for name, url, icon_name in NAVIGATION:
            with ui.element("a").classes("r-place") as place:
                place.props["href"] = url
                if url == path:
                    place.props["aria-current"] = "page"
                icon(icon_name)
                ui.label(_(name))
        ui.element("div").classes("r-rail-space")
        _theme_button()


def theme() -> str:
    """Returns the person's choice: auto, light or dark."""
    chosen = str(app.storage.user.get(THEME_KEY, "auto"))
    return chosen if chosen in THEMES else "auto"


def choose_theme(choice: str) -> None:
    """Applies and stores the choice."""
    app.storage.user[THEME_KEY] = choice
    ui.run_javascript(f"rushes.theme('{choice}')")


def _theme_button() -> None:
    chosen = theme()
    with ui.element("button").classes("r-place r-place-theme").props("type=button") as button:
        button.props["title"] = _("Theme")
        theme_icon = icon(THEME_ICONS[chosen])
        label = ui.label(_("Theme"))
        with ui.menu().classes("r-menu").props("anchor='center right' self='center left'"):
            for choice, name in THEMES.items():
                ui.menu_item(_(name), on_click=lambda choice=choice: choose(choice))

    def choose(choice: str) -> None:
        choose_theme(choice)
        theme_icon.classes(replace=f"i i-{THEME_ICONS[choice]}")

    button.props["aria-label"] = label.text

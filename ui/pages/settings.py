"""A person's settings; one function draws each section."""

from nicegui import ui

from services.catalogue import Catalogue
from services.core.model import ANIMATIC, Kind
from services.library import Library
from ui.components.button import LinkButton
from ui.components.notification_settings import NotificationSettings
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.storage import retention, storage
from ui.pages import layout
from ui.text import _, languages

ENV_FILE = """\
# .env, beside main.py
SUPERDUPERAI_URL=https://…
SUPERDUPERAI_TOKEN=…
"""


def register(library: Library, catalogue: Catalogue) -> None:
    @layout.page("/settings")
    async def settings() -> None:
        title = _("Settings · Rushes")
        with layout.frame(path="/settings", title=title), ui.element("div").classes("r-single r-settings"):
            with ui.element("h1").classes("r-title"):
                ui.label(_("Settings"))
            connect(catalogue)
            language()
            appearance()
            notifications()
            await storage(library)
            await retention(library)
            checkup()


def connect(catalogue: Catalogue) -> None:
    backends = {model.backend: None for kind in Kind for model in catalogue.models(kind)}
    connected = ", ".join(name for name in backends if name != ANIMATIC)
    about = _("No model connected. The animatic renders a free rehearsal, no AI model.")
    if connected:
        about = _("Connected: {names}.").format(names=connected)
    with section(_("Connect a model"), about) as panel:
        panel.props("id=connect")
        for name, problem in catalogue.problems.items():
            if name != ANIMATIC:
                ui.label(problem).classes("r-note")
        ui.label(_("Add the address and key of your generation service to this file:"))
        ui.html(f"<pre>{ENV_FILE}</pre>", sanitize=False).classes("r-code")
        sentence = _("Then restart Rushes. The service's models appear first in the model list.")
        ui.label(f"{sentence} {_('The key stays on the server.')}")


def language() -> None:
    def choose(code: str) -> None:
        languages.choose(code)
        ui.navigate.reload()

    native_names = {code: languages.native_name(code) for code in languages.translations()}
    with section(_("Language"), _("The page reloads. Your text is kept.")):
        offered = {"": _("Browser default")} | native_names
        options(_("Language"), offered, languages.choice(), on_choose=choose)


def appearance() -> None:
    labels = {choice: _(name) for choice, name in layout.THEMES.items()}
    with section(_("Theme")):
        options(_("Theme"), labels, layout.theme(), on_choose=layout.choose_theme)


def notifications() -> None:
    about = _("Results are announced in every open tab. These settings apply to this browser.")
    with section(_("Notifications"), about):
        NotificationSettings()


def checkup() -> None:
    about = _("Test this installation's reliability, connections and storage.")
    with section(_("System check"), about), ui.element("div").classes("r-row"):
        LinkButton(_("Open system check"), "/checkup", icon_name="check")

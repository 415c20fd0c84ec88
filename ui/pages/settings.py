"""A person's settings; one function draws each section."""

from nicegui import ui

from services.library import Library
from ui.components.button import LinkButton
from ui.components.notification_settings import NotificationSettings
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.storage import retention, storage
from ui.pages import layout
from ui.text import _, languages


def register(library: Library) -> None:
    @layout.page("/settings")
    async def settings() -> None:
        title = _("Settings · Rushes")
        with layout.frame(path="/settings", title=title), ui.element("div").classes("r-single r-settings"):
            with ui.element("h1").classes("r-title"):
                ui.label(_("Settings"))
            language()
            appearance()
            notifications()
            await storage(library)
            await retention(library)
            checkup()


def language() -> None:
    def choose(code: str) -> None:
        languages.choose(code)
        ui.navigate.reload()

    native_names = {code: languages.native_name(code) for code in languages.translations()}
    with section(_("Language"), _("The page loads again; what you have typed stays.")):
        offered = {"": _("As the browser says")} | native_names
        options(_("Language"), offered, languages.choice(), on_choose=choose)


def appearance() -> None:
    labels = {choice: _(name) for choice, name in layout.THEMES.items()}
    with section(_("Theme")):
        options(_("Theme"), labels, layout.theme(), on_choose=layout.choose_theme)


def notifications() -> None:
    about = _("Every open page tells what arrives. What you turn on here is for this browser.")
    with section(_("Notices"), about):
        NotificationSettings()


def checkup() -> None:
    about = _("Does the promise hold on this install, and is all well around it?")
    with section(_("Check-up"), about), ui.element("div").classes("r-row"):
        LinkButton(_("Open the check-up"), "/checkup", icon_name="check")

"""Settings for system notifications and sound, stored in the browser like its permission."""

from nicegui import ui

from ui.text import _


class NotificationSettings(ui.element, component="notification_settings.js"):
    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {
            "system": _("System notifications"),
            "about_system": _("Shown by your system while no page of Rushes is in sight."),
            "unanswered": _("The browser was not told to allow them. Turn this on again to be asked again."),
            "denied": _(
                "The browser refuses them for this address. Allow notifications in its settings for this site"
                " (the sign beside the address), then turn this on."
            ),
            "insecure": _("The browser allows them only over https or on localhost."),
            "missing": _("This browser does not offer them to pages."),
            "sample_title": _("This is how it will look"),
            "sample": _("A click on a notice opens what it is about."),
            "sound": _("Sound"),
            "about_sound": _(
                "A short, soft one for each event. It needs a click or a key on the page first."
            ),
            "unheard": _("The browser lets nothing be heard here. Its settings for this site may say why."),
            "try": _("Try it"),
        }

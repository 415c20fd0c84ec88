"""Settings for system notifications and sound, stored in the browser like its permission."""

from nicegui import ui

from ui.text import _


class NotificationSettings(ui.element, component="notification_settings.js"):
    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {
            "system": _("System notifications"),
            "about_system": _("Shown by your system when Rushes is in the background."),
            "unanswered": _("Permission was not granted. Turn this on to be asked again."),
            "denied": _(
                "Notifications are blocked for this site. Allow them in the browser's site settings (the "
                "icon next to the address), then turn this on."
            ),
            "insecure": _("Notifications require HTTPS or localhost."),
            "missing": _("This browser does not support notifications."),
            "sample_title": _("Sample notification"),
            "sample": _("Click a notification to open the result."),
            "sound": _("Sound"),
            "about_sound": _(
                "A short sound for each result. Browsers play it only after a click or key press on the page."
            ),
            "unheard": _("The browser blocked the sound. Check its settings for this site."),
            "try": _("Test sound"),
        }

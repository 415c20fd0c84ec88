"""Toast with an optional action button and an optional browser notification."""

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui

from ui.text import _

TIMEOUT_S = 4.0
"""What a toast says also stands on the page, in the library or in the trash."""


class Toast(ui.notification, component="toast.js"):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserNotification:
    """Also shown outside the page, once per browser: `key` identifies the event in all tabs."""

    key: str
    address: str


def toast(
    text: str,
    *,
    tone: str = "calm",
    caption: str = "",
    on_open: Callable[[], object] | None = None,
    action_label: str = "",
    browser_notification: BrowserNotification | None = None,
) -> None:
    """`tone`: good, calm or trouble. Text and caption are plain text, never HTML. `action_label` names the
    button that runs `on_open`; the default is "Open".
    """
    notification = Toast(
        text,
        position="bottom-right",
        timeout=TIMEOUT_S,
        caption=caption,
        html=False,
        progress=False,
        classes=f"r-toast r-toast-{tone}",
        attrs={"role": "alert" if tone == "trouble" else "status"},
    )
    if on_open is not None:
        notification.props["act"] = action_label or _("Open")
        notification.on("open", lambda: on_open(), [])
    if browser_notification is not None:
        notification.props["notice"] = {
            "key": browser_notification.key,
            "address": browser_notification.address,
            "tone": tone,
        }

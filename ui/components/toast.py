"""A short message that says what happened and takes the person there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui

from ui.text import _

SECONDS = {"good": 6.0, "calm": 8.0, "trouble": 12.0}


class Toast(ui.notification, component="toast.js"):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is also told outside the page, once per browser: `key` is the event's, the same in all tabs."""

    key: str
    address: str


def toast(
    text: str,
    *,
    tone: str = "calm",
    caption: str = "",
    open_it: Callable[[], object] | None = None,
    act: str = "",
    notice: Notice | None = None,
) -> None:
    """`tone`: good, calm or trouble. Text and caption are plain text, never HTML. `act` are the words of the
    button that runs `open_it`, where they are not Open.
    """
    shown = Toast(
        text,
        position="top-right",
        timeout=SECONDS[tone],
        caption=caption,
        html=False,
        progress=False,
        classes=f"r-toast r-toast-{tone}",
        attrs={"role": "alert" if tone == "trouble" else "status"},
    )
    if open_it is not None:
        shown.props["act"] = act or _("Open")
        shown.on("open", lambda: open_it(), [])
    if notice is not None:
        shown.props["notice"] = {"key": notice.key, "address": notice.address, "tone": tone}

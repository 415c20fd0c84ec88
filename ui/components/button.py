"""Native buttons and links with a label, an icon, or both."""

from nicegui import ui

from ui.components import press
from ui.components.error_boundary import Handler, guarded
from ui.components.icon import icon
from ui.components.press import PressHandler


class Button(ui.element):
    """`look`: main (one per page), quiet, trouble or bare; without `shown` it has an icon only.

    `on_press` is for what costs money: a repeated press is recognised by its key.
    """

    def __init__(
        self,
        name: str,
        on_click: Handler | None = None,
        *,
        icon_name: str = "",
        look: str = "quiet",
        shown: bool = True,
        on_press: PressHandler | None = None,
    ) -> None:
        super().__init__("button")
        self.classes(f"r-btn r-btn-{look}").props("type=button")
        if not shown:
            self.classes("r-btn-icon")
            self.props["aria-label"] = name
            self.props["title"] = name
        if on_click is not None:
            self.on("click", guarded(on_click), [])
        if on_press is not None:
            press.on_press(self, on_press)
        with self:
            if icon_name:
                icon(icon_name, size="s" if shown else "")
            if shown:
                ui.label(name)


class LinkButton(ui.element):
    """A link that looks like a button."""

    def __init__(self, name: str, href: str, *, icon_name: str = "", look: str = "quiet") -> None:
        super().__init__("a")
        self.classes(f"r-btn r-btn-{look}")
        self.props["href"] = href
        with self:
            if icon_name:
                icon(icon_name, size="s")
            ui.label(name)

"""A native button with words, an icon, or both."""

from __future__ import annotations

from nicegui import ui

from ui.components.error_boundary import Act, guarded
from ui.components.icon import icon


class Button(ui.element):
    """`look`: main (the one accent of a page), quiet, or bare; without `shown` words it is icon only."""

    def __init__(
        self,
        name: str,
        act: Act | None = None,
        *,
        icon_name: str = "",
        look: str = "quiet",
        shown: bool = True,
    ) -> None:
        super().__init__("button")
        self.classes(f"r-btn r-btn-{look}").props("type=button")
        if not shown:
            self.classes("r-btn-icon")
            self.props["aria-label"] = name
            self.props["title"] = name
        if act is not None:
            self.on("click", guarded(act), [])
        with self:
            if icon_name:
                icon(icon_name, size="s" if shown else "")
            if shown:
                ui.label(name)


class LinkButton(ui.element):
    """Looks like a button and leads somewhere."""

    def __init__(self, name: str, href: str, *, icon_name: str = "", look: str = "quiet") -> None:
        super().__init__("a")
        self.classes(f"r-btn r-btn-{look}")
        self.props["href"] = href
        with self:
            if icon_name:
                icon(icon_name, size="s")
            ui.label(name)

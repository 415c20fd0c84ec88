"""NiceGUI's select with an accessible list."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

GROUP = """() => requestAnimationFrame(() => {
    const rooms = document.querySelectorAll("[role=listbox] > .q-virtual-scroll__content");
    rooms.forEach((room) => room.setAttribute("role", "group"));
})"""
"""Quasar wraps the options in an unnamed focusable element, which a listbox may not contain (ARIA 1.2)."""


def dropdown(
    options: Mapping[Any, str], value: Any, on_choose: Callable[[Any], object], *, key: str
) -> ui.select:
    """`key` is the control's HTML id, for its label."""
    control = ui.select(dict(options), value=value, on_change=lambda event: on_choose(event.value))
    control.props("borderless dense options-dense behavior=menu popup-content-class=r-menu")
    control.props["for"] = key
    control.props["tag"] = "div"  # else Quasar's own label repeats ours
    control.on("popup-show", js_handler=GROUP)
    return control

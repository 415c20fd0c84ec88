"""A choice behind a button: NiceGUI's select, with a list that a screen reader can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

GROUP = """() => requestAnimationFrame(() => {
    const rooms = document.querySelectorAll("[role=listbox] > .q-virtual-scroll__content");
    rooms.forEach((room) => room.setAttribute("role", "group"));
})"""
"""Quasar puts the options into a nameless box that can be focused, which no listbox may hold (ARIA 1.2)."""


def dropdown(
    options: Mapping[Any, str], value: Any, on_choose: Callable[[Any], object], *, key: str
) -> ui.select:
    """`key` is the control's id in the page, for the label that names it."""
    control = ui.select(dict(options), value=value, on_change=lambda event: on_choose(event.value))
    control.props("borderless dense options-dense behavior=menu popup-content-class=r-menu")
    control.props["for"] = key
    control.props["tag"] = "div"  # else Quasar's own label doubles the name of ours
    control.on("popup-show", js_handler=GROUP)
    return control

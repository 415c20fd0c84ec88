"""Filter chips: a dropdown that shows the choice or the filter's name, and a toggle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from ui.components.dropdown import dropdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    name: str
    box: ui.element
    control: ui.select

    def offer(self, options: Mapping[str, str]) -> None:
        """Replaces the options, but for the chosen one."""
        chosen = self.control.value
        shown = {"": self.name, **options}
        if chosen and chosen not in shown:
            shown[chosen] = chosen
        if shown != self.control.options:
            self.control.set_options(shown)


def chip(
    name: str, options: Mapping[str, str], value: str, on_choose: Callable[[str], object], *, key: str
) -> Chip:
    """`options` excludes the empty value, shown as `name`; `key` is the control's HTML id."""
    shown: dict[Any, str] = {"": name, **options}
    with ui.element("div") as box:
        with ui.element("label").classes("r-sr") as label:
            label.props["for"] = key
            ui.label(name)
        chosen = value if value in shown else ""
        control = dropdown(shown, chosen, lambda value: on_choose(value or ""), key=key).classes("r-chip")
    return Chip(name=name, box=box, control=control)


def toggle(name: str, on: bool, on_toggle: Callable[[bool], object]) -> ui.element:
    with ui.element("button").classes("r-chip-toggle").props("type=button") as button:
        button.props["aria-pressed"] = "true" if on else "false"
        ui.label(name)

    def press() -> None:
        now = button.props["aria-pressed"] != "true"
        button.props["aria-pressed"] = "true" if now else "false"
        on_toggle(now)

    button.on("click", press, [])
    return button

"""A choice of a few that stand open: native radio buttons with words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

from nicegui import ui


def options(
    name: str, named: Mapping[str, str], chosen: str, *, on_choose: Callable[[str], object]
) -> ui.element:
    """`named` gives each value its words; `name` is the group's accessible name."""
    group = uuid4().hex
    with ui.element("div").classes("r-options").props("role=radiogroup") as row:
        row.props["aria-label"] = name
        for value, words in named.items():
            with ui.element("label").classes("r-option"):
                radio = ui.element("input").props("type=radio").classes("r-sr")
                radio.props["name"] = group
                radio.props["value"] = value
                radio.props.set_bool("checked", value == chosen)
                radio.on("change", lambda value=value: on_choose(value), [])
                ui.label(words)
    return row

"""A group of native radio buttons with labels."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from nicegui import ui


def options(
    name: str, labels: Mapping[str, str], chosen: str, *, on_choose: Callable[[str], object]
) -> ui.element:
    """`labels` holds the label of each value; `name` is the group's accessible name."""
    group = uuid4().hex
    with ui.element("div").classes("r-options").props("role=radiogroup") as row:
        row.props["aria-label"] = name
        for value, label in labels.items():
            with ui.element("label").classes("r-option"):
                radio = ui.element("input").props("type=radio").classes("r-sr")
                radio.props["name"] = group
                radio.props["value"] = value
                radio.props.set_bool("checked", value == chosen)
                radio.on("change", lambda value=value: on_choose(value), [])
                ui.label(label)
    return row

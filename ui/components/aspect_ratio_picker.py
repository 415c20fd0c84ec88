"""Picker for the aspect ratio: native radio buttons drawn as small frames."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from nicegui import ui

LONG_SIDE_PX = 26


def aspect_ratio_picker(
    name: str, ratios: Sequence[str], chosen: str, *, on_choose: Callable[[str], object]
) -> ui.element:
    """`ratios` as "16:9"; `name` is the group's accessible name."""
    group = uuid4().hex
    with ui.element("div").classes("r-frames").props("role=radiogroup") as row:
        row.props["aria-label"] = name
        for ratio in ratios:
            with ui.element("label").classes("r-frame"):
                radio = ui.element("input").props("type=radio").classes("r-sr")
                radio.props["name"] = group
                radio.props["value"] = ratio
                radio.props.set_bool("checked", ratio == chosen)
                radio.on("change", lambda ratio=ratio: on_choose(ratio), [])
                ui.element("span").classes("r-frame-shape").style(_shape(ratio))
                ui.label(ratio)
    return row


def _shape(ratio: str) -> str:
    wide, high = _sides(ratio)
    scale = LONG_SIDE_PX / max(wide, high)
    return f"inline-size: {round(wide * scale)}px; block-size: {round(high * scale)}px"


def _sides(ratio: str) -> tuple[int, int]:
    wide, _colon, high = ratio.partition(":")
    return (int(wide), int(high)) if wide.isdigit() and high.isdigit() and int(wide) and int(high) else (1, 1)

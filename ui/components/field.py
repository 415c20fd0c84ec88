"""Form fields: a label above, the control, and its error below."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from ui.components.dropdown import dropdown


@dataclass(slots=True, kw_only=True)
class Field:
    box: ui.element
    note: ui.label
    control: Any = None

    def show_error(self, sentence: str) -> None:
        """Shows an error at the field; an empty sentence clears it."""
        if self.note.text == sentence:
            return
        self.note.text = sentence
        self.note.visible = bool(sentence)
        self.box.classes(add="is-wrong") if sentence else self.box.classes(remove="is-wrong")
        if self.control is not None:
            self.control.props["aria-invalid"] = "true" if sentence else "false"


@contextmanager
def named(name: str, *, key: str = "") -> Iterator[Field]:
    """Draws the frame around one control; `key` is the control's HTML id."""
    with ui.element("div").classes("r-field") as box:
        label = ui.element("label" if key else "div").classes("r-label")
        if key:
            label.props["for"] = key
        with label:
            ui.label(name)
        note = ui.label().classes("r-note").props("role=alert")
        field = Field(box=box, note=note)
        note.visible = False
        yield field
    note.move(target_index=-1)


def area(name: str, value: str, on_change: Callable[[str], object], *, key: str, example: str = "") -> Field:
    with named(name, key=key) as field:
        control = ui.textarea(value=value, on_change=lambda event: on_change(event.value or ""))
        control.props("borderless dense autogrow rows=4")
        field.control = _finish(control, key, example)
    return field


def line(name: str, value: str, on_change: Callable[[str], object], *, key: str, example: str = "") -> Field:
    with named(name, key=key) as field:
        control = ui.input(value=value, on_change=lambda event: on_change(event.value or ""))
        control.props("borderless dense")
        field.control = _finish(control, key, example)
    return field


def choice(
    name: str, options: Mapping[Any, str], value: Any, on_choose: Callable[[Any], object], *, key: str
) -> Field:
    with named(name, key=key) as field:
        field.control = dropdown(options, value, on_choose, key=key).classes("r-input")
    return field


def _finish(control: ui.element, key: str, example: str) -> ui.element:
    control.classes("r-input")
    control.props["for"] = key
    control.props["tag"] = "div"  # else Quasar's own label repeats ours
    if example:
        control.props["placeholder"] = example
    return control

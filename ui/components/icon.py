"""Decorative line icons (ui/look/icons.css), hidden from screen readers."""

from nicegui import ui


def icon(name: str, *, size: str = "") -> ui.element:
    """`size`: nothing (20 px), "s" (16 px) or "xl" (56 px)."""
    drawn = ui.element("span").classes(f"i i-{name}" + (f" i-{size}" if size else ""))
    return drawn.props("aria-hidden=true")

"""What went wrong, in the page's language."""

from __future__ import annotations

from services.errors import AppError, Words
from ui.text import _, measure


def told(error: AppError) -> str:
    """A sentence that no catalogue has, a backend's own for one, stays as it came."""
    sentence = _(error.sentence)
    if sentence == error.sentence:
        return str(error)
    return sentence.format(**{name: _shown(value) for name, value in error.values.items()})


def _shown(value: object) -> object:
    match value:
        case AppError():
            return told(value)
        case Words():
            return _(value)
        case bool() | str():
            return value
        case int() | float():
            return measure.number(value)
        case _:
            return value

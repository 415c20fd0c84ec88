"""What a service says, in the page's language: what went wrong, what was found."""

from __future__ import annotations

from services.core.errors import AppError, Sentence, Words
from ui.text import _, measure


def error_text(message: AppError | Sentence) -> str:
    """A sentence that no catalogue has, a backend's own for one, stays as it came."""
    sentence = _(message.sentence)
    if sentence == message.sentence:
        return str(message)
    return sentence.format(**{name: _localized(value) for name, value in message.values.items()})


def _localized(value: object) -> object:
    match value:
        case AppError() | Sentence():
            return error_text(value)
        case Words():
            return _(value)
        case bool() | str():
            return value
        case int() | float():
            return measure.number(value)
        case _:
            return value

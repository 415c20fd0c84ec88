"""Translates the errors and findings of services."""

from services.core.errors import AppError, Sentence, Words
from ui.text import _, measure


def error_text(message: AppError | Sentence) -> str:
    """Returns the translated sentence; one that is in no catalogue (a backend's own) stays as it is."""
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

"""Translates the errors and findings of services."""

import re

from services.core.errors import AppError, Sentence, Words
from services.core.ordinal import Ordinal
from ui.text import _, measure

_MEGAPIXELS = re.compile(r"\b\d{1,5}(?:\.\d{1,6})?(?= megapixels)")


def error_text(message: AppError | Sentence) -> str:
    """Returns the translated sentence; one that is in no catalogue (a backend's own) stays as it is."""
    sentence = _(message.sentence)
    if sentence == message.sentence:
        return reason_text(str(message))
    return sentence.format(**{name: _localized(value) for name, value in message.values.items()})


def reason_text(reason: str) -> str:
    """Translates what the media worker reports: its sentences arrive with their limit filled in."""
    limit = _MEGAPIXELS.search(reason)
    if limit is None:
        return _(reason)
    words = reason.replace(limit[0], "{limit}", 1)
    translated = _(words)
    return reason if translated == words else translated.format(limit=limit[0])


def _localized(value: object) -> object:
    match value:
        case AppError() | Sentence():
            return error_text(value)
        case Words():
            return _(value)
        case bool() | str():
            return value
        case Ordinal():
            return measure.ordinal(value)
        case int() | float():
            return measure.number(value)
        case _:
            return value

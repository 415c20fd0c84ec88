"""What a service says, in the page's language: what went wrong, what was found."""

from __future__ import annotations

from services.core.errors import AppError, Sentence, Words
from ui.text import _, measure


def told(said: AppError | Sentence) -> str:
    """A sentence that no catalogue has, a backend's own for one, stays as it came."""
    sentence = _(said.sentence)
    if sentence == said.sentence:
        return str(said)
    return sentence.format(**{name: _shown(value) for name, value in said.values.items()})


def _shown(value: object) -> object:
    match value:
        case AppError() | Sentence():
            return told(value)
        case Words():
            return _(value)
        case bool() | str():
            return value
        case int() | float():
            return measure.number(value)
        case _:
            return value
